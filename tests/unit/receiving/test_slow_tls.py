"""Over TLS nothing is heard of a record before it is whole: who sends one slowly stays, who drips one gives way."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from service.api.deployment import Deployment
from service.delivery.room import LEAST_BYTES, STALLS_S, TLS_STALLS_S, Room
from service.delivery.settings import ServerTls
from service.receiving.dicom import DicomServer
from service.receiving.hl7 import Hl7Server
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener, Hl7Listener
from tests.certificates import Authority
from tests.unit.receiving import pdus
from tests.unit.receiving.test_dicom_drips import FRAGMENT, LONG_S, PATIENCE_S, REQUEST, STORES
from tests.unit.receiving.test_hl7 import FOREIGN
from tests.unit.receiving.test_hl7_hostile import framed

Made = TypeVar("Made")
FULL = 16_384
OBJECT = pdus.data(bytes(FULL - 12))
"""A PDU that fills a record."""


class Sender:
    """A peer over TLS, that sends its records as slowly as it likes."""

    def __init__(self, port: int, authority: Authority) -> None:
        self._line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=str(authority.certificate))
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="127.0.0.1")
        self._until_done(self._tls.do_handshake)

    def sendall(self, content: bytes) -> None:
        self._tls.write(content)
        self._line.sendall(self._out.read())

    def sends_slowly(self, content: bytes, meanwhile: Callable[[], None]) -> None:
        """One record in pieces, and what others do before the last: until they have, it goes on byte by byte."""
        self._tls.write(content)
        record = self._out.read()
        step = len(record) // 10
        for at in range(0, 9 * step, step):
            self._line.sendall(record[at : at + step])
            time.sleep(0.2)
        left = iter(record[9 * step : -1])
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(meanwhile)
            while not done.done():
                self._line.sendall(bytes([next(left)]))
                time.sleep(0.05)
            done.result()
        self._line.sendall(bytes(left) + record[-1:])

    def begins(self, content: bytes, at_once: int) -> Callable[[float], None]:
        """The beginning of one record; what drips on of it for so many seconds, byte by byte."""
        self._tls.write(content)
        record = self._out.read()
        self._line.sendall(record[:at_once])
        left = iter(record[at_once:])

        def drips(seconds: float) -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                self._line.sendall(bytes([next(left)]))
                time.sleep(0.05)

        return drips

    def recv(self, count: int) -> bytes:
        return self._until_done(lambda: self._tls.read(count))

    def close(self) -> None:
        self._line.close()

    def _until_done(self, step: Callable[[], Made]) -> Made:
        while True:
            try:
                made = step()
            except ssl.SSLWantReadError:
                self._line.sendall(self._out.read())
                come = self._line.recv(65_536)
                if not come:
                    raise ConnectionResetError from None
                self._in.write(come)
            else:
                self._line.sendall(self._out.read())
                return made


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Vouches for the listeners."""
    return Authority(tmp_path)


@pytest.fixture
def tls(authority: Authority) -> ServerTls:
    """Of a listener, which wants no certificate."""
    identity = authority.identity("server", "127.0.0.1")
    return ServerTls(str(identity.certificate), str(identity.key))


def associated(server: DicomServer, authority: Authority) -> tuple[Sender, bool]:
    """Somebody who asked for an association, and whether it was accepted."""
    made = Sender(server.port, authority)
    made.sendall(REQUEST)
    answer = pdus.received(made)  # type: ignore[arg-type]  # as a socket, it receives
    assert answer is not None
    return made, answer[0] == pdus.ACCEPT


def asks(server: DicomServer, authority: Authority) -> bool:
    """Whether another one gets an association."""
    other, is_accepted = associated(server, authority)
    other.close()
    return is_accepted


def test_who_sends_a_record_at_the_least_rate_keeps_its_place_and_who_drips_does_not() -> None:
    now = 0.0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pairs = [socket.socketpair() for _ in range(3)]
    lines = [context.wrap_socket(one, server_side=True, do_handshake_on_connect=False) for one, _ in pairs]
    room = Room(2, lambda _, __: None, clock=lambda: now)
    slow, drips = room.take(lines[0], "a"), room.take(lines[1], "a")
    assert slow is not None
    assert drips is not None
    for one in (slow, drips):
        room.serves(one)
        room.hears(one, 1)
    for second in range(1, int(2 * TLS_STALLS_S)):
        now = float(second)
        room.hears(drips, 1)
        if second % int(FULL * STALLS_S / LEAST_BYTES) == 0:
            room.hears(slow, FULL)
    newcomer = room.take(lines[2], "b")
    assert newcomer is not None
    assert room.has_whole(slow)
    assert not room.has_whole(drips)
    for line in (*lines, *(theirs for _, theirs in pairs)):
        line.close()


def test_who_sends_an_object_slowly_keeps_its_association(
    here: Deployment, authority: Authority, tls: ServerTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.delivery.room.STALLS_S", 1.5)
    server = DicomServer(
        Reception(here, "dicom"), DicomListener(port=0, associations=1, timeout_s=LONG_S, max_pdu=2 * FULL, tls=tls)
    )
    try:
        slow, is_accepted = associated(server, authority)
        with closing(slow):
            assert is_accepted
            asked: list[bool] = []
            slow.sendall(STORES + OBJECT[:100])
            slow.sends_slowly(OBJECT[100:], lambda: asked.append(asks(server, authority)))
            assert asked == [False]
            assert pdus.status(pdus.received(slow)) != 0  # type: ignore[arg-type]  # as above
    finally:
        server.stop()


def test_who_drips_gives_its_association_to_who_asks(
    here: Deployment, authority: Authority, tls: ServerTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.delivery.room.STALLS_S", 0.5)
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0, associations=1, timeout_s=LONG_S, tls=tls))
    try:
        drips, _ = associated(server, authority)
        with closing(drips):
            drips.sendall(STORES)

            def goes_on(_: float) -> None:
                drips.sendall(FRAGMENT)
                time.sleep(0.1)

            until_it_gives_way(goes_on, server, authority)
    finally:
        server.stop()


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="the system does not say what comes below TLS")
@pytest.mark.parametrize("at_once", [0, FULL // 2])
def test_who_drips_a_record_that_is_never_whole_gives_its_association_to_who_asks(
    here: Deployment, authority: Authority, tls: ServerTls, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("service.delivery.room.STALLS_S", 0.5)
    monkeypatch.setattr("service.delivery.room.LEAST_BYTES", 50)
    server = DicomServer(
        Reception(here, "dicom"), DicomListener(port=0, associations=1, timeout_s=LONG_S, max_pdu=2 * FULL, tls=tls)
    )
    try:
        sender, _ = associated(server, authority)
        with closing(sender):
            sender.sendall(STORES + OBJECT[:100])
            drips = sender.begins(OBJECT[100:], at_once)
            if at_once:  # it came fast enough until now
                drips(0.8)
                with ThreadPoolExecutor(1) as pool:
                    asked = pool.submit(asks, server, authority)
                    while not asked.done():
                        drips(0.05)
                assert not asked.result()
            until_it_gives_way(drips, server, authority)
    finally:
        server.stop()


def test_who_sends_a_message_of_hl7_slowly_keeps_its_connection(
    here: Deployment, authority: Authority, tls: ServerTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.delivery.room.LEAST_BYTES", 100)
    monkeypatch.setattr("service.delivery.room.STALLS_S", 1.5)
    server = Hl7Server(Reception(here, "hl7"), Hl7Listener(port=0, connections=1, tls=tls))
    try:
        with closing(Sender(server.port, authority)) as slow:
            message = framed(FOREIGN.replace("lesion", "lesion " * 1_000))
            slow.sendall(message[:10])
            slow.sends_slowly(message[10:], lambda: is_closed(server, authority))
            assert b"\rMSA|AA|M1\r" in slow.recv(65_536)
    finally:
        server.stop()


def until_it_gives_way(drips: Callable[[float], None], server: DicomServer, authority: Authority) -> None:
    """Drip on until another one gets its association."""
    until = time.monotonic() + PATIENCE_S
    while not asks(server, authority):
        assert time.monotonic() < until
        drips(0.2)


def is_closed(server: Hl7Server, authority: Authority) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - reset, or at its end in the handshake
        Sender(server.port, authority)
