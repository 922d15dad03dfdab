"""A message that comes whole in the moment in which the one before it is answered waits no more, and is answered."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from service.api.deployment import Deployment
from service.delivery.acceptor import Acceptor, _Coming
from service.delivery.room import Place, Room
from service.receiving.dicom import DicomServer
from tests.unit.receiving import pdus
from tests.unit.receiving.test_dicom_drips import FRAGMENT, PATIENCE_S, REQUEST, STORES, is_rejected, serve
from tests.unit.receiving.test_dicom_hostile import opened


def test_a_message_that_is_whole_when_the_one_before_has_its_answer_keeps_its_association(
    here: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer, answers, is_whole = threading.Semaphore(0), threading.Event(), threading.Event()
    next_begins = threading.Event()
    allows, hears, has_whole = Acceptor._allows, Room.hears, Room.has_whole

    def says_begun(acceptor: Acceptor, coming: _Coming, count: int) -> bool:
        is_allowed = allows(acceptor, coming, count)
        if coming.unanswered:
            next_begins.set()
        return is_allowed

    def hears_late(room: Room, place: Place, count: int) -> None:
        if not count:  # what waits since an answer: the rest of it comes now
            answers.set()
            is_whole.wait(1.0)
        hears(room, place, count)

    def says_whole(room: Room, place: Place) -> bool:
        had = has_whole(room, place)
        if answers.is_set():
            is_whole.set()
        return had

    monkeypatch.setattr("service.delivery.room.STALLS_S", 0.1)
    monkeypatch.setattr(Acceptor, "_allows", says_begun)
    monkeypatch.setattr(Room, "hears", hears_late)
    monkeypatch.setattr(Room, "has_whole", says_whole)
    monkeypatch.setattr(DicomServer, "_held", lambda *_: may_answer.acquire(timeout=PATIENCE_S))
    server = serve(here)
    try:
        with closing(opened(server, REQUEST)) as served:
            served.sendall(STORES + pdus.data(b"\0") + STORES + FRAGMENT)
            assert next_begins.wait(PATIENCE_S)
            may_answer.release()
            assert answers.wait(PATIENCE_S)
            served.sendall(pdus.data(b"\0"))
            assert pdus.status(pdus.received(served)) != 0
            assert is_whole.wait(PATIENCE_S)
            time.sleep(0.3)
            assert is_rejected(server)
            may_answer.release()
            assert pdus.status(pdus.received(served)) != 0
    finally:
        may_answer.release(2)
        server.stop()
