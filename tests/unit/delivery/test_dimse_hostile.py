"""Associations of ours with archives that break the protocol: an attempt ends, in bounded time and memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import AE, evt

from service.delivery.asking import found
from service.delivery.cstore import CStoreDestination
from service.delivery.destination import Failed, Outcome
from service.delivery.dimse import STUDY_ROOT_FIND
from service.delivery.pdus import Allowance
from service.delivery.policy import Timeouts
from service.delivery.settings import CStore
from service.domain.emitted import SrReference
from tests.unit.receiving import pdus

SOON_S = 12.0


@contextmanager
def archive(answer: Callable[[socket.socket], None]) -> Iterator[CStore]:
    """An archive that does as told once it is connected to."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with closing(connected):
                try:
                    answer(connected)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        yield CStore(name="a", host="127.0.0.1", port=port, called="A", timeouts=Timeouts(1, 1, 3))
        thread.join(SOON_S)


def begin(connected: socket.socket) -> None:
    connected.sendall(pdus.announced(2, 100))
    connected.recv(65_536)
    time.sleep(4)


def pour(connected: socket.socket) -> None:
    connected.sendall(pdus.announced(2, 0xFFFFFFFF))
    for _ in range(200):
        connected.sendall(bytes(1_000_000))


def drip(connected: socket.socket) -> None:
    connected.sendall(pdus.announced(2, 0xFFFF))
    for _ in range(40):
        connected.sendall(b"\0")
        time.sleep(0.2)


@pytest.mark.parametrize("way", [begin, pour, drip])
def test_an_answer_that_does_not_come_whole_is_not_waited_for(way: Callable[[socket.socket], None]) -> None:
    began = time.monotonic()
    with archive(way) as settings:
        assert not CStoreDestination(settings).probe()[0].passed
        assert time.monotonic() - began < SOON_S


def test_a_list_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: evt.Event) -> Iterator[tuple[int, Dataset]]:
        while True:
            match = Dataset()
            match.SOPInstanceUID = "1.2.3"
            match.StudyDescription = "x" * 10_000
            yield 0xFF00, match

    monkeypatch.setattr("service.delivery.dimse._MOST", 100_000)
    entity = AE(ae_title="A")
    entity.add_supported_context(STUDY_ROOT_FIND)
    server: Any = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, answer)])
    try:
        port = server.socket.getsockname()[1]
        settings = CStore(name="a", host="127.0.0.1", port=port, called="A", timeouts=Timeouts(30, 30, 60))
        with pytest.raises(Failed) as failed:
            found(settings, SrReference("1.2", "1.2.3", "1.2.4", "1.2.5"))
        assert failed.value.answer.outcome is Outcome.UNKNOWN
    finally:
        server.shutdown()


def test_an_allowance_is_for_bytes_and_for_time() -> None:
    now = [0.0]
    allowance = Allowance(10, 5.0, lambda: now[0])
    assert allowance(10)
    assert not allowance(1)
    later = Allowance(10, 5.0, lambda: now[0])
    now[0] = 6.0
    assert not later(1)
