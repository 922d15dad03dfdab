"""A coded report as a FHIR bundle, R4 (4.0.1) or R5 (5.0.0): transaction, collection or document, or as requests.

``single`` is no bundle. It is a JSON list of requests for a server that refuses a transaction: to be sent one after
another, each with ``method``, ``url``, ``ifNoneExist`` where it is a conditional create, and ``resource``. Later ones
refer to earlier ones by their ``fullUrl``; whoever sends them puts in its place the type and id that the server gave.
A profile that wants several transactions makes such a list, too: of Bundles, with an empty ``url``, the server's base.
"""

from collections.abc import Sequence

import orjson

from service.domain.emitted import Emitted, SrReference
from service.domain.errors import NotAcceptable, Problem
from service.domain.loss import Loss
from service.domain.report import CodedReport
from service.formats.fhir.codeable import Json
from service.formats.fhir.composition import composition
from service.formats.fhir.documents import (
    Gathered,
    diagnostic_report,
    document_reference,
    provenances,
    report_identifiers,
)
from service.formats.fhir.draft import Draft
from service.formats.fhir.identity import Entry
from service.formats.fhir.imaging import imaging_studies, service_request_entry
from service.formats.fhir.lesion import lesion_observation
from service.formats.fhir.observers import named_once, observers_of, person_references
from service.formats.fhir.people import patient_entry
from service.formats.fhir.profiles.modes import shaped
from service.formats.fhir.profiles.shaping import plain
from service.formats.fhir.r4 import R4
from service.formats.fhir.release import Release
from service.formats.fhir.statements import statements
from service.formats.fhir.withdrawn import withdraw
from service.formats.html.write import narrative

BUNDLES = ("transaction", "collection", "document")
"""Types of Bundle."""
KINDS = (*BUNDLES, "single")
"""What can be written."""
_WITH_REQUESTS = ("transaction", "single")
_REQUESTS = "application/vnd.lesionbridge.requests+json"


def write(
    report: CodedReport,
    sr: SrReference,
    *,
    bundle: str = "transaction",
    release: Release = R4,
    profile: str | None = None,
    earlier: Sequence[Emitted] = (),
    language: str = "",
) -> Emitted:
    """The bundle as JSON bytes, the same for the same report, with what the release can't carry as losses.

    ``sr`` tells where the SR of this report is, ``profile`` is a mode (`service.formats.fhir.profiles.modes`),
    ``earlier`` are bundles of the versions before it, as emitted, the newest first: what only they have is withdrawn.
    ``language`` is that of the narrative's headings and labels, "" is the report's.
    Raises NotAcceptable for a kind of bundle that is not in `KINDS`, or not that of the mode.
    """
    if bundle not in KINDS:
        raise NotAcceptable(Problem("", "bundle", f"bundle is one of {', '.join(KINDS)}", KINDS))
    withdraws = bool(earlier) and bundle in _WITH_REQUESTS
    if profile is None and not withdraws:
        content, losses = _built(report, sr, bundle, release, language)
        return Emitted(_media_type(release, requests=bundle == "single"), content, losses)
    content, losses = _built(report, sr, "transaction" if bundle == "single" else bundle, release, language)
    made: Json | list[Json]
    if profile is not None:
        made, flagged = shaped(content, report, profile, release.name, bundle, language)
        losses += flagged
    else:
        made = plain(content)
    if withdraws:
        withdraw(made, report, earlier, release)
    if bundle == "single" and isinstance(made, dict):
        made = [_request(entry) for entry in made["entry"]]
    return Emitted(_media_type(release, requests=isinstance(made, list)), orjson.dumps(made), losses)


def _media_type(release: Release, *, requests: bool) -> str:
    return f"{_REQUESTS};{release.media_type.partition(';')[2]}" if requests else release.media_type


def _built(
    report: CodedReport, sr: SrReference, bundle: str, release: Release, language: str
) -> tuple[bytes, tuple[Loss, ...]]:
    report, losses = named_once(report)
    draft = Draft(report, sr, release, bundle, language)
    draft.losses.extend(losses)
    lead = _fill(draft)
    entries = [draft.written(one) for one in lead] + list(draft.entries.values())
    if bundle == "single":
        begin, end = b"[", b"]"
    else:
        made: Json = {"resourceType": "Bundle"}
        if bundle == "document":
            made["identifier"] = report_identifiers(draft)[1]
        made["type"] = bundle
        if bundle not in _WITH_REQUESTS:
            made["timestamp"] = report.issued.text
        begin, end = orjson.dumps(made)[:-1] + b',"entry":[', b"]}"
    # To the first and the last of them, the patient and another, so that the whole is copied once.
    entries[0] = begin + entries[0]
    entries[-1] += end
    return b",".join(entries), tuple(draft.losses)


def _request(entry: Json) -> Json:
    """One of the requests of ``single``."""
    return {"fullUrl": entry["fullUrl"], **entry["request"], "resource": entry["resource"]}


def _fill(draft: Draft) -> list[Entry]:
    """Gather every entry of the report in the order in which they refer to each other; returns what leads them."""
    report = draft.report
    draft.subject = draft.add(patient_entry(report.patient, report.sender))
    observers = observers_of(draft)
    referrer = requester = None
    if report.study.referring_physician is not None:
        referrer, requester, _ = person_references(draft, report.study.referring_physician)
    order = service_request_entry(draft, requester)
    based_on = [draft.add(order)] if order is not None else []
    imaging = imaging_studies(draft, based_on, referrer)
    for entry in imaging.values():
        draft.add(entry)
    # With several devices nothing says which of them saw a lesion; Provenance names them all.
    device = observers.devices[0] if len(observers.devices) == 1 else None
    draft.begin_observations(based_on, imaging[report.study.uid], observers.people, device)
    results = [lesion_observation(draft, lesion, imaging) for lesion in report.lesions] + statements(draft)
    gathered = Gathered(narrative(report, draft.language), observers, based_on, imaging, results)
    diagnostic = diagnostic_report(draft, gathered)
    document = document_reference(draft, gathered, diagnostic)
    provenances(draft, observers, diagnostic)
    return [composition(draft, gathered, diagnostic, document)] if draft.kind == "document" else []
