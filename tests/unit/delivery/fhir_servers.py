"""A FHIR server as the tests of its destination want it: what it answers and has, and one that refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from service.delivery.fhir import FhirDestination
from service.delivery.settings import Fhir
from tests.contract.benches import UNHURRIED, bundle

ENTRIES = len(json.loads(bundle(1).content)["entry"])
FINE = ["201 Created"] * (ENTRIES - 1)
"""What a transaction-response says of all entries but the last."""
JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


def destination(url: str, **settings: Any) -> FhirDestination:
    """The destination at a URL."""
    return FhirDestination(Fhir(name="ehr", url=url, timeouts=UNHURRIED, **settings))


def issue(text: str, severity: str = "error") -> dict[str, Any]:
    """An OperationOutcome of one issue."""
    listed = [{"severity": severity, "code": "invalid", "details": {"text": text}, "diagnostics": "why"}]
    return {"resourceType": "OperationOutcome", "issue": listed}


def response(*statuses: str, kind: str = "transaction-response") -> dict[str, Any]:
    """The response to a bundle, a status an entry."""
    listed = [
        {"response": {"status": one, "outcome": issue(f"about {one}", "warning" if one[:1] == "2" else "error")}}
        for one in statuses
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": listed}


def contradicting(**more: Any) -> dict[str, Any]:
    """A batch-response whose last entry went well, it says, with an error."""
    told = response(*FINE, "200 OK", kind="batch-response")
    told["entry"][-1]["response"]["outcome"] = issue("not kept", **more)
    return told


def find(url: str, kind: str) -> list[dict[str, Any]]:
    """The resources of a type that a server has."""
    told = requests.get(f"{url}/{kind}", headers=JSON, timeout=60).json()
    return [entry["resource"] for entry in told.get("entry", [])]


def observation(url: str) -> dict[str, Any]:
    """One of its measurements."""
    return next(one for one in find(url, "Observation") if "valueQuantity" in one)


def put(url: str, resource: dict[str, Any]) -> None:
    """Overwrite a resource there."""
    at = f"{url}/{resource['resourceType']}/{resource['id']}"
    assert requests.put(at, json=resource, headers=JSON, timeout=60).ok


@contextmanager
def refusing(url: str, *, batches: bool = True, tells: bool = True) -> Iterator[str]:
    """A server in front of another that takes no PUT under an id that is not there, and maybe no batch.

    ``tells`` false: to a write it answers with a status alone, without Location and without content.
    """

    class Gate(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix("/fhir")
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            by_id = self.command == "PUT" and "?" not in path
            if by_id and not requests.get(f"{url}{path}", timeout=60).ok:
                return self._say(405, json.dumps(issue("not here")).encode(), {})
            if not batches and self.command == "POST" and path in ("", "/"):
                return self._say(400, json.dumps(issue("not here")).encode(), {})
            told = requests.request(self.command, f"{url}{path}", data=content or None, headers=kept, timeout=60)
            if not tells and told.ok and path not in ("", "/") and "_search" not in path and self.command != "GET":
                return self._say(told.status_code, b"", {})
            return self._say(told.status_code, told.content, told.headers)

        def _say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name in ("Content-Type", "Location", "ETag"):
                if name in headers:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _pass  # noqa: N815 - the names of http.server

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    gate = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    gate.daemon_threads = True
    thread = threading.Thread(target=gate.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{gate.server_port}/fhir"
    finally:
        gate.shutdown()
        gate.server_close()
        thread.join()
