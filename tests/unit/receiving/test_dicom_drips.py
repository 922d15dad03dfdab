"""Senders that stall or drip in the middle of a message keep no other out of the Storage SCP for long."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress

import pytest

from service.api.deployment import Deployment
from service.receiving.dicom import DicomServer
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener
from tests.unit.receiving import pdus
from tests.unit.receiving.lines import captured
from tests.unit.receiving.test_dicom_hostile import is_cut_off, opened

PATIENCE_S = 60.0
LONG_S = 300.0
ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"
REQUEST = pdus.request((1, ENHANCED), (3, pdus.VERIFICATION))
STORES = pdus.command(pdus.STORE, ENHANCED, "1.2.3")
FRAGMENT = pdus.data(b"\0", last=False)


def serve(here: Deployment, **settings: float) -> DicomServer:
    listener = DicomListener(port=0, associations=1, timeout_s=LONG_S, **settings)  # type: ignore[arg-type]  # numbers
    return DicomServer(Reception(here, "dicom"), listener)


def test_a_message_that_drips_in_pdus_of_one_byte_is_cut_off(here: Deployment) -> None:
    server = serve(here, message_s=1.0)
    try:
        with captured() as lines, closing(opened(server, REQUEST)) as line:
            line.sendall(STORES)
            assert is_cut_off(line, FRAGMENT, pause_s=0.1)
    finally:
        server.stop()
    assert [(one["reason"], one["address"]) for one in lines if one["event"] == "dicom association ended"] == [
        ("the message takes too long", "127.0.0.1")
    ]


def test_a_message_has_its_time_anew_with_each_one(here: Deployment) -> None:
    server = serve(here, message_s=1.0)
    try:
        with closing(opened(server, REQUEST)) as line:
            for _ in range(6):
                time.sleep(0.3)
                line.sendall(pdus.command(pdus.ECHO, pdus.VERIFICATION, context=3))
                assert pdus.status(pdus.received(line)) == 0
    finally:
        server.stop()


@pytest.mark.parametrize("part", [FRAGMENT, FRAGMENT[:3]], ids=["drips", "stalls in a PDU"])
def test_who_stalls_in_a_message_gives_its_association_to_who_asks(
    here: Deployment, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr("service.delivery.room.STALLS_S", 0.5)
    server = serve(here)
    try:
        with closing(opened(server, REQUEST)) as stalls:
            stalls.sendall(STORES + part)
            with closing(opened(server, REQUEST)) as line:  # rejected until the other one counts as stalled
                line.sendall(pdus.command(pdus.ECHO, pdus.VERIFICATION, context=3))
                assert pdus.status(pdus.received(line)) == 0
                with suppress(ConnectionError):
                    assert stalls.recv(1) == b""
    finally:
        server.stop()


def is_rejected(server: DicomServer) -> bool:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)) as other:
        other.sendall(REQUEST)
        answer = pdus.received(other)
        return answer is not None and answer[0] == pdus.REJECT


def test_who_is_answered_keeps_its_association_though_its_next_message_stalls(
    here: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_served, answers = threading.Event(), threading.Event()

    def answers_late(*_: object) -> None:
        is_served.set()
        answers.wait(PATIENCE_S)

    monkeypatch.setattr("service.delivery.room.STALLS_S", 0.1)
    monkeypatch.setattr(DicomServer, "_held", answers_late)
    server = serve(here)
    try:
        with closing(opened(server, REQUEST)) as served:
            served.sendall(STORES + pdus.data(b"\0") + STORES + FRAGMENT)
            assert is_served.wait(PATIENCE_S)
            time.sleep(0.5)
            assert is_rejected(server)
            answers.set()
            assert pdus.status(pdus.received(served)) != 0
            opened(server, REQUEST).close()  # once it is answered, the next message stalls as any other
    finally:
        answers.set()
        server.stop()


def test_who_has_waited_long_for_an_answer_has_time_for_the_next_message(
    here: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DicomServer, "_held", lambda *_: time.sleep(1.3))
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0, timeout_s=1.0))
    try:
        with closing(opened(server, REQUEST)) as line:
            line.sendall(STORES + pdus.data(b"\0"))
            assert pdus.status(pdus.received(line)) != 0
            line.sendall(pdus.command(pdus.ECHO, pdus.VERIFICATION, context=3))
            assert pdus.status(pdus.received(line)) == 0
    finally:
        server.stop()


def test_who_is_between_two_messages_keeps_its_association(here: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.delivery.room.STALLS_S", 0.1)
    server = serve(here)
    try:
        with closing(opened(server, REQUEST)) as served:
            time.sleep(0.5)
            assert is_rejected(server)
            served.sendall(pdus.command(pdus.ECHO, pdus.VERIFICATION, context=3))
            assert pdus.status(pdus.received(served)) == 0
    finally:
        server.stop()
