"""Parts of a batch as a receiver of OTLP sees them: traces of their own, linked to the request of the batch."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from service.api import observe
from service.app import create_app
from service.config import Settings
from service.store.batches import DONE, OUTCOMES
from service.store.reports import Store
from service.workflows.tracing import tracer
from service.workflows.watching import Watching
from service.workflows.worker import Worker
from tests.findings import make_body
from tests.unit.workflows.otlp import arrived, receiving
from tests.unit.workflows.peers import until

ROUTE, PART = "POST /v1/batches", "publish part"
PARTS = 2
WORDS_OF_PATIENTS = ("Doe", "PID-11235", "A481", "metast")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database of its own."""
    return f"sqlite:///{tmp_path}/x.sqlite3"


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    """What comes of requests and of a worker."""
    with receiving(monkeypatch) as came:
        observe.tracer.cache_clear()
        try:
            yield came
        finally:
            observe.tracer.cache_clear()


def said(span: Span) -> dict[str, str | int]:
    """Its attributes."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def published(url: str, lines: list[bytes]) -> str:
    """A batch that came over REST and was published by a worker that traces; its id."""
    app = create_app(Settings(database_url=url, log_level="error"))
    Store(url).migrate()
    headers = {"Content-Type": "application/x-ndjson"}
    answer = app.test_client().post("/v1/batches", data=b"\n".join(lines), headers=headers)
    assert answer.json is not None
    batch: str = answer.json["id"]
    worker = Worker(url, {}, Watching(tracer(os.environ)))
    worker.start()
    try:
        store = Store(url)
        assert until(lambda: store.batches.get(batch).state == DONE)
        store.close()
    finally:
        worker.stop(20)
    return batch


def test_each_part_is_a_trace_of_its_own_linked_to_the_request_of_the_batch(
    received: list[Span], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.workflows.taking.PART_LINES", 3)
    line = make_body().replace(b"\n", b"")
    batch = published(url, [line, line, b'{"no": 1}', b"nonsense"])
    arrived(lambda: len([span for span in received if span.name == PART]) == PARTS, "span of each part")
    arrived(lambda: ROUTE in {span.name for span in received}, "span of the request")
    (request,) = (span for span in received if span.name == ROUTE)
    first, second = sorted(
        (span for span in received if span.name == PART), key=lambda span: said(span)["lesionbridge.part"]
    )
    for number, span in enumerate((first, second)):
        (link,) = span.links
        assert (link.trace_id, link.span_id) == (request.trace_id, request.span_id)
        assert not span.parent_span_id
        assert span.trace_id != request.trace_id
        counted = {f"lesionbridge.lines.{name}" for name in OUTCOMES}
        assert said(span).keys() == {"lesionbridge.batch", "lesionbridge.part", "lesionbridge.run", *counted}
        assert (said(span)["lesionbridge.batch"], said(span)["lesionbridge.part"]) == (batch, number)
    assert [said(first)[f"lesionbridge.lines.{name}"] for name in ("kept", "known", "refused")] == [1, 1, 1]
    assert [said(second)[f"lesionbridge.lines.{name}"] for name in ("kept", "known", "refused")] == [0, 0, 1]
    text = str([first, second])
    assert not [word for word in WORDS_OF_PATIENTS if word in text]


def test_a_batch_of_which_no_trace_is_known_has_spans_without_a_link(received: list[Span], url: str) -> None:
    store = Store(url)
    store.migrate()
    watching = Watching(tracer(os.environ))
    made = store.batches.begin("", {})
    store.batches.add(made, 0, 1, [b"{}"])
    store.batches.ready(made, 1)
    (run,) = store.batches.claim(1)
    with suppress(RuntimeError), watching.part(run, "") as counts:
        counts["kept"] += 1
        raise RuntimeError("Doe^Jane")
    arrived(lambda: PART in {span.name for span in received}, "span of the part")
    (span,) = received
    assert not span.links
    assert said(span)["lesionbridge.lines.kept"] == 1
    assert said(span)["error.type"] == "RuntimeError"
    assert "Doe" not in str(span), "what a failure says may hold a patient"
    store.close()
