"""The load that the server is measured with: a light client, and documents of which no two are alike."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from threading import Thread

import pytest

from benchmarks.caller import calls, request_bytes
from benchmarks.inside import application, documents, send

ANSWER = bytes(300_000)


class _Handler(BaseHTTPRequestHandler):
    """Answers with many bytes, closes each third connection, refuses what is not asked for."""

    protocol_version = "HTTP/1.1"
    served = 0

    def do_POST(self) -> None:
        """Answer."""
        assert self.rfile.read(int(self.headers["Content-Length"])) == b"work"
        type(self).served += 1
        self.send_response(200 if self.path == "/work" else 500)
        self.send_header("Content-Length", str(len(ANSWER)))
        if type(self).served % 3 == 0:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """A server of the standard library."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("due", [[0.0] * 40, [number / 1000 for number in range(40)]])
def test_every_request_has_its_answer_over_connections_that_close(port: int, due: list[float]) -> None:
    took = calls(port, request_bytes("POST", "/work", (), b"work"), due, 3)
    assert len(took.ms) == len(took.late_ms) == 40
    assert took.ms == sorted(took.ms)
    assert min(took.ms) > 0


def test_a_refusal_is_no_answer(port: int) -> None:
    with pytest.raises(RuntimeError, match="refused"):
        calls(port, request_bytes("POST", "/", (), b"work"), [0.0], 1)


def test_no_two_documents_are_alike_and_all_are_taken() -> None:
    app = application()
    made = list(islice(documents(2), 3))
    assert len(set(made)) == 3
    assert all(send(app, body) > 10_000 for body in made)
