"""Spans from the request to the last attempt, and nothing of it where no endpoint is set."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.api import observe
from service.app import create_app
from service.config import Settings
from service.stages import STAGES
from service.store.delivery_rows import Origin
from service.store.reports import Store
from service.store.turns import Turn
from service.workflows import tracing
from service.workflows.courier import Courier
from service.workflows.watching import Watching
from tests.destinations import RecordingDestination
from tests.findings import make_body
from tests.unit.workflows.peers import peer

CLIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_attempt_is_a_child_of_the_request_and_that_of_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    source = provider.get_tracer("test")
    monkeypatch.setattr(observe, "tracer", lambda: source)
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    store = Store(url)
    store.migrate()
    app = create_app(Settings(database_url=url, log_level="error"))
    pacs = peer(RecordingDestination("pacs"))
    app.extensions["lesionbridge"].destinations = {"pacs": pacs.settings}
    headers = {"Content-Type": "application/json", "traceparent": CLIENT, "X-Request-ID": "call-1"}
    answer = app.test_client().post("/v1/reports?deliver=pacs", data=make_body(), headers=headers)
    assert answer.json is not None
    delivery = answer.json["deliveries"][0]["id"]
    courier = Courier(store, {"pacs": replace(pacs)}, "worker-0", Watching(source))
    assert courier.run(delivery, 1) == "verified"
    finished = spans.get_finished_spans()
    request, send, verify = (span for span in finished if span.name not in STAGES)
    stages = {span.name for span in finished if span.parent and span.parent.span_id == request.context.span_id}
    assert {"read", "code", "store"} <= stages
    assert request.name == "POST /v1/reports"
    assert request.parent is not None
    assert (f"{request.parent.trace_id:032x}", f"{request.parent.span_id:016x}") == (CLIENT[3:35], CLIENT[36:52])
    for span, name in ((send, "deliver send"), (verify, "deliver verify")):
        assert span.parent is not None
        assert (span.name, span.parent.span_id) == (name, request.context.span_id)
    assert dict(verify.attributes or {})["lesionbridge.state"] == "verified"
    store.close()


def test_without_an_endpoint_there_is_no_tracer_and_nothing_is_imported() -> None:
    program = (
        "import sys; from service.workflows.tracing import tracer; assert tracer({}) is None;"
        "assert not any(name.startswith('opentelemetry') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=180)


@pytest.mark.parametrize("name", tracing.ENDPOINTS)
def test_an_endpoint_makes_a_tracer(name: str) -> None:
    assert tracing.tracer({name: "http://127.0.0.1:9"}) is not None


def test_spans_are_sent_without_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[requests.Session] = []
    exporter = trace_exporter.OTLPSpanExporter

    def kept(session: requests.Session) -> trace_exporter.OTLPSpanExporter:
        made.append(session)
        return exporter(session=session)

    monkeypatch.setattr(trace_exporter, "OTLPSpanExporter", kept)
    tracing.tracer({tracing.ENDPOINTS[0]: "http://127.0.0.1:9"})
    assert [one.trust_env for one in made] == [False]


def test_an_attempt_that_fails_says_no_more_of_it_than_its_class() -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    what_a_span_needs: Any = SimpleNamespace(id="d", destination="pacs", run=1, origin=Origin())
    turn = Turn(what_a_span_needs, "send", 1, b"", "")
    with suppress(RuntimeError), tracing.span(provider.get_tracer("test"), turn):
        raise RuntimeError("Doe^Jane")
    (span,) = spans.get_finished_spans()
    assert "Doe" not in span.to_json()
    assert dict(span.attributes or {})["error.type"] == "RuntimeError"
