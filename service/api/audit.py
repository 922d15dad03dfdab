"""GET /v1/audit: the trail as it was kept, for whoever collects it."""

from typing import Any

import orjson
from flask import Response
from marshmallow import fields, validate

from service.api.deployment import deployment
from service.api.openapi import Blueprint
from service.api.schemas import Strict

NDJSON = "application/x-ndjson"
_MOST = 1_000
blueprint = Blueprint("audit", __name__, url_prefix="/v1/audit", description="What was done, by whom")


class TrailQuery(Strict):
    """Where to go on."""

    after = fields.Integer(
        load_default=0, validate=validate.Range(0), metadata={"description": "The position of the last event you have."}
    )
    limit = fields.Integer(load_default=_MOST, validate=validate.Range(1, _MOST))


@blueprint.get("")
@blueprint.arguments(TrailQuery, location="query")
@blueprint.doc(responses={"200": {"description": "Events, oldest first.", "content": {NDJSON: {}}}})
def trail(query: dict[str, Any]) -> Response:
    """Events of the trail, a line each: position, hash, the hash before it, and a FHIR R4 AuditEvent."""
    lines = [line(kept) for kept in deployment().store.audit.after(query["after"], query["limit"])]
    return Response(b"".join(lines), content_type=NDJSON)


def line(kept: Any) -> bytes:
    """An event with its place in the chain, as one line."""
    row = {
        "position": kept.position,
        "previous": kept.previous,
        "hash": kept.hash,
        "event": orjson.Fragment(kept.event),
    }
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
