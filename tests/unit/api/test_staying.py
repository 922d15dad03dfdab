"""Which thread answers the next request of a connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]  # gunicorn ships no types

from service.api import staying
from service.api.unreadable import Worker

KEPT, CLOSED = True, False


class Answers:
    """What gunicorn makes of each request: reads it, and says what comes next."""

    def __init__(self, *kept: object) -> None:
        self._kept, self.answered = list(kept), 0

    def __call__(self, conn: Any) -> object:
        self.answered += 1
        with suppress(BlockingIOError):  # it was read ahead
            conn.sock.recv(1, socket.MSG_DONTWAIT)
        return self._kept.pop(0)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection: its client and its server."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def connection(server: socket.socket, read: bytes = b"", *, http2: bool = False) -> SimpleNamespace:
    buffer = BytesIO()
    buffer.write(read)
    return SimpleNamespace(sock=server, is_http2=http2, parser=SimpleNamespace(unreader=SimpleNamespace(buf=buffer)))


def _nothing(*_: object) -> None:
    return


def worker(monkeypatch: pytest.MonkeyPatch, answers: Answers, waiting: int = 0) -> Worker:
    """A worker whose pool takes up one connection, the one that is asked about."""
    monkeypatch.setattr(ThreadWorker, "handle", answers)
    monkeypatch.setattr(ThreadWorker, "enqueue_req", _nothing)
    monkeypatch.setattr(ThreadWorker, "__init__", _nothing)
    made = Worker()
    made.alive = True
    for _ in range(waiting + 1):
        made.enqueue_req(None)
    return made


def test_requests_that_follow_are_answered_without_giving_the_connection_back(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, server = ends
    answers = Answers(KEPT, KEPT, KEPT)
    client.sendall(b"123")
    assert worker(monkeypatch, answers).handle(connection(server)) is KEPT
    assert answers.answered == 3


def test_one_that_comes_a_moment_later_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, server = ends
    monkeypatch.setattr(staying, "STAY_MS", 10_000)
    answers = Answers(KEPT, CLOSED)
    client.sendall(b"1")
    later = threading.Timer(0.1, client.sendall, (b"2",))
    later.start()
    assert worker(monkeypatch, answers).handle(connection(server)) is CLOSED
    later.join()
    assert answers.answered == 2


@pytest.mark.parametrize(
    ("waiting", "alive", "http2"), [(1, True, False), (0, False, False), (0, True, True)], ids=["others", "end", "h2"]
)
def test_the_connection_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
    ends: tuple[socket.socket, socket.socket],
    *,
    waiting: int,
    alive: bool,
    http2: bool,
) -> None:
    """Where another waits for a thread, where the worker ends, and with HTTP/2, though the next request is there."""
    client, server = ends
    answers = Answers(KEPT, KEPT)
    client.sendall(b"12")
    made = worker(monkeypatch, answers, waiting)
    made.alive = alive
    assert made.handle(connection(server, http2=http2)) is KEPT
    assert answers.answered == 1


@pytest.mark.parametrize("said", [CLOSED, object()], ids=["closed", "deferred"])
def test_nothing_more_is_asked_of_one_that_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[socket.socket, socket.socket], said: object
) -> None:
    client, server = ends
    answers = Answers(said)
    client.sendall(b"12")
    assert worker(monkeypatch, answers).handle(connection(server)) is said
    assert answers.answered == 1


def test_what_was_read_ahead_is_the_next_request(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[socket.socket, socket.socket]
) -> None:
    _, server = ends
    answers = Answers(KEPT, CLOSED)
    assert worker(monkeypatch, answers).handle(connection(server, b"GET")) is CLOSED
    assert answers.answered == 2


def test_one_without_a_next_request_is_given_back_soon(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, server = ends
    answers = Answers(KEPT)
    client.sendall(b"1")
    assert worker(monkeypatch, answers).handle(connection(server)) is KEPT
    assert answers.answered == 1
