"""/health and /metrics."""

import orjson
from flask import Response

from service.api import observe
from service.api.deployment import deployment
from service.api.openapi import Blueprint
from service.api.schemas import HealthSchema
from service.pipeline import tables

blueprint = Blueprint("operations", __name__, description="For those who run the service")


@blueprint.get("/health/live")
@blueprint.response(200, HealthSchema)
def live() -> Response:
    """The process answers."""
    return _health(())


@blueprint.get("/health/ready")
@blueprint.response(200, HealthSchema)
@blueprint.alt_response(503, schema=HealthSchema, description="It can't work; says why.")
def ready() -> Response:
    """The vocabulary is loaded and the database can be used; or what is wrong."""
    here = deployment()
    tables(here.settings.issuers_file)
    return _health(here.store.faults())


@blueprint.get("/metrics")
@blueprint.doc(responses={"200": {"description": "Counters in Prometheus text format.", "content": {"text/plain": {}}}})
def metrics() -> Response:
    """Counters for Prometheus."""
    return observe.metrics()


def _health(faults: tuple[str, ...]) -> Response:
    content = {"status": "failing", "faults": list(faults)} if faults else {"status": "ok", "faults": []}
    return Response(orjson.dumps(content), status=503 if faults else 200, content_type="application/json")
