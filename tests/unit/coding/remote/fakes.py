"""Servers on loopback that do what a real one does on a bad day, and a clock that only moves when told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOKED = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "name", "valueString": "SNOMED CT"},
        {"name": "version", "valueString": "http://snomed.info/sct/900000000000207008/version/20260101"},
        {"name": "display", "valueString": "Viral hepatitis"},
    ],
}


class Clock:
    """Seconds that pass when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Misbehaving:
    """A server that answers as it is told to: a status with a resource or bytes, ``hang``, or ``drip``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.status = 200
        self.body: Any = LOOKED
        self.answers: dict[str, tuple[int, Any]] = {}
        """Status and body by a part of the path; the first that fits."""
        self.mode = ""
        self.location = ""
        self.url = ""


@contextmanager
def misbehaving() -> Iterator[Misbehaving]:
    told = Misbehaving()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            told.asked.append((self.command, self.path, self.rfile.read(length)))
            if told.mode == "hang":
                over.wait(20)
                return
            fitting = (answer for part, answer in told.answers.items() if part in self.path)
            status, body = next(fitting, (told.status, told.body))
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            if told.location:
                self.send_header("Location", told.location)
            self.end_headers()
            if told.mode == "drip":
                for _ in range(100):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client hangs up on purpose
    told.url = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
