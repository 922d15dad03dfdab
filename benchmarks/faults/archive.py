"""An archive that remembers what it has, and says of an instance that it failed as often as it is told."""

import json
import threading
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from pydicom import dcmread

from benchmarks.faults.peer import running
from service.delivery.multipart import first_part, related

_BOTH = ("SOPClassUID", "SOPInstanceUID")


class Archive(ThreadingHTTPServer):
    """STOW-RS and WADO-RS (PS3.18 10.5, 10.4): instances by UID.

    ``failures`` are Failure Reasons (0008,1197) to give first, each with status 200, which says nothing of it.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        """Listen on loopback."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.held: dict[str, bytes] = {}
        self.failures: list[int] = []
        self.doubled = 0
        self.again = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """The base of its services."""
        return f"http://127.0.0.1:{self.server_address[1]}/dicom-web"

    def take(self, content: bytes) -> dict[str, Any]:
        """Keep an instance unless told to fail first; the Store Instances Response (PS3.18 I.2)."""
        found = dcmread(BytesIO(content), specific_tags=list(_BOTH))
        instance = str(found.SOPInstanceUID)
        item = {
            "00081150": {"vr": "UI", "Value": [str(found.SOPClassUID)]},
            "00081155": {"vr": "UI", "Value": [instance]},
        }
        with self.lock:
            if self.failures:
                reason = {"00081197": {"vr": "US", "Value": [self.failures.pop(0)]}}
                return {"00081198": {"vr": "SQ", "Value": [item | reason]}}
            self.again += instance in self.held
            self.doubled += self.held.setdefault(instance, content) != content
        return {"00081199": {"vr": "SQ", "Value": [item]}}


class _Handler(BaseHTTPRequestHandler):
    server: Archive
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        part = first_part(self.headers["Content-Type"], content)
        assert part is not None
        self._answer(200, json.dumps(self.server.take(part)).encode(), "application/dicom+json")

    def do_GET(self) -> None:
        held = self.server.held.get(self.path.rpartition("/")[2])
        if held is None:
            self._answer(404, b"", "text/plain")
        else:
            self._answer(200, *related(held, "application/dicom"))

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def archive(port: int = 0) -> AbstractContextManager[Archive]:
    """Run one."""
    return running(Archive(port))
