"""/v1/patients: ids of patients that turn out to be one."""

from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request

from service.api import body, door
from service.api.deployment import deployment
from service.api.merge_schemas import Merge, MergedSchema, MergeQuery
from service.api.openapi import Blueprint

blueprint = Blueprint("patients", __name__, url_prefix="/v1/patients", description="Patients whose ids are merged")


@blueprint.post("/merge")
@blueprint.arguments(MergeQuery, location="query")
@blueprint.response(HTTPStatus.OK, MergedSchema)
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Merge"}}}}
)
def merge(query: dict[str, Any]) -> Response:
    """Let what is kept under one id be found under another; say what has to be sent again. `dry-run`: only say."""
    from service.receiving.merging import merge as merged
    from service.receiving.merging import named

    asked = body.read_json(request, Merge(), "merge")
    survivor, prior = (named(asked[name]["id"], asked[name].get("issuer")) for name in ("survivor", "prior"))
    found = merged(deployment(), survivor, prior, dry_run=query["dry_run"])
    if not query["dry_run"]:
        door.concerns("report", *(one.id for one in found.reports))
    reports = [
        {
            "id": one.id,
            "sender": one.sender,
            "reportId": one.report_id,
            "version": one.version,
            "status": one.status,
            "href": f"/v1/reports/{one.id}",
        }
        for one in found.reports
    ]
    deliveries = [
        {
            "id": one.id,
            "report": one.report,
            "destination": one.destination,
            "state": one.state,
            "href": f"/v1/deliveries/{one.id}",
        }
        for one in found.deliveries
    ]
    said = {"resend": reports, "deliveries": deliveries}
    if found.notices:
        said["notices"] = [
            {"pointer": one.pointer, "rule": one.rule, "detail": one.detail, "candidates": list(one.candidates)}
            for one in found.notices
        ]
    return Response(orjson.dumps(said), content_type="application/json")
