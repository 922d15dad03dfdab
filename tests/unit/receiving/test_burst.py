"""Many peers that connect in the same moment wait for a listener that is busy; none has to begin its handshake anew."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from service.api.deployment import Deployment
from service.delivery.room import Room
from service.receiving.dicom import DicomServer
from service.receiving.hl7 import Hl7Server
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener, Hl7Listener

PATIENCE_S = 15.0
AT_ONCE = 64


@contextmanager
def listening(way: str, here: Deployment) -> Iterator[int]:
    made: DicomServer | Hl7Server = (
        DicomServer(Reception(here, way), DicomListener(port=0))
        if way == "dicom"
        else Hl7Server(Reception(here, way), Hl7Listener(port=0))
    )
    try:
        yield made.port
    finally:
        made.stop()


@pytest.mark.parametrize("way", ["dicom", "hl7"])
def test_connections_of_one_moment_wait_in_line(way: str, here: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    is_free = threading.Event()
    take = Room.take
    monkeypatch.setattr(Room, "take", lambda *said: is_free.wait(4 * PATIENCE_S) and take(*said))
    with listening(way, here) as port, ExitStack() as stack:
        stack.callback(is_free.set)
        connected = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
            for _ in range(AT_ONCE)
        ]
        assert len(connected) == AT_ONCE
