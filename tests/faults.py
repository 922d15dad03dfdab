"""A TCP server on loopback that does what a real peer does on a bad day, as it is told; HTTP or any other protocol."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WAYS = ("drop", "reset", "hang", "drip", "answer")


@dataclass
class FaultyServer:
    """``way``: drop, reset or hang after the request; drip ``answer`` byte by byte; or give ``answer`` and close.

    ``answers`` are given first, one a request. ``asked`` are the requests as they came.
    """

    port: int
    way: str = "answer"
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    answers: list[bytes] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    tired: bool = False
    """Whether it stopped hanging by itself: the client waited for longer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def heard(self, seconds: float = 60.0) -> list[bytes]:
        """What has come, once something has or the time is over."""
        end = time.monotonic() + seconds
        while not self.asked and time.monotonic() < end:
            time.sleep(0.02)
        return self.asked


def http(status: str, body: bytes = b"", **headers: str) -> bytes:
    """An HTTP answer; in the names of headers an underscore is a hyphen."""
    told = {"Content-Length": str(len(body)), "Connection": "close"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def faulty(tls: ssl.SSLContext | None = None) -> Iterator[FaultyServer]:
    """Run one."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    told = FaultyServer(listener.getsockname()[1])

    def listen() -> None:
        while not told.over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=_serve, args=(connection, told, tls), daemon=True).start()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield told
    finally:
        told.over.set()
        thread.join()
        listener.close()


def _serve(connection: socket.socket, told: FaultyServer, tls: ssl.SSLContext | None) -> None:
    connection.settimeout(60)
    try:
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        told.asked.append(_request(connection))
        if told.way == "hang":
            told.tired = not told.over.wait(60)
        elif told.way == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif told.way == "drip":
            for byte in told.answer:
                connection.sendall(bytes([byte]))
                if told.over.wait(0.05):
                    break
        elif told.way == "answer":
            connection.sendall(told.answers.pop(0) if told.answers else told.answer)
    except OSError:
        return  # the client hung up, as it may
    finally:
        connection.close()


def _request(connection: socket.socket) -> bytes:
    """An HTTP request with its body, an MLLP block, an A-ASSOCIATE-RQ (PS3.8 9.3.2), or all that there was."""
    content = b""
    while True:
        if content.startswith(b"\x0b") and content.endswith(b"\x1c\r"):
            return content
        if content.startswith(b"\x01\x00") and len(content) >= 6 + int.from_bytes(content[2:6]):
            return content
        head, blank, body = content.partition(b"\r\n\r\n")
        if blank:
            length = re.search(rb"(?i)content-length: *([0-9]+)", head)
            if len(body) >= int(length[1] if length else 0):
                return content
        more = connection.recv(65_536)
        if not more:
            return content
        content += more


@dataclass
class Relay:
    """Stands between a client and a real peer. ``cut_at``: hang up at so manieth piece of an answer."""

    port: int
    cut_at: int = 0


@contextmanager
def relayed(peer: int) -> Iterator[Relay]:
    """Pass everything on to a port of loopback, and the answers back, unless told to lose one."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    told, over = Relay(listener.getsockname()[1]), threading.Event()

    def listen() -> None:
        while not over.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            try:
                server = socket.create_connection(("127.0.0.1", peer), timeout=30)
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.settimeout(None)
            threading.Thread(target=_pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=_pump, args=(server, client, told), daemon=True).start()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()
        listener.close()


def _pump(source: socket.socket, sink: socket.socket, told: Relay | None) -> None:
    """Pass bytes on until one side ends, or until the piece that is to be lost."""
    try:
        while content := source.recv(65_536):
            if told is not None and told.cut_at:
                told.cut_at -= 1
                if not told.cut_at:
                    break
            sink.sendall(content)
    except OSError:
        pass  # the other direction ended
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
