"""What is kept of a version of a report: the document it came as, what was made of it, its deliveries, the receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import orjson

from service.domain.errors import Disagreement, Problem
from service.domain.received import Received, Sent
from service.domain.report import CodedReport
from service.doors import Format, media_type
from service.formats.findings import write as findings
from service.pipeline import Outcome, Source
from service.store.receipt import receipt
from service.store.times import instant

if TYPE_CHECKING:
    # Only who keeps a report needs the database.
    from service.store.delivery_rows import Planned
    from service.store.versions import Consignment, Draft, Key, Output, Stored

STORED = (Format.FHIR_R4, Format.SR, Format.HTML)
"""What is made of a report and kept. Of one that came as an SR no second SR is made: that one is it."""
ROLES = {Format.FINDINGS: "findings", Format.FHIR_R4: "fhir", Format.SR: "sr", Format.HTML: "html"}
"""Under which name each output is kept, and found again in the routes."""
SOURCE = "source"
"""Under which name a document is kept that came in another format than findings JSON."""
UNMEASURED = "unmeasured"
"""Under which name a document is kept whose segments were measured when it came: the report has their sizes."""


def kept_of(received: Received) -> tuple[Format, ...]:
    """What is made of this one and kept."""
    return STORED if received.sr is None else tuple(one for one in STORED if one is not Format.SR)


def documents_of(source: Source, received: Received) -> tuple[Output, ...]:
    """What came, as it came; in another format than findings JSON, with the same in that beside it, to code anew."""
    from service.store.versions import output

    name, findings_json = ROLES[Format.FINDINGS], "application/vnd.lesionbridge.findings+json"
    if source.amendment is not None:
        made = output(name, findings_json, findings.write(received.report))
        return (
            (made, output(source.amendment.role, media_type(source.format, source.body), source.body))
            if source.body
            else (made,)
        )
    if source.format is Format.FINDINGS:
        return (output(name, findings_json, source.body),)
    came_as = media_type(source.format, source.body)
    role = ROLES[Format.SR] if received.sr is not None else SOURCE
    return output(role, came_as, source.body), output(name, findings_json, findings.write(received.report))


def draft(
    identity: str,
    outcome: Outcome,
    documents: tuple[Output, ...],
    consignment: Consignment,
    *,
    received: str,
    digest: str,
    key: Key | None,
    previous: Stored | None,
    overlays: Mapping[str, object],
    sent: Sequence[Sent] = (),
    follows: bool = False,
    named: tuple[str, ...] = (),
) -> Draft:
    """All that is kept of a version; ``received`` is when it came, ``sent`` where the versions before went.

    ``follows``: it was found to be the version after ``previous`` by a predecessor that it names; ``named`` are all.
    """
    from service.store.versions import Draft, Stored, output

    report = outcome.report
    if outcome.sr is None:
        raise Disagreement(Problem("", "sr", "the SR has no identity"))
    made = [output(ROLES[name], emitted.media_type, emitted.content) for name, emitted in outcome.outputs.items()]
    made.extend(documents)
    # What is made for one destination is not for everybody to fetch.
    for_all = [*made, *(one for one in consignment.outputs if "@" not in one.role)]
    here = f"/v1/reports/{identity}"
    deliveries = [
        {"id": one.id, **_would(one, sent), "href": f"/v1/deliveries/{one.id}"} for one in consignment.planned
    ]
    more = {
        "id": identity,
        "received": received,
        "outputs": [
            {
                "role": one.role,
                "mediaType": one.media_type,
                "bytes": len(one.content),
                "sha256": one.sha256,
                "href": f"{here}/{one.role}",
            }
            for one in for_all
        ],
        **(_follows(report, previous) if follows else {}),
        **_routed(consignment),
        **({"deliveries": deliveries} if deliveries else {}),
        **_left_behind(consignment, sent),
        "links": {
            "self": here,
            "versions": f"{here}/versions",
            "deliveries": f"{here}/deliveries",
            **{one.role: f"{here}/{one.role}" for one in for_all},
        },
        **overlays,
    }
    stored = Stored(
        id=identity,
        sender=report.sender,
        report_id=report.id,
        version=report.version,
        status=str(report.status),
        issued=instant(report.issued.text),
        received=received,
        digest=digest,
        sr=outcome.sr,
        receipt=_receipt(outcome, more),
        accession=report.study.accession,
    )
    issuer = report.patient.issuer.key if report.patient.issuer else None
    accession_issuer = report.study.accession_issuer.key if report.study.accession_issuer else None
    return Draft(
        stored,
        tuple(made),
        patient_id=report.patient.id,
        patient_issuer=issuer,
        accession=report.study.accession,
        key=key,
        predecessor=previous.id if previous else None,
        accession_issuer=accession_issuer,
        consignment=consignment,
        named=named,
    )


def foreseen(
    outcome: Outcome,
    overlays: Mapping[str, object],
    consignment: Consignment | None,
    sent: Sequence[Sent] = (),
    previous: Stored | None = None,
) -> bytes:
    """The receipt of a dry run: what would be kept and delivered; ``previous`` as `draft` has it."""
    planned = consignment.planned if consignment is not None else ()
    more = _follows(outcome.report, previous) | _routed(consignment)
    if planned:
        more["deliveries"] = [_would(one, sent) for one in planned]
    return _receipt(outcome, {"dryRun": True, **overlays, **more, **_left_behind(consignment, sent)})


def _left_behind(consignment: Consignment | None, sent: Sequence[Sent]) -> dict[str, object]:
    """The destinations that were sent a version before and are not sent this one: nobody else tells them."""
    planned = consignment.planned if consignment is not None else ()
    going = {one.destination for one in planned}
    why = "the request names others" if consignment is not None and consignment.named else "it is not set up any more"
    notices = [
        {
            "rule": "older-version",
            "destination": one.destination,
            "version": one.number,
            "href": f"/v1/reports/{one.version}",
            "detail": f"version {one.number} was sent there and this one is not: {why}",
        }
        for one in sent
        if one.destination not in going and not one.dry
    ]
    return {"notices": notices} if notices else {}


def _follows(report: CodedReport, previous: Stored | None) -> dict[str, object]:
    """The version that an SR goes on from, for the receipt: ``sr`` is that document as the SR names it."""
    if previous is None or report.predecessor is None:
        return {}
    said = {"id": previous.id, "version": previous.version, "sr": report.predecessor.sop_instance}
    return {"follows": {**said, "href": f"/v1/reports/{previous.id}"}}


def _routed(consignment: Consignment | None) -> dict[str, object]:
    """The rule that chose the destinations, for the receipt."""
    return {"route": consignment.route} if consignment is not None and consignment.route else {}


def _would(planned: Planned, sent: Sequence[Sent]) -> dict[str, object]:
    """What a receipt says of a delivery; ``earlier`` is the number of the version before that went there."""
    said: dict[str, object] = {"destination": planned.destination, "format": planned.format, "role": planned.role}
    for one in sent:
        if one.destination == planned.destination:
            said["earlier"] = one.number
    return {**said, "dryRun": True} if planned.dry_run else said


def _receipt(outcome: Outcome, more: Mapping[str, object]) -> bytes:
    """The receipt's bytes."""
    if outcome.sr is None:
        raise Disagreement(Problem("", "sr", "the SR has no identity"))
    made = receipt(outcome.report, outcome.losses, outcome.sr, checks=outcome.checks)
    return orjson.dumps(
        {"verdict": made.pop("verdict"), **more, **made}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
