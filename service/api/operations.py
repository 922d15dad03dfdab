"""/health and /metrics."""

import orjson
from flask import Response

from service.api import delivery_health, observe
from service.api.deployment import deployment
from service.api.openapi import Blueprint
from service.api.schemas import HealthSchema
from service.pipeline import tables

blueprint = Blueprint("operations", __name__, description="For those who run the service")


@blueprint.get("/health/live")
@blueprint.response(200, HealthSchema)
def live() -> Response:
    """The process answers."""
    return _health((), None)


@blueprint.get("/health/ready")
@blueprint.response(200, HealthSchema)
@blueprint.alt_response(503, schema=HealthSchema, description="It can't work; says why.")
def ready() -> Response:
    """The vocabulary is loaded and the database can be used; or what is wrong. `warnings`: what else needs a look."""
    here = deployment()
    tables(here.settings.issuers_file)
    faults = here.store.faults() or here.store.refuses_writes()
    return _health(faults, delivery_health.warnings(here) if not faults else ())


@blueprint.get("/metrics")
@blueprint.doc(responses={"200": {"description": "Counters in Prometheus text format.", "content": {"text/plain": {}}}})
def metrics() -> Response:
    """Counters for Prometheus, and how full the queues are."""
    return observe.metrics(delivery_health.Queues(deployment()))


def _health(faults: tuple[str, ...], warnings: tuple[str, ...] | None) -> Response:
    content: dict[str, object] = {"status": "failing" if faults else "ok", "faults": list(faults)}
    if warnings:
        content["warnings"] = list(warnings)
    return Response(orjson.dumps(content), status=503 if faults else 200, content_type="application/json")
