"""A light client: one thread, sockets that are kept, a request that is built once; so that tails are the server's."""

import gc
import re
import select
import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_CLOSES: Final = re.compile(rb"\r\nconnection: close\r\n", re.IGNORECASE)
_END: Final = b"\r\n\r\n"
_BEGINNING: Final = 4096
_PATIENCE_S: Final = 120.0


def request_bytes(method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


@dataclass(frozen=True, slots=True)
class Took:
    """What became of some requests: seconds of the whole, ms of each from when it was due, ms that the client was late.

    ``late_ms`` counts only requests that had a free connection when they were due: what is in it is the client's fault.
    """

    wall_s: float
    ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)


class _Line:
    """One connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.socket: socket.socket | None = None
        self.due: float | None = None

    def close(self) -> None:
        """Give the connection up; the next request opens one."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def send(self, request: bytes, due: float) -> None:
        """Begin a request. No connection is opened before: a server may keep a thread waiting for what comes."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE_S)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due, self._left, self._head = due, -1, b""
        self.socket.sendall(request)

    def receive(self, into: bytearray) -> bool:
        """Take what has come; whether the answer is whole. Raises ConnectionError when the server hung up."""
        assert self.socket is not None
        got = self.socket.recv_into(into, 0, socket.MSG_DONTWAIT)
        if got == 0:
            raise ConnectionResetError
        if self._left < 0:
            self._head += bytes(into[: min(got, _BEGINNING)])
            at = self._head.find(_END)
            if at < 0:
                return False
            head = self._head[: at + 2]
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"the server refused the work: {head[:40]!r}")
            length = _LENGTH.search(head)
            if length is None:
                raise RuntimeError("the answer has no length")
            self._left = int(length[1]) + at + len(_END) - len(self._head) + min(got, _BEGINNING)
            self._closes = _CLOSES.search(head) is not None
        self._left -= got
        if self._left == 0 and self._closes:
            self.close()
        return self._left <= 0


def calls(port: int, request: bytes, due: Sequence[float], connections: int) -> Took:
    """Send a request at each of the moments (seconds from now, in their order), over so many connections.

    One that finds no free connection waits for one, and the wait counts. With moments that are all past, each
    connection always has one under way.
    """
    lines = [_Line(port) for _ in range(connections)]
    free, waiting = deque(lines), deque(due)
    took, buffer = Took(0.0), bytearray(1 << 20)
    gc.disable()
    try:
        began = perf_counter()
        while len(took.ms) < len(due):
            now = perf_counter() - began
            while free and waiting and waiting[0] <= now:
                line, at = free.popleft(), waiting.popleft()
                took.late_ms.append((now - at) * 1000)
                line.send(request, at)
                now = perf_counter() - began
            pause = max(0.0, waiting[0] - now) if free and waiting else _PATIENCE_S
            there = {line.socket: line for line in lines if line.socket is not None}
            ready, _, _ = select.select(there, [], [], pause)
            if not ready and pause == _PATIENCE_S:
                raise RuntimeError("the server does not answer")
            for one in ready:
                _advance(there[one], request, buffer, began, took, free)
        return Took(perf_counter() - began, sorted(took.ms), sorted(took.late_ms))
    finally:
        gc.enable()
        for line in lines:
            line.close()


def _advance(line: _Line, request: bytes, buffer: bytearray, began: float, took: Took, free: "deque[_Line]") -> None:
    try:
        whole = line.receive(buffer)
    except ConnectionError:
        # The server gave up an idle connection, or one whose request it had not taken: that is sent once more.
        line.close()
        if line.due is not None:
            line.send(request, line.due)
        return
    if whole and line.due is not None:
        took.ms.append((perf_counter() - began - line.due) * 1000)
        line.due = None
        free.append(line)
