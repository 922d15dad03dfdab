"""Spans of OpenTelemetry: requests, attempts, parts of batches; the SDK is imported only where an endpoint is set."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    # SQLAlchemy is imported when the first report is kept or asked for.
    from service.store.batches import PartDue
    from service.store.turns import Turn

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Where spans are sent, by the variables that OpenTelemetry itself names."""


def tracer(environ: Mapping[str, str]) -> Any:
    """A tracer that exports over OTLP (HTTP); None where no endpoint is named."""
    if not any(environ.get(name) for name in ENDPOINTS):
        return None
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = environ.get("OTEL_SERVICE_NAME") or "lesionbridge"
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    session = requests.Session()
    session.trust_env = False  # neither proxies nor passwords that nobody configured here
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(session=session)))
    return provider.get_tracer("lesionbridge")


def begun(source: Any, route: str, traceparent: str) -> Any:
    """The span of a request, a child of what its client names."""
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    context = extract({"traceparent": traceparent}) if traceparent else None
    return source.start_span(route, context=context, kind=SpanKind.SERVER)


def carried(made: Any) -> str:
    """A span as a W3C ``traceparent``, to be kept with what it leads to."""
    from opentelemetry.propagate import inject
    from opentelemetry.trace import set_span_in_context

    carrier: dict[str, str] = {}
    inject(carrier, context=set_span_in_context(made))
    return carrier.get("traceparent", "")


def staged(source: Any, parent: Any, stage: str, seconds: float) -> None:
    """A span of a stage that ended just now, a child of the span of its request."""
    from opentelemetry.trace import set_span_in_context

    end_ns = time.time_ns()
    context = set_span_in_context(parent)
    source.start_span(stage, context=context, start_time=end_ns - round(seconds * 1e9)).end(end_ns)


@contextmanager
def part_span(source: Any, run: "PartDue", trace: str) -> Iterator[Any]:
    """A span of one run of a part of a batch, linked to the request that brought the batch.

    It is a trace of its own: a batch may take hours, and one trace of all its parts would be none that can be shown.
    """
    from opentelemetry.context import Context
    from opentelemetry.propagate import extract
    from opentelemetry.trace import Link, get_current_span

    links = [Link(get_current_span(extract({"traceparent": trace})).get_span_context())] if trace else []
    attributes = {"lesionbridge.batch": run.batch, "lesionbridge.part": run.number, "lesionbridge.run": run.run}
    with _silent(source, "publish part", context=Context(), links=links, attributes=attributes) as made:
        yield made


@contextmanager
def span(source: Any, turn: "Turn") -> Iterator[Any]:
    """A span of one attempt, a child of the request that the delivery came from."""
    from opentelemetry.propagate import extract

    at = turn.delivery
    context = extract({"traceparent": at.origin.trace}) if at.origin.trace else None
    attributes = {
        "lesionbridge.delivery": at.id,
        "lesionbridge.destination": at.destination,
        "lesionbridge.attempt": turn.attempt,
        "lesionbridge.run": at.run,
    }
    with _silent(source, f"deliver {turn.step}", context=context, attributes=attributes) as made:
        yield made


@contextmanager
def _silent(source: Any, name: str, **more: Any) -> Iterator[Any]:
    """A current span that tells of an exception no more than its class: the text may hold what is of a patient."""
    from opentelemetry.trace import StatusCode

    quiet = {"record_exception": False, "set_status_on_exception": False}
    with source.start_as_current_span(name, **more, **quiet) as made:
        try:
            yield made
        except BaseException as error:
            made.set_status(StatusCode.ERROR)
            made.set_attribute("error.type", type(error).__name__)
            raise
