"""A receiver that remembers what it has, and fails as it is told."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

Running = TypeVar("Running", bound=ThreadingHTTPServer)

WAYS = {
    "drop": "keeps it and drops the connection before answering",
    "reset": "keeps it and resets the connection",
    "hang": "hangs",
    "garbage": "keeps it and answers nonsense",
    "busy": "is busy (429)",
    "error": "has an error of its own (500)",
    "slow": "is slow",
    "expired": "says that the token has expired (401)",
}
"""What it can be told to do, and what that is."""
KEPT_ANYWAY = frozenset({"drop", "reset", "garbage", "slow"})


class Receiver(ThreadingHTTPServer):
    """What came, by key: how often, and with which content. A key that is known is answered and nothing is done."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        """Listen on loopback."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.requests: Counter[str] = Counter()
        self.held: dict[str, str] = {}
        self.doubled = 0
        self.ways: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/in"

    @property
    def order(self) -> list[str]:
        """The keys in the order in which each came first."""
        return list(self.held)

    def take(self, key: str, content: bytes) -> str:
        """Keep it unless told to fail first; the way to answer."""
        with self.lock:
            self.requests[key] += 1
            way = self.ways.pop(0) if self.ways else "ok"
            if way == "ok" or way in KEPT_ANYWAY:
                digest = sha256(content).hexdigest()
                if self.held.setdefault(key, digest) != digest:
                    self.doubled += 1
            return way


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        way = self.server.take(self.headers["Idempotency-Key"], content)
        if way == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if way in ("drop", "reset"):
            self.close_connection = True
            self.connection.close()
            return
        if way == "garbage":
            self.wfile.write(b"\x00\xffnonsense\r\n\r\n")
            self.close_connection = True
            return
        if way in ("hang", "slow"):
            time.sleep(4 if way == "hang" else 0.5)
        status = {"busy": 429, "error": 500, "expired": 401}.get(way, 200)
        body = json.dumps({"way": way}).encode()
        self.send_response(status)
        if way == "busy":
            self.send_header("Retry-After", "1")
        if way == "expired":
            # RFC 6750, 3.1
            self.send_header("WWW-Authenticate", 'Bearer error="invalid_token", error_description="expired"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def running(made: Running) -> Iterator[Running]:
    """A server in a thread of its own."""
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


def receiver(port: int = 0) -> AbstractContextManager[Receiver]:
    """Run one."""
    return running(Receiver(port))
