"""Stages as a receiver of OTLP sees them: spans over HTTP, children of their request."""

import gzip
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service import stages
from service.api import observe
from service.app import create_app
from service.config import Settings
from tests.findings import make_body

ROUTE = "POST /v1/convert"
JSON = {"Content-Type": "application/json"}
PATIENCE_S = 60.0


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    """What comes at a receiver on loopback, to which this process exports."""
    came: list[Span] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            asked = ExportTraceServiceRequest.FromString(body)
            came.extend(span for one in asked.resource_spans for scope in one.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    observe.tracer.cache_clear()
    try:
        yield came
    finally:
        observe.tracer().span_processor.shutdown()
        observe.tracer.cache_clear()
        server.shutdown()
        server.server_close()


def test_each_stage_arrives_as_a_child_of_its_request(received: list[Span], tmp_path: Path) -> None:
    client = create_app(Settings(database_url=f"sqlite:///{tmp_path}/x.sqlite3", log_level="error")).test_client()
    assert client.post("/v1/convert?check=full", data=make_body(), headers=JSON).status_code == 200
    end = time.monotonic() + PATIENCE_S
    while ROUTE not in {span.name for span in received}:
        assert time.monotonic() < end, "no span of the request arrived"
        time.sleep(0.02)
    (request,) = (span for span in received if span.name == ROUTE)
    children = [span for span in received if span.name != ROUTE]
    assert {span.name for span in children} == {"read", "code", "write-sr", "write-fhir", "check"}
    for span in children:
        assert (span.trace_id, span.parent_span_id) == (request.trace_id, request.span_id)
        assert span.start_time_unix_nano <= span.end_time_unix_nano <= request.end_time_unix_nano
        assert not span.attributes, "a span of a stage holds nothing of the document"


def test_a_stage_outside_a_request_is_no_span(received: list[Span], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "_listeners", [])
    observe.time_stages()
    with stages.Stage("read"):
        pass
    observe.tracer().span_processor.force_flush()
    assert not received


def test_a_worker_of_its_own_counts_the_stages_of_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """`lesionbridge worker` has no application that would listen to the stages for it."""
    from click.testing import CliRunner

    from service.commands import worker

    class Began(Exception):
        pass

    def begins(*_: object) -> None:
        raise Began

    monkeypatch.setattr(stages, "_listeners", [])
    monkeypatch.setattr(worker, "made", begins)
    CliRunner().invoke(worker.command)
    assert stages._listeners
