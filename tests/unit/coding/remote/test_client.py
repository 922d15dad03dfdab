"""What the client does with a server that hangs, errs, lies or is not who it says."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from service.coding.remote import Away, Client, RemotePolicy
from service.coding.remote.cache import Cache
from service.coding.remote.circuit import Circuit
from tests.unit.coding.remote.fakes import LOOKED, Clock, Misbehaving, misbehaving

ASKED = (("system", "Uri", "http://snomed.info/sct"), ("code", "Code", "3738000"))
PATH = "CodeSystem/$lookup"


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with misbehaving() as told:
        yield told


def client(server: Misbehaving, clock: Clock, **policy: float) -> Client:
    whole = RemotePolicy(server.url, **{"attempts": 1, "read_s": 60, "total_s": 120, **policy})  # type: ignore[arg-type]  # numbers of both kinds
    return Client(whole, clock=clock, sleep=clock.sleep)


def test_asks_with_what_fhir_wants(server: Misbehaving) -> None:
    answer = client(server, Clock()).ask(PATH, ASKED)
    assert (answer.status, answer.resource) == (200, LOOKED)
    assert server.asked == [("GET", "/fhir/CodeSystem/$lookup?system=http%3A%2F%2Fsnomed.info%2Fsct&code=3738000", b"")]


def test_a_long_question_goes_into_a_body(server: Misbehaving) -> None:
    client(server, Clock()).ask("ValueSet/$expand", (("url", "Uri", "x" * 2_000), ("count", "Integer", "5")))
    ((method, path, body),) = server.asked
    assert (method, path) == ("POST", "/fhir/ValueSet/$expand")
    assert json.loads(body)["parameter"][1] == {"name": "count", "valueInteger": 5}


def test_the_same_question_is_asked_once_until_the_answer_is_old(server: Misbehaving) -> None:
    clock = Clock()
    asking = client(server, clock, cached_s=60)
    for now in (0.0, 59.0, 61.0):
        clock.now = now
        asking.ask(PATH, ASKED)
    assert len(server.asked) == 2


def test_the_cache_gives_up_what_was_not_used_for_longest() -> None:
    cache = Cache[int](2, 10, Clock())
    for key in (1, 2):
        cache.put(key, key)
    cache.get(1)
    cache.put(3, 3)
    assert [cache.get(key) for key in (1, 2, 3)] == [1, None, 3]
    assert len(cache) == 2


def test_a_server_that_hangs_is_waited_for_only_so_long(server: Misbehaving) -> None:
    server.mode = "hang"
    with pytest.raises(Away, match=r"does not answer \(ReadTimeout\)"):
        client(server, Clock(), read_s=0.2).ask(PATH, ASKED)


def test_an_answer_that_drips_is_given_up(server: Misbehaving) -> None:
    server.mode = "drip"
    with pytest.raises(Away, match="takes too long"):
        Client(RemotePolicy(server.url, attempts=1, total_s=0.5)).ask(PATH, ASKED)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_tried_again_after_a_pause(server: Misbehaving, status: int) -> None:
    server.status = status
    clock = Clock()
    with pytest.raises(Away, match=str(status)):
        client(server, clock, attempts=3, pause_s=0.5).ask(PATH, ASKED)
    assert len(server.asked) == 3
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, LOOKED, "status 500"),
        (401, {"resourceType": "OperationOutcome"}, "status 401"),
        (404, {"error": "no"}, "status 404"),
        (200, b"<html>", "no JSON"),
        (200, {"resourceType": 3}, "nothing that can be used"),
        (200, b'["Parameters"]', "nothing that can be used"),
        (200, b" " * 70_000, "too large"),
    ],
)
def test_does_not_believe_what_is_no_answer(server: Misbehaving, status: int, body: object, why: str) -> None:
    server.status, server.body = status, body
    with pytest.raises(Away, match=why):
        client(server, Clock(), answer_bytes=60_000).ask(PATH, ASKED)


def test_follows_no_redirect(server: Misbehaving) -> None:
    server.status, server.location = 302, "http://127.0.0.1:1/elsewhere"
    with pytest.raises(Away, match="status 302"):
        client(server, Clock()).ask(PATH, ASKED)
    assert len(server.asked) == 1


def test_a_refusal_in_fhir_is_an_answer(server: Misbehaving) -> None:
    server.status, server.body = 404, {"resourceType": "OperationOutcome", "issue": []}
    assert client(server, Clock()).ask(PATH, ASKED).status == 404


def test_after_some_failures_nothing_is_asked_for_a_while(server: Misbehaving) -> None:
    server.status = 500
    clock = Clock()
    asking = client(server, clock, failures=2, open_s=30)
    for _ in range(5):
        with pytest.raises(Away):
            asking.ask(PATH, ASKED)
    assert len(server.asked) == 2

    clock.now = 31
    server.status = 200
    assert asking.ask(PATH, ASKED).status == 200


def test_only_one_question_tries_whether_the_server_is_back() -> None:
    clock = Clock()
    circuit = Circuit(1, 10, clock)
    circuit.failed()
    assert not circuit.allows()
    clock.now = 10
    assert [circuit.allows(), circuit.allows()] == [True, False]
    circuit.failed()
    assert not circuit.allows()
    clock.now = 20
    assert circuit.allows()
    circuit.succeeded()
    assert [circuit.allows(), circuit.allows()] == [True, True]


def test_a_server_that_is_not_there_is_away() -> None:
    with pytest.raises(Away, match="ConnectionError"):
        Client(RemotePolicy("http://127.0.0.1:1/fhir", attempts=1)).ask(PATH, ASKED)


@pytest.mark.parametrize("url", ["ftp://host/fhir", "host/fhir", "http:///fhir", "https://host/fhir?x=1"])
def test_refuses_a_url_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        RemotePolicy(url)


@pytest.mark.parametrize("name", ["connect_s", "read_s", "total_s", "attempts", "cached", "failures", "answer_bytes"])
def test_refuses_times_and_numbers_that_are_not_above_0(name: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        RemotePolicy(**{"url": "http://host/fhir", name: 0})  # type: ignore[arg-type]  # a name of the list above


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that signs itself, for 127.0.0.1, with its key in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    file = tmp_path / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "c.pem")]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    file.write_bytes(file.read_bytes() + (tmp_path / "c.pem").read_bytes())
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    """A server with that certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(LOOKED).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(secure: str) -> None:
    with pytest.raises(Away, match="certificate is not trusted"):
        Client(RemotePolicy(secure)).ask(PATH, ASKED)


def test_a_certificate_of_the_sites_own_authority_is_trusted(secure: str, certificate: Path) -> None:
    assert Client(RemotePolicy(secure, ca_file=str(certificate))).ask(PATH, ASKED).status == 200


def interim(line: socket.socket) -> None:
    """Say over and over that an answer will come (RFC 9110 15.2)."""
    while True:
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def dripping(line: socket.socket) -> None:
    """A header without end."""
    line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        line.sendall(b"x")
        time.sleep(0.1)


def endless(line: socket.socket) -> None:
    """A body without length or end."""
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        line.sendall(b" ")
        time.sleep(0.1)


@pytest.mark.parametrize("say", [interim, dripping, endless])
def test_an_answer_that_never_begins_or_never_ends_is_given_up(say: Callable[[socket.socket], None]) -> None:
    def serve() -> None:
        line, _ = listening.accept()
        line.settimeout(3)
        with line, suppress(OSError):
            say(line)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        policy = RemotePolicy(f"http://127.0.0.1:{listening.getsockname()[1]}/fhir", attempts=1, total_s=1.0)
        with pytest.raises(Away, match="takes too long"):
            Client(policy).ask(PATH, ASKED)
        thread.join(60)
        assert not thread.is_alive()


def test_an_answer_nested_without_end_is_no_answer(server: Misbehaving) -> None:
    server.status, server.body = 200, b"[" * 50_000
    with pytest.raises(Away, match="no JSON"):
        client(server, Clock()).ask(PATH, ASKED)
