"""/dicom-web/studies: SRs of others come in by STOW-RS (PS3.18 10.5), and go out as all reports do."""

from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_accept_header, parse_options_header

from service.api import body, observe
from service.api.deployment import deployment
from service.api.negotiation import MULTIPART
from service.api.observe import REPORTS
from service.api.openapi import Blueprint
from service.domain.errors import Invalid, NotAcceptable, Problem, UnsupportedMedia
from service.domain.uids import is_uid
from service.doors import DICOM_JSON
from service.receiving import stow
from service.receiving.multipart import parts
from service.receiving.reception import Reception

DICOM_XML = "application/dicom+xml"
BODY: dict[str, Any] = {
    "required": True,
    "description": "SR documents, each a part of media type application/dicom.",
    "content": {MULTIPART: {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}},
}
ANSWER: dict[str, Any] = {
    "description": "What became of each instance: Referenced SOP Sequence, Failed SOP Sequence with Failure Reason.",
    "content": {DICOM_JSON: {}, DICOM_XML: {}},
}
DOC: dict[str, Any] = {
    "requestBody": BODY,
    "responses": {str(int(one)): ANSWER for one in (200, 202, 409)},
}
blueprint = Blueprint("stow", __name__, url_prefix="/dicom-web/studies", description="DICOMweb: SRs come in")


@blueprint.post("")
@blueprint.doc(**DOC)
def store() -> Response:
    """Store SRs of any study; each is kept and delivered as a report of its own."""
    return _store(None)


@blueprint.post("/<study>")
@blueprint.doc(**DOC)
def store_in(study: str) -> Response:
    """Store SRs of this study; one of another study fails."""
    if not is_uid(study):
        raise NotFound
    return _store(study)


def _store(study: str | None) -> Response:
    here = deployment()
    limits = here.settings.limits
    xml = _wants_xml(request.headers.get("Accept", ""))
    name, parameters = parse_options_header(request.content_type or "")
    if name.lower() != MULTIPART or parameters.get("type", stow.DICOM).lower() != stow.DICOM:
        wanted = (f'{MULTIPART}; type="{stow.DICOM}"',)
        raise UnsupportedMedia(
            Problem("", "content-type", "instances come as parts of a multipart/related body", wanted)
        )
    content = body.read(request, limits.body_bytes)
    reception = Reception(here, "stow", observe.trace_context())
    # All parts are there, or none is taken: a body that was cut off is sent again as a whole.
    pieces = list(parts(content, parameters.get("boundary", ""), limits))
    if not pieces:
        raise Invalid(Problem("", "multipart", "there is no instance in it"))
    found = [stow.take(reception, piece, study) for piece in pieces]
    for one in found:
        REPORTS.labels("refused" if one.receipt is None else "created" if one.receipt.created else "replayed").inc()
    told, status = stow.told(found), stow.status(found)
    made = (
        Response(stow.as_xml(told), status, content_type=DICOM_XML)
        if xml
        else Response(orjson.dumps(told), status, content_type=DICOM_JSON)
    )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        made.headers["Retry-After"] = "5"
    return made


def _wants_xml(accept: str) -> bool:
    """Whether the answer is XML; raises NotAcceptable where it may be neither XML nor JSON (PS3.18 10.5.2)."""
    if not accept:
        return False
    said: dict[str, float] = {}
    for kind, quality in parse_accept_header(accept):
        said[kind.partition(";")[0].strip().lower()] = quality
    anything = max(said.get("application/*", 0.0), said.get("*/*", 0.0))
    json = max(said.get(DICOM_JSON, anything), said.get("application/json", 0.0))
    xml = said.get(DICOM_XML, anything)
    if not json and not xml:
        raise NotAcceptable(Problem("", "accept", "the answer is JSON or XML", (DICOM_JSON, DICOM_XML)))
    return xml > json
