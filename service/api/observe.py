"""What the operator sees: one JSON line a request, a request id in and out, counters, and the headers that protect.

Nothing of the request but its route's pattern, method, size and id is logged or counted: paths, queries and bodies may
hold a patient.
"""

import io
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any, TextIO

import structlog
from flask import Flask, Request, Response, g, has_request_context, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from service import stages
from service.api.present import carried, present
from service.api.tallies import Tallies
from service.domain.errors import Problem

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context 3.2, version 00."""
QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HEADERS = tuple((name.lower(), name, value) for name, value in HEADERS.items())
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""For our own pages: a style sheet inside the page, nothing from outside, no script."""

REQUESTS = Counter("lesionbridge_requests", "Requests answered.", ("route", "method", "status"))
SECONDS = Histogram("lesionbridge_request_seconds", "Time to answer.", ("route",))
REPORTS = Counter("lesionbridge_reports", "Reports taken by POST /v1/reports.", ("outcome",))
LOSSES = Counter("lesionbridge_losses", "Items skipped, lost, left uncoded or flagged.", ("kind",))

STAGE_SECONDS = Histogram(
    "lesionbridge_stage_seconds",
    "Time of each stage of a conversion or publication.",
    ("stage",),
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)

_log = structlog.get_logger()
_ENCODER = json.JSONEncoder(default=repr)
"""Nothing but ASCII leaves it, so no control character of a text reaches a terminal."""


class _Written(io.TextIOBase):
    """Where lines are written if that can be done: a disk that is full must not fail what is logged."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:  # noqa: SIM105 - with each request; what a `with` calls takes longer
            self._stream.write(text)
        except OSError:
            pass
        return len(text)

    def flush(self) -> None:
        try:  # noqa: SIM105
            self._stream.flush()
        except OSError:
            pass


def configure_logging(level: str) -> None:
    """JSON lines on standard error, from ``level`` up."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(_Written(sys.stderr)),  # type: ignore[arg-type]  # it asks for write and flush only
        cache_logger_on_first_use=False,
    )
    _bound.cache_clear()


def _line(_logger: object, _name: str, said: Mapping[str, Any]) -> str:
    return _ENCODER.encode(said)


@cache
def _bound() -> Any:
    """The logger as it is configured; to make it anew for each line takes longer than the line."""
    return structlog.get_logger().bind()


def doubt(problem: Problem) -> None:
    """Log what may keep a rule from ever taking effect: what the receiving file says, and nothing of a report."""
    _log.warning("rule doubted", at=problem.pointer, why=problem.detail, candidates=list(problem.candidates))


def observe(app: Flask) -> None:
    """Watch every request of an application, and every stage of what it does."""
    time_stages()
    app.before_request(_begin)
    app.after_request(_end)


def time_stages() -> None:
    """Count the seconds of every stage in this process, and make a span of each that belongs to a traced request."""
    stages.listen(_staged)


def metrics(more: Collector) -> Response:
    """All counters, of every worker process when there are several, and what ``more`` finds at this moment."""
    asked = CollectorRegistry()
    asked.register(more)
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        registry.register(Tallies(Path(folder)))
        return Response(generate_latest(registry) + generate_latest(asked), content_type=CONTENT_TYPE_LATEST)
    return Response(generate_latest() + generate_latest(asked), content_type=CONTENT_TYPE_LATEST)


def status(response: Response) -> int:
    """What a request came to: with `ack=always` a refusal is answered with 200, and is one all the same."""
    return int(carried().get("status", response.status_code))


def trace_context() -> str:
    """The W3C trace context of this request, to be kept with what it leads to; empty where there is none."""
    if g.span is not None:
        from service.workflows.tracing import carried

        return carried(g.span)
    return _given_trace()


def _given_trace() -> str:
    """The trace context that the client sends, if it is one."""
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else ""


# A child of a metric is looked up by its labels under a lock, a dozen times a request; there are few of them.
_requests = cache(REQUESTS.labels)
_seconds = cache(SECONDS.labels)
_stage_seconds = cache(STAGE_SECONDS.labels)


def _staged(name: str, seconds: float) -> None:
    _stage_seconds(name).observe(seconds)
    if tracer() is not None and has_request_context() and g.get("span") is not None:
        from service.workflows.tracing import staged

        staged(tracer(), g.span, name, seconds)


@cache
def tracer() -> Any:
    """The tracer of this process, made when the first request comes; None where no endpoint is set."""
    from service.workflows import tracing

    return tracing.tracer(os.environ)


def _begin() -> None:
    asked, here = present(), carried()
    given = asked.headers.get("X-Request-ID", "")
    here.request_id = given if REQUEST_ID.fullmatch(given) else token_hex(16)
    here.began = time.perf_counter()
    here.span = None
    route = _route(asked)
    if route not in QUIET and (source := tracer()) is not None:
        from service.workflows.tracing import begun

        here.span = begun(source, f"{asked.method} {route}", _given_trace())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=here.request_id)


def _route(asked: Request) -> str:
    return asked.url_rule.rule if asked.url_rule is not None else "unmatched"


def _end(response: Response) -> Response:
    asked, here = present(), carried()
    headers = response.headers
    there = {name.lower() for name, _ in headers}
    headers.add("X-Request-ID", here.request_id)
    for known, name, value in _HEADERS:
        if known not in there:
            headers.add(name, value)
    if response.mimetype == "text/html":
        headers["Content-Security-Policy"] = PAGE_POLICY
    route = _route(asked)
    seconds = time.perf_counter() - here.began
    method = asked.method if asked.method in {"GET", "HEAD", "POST", "OPTIONS"} else "other"
    came_to = status(response)
    _requests(route, method, came_to).inc()
    _seconds(route).observe(seconds)
    if here.span is not None:
        here.span.set_attributes({"http.route": route, "http.response.status_code": came_to})
        here.span.set_attribute("lesionbridge.request", here.request_id)
        here.span.end()
    log = _bound().debug if route in QUIET else _bound().info
    log(
        "answered",
        method=method,
        route=route,
        status=came_to,
        ms=round(seconds * 1000, 1),
        bytes=response.content_length,
    )
    return response
