"""Spans of OpenTelemetry from the request to the last attempt; the SDK is imported only where an endpoint is set."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    # SQLAlchemy is imported when the first report is kept or asked for.
    from service.store.runs import Turn

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
    with source.start_as_current_span(f"deliver {turn.step}", context=context, attributes=attributes) as made:
        yield made
