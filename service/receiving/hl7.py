"""A receiver of HL7 v2 over MLLP: one answer a message, and accepted means that it is on disk.

Each connection has a thread; there are at most as many as the settings say, the next one is closed at once. A message
that is too large or too slow ends its connection.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import structlog

from service.access.events import Arrival, rule_of
from service.delivery.handshake import shake
from service.delivery.room import BACKLOG, Place, Room
from service.delivery.trust import server_context
from service.domain.errors import LesionBridgeError, Problem
from service.doors import Format
from service.receiving.acknowledge import answers, heading
from service.receiving.merging import merge_all
from service.receiving.reception import Peer, Reception
from service.receiving.settings import Hl7Listener

_START, _END = b"\x0b", b"\x1c\r"  # MLLP: <SB> message <EB><CR> (HL7 v2 Implementation Guide, C.4)
_CHUNK: Final = 65_536
_LOOK_S: Final = 0.5
_NAME: Final = 40
_log = structlog.get_logger()


class Hl7Server:
    """Listens once it is made; ``port`` is the one that was taken. Raises OSError where it can't be."""

    def __init__(self, reception: Reception, settings: Hl7Listener) -> None:
        """Bind, and start to accept."""
        self._reception, self._settings = reception, settings
        self._tls = server_context(settings.tls) if settings.tls is not None else None
        self._room = Room(settings.connections, _refused)
        self._ending = threading.Event()
        self._threads: set[threading.Thread] = set()
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        self._socket = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
        self._socket.settimeout(_LOOK_S)
        self.port: int = self._socket.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name="hl7", daemon=True)
        self._accepting.start()

    def stop(self, grace_s: float = 10.0) -> None:
        """Take no new connection, end the present ones after the message under way."""
        self._ending.set()
        self._accepting.join(grace_s)
        self._socket.close()
        until = time.monotonic() + grace_s
        for thread in tuple(self._threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connected, peer = self._socket.accept()
            except TimeoutError:
                continue
            except OSError as error:  # it hung up before it was taken, or this process has too many files open
                _refused(type(error).__name__)
                self._ending.wait(_LOOK_S)
                continue
            self._admit(connected, str(peer[0]))

    def _admit(self, connected: socket.socket, address: str) -> None:
        """Give a connection a thread where it has a place; its handshake is made there."""
        if self._tls is not None:
            try:
                connected = self._tls.wrap_socket(connected, server_side=True, do_handshake_on_connect=False)
            except OSError as error:  # it hung up
                connected.close()
                _refused(type(error).__name__, address)
                return
        place = self._room.take(connected, address)
        if place is None:
            connected.close()
            return
        thread = threading.Thread(target=self._serve, args=(connected, place), daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # this process may have no more threads: the next one may find some again
            self._threads.discard(thread)
            connected.close()
            _refused("no thread can be started", address)

    def _serve(self, connected: socket.socket, place: Place) -> None:
        try:
            with connected:
                connected.settimeout(self._settings.timeout_s)
                if isinstance(connected, ssl.SSLSocket):
                    shake(connected, "hl7", place.address, self._settings.timeout_s)
                self._converse(connected, place)
        except OSError as error:
            _log.info("hl7 connection ended", reason=type(error).__name__, address=place.address)
        finally:
            self._threads.discard(threading.current_thread())

    def _converse(self, connected: socket.socket, place: Place) -> None:
        most = self._reception.here.settings.limits.body_bytes
        line = _Line(connected, self._settings, most, ending=self._ending.is_set, room=self._room, place=place)
        while (message := line.message()) is not None:
            for answer in answer_to(self._reception, message, place.address):
                connected.settimeout(self._settings.timeout_s)
                connected.sendall(_START + answer + _END)


def _refused(why: str, address: str | None = None) -> None:
    _log.warning("hl7 connection refused", reason=why, address=address)


def answer_to(reception: Reception, message: bytes, address: str = "") -> list[bytes]:
    """Take one message; the acknowledgments of it."""
    head = heading(message)
    failed: Exception | None = None
    request = str(uuid4())
    # MSH-3 and MSH-4, bounded: what stands there in a broken message may be anything.
    who = f"{head.sender[:_NAME]}|{head.facility[:_NAME]}"
    peer = Peer(request, who, address, reception.here.receiving.site_of_facility(head.facility))
    is_merge = (head.kind, head.event) == ("ADT", "A40")
    kept: list[str] = []
    notices: tuple[Problem, ...] = ()
    try:
        if is_merge:
            notices = merge_all(reception.here, message)
        else:
            kept.append(str(reception.take(message, Format.HL7V2, peer.site, request).id))
    except LesionBridgeError as error:
        failed = error
    except Exception as error:  # noqa: BLE001 - whatever it is, the peer gets an answer
        failed = error
        _log.error("failed", error=type(error).__name__, way="hl7", request=request)
    failed = reception.note(peer, Arrival.MERGE if is_merge else Arrival.DOCUMENT, failed, *kept)
    _log.info("hl7 message", accepted=failed is None, rule=rule_of(failed), notices=len(notices), request=request)
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    return answers(head, failed, stamp, request.replace("-", "")[:18], notices)


class _Line:
    """The messages of one connection."""

    def __init__(
        self,
        connected: socket.socket,
        settings: Hl7Listener,
        most: int,
        *,
        ending: Callable[[], bool],
        room: Room,
        place: Place,
    ) -> None:
        self._socket, self._settings, self._most, self._ending = connected, settings, most, ending
        self._room, self._place = room, place
        self._come = bytearray()

    def message(self) -> bytes | None:
        """The content of the next block; None at the end of the connection, or of patience."""
        until = time.monotonic() + self._settings.idle_s
        begun = bool(self._come)
        if begun:
            until = time.monotonic() + self._settings.timeout_s
            self._room.hears(self._place, len(self._come))
        looked = 0
        while True:
            end = self._come.find(_END, max(0, looked - 1))
            if end >= 0:
                break
            looked = len(self._come)
            if looked > self._most or (self._come and not self._come.startswith(_START)):
                self._ended("too large" if looked > self._most else "not MLLP")
                return None
            more = self._more(until)
            if not more:
                if self._come:  # it hung up, or no end of the block came in time: nothing of it was taken
                    self._ended("in the middle of a message")
                return None
            if not begun:
                self._room.serves(self._place)
                begun, until = True, time.monotonic() + self._settings.timeout_s
            self._come += more if self._come else more.lstrip(b"\r\n")
            self._room.hears(self._place, len(more))
        if not self._room.has_whole(self._place):  # its place is another's: it is sent again to who answers
            return None
        block, self._come = bytes(self._come[:end]), self._come[end + len(_END) :].lstrip(b"\r\n")
        return block[1:] if block.startswith(_START) else None

    def _ended(self, why: str) -> None:
        _log.warning("hl7 connection ended", reason=why, address=self._place.address)

    def _more(self, until: float) -> bytes:
        """What comes next; nothing where the peer hung up, or the time is over."""
        while (left := until - time.monotonic()) > 0 and not (self._ending() and not self._come):
            self._socket.settimeout(min(left, _LOOK_S))
            try:
                return self._socket.recv(_CHUNK)
            except TimeoutError:
                continue
        return b""
