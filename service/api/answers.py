"""Responses of the views."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING

import orjson
from flask import Response, request

from service.api.multipart import Part, related
from service.api.negotiation import MULTIPART, Offer
from service.api.observe import LOSSES, REPORTS
from service.doors import DICOM_JSON
from service.pipeline import Format, Outcome
from service.publishing import Receipt
from service.store.receipt import loss_row

if TYPE_CHECKING:
    # SQLAlchemy is imported when the first report is kept or asked for.
    from service.store.versions import Stored

LOSSES_HEADER = "Lesionbridge-Losses"
SUFFIXES = {"fhir": "fhir.json", "sr": "dcm", "rejection": "dcm", "html": "html", "findings": "json"}
_losses = cache(LOSSES.labels)
_NAMES = {Format.FHIR_R4: "report.fhir.json", Format.SR: "report.dcm"}


def suffix(role: str, media_type: str) -> str:
    """The end of the name that an output is saved under; what came in another format is named after that."""
    if role in SUFFIXES:
        return SUFFIXES[role]
    known = {
        "application/fhir+json": "fhir.json",
        "application/fhir+xml": "fhir.xml",
        "application/vnd.lesionbridge.findings+json": "json",
        DICOM_JSON: "dicom.json",
    }
    return known.get(media_type.partition(";")[0], "bin")


def converted(outcome: Outcome, offer: Offer) -> Response:
    """The output asked for; in a multipart answer the losses are a part of their own."""
    for kind, count in Counter(loss.kind for loss in outcome.losses).items():
        _losses(kind.value).inc(count)
    if offer.media_type == MULTIPART:
        parts = [Part(_NAMES[name], made.media_type, made.content) for name, made in outcome.outputs.items()]
        losses = orjson.dumps([loss_row(loss) for loss in outcome.losses], option=orjson.OPT_INDENT_2)
        media_type, content = related([*parts, Part("losses.json", "application/json", losses)])
    elif offer.media_type == DICOM_JSON:
        media_type, content = DICOM_JSON, dicom_json(outcome.outputs[Format.SR].content)
    else:
        made = outcome.outputs[offer.targets[0]]
        media_type = offer.media_type if offer.media_type == "application/json" else made.media_type
        content = made.content
    headers = [("Content-Type", media_type), (LOSSES_HEADER, str(len(outcome.losses)))]
    if outcome.checks:
        headers.append(("Lesionbridge-Checks", ", ".join(outcome.checks)))
    headers.append(("Vary", "Accept"))
    return Response(content, headers=headers)


def dicom_json(content: bytes) -> bytes:
    """A Part 10 file in the DICOM JSON Model (PS3.18 F.2): a list of one data set, without the group of the file."""
    from pydicom import dcmread  # imported when the first caller asks for it

    return orjson.dumps([dcmread(BytesIO(content)).to_json_dict()])


def published(receipt: Receipt, *, always: bool) -> Response:
    """201 with Location for what is new, 200 for what was there already or is not kept."""
    REPORTS.labels("created" if receipt.created else "dry-run" if receipt.id is None else "replayed").inc()
    status = 201 if receipt.created and not always else 200
    response = Response(receipt.content, status=status, content_type="application/json")
    if receipt.id is not None:
        response.headers["Location"] = f"/v1/reports/{receipt.id}"
    return response


def stored(media_type: str, content: bytes, *, name: str | None = None) -> Response:
    """Bytes that never change: with their digest as ETag, 304 to who has them."""
    response = Response(content, content_type=media_type)
    if name is not None:
        response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    # Kept out of shared caches by the session's own rule, but a client may ask whether its copy still holds.
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(sha256(content).hexdigest())
    response.make_conditional(request)
    return response


def versions(found: "Sequence[Stored]") -> Response:
    """A list of stored versions."""
    rows = [
        {
            "id": one.id,
            "sender": one.sender,
            "reportId": one.report_id,
            "version": one.version,
            "status": one.status,
            "issued": one.issued,
            "received": one.received,
            "srInstance": one.sr.sop_instance,
            "href": f"/v1/reports/{one.id}",
        }
        for one in found
    ]
    return Response(orjson.dumps({"versions": rows}), content_type="application/json")
