"""/v1/unmapped: terms that were kept as text, and what a person decides of them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response, request

from service import curation_tables
from service.api import body, door
from service.api.curation_schemas import OverlaysSchema, Resolve, ResolveQuery, UnmappedListSchema, UnmappedQuery
from service.api.deployment import deployment
from service.api.openapi import Blueprint
from service.api.overlays import answer, changed, overlay_row
from service.coding.overlays.rows import CSV
from service.curation import Decided, decide
from service.domain.errors import NotFound, Problem, UnsupportedMedia

if TYPE_CHECKING:
    # SQLAlchemy is imported when the database is first needed.
    from service.store.unmapped import Counted

blueprint = Blueprint("unmapped", __name__, url_prefix="/v1/unmapped", description="Terms that were kept as text")
_ID = "<int(max=2147483647):id>"
RESOLVE: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Resolve"}}},
}
TABLE: dict[str, Any] = {
    "required": True,
    "description": "The exported table with decisions filled in.",
    "content": {CSV: {"schema": {"type": "string"}}},
}


@blueprint.get("")
@blueprint.arguments(UnmappedQuery, location="query")
@blueprint.response(HTTPStatus.OK, UnmappedListSchema)
@blueprint.alt_response(
    HTTPStatus.OK, schema={"type": "string"}, content_type=CSV, description="With `format=csv`: the same as a table."
)
def listed(query: dict[str, Any]) -> Response:
    """Terms that no concept answered to, most frequent first; no patient, only the term."""
    wanted = {name: value for name, value in query.items() if name not in ("limit", "offset", "format")}
    if wanted["state"] == "any":
        del wanted["state"]
    if not door.caller().speaks_for(wanted.get("sender", "")):
        wanted["sender"] = door.caller().sender
    terms, total = deployment().store.unmapped.list(wanted, limit=query["limit"], offset=query["offset"])
    if query["format"] == "csv":
        response = Response(curation_tables.write(terms), content_type=f"{CSV}; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{curation_tables.NAME}"'
        return response
    after = query["offset"] + len(terms)
    more = f"/v1/unmapped?{urlencode({**query, 'offset': after})}" if after < total and terms else None
    return answer({"terms": [_row(one) for one in terms], "total": total, "next": more})


@blueprint.post(f"/{_ID}/resolve")
@blueprint.response(HTTPStatus.CREATED, OverlaysSchema)
@blueprint.doc(requestBody=RESOLVE)
def resolve(id: int) -> Response:  # noqa: A002 - the route's own word
    """Decide what a term is: the overlay of its sender grows by a version."""
    wanted = body.read_json(request, Resolve(), "decision")
    one = Decided(
        id,
        Resolve.said(wanted),
        wanted["author"],
        wanted["relationship"],
        wanted["display"],
        wanted["comment"],
        "/concept" if "concept" in wanted else "/code",
    )
    return _decided((one,))


@blueprint.post("/resolve")
@blueprint.arguments(ResolveQuery, location="query")
@blueprint.response(HTTPStatus.CREATED, OverlaysSchema)
@blueprint.alt_response(HTTPStatus.OK, schema=OverlaysSchema, description="No line holds a decision.")
@blueprint.doc(requestBody=TABLE)
def resolve_table(query: dict[str, Any]) -> Response:
    """Decide all terms of a table at once, or none: each sender's overlay grows by a version."""
    if request.mimetype != CSV:
        raise UnsupportedMedia(Problem("", "content-type", "the decisions are a CSV table", (CSV,)))
    content = body.read(request, deployment().settings.limits.body_bytes)
    return _decided(curation_tables.read(content, query["author"]))


def _decided(decisions: Sequence[Decided]) -> Response:
    here = deployment()
    if not decisions:
        return answer({"overlays": []})
    if door.caller().sender:
        found = here.store.unmapped.get([one.id for one in decisions])
        if other := next((one for one in found if not door.caller().speaks_for(one.sender)), None):
            # As if it were not there: what others call things is their own business.
            raise NotFound(Problem("", "unmapped", f"there is no unmapped term {other.id}"))
    site = here.site.layers()
    made = decide(decisions, here.store, site.vocabulary.with_site(None, site.releases))
    door.concerns("term", *(str(one.id) for one in decisions))
    changed(*made)
    return answer({"overlays": [overlay_row(one) for one in made]}, HTTPStatus.CREATED)


def _row(one: "Counted") -> dict[str, Any]:
    return {
        "id": one.id,
        "sender": one.sender,
        "field": one.field,
        "system": one.system,
        "code": one.code,
        "term": one.term,
        "language": one.language,
        "count": one.count,
        "firstSeen": one.first_seen,
        "lastSeen": one.last_seen,
        "suggestions": list(one.suggestions),
        "state": one.state,
        "decision": one.decision,
        "author": one.author,
        "decided": one.decided,
    }
