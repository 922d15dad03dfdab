"""Requests that follow each other over one connection: answers with a body, without one, and to a body nobody read."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.e2e.test_service import Service, serving
from tests.findings import make_body

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service."""
    with serving(tmp_path_factory.mktemp("one-connection")) as running:
        yield running


@pytest.fixture
def line(service: Service) -> Iterator[HTTPConnection]:
    """One connection, which is opened once: what comes on it out of turn is seen by the next request."""
    connection = HTTPConnection(service.address.removeprefix("http://"), timeout=60)
    connection.connect()
    connection.auto_open = 0
    yield connection
    connection.close()


def asked(line: HTTPConnection, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Status and body of one answer."""
    line.request(method, path, body, JSON | headers)
    answer = line.getresponse()
    return answer.status, answer.read()


def test_an_answer_without_a_body_is_followed_by_the_next(line: HTTPConnection) -> None:
    assert asked(line, "HEAD", "/health/live") == (200, b"")
    assert asked(line, "GET", "/health/live")[0] == 200
    assert asked(line, "OPTIONS", "/v1/convert")[1] == b""
    assert asked(line, "GET", "/health/live")[0] == 200


def test_a_body_that_nobody_read_is_no_request(line: HTTPConnection) -> None:
    inner = b"GET /health/nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
    assert asked(line, "POST", "/v1/nowhere", inner)[0] == 404
    assert asked(line, "GET", "/health/live")[0] == 200


def test_conversions_follow_each_other_and_requests_that_come_at_once_are_answered_in_turn(
    line: HTTPConnection, service: Service
) -> None:
    first, again = (asked(line, "POST", "/v1/convert", make_body()) for _ in range(2))
    assert first[0] == 200
    assert len(first[1]) == len(again[1])
    live = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    document = make_body()
    convert = b"POST /v1/convert HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    line.sock.sendall(convert % len(document) + document + live + live[:-2] + b"Connection: close\r\n\r\n")
    came = b""
    while part := line.sock.recv(1 << 16):
        came += part
    assert came.count(b"HTTP/1.1 200 OK\r\n") == 3
