"""What an operator sees of the steps: a log line each, counters, latencies, and spans that join the request's trace.

No reason of a peer is logged: it may hold what the peer knows of a patient. It stands in the receipt.
"""

import collections
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from prometheus_client import Counter, Histogram

from service.store.batches import OUTCOMES, PartDue
from service.store.turns import Told, Turn

ATTEMPTS: Final = Counter(
    "lesionbridge_delivery_attempts", "Attempts to send or verify.", ("destination", "step", "outcome")
)
SECONDS: Final = Histogram(
    "lesionbridge_delivery_seconds",
    "Time of one attempt.",
    ("destination", "step"),
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0),
)
SETTLED: Final = Counter("lesionbridge_deliveries_settled", "Deliveries that came to an end.", ("destination", "state"))
STALLS: Final = Counter(
    "lesionbridge_worker_stalls", "Times that deliveries were due and the worker began none of them.", ("destination",)
)

_log = structlog.get_logger()


class Watching:
    """Logs and counts; a tracer makes spans of it as well."""

    def __init__(self, tracer: Any = None) -> None:
        """Take a tracer of OpenTelemetry, if there is one."""
        self._tracer = tracer

    @contextmanager
    def step(self, turn: Turn) -> Iterator[Any]:
        """Watch a step; yields the span, or None."""
        at = turn.delivery
        with structlog.contextvars.bound_contextvars(request_id=at.origin.request, delivery=at.id):
            if self._tracer is None:
                yield None
                return
            from service.workflows.tracing import span

            with span(self._tracer, turn) as made:
                yield made

    @contextmanager
    def part(self, run: PartDue, trace: str) -> Iterator[collections.Counter[str]]:
        """Watch a run of a part, of a request with this trace context; yields where outcomes of lines are counted."""
        counts: collections.Counter[str] = collections.Counter()
        if self._tracer is None:
            yield counts
            return
        from service.workflows.tracing import part_span

        with part_span(self._tracer, run, trace) as made:
            try:
                yield counts
            finally:
                made.set_attributes({f"lesionbridge.lines.{name}": counts[name] for name in OUTCOMES})

    def ended(self, made: Any, turn: Turn, told: Told, seconds: float) -> None:
        """Count and log what a step came to."""
        at = turn.delivery
        ATTEMPTS.labels(at.destination, turn.step, told.outcome).inc()
        SECONDS.labels(at.destination, turn.step).observe(seconds)
        settled = told.again_s is None and not (turn.step == "send" and told.state == "stored")
        if settled:
            SETTLED.labels(at.destination, str(told.state)).inc()
        if made is not None:
            made.set_attribute("lesionbridge.outcome", told.outcome)
            made.set_attribute("lesionbridge.state", str(told.state))
        _log.info(
            "attempted",
            destination=at.destination,
            step=turn.step,
            attempt=turn.attempt,
            run=at.run,
            outcome=told.outcome,
            status=told.status,
            state=str(told.state),
            again_s=told.again_s,
            ms=round(seconds * 1000, 1),
        )
