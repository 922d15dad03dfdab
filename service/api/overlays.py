"""/v1/overlays: a site's own words and codes, in versions."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response, request

from service.access.principal import Principal, name_fault
from service.api import answers, body, door
from service.api.curation_schemas import (
    OverlaySchema,
    OverlaysSchema,
    PreviewQuery,
    PreviewSchema,
    RollBack,
    UploadQuery,
)
from service.api.deployment import deployment
from service.api.openapi import Blueprint
from service.coding.overlays.layers import Layer, OverlayText, layer
from service.coding.overlays.rows import CONCEPT_MAP, CSV, EVERYONE
from service.curation import Preview, preview
from service.domain.errors import Forbidden, Invalid, Problem, UnsupportedMedia
from service.store.receipt import coded_row

if TYPE_CHECKING:
    # SQLAlchemy is imported when the database is first needed.
    from service.store.overlays import KeptOverlay

blueprint = Blueprint("overlays", __name__, url_prefix="/v1/overlays", description="A site's own words and codes")
MEDIA = {CSV: CSV, CONCEPT_MAP: CONCEPT_MAP, "application/json": CONCEPT_MAP}
"""Content types, each with what it is read as."""
BODY: dict[str, Any] = {
    "required": True,
    "description": "A CSV table, or a FHIR ConceptMap (R4).",
    "content": {
        name: {"schema": {"type": "string"} if form == CSV else {"type": "object"}} for name, form in MEDIA.items()
    },
}
TEXTS: dict[str, Any] = {
    "description": "The bytes as they were uploaded, with a strong ETag.",
    "content": {CSV: {"schema": {"type": "string"}}, CONCEPT_MAP: {}},
}
ROLL_BACK: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RollBack"}}},
}


@blueprint.get("")
@blueprint.response(HTTPStatus.OK, OverlaysSchema)
def listed() -> Response:
    """The overlays in use, uploaded and mounted, with rows that are not applied; a sender's own and those for all.

    What is wrong with mounted files may name other senders, so it is for callers without one.
    """
    here = deployment()
    mine = door.caller()
    store = here.store.overlays
    rows = [
        overlay_row(store.get(one.text.sender, one.text.version), one) if one.text.version else _mounted(one)
        for one in (_shown(each, mine) for each in here.site.layers(store, now=True).layers)
        if one.text.sender == EVERYONE or mine.speaks_for(one.text.sender)
    ]
    faults = here.site.faults if not mine.sender else ()
    return answer({"overlays": rows, "faults": _faults(faults)})


def _shown(one: Layer, caller: Principal) -> Layer:
    """An overlay without what is said of rows of senders that are not the caller's: it quotes their words."""
    hidden = {row.where for row in one.rows if row.sender != EVERYONE and not caller.may_see(row.sender)}
    problems, notices = (tuple(at for at in said if at.pointer not in hidden) for said in (one.problems, one.notices))
    return replace(one, problems=problems, notices=notices)


@blueprint.put("/<string:sender>")
@blueprint.arguments(UploadQuery, location="query")
@blueprint.response(HTTPStatus.CREATED, OverlaySchema)
@blueprint.alt_response(HTTPStatus.OK, schema=OverlaySchema, description="The same bytes are in use already.")
@blueprint.doc(requestBody=BODY)
def upload(query: dict[str, Any], sender: str) -> Response:
    """A new version of the overlay of a sender, or of `all`; in use from now on, for reports to come."""
    from service.store.overlays import NewOverlay

    here = deployment()
    new = _read(sender)
    before = {one.sender: one for one in here.store.overlays.current()}.get(sender)
    if before is not None and before.sha256 == sha256(new.text.content).hexdigest():
        return answer(overlay_row(before, new))
    made = NewOverlay(
        sender, new.text.media_type, new.text.content, len(new.rows), query["author"], after=query.get("after")
    )
    kept = here.store.overlays.keep(made)
    changed(kept)
    return answer(overlay_row(kept, new), HTTPStatus.CREATED)


@blueprint.post("/preview")
@blueprint.arguments(PreviewQuery, location="query")
@blueprint.response(HTTPStatus.OK, PreviewSchema)
@blueprint.doc(requestBody=BODY)
def would(query: dict[str, Any]) -> Response:
    """Which of the reports stored last would be coded otherwise with this overlay. Nothing is kept."""
    here = deployment()
    if not door.caller().speaks_for(query["sender"]):
        raise Forbidden(Problem("", "sender", "this caller speaks for another sender"))
    new = _read(query["sender"])
    layers = here.site.layers(here.store.overlays, now=True)
    found = preview(layers, new, here.store, last=query["last"], limits=here.settings.limits)
    return answer(preview_row(found, new))


@blueprint.get("/<string:sender>")
@blueprint.doc(responses={"200": TEXTS})
def current(sender: str) -> Response:
    """The newest version of an overlay, as it was uploaded."""
    return _text(deployment().store.overlays.get(sender))


@blueprint.get("/<string:sender>/versions")
@blueprint.response(HTTPStatus.OK, OverlaysSchema)
def versions(sender: str) -> Response:
    """All versions of an overlay, newest first."""
    return answer({"overlays": [overlay_row(one) for one in deployment().store.overlays.versions(sender)]})


@blueprint.get("/<string:sender>/versions/<int(max=1000000000):version>")
@blueprint.doc(responses={"200": TEXTS})
def version(sender: str, version: int) -> Response:
    """A version of an overlay, as it was uploaded."""
    return _text(deployment().store.overlays.get(sender, version))


@blueprint.post("/<string:sender>/rollback")
@blueprint.response(HTTPStatus.CREATED, OverlaySchema)
@blueprint.doc(requestBody=ROLL_BACK)
def roll_back(sender: str) -> Response:
    """An older version as a new one. It must still stand: the tables may have changed since."""
    here = deployment()
    wanted = body.read_json(request, RollBack(), "overlay")
    old = here.store.overlays.get(sender, wanted["version"])
    held = _layer(OverlayText(sender, old.version, old.media_type, old.content))
    kept = here.store.overlays.roll_back(sender, old.version, wanted["author"])
    changed(kept)
    return answer(overlay_row(kept, held), HTTPStatus.CREATED)


def _read(sender: str) -> Layer:
    """The overlay in the body; raises UnsupportedMedia, TooLarge, Invalid with every problem."""
    if fault := name_fault(sender):
        raise Invalid(Problem("", "sender", f"a sender is {fault}"))
    form = MEDIA.get(request.mimetype)
    if form is None:
        raise UnsupportedMedia(Problem("", "content-type", "an overlay is a CSV table or a ConceptMap", tuple(MEDIA)))
    content = body.read(request, deployment().settings.limits.body_bytes)
    return _layer(OverlayText(sender, 0, form, content))


def _layer(text: OverlayText) -> Layer:
    here = deployment().site.layers()
    return layer(text, here.vocabulary.with_site(None, here.releases)).held()


def changed(*kept: "KeptOverlay") -> None:
    """Name versions that were made in the audit trail; nothing of what stands in them."""
    door.concerns("overlay", *(f"{one.sender}/{one.version}" for one in kept))


def overlay_row(kept: "KeptOverlay", checked: Layer | None = None) -> dict[str, Any]:
    """A version as it is listed."""
    row: dict[str, Any] = {
        "sender": kept.sender,
        "version": kept.version,
        "created": kept.created,
        "author": kept.author,
        "origin": kept.origin,
        "rows": kept.rows,
        "mediaType": kept.media_type,
        "sha256": kept.sha256,
        "href": f"/v1/overlays/{kept.sender}/versions/{kept.version}",
    }
    return row if checked is None else row | _checked(checked)


def _checked(one: Layer) -> dict[str, Any]:
    return {"applied": one.applied, "notices": _faults(one.notices), "problems": _faults(one.problems)}


def _mounted(one: Layer) -> dict[str, Any]:
    return {
        "sender": one.text.sender,
        "version": 0,
        "created": None,
        "author": "",
        "origin": "mounted",
        "rows": len(one.rows),
        "mediaType": one.text.media_type,
        "sha256": sha256(one.text.content).hexdigest(),
        "href": None,
        **_checked(one),
    }


def preview_row(found: Preview, new: Layer) -> dict[str, Any]:
    """A preview as it is answered."""
    reports = [
        {
            "id": one.stored.id,
            "href": f"/v1/reports/{one.stored.id}",
            "changes": [
                {"pointer": change.where, "old": coded_row(change.old), "new": coded_row(change.new)}
                for change in one.changes
            ],
            "problems": _faults(one.problems),
        }
        for one in found.changed
    ]
    said = {"applied": new.applied, "notices": _faults(new.notices), "reports": reports}
    return {"examined": found.examined, "skipped": found.skipped, **said}


def _faults(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [
        {"pointer": one.pointer, "rule": one.rule, "detail": one.detail, "candidates": list(one.candidates)}
        for one in problems
    ]


def _text(kept: "KeptOverlay") -> Response:
    ending = "csv" if kept.media_type == CSV else "json"
    response = answers.stored(kept.media_type, kept.content, name=f"overlay-{kept.version}.{ending}")
    response.headers["Lesionbridge-Overlay-Version"] = str(kept.version)
    return response


def answer(content: dict[str, Any], status: int = HTTPStatus.OK) -> Response:
    """JSON."""
    return Response(orjson.dumps(content), status=status, content_type="application/json")
