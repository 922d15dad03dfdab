"""Stages as a receiver of OTLP sees them: spans over HTTP, children of their request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service import stages
from service.api import observe
from service.app import create_app
from service.config import Settings
from tests.findings import make_body
from tests.unit.workflows.otlp import arrived, receiving

ROUTE = "POST /v1/convert"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    """What comes at a receiver on loopback, to which this process exports."""
    with receiving(monkeypatch) as came:
        observe.tracer.cache_clear()
        try:
            yield came
        finally:
            observe.tracer().span_processor.shutdown()
            observe.tracer.cache_clear()


def test_each_stage_arrives_as_a_child_of_its_request(received: list[Span], tmp_path: Path) -> None:
    client = create_app(Settings(database_url=f"sqlite:///{tmp_path}/x.sqlite3", log_level="error")).test_client()
    assert client.post("/v1/convert?check=full", data=make_body(), headers=JSON).status_code == 200
    arrived(lambda: ROUTE in {span.name for span in received}, "span of the request")
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
