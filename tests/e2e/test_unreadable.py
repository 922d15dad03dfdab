"""What the server answers to bytes that are no request, over a socket: a problem, without any of these bytes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.api.observe import HEADERS
from tests.e2e.test_service import Service, serving

SECRET = b"Doe^Jane"
ASK = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
UNREADABLE = {
    "line too long": (b"GET /" + SECRET * 1_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "4094 bytes"),
    "header too large": (ASK[:-2] + b"X-Patient: " + SECRET * 2_000 + b"\r\n\r\n", 431, "at most 8190 bytes"),
    "too many headers": (
        ASK[:-2] + b"X-Patient: " + SECRET + b"\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        431,
        "100 header",
    ),
    "no request line": (SECRET + b"\r\n\r\n", 400, "can't be read"),
    "no method": (b"g{e}t /" + SECRET + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400, "can't be read"),
    "no version": (b"GET /" + SECRET + b" HTTP/x\r\nHost: a\r\n\r\n", 400, "1.0 and 1.1"),
    "version 3": (b"GET /" + SECRET + b" HTTP/3.0\r\nHost: a\r\n\r\n", 400, "1.0 and 1.1"),
    "no header name": (ASK[:-2] + b"(" + SECRET + b": x\r\n\r\n", 400, "can't be read"),
    "folded header": (ASK[:-2] + b"X-A: b\r\n " + SECRET + b"\r\n\r\n", 400, "can't be read"),
    "header with a control character": (ASK[:-2] + b"X-A: \x00" + SECRET + b"\r\n\r\n", 400, "can't be read"),
    "two lengths": (ASK[:-2] + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "can't be read"),
    "coding": (ASK[:-2] + b"Transfer-Encoding: " + SECRET + b"\r\n\r\n", 501, "chunked"),
    "expectation": (ASK[:-2] + b"Expect: " + SECRET + b"\r\n\r\n", 417, "100-continue"),
    "TLS": (bytes.fromhex("16030100c8010000c40303") + bytes(100) + b"\r\n\r\n", 400, "can't be read"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service writes its log."""
    return tmp_path_factory.mktemp("unreadable")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    """One service."""
    with serving(folder) as running:
        yield running


def lines(folder: Path) -> list[dict[str, object]]:
    """The log."""
    return [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]


def spoken(service: Service, request: bytes) -> bytes:
    """All that comes back to bytes after which nothing is closed: so the service closes."""
    host, port = service.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_can_not_be_read_is_a_problem_without_its_bytes(service: Service, folder: Path, name: str) -> None:
    request, status, says = UNREADABLE[name]
    head, _, body = spoken(service, request).partition(b"\r\n\r\n")
    first, *rest = head.decode("ascii").split("\r\n")
    headers = dict(line.split(": ", 1) for line in rest)
    problem = json.loads(body)
    assert first.startswith(f"HTTP/1.1 {status} ")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Connection"] == "close"
    assert int(headers["Content-Length"]) == len(body)
    assert headers.items() >= HEADERS.items()
    assert (problem["status"], problem["rule"], problem["retryable"]) == (status, f"http-{status}", False)
    assert says in problem["detail"]
    assert problem["instance"] == f"urn:lesionbridge:request:{headers['X-Request-ID']}"
    [line] = [one for one in lines(folder) if one.get("request_id") == headers["X-Request-ID"]]
    assert (line["event"], line["status"], line["address"]) == ("unreadable", status, "127.0.0.1")
    assert SECRET not in head + body
    assert SECRET not in (folder / "log").read_bytes()


def test_what_follows_a_request_and_can_not_be_read_has_no_second_answer_but_its_own(service: Service) -> None:
    answer = spoken(service, ASK + SECRET + b"\r\n\r\n")
    assert [answer.count(b"HTTP/1.1 %d" % status) for status in (200, 400)] == [1, 1]
    assert answer.index(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 400")
    assert SECRET not in answer


def test_the_rest_of_a_body_that_can_not_be_read_is_no_request(service: Service) -> None:
    unasked = b"GET /health/live HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET + b"\r\n"
    answer = spoken(service, unasked)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "route", ["/v1/convert", "/v1/reports", "/v1/batches", "/dicom-web/studies", "/v1/reports/search"]
)
@pytest.mark.parametrize("chunks", [SECRET + b"\r\n", b"2\r\n{}" + SECRET, b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n"])
def test_a_body_whose_chunks_can_not_be_read_is_the_senders_fault(
    service: Service, folder: Path, route: str, chunks: bytes
) -> None:
    kinds = {
        "/v1/batches": "application/x-ndjson",
        "/dicom-web/studies": 'multipart/related; type="application/dicom"; boundary=b',
    }
    kind = kinds.get(route, "application/json").encode()
    ask = b"POST " + route.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Type: " + kind
    answer = service.raw(ask + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b'"verdict":"refused"' in answer
    assert SECRET not in answer
    assert SECRET not in (folder / "log").read_bytes()


def test_the_service_goes_on(service: Service) -> None:
    assert service.get("/health/live").status_code == 200
