"""Connections that say nothing hold a place only until somebody who says something wants it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from service.api.deployment import Deployment
from service.delivery.cstore import CStoreDestination
from service.delivery.mllp import MllpDestination
from service.delivery.settings import CStore, Mllp, ServerTls, Tls
from service.receiving.dicom import DicomServer
from service.receiving.hl7 import Hl7Server
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener, Hl7Listener
from tests.certificates import Authority
from tests.unit.receiving import pdus
from tests.unit.receiving.test_hl7 import FOREIGN

PATIENCE_S = 60.0
LONG_S = 10 * PATIENCE_S
CROWD = 8
MESSAGE = b"\x0b" + FOREIGN.encode() + b"\x1c\r"


@contextmanager
def crowd(port: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """Many connections that say no more than this."""
    with ExitStack() as opened:
        made = []
        for _ in range(CROWD):
            made.append(opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)))
            made[-1].sendall(said)
        yield made


@pytest.fixture
def dicom(here: Deployment) -> Iterator[DicomServer]:
    made = DicomServer(Reception(here, "dicom"), DicomListener(port=0, timeout_s=LONG_S, associations=2))
    yield made
    made.stop()


@pytest.fixture
def hl7(here: Deployment) -> Iterator[Hl7Server]:
    made = Hl7Server(Reception(here, "hl7"), Hl7Listener(port=0, timeout_s=LONG_S, idle_s=LONG_S, connections=2))
    yield made
    made.stop()


@contextmanager
def associated(port: int) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)) as line:
        line.sendall(pdus.request((1, pdus.VERIFICATION)))
        answer = pdus.received(line)
        assert answer is not None
        assert answer[0] == pdus.ACCEPT
        yield line


def echo(line: socket.socket) -> int:
    line.sendall(pdus.command(pdus.ECHO, pdus.VERIFICATION))
    return pdus.status(pdus.received(line))


def acknowledged(line: socket.socket) -> bool:
    line.sendall(MESSAGE)
    return b"\rMSA|AA|M1\r" in line.recv(65_536)


def soon(found: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not found() and time.monotonic() < until:
        time.sleep(0.05)
    return found()


def associations() -> int:
    """Threads of associations that others opened."""
    return sum("AcceptorThread" in one.name for one in threading.enumerate())


@pytest.mark.parametrize("said", [b"", b"\1\0\0", pdus.announced(1, 200)], ids=["nothing", "half a head", "a head"])
def test_who_asks_for_no_association_keeps_no_sender_out(dicom: DicomServer, said: bytes) -> None:
    with crowd(dicom.port, said), associated(dicom.port) as first, associated(dicom.port) as second:
        assert [echo(first), echo(second)] == [0, 0]


def test_an_association_that_is_served_gives_its_place_to_nobody(dicom: DicomServer) -> None:
    with associated(dicom.port) as served:
        with crowd(dicom.port), crowd(dicom.port, pdus.request((1, pdus.VERIFICATION))):
            assert echo(served) == 0
        assert echo(served) == 0


def test_who_hangs_up_before_asking_leaves_no_thread(dicom: DicomServer) -> None:
    before = associations()
    with crowd(dicom.port):
        pass
    assert soon(lambda: associations() <= before)


def test_silence_before_the_handshake_keeps_no_association_out(here: Deployment, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.identity("server", "127.0.0.1")
    tls = ServerTls(str(ours.certificate), str(ours.key))
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0, timeout_s=LONG_S, associations=2, tls=tls))
    theirs = Tls(str(authority.certificate))
    peer = CStore(name="p", host="127.0.0.1", port=server.port, called="LESIONBRIDGE", verify="none", tls=theirs)
    try:
        with crowd(server.port), crowd(server.port, b"\x16\x03\x01"):
            assert CStoreDestination(peer).probe()[0].passed
    finally:
        server.stop()


def test_who_sends_no_message_keeps_no_sender_out(hl7: Hl7Server) -> None:
    with (
        crowd(hl7.port),
        socket.create_connection(("127.0.0.1", hl7.port), timeout=PATIENCE_S) as first,
        socket.create_connection(("127.0.0.1", hl7.port), timeout=PATIENCE_S) as second,
    ):
        assert acknowledged(first)
        assert acknowledged(second)


def test_who_has_sent_a_message_keeps_its_place(hl7: Hl7Server) -> None:
    with socket.create_connection(("127.0.0.1", hl7.port), timeout=PATIENCE_S) as line:
        assert acknowledged(line)
        with crowd(hl7.port) as others:
            assert others[0].recv(1) == b""
            assert acknowledged(line)


def test_silence_before_the_handshake_keeps_no_message_out(here: Deployment, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.identity("server", "127.0.0.1")
    tls = ServerTls(str(ours.certificate), str(ours.key))
    server = Hl7Server(Reception(here, "hl7"), Hl7Listener(port=0, timeout_s=LONG_S, connections=2, tls=tls))
    peer = Mllp(name="p", host="127.0.0.1", port=server.port, tls=Tls(str(authority.certificate)))
    try:
        with crowd(server.port), crowd(server.port, b"\x16\x03\x01"):
            assert MllpDestination(peer).probe()[0].passed
    finally:
        server.stop()
