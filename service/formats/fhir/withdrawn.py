"""What an earlier version of a report said and this one says no more is withdrawn, resource by resource.

Observations have the same identifier in every version of a report. One that a version does not write stays at the
server as it was, `final`, so whatever the version before had emitted and this one does not is emitted once more: as
``entered-in-error``, or as ``cancelled`` where it never was final (R4 observation-status). The SR of each version has a
DocumentReference of its own: those of the versions before become ``superseded``, or ``entered-in-error`` where the
report is withdrawn (document-reference-status, the same three codes in R4 and R5). Identifiers are taken from the
bytes that were emitted, not made anew: another table of today would derive others.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from service.domain.emitted import Emitted
from service.domain.report import CodedReport, Status
from service.formats.fhir.codeable import Json
from service.formats.fhir.identity import DICOM_UID, found_by, own_system, replace_found, resource_identifier, uuid_of
from service.formats.fhir.release import Release
from service.formats.fhir.reread import reread

_NEVER_FINAL: Final = ("preliminary", "cancelled")
_WITHDRAWN: Final = (Status.CANCELLED, Status.ENTERED_IN_ERROR)
_LEFT_OUT: Final = frozenset(
    {"resourceType", "id", "meta", "identifier", "status", "subject", "issued", "text", "presentedForm"}
)
_SELECTION: Final = "ImagingSelection"
_KINDS: Final = frozenset({"Observation", _SELECTION, "DocumentReference", "DiagnosticReport"})


@dataclass(frozen=True, slots=True)
class _Now:
    """The version that withdraws: ``urls`` are what a transaction of it may refer to, by all references to that."""

    report: CodedReport
    release: Release
    subject: Json
    urls: Mapping[str, str]

    def known(self, references: Sequence[Json]) -> list[Json]:
        """The references to what this version has, and those that are an identifier alone."""
        return [
            {**one, "reference": self.urls[one["reference"]]} if "reference" in one else one
            for one in references
            if one.get("reference") is None or one["reference"] in self.urls
        ]


def withdraw(made: Json | list[Json], report: CodedReport, earlier: Sequence[Emitted], release: Release) -> None:
    """Add to a transaction what the bundles ``earlier`` had and it has not, the newest of them first.

    Of several transactions the first, which has the patient, withdraws Observations, and the last, when the new one is
    there, documents. An Observation keeps what it said but its references: what they led to may be in no bundle any
    more. Where each version is a DiagnosticReport of its own (`profiles.imr`), those before are withdrawn with the
    report. Bundles of the same release are asked first, since what they said stands in the words of that release.
    """
    system = own_system("resource", report.sender)
    kinds = _KINDS if report.status in _WITHDRAWN else _KINDS - {"DiagnosticReport"}
    if release.name != "R5":
        kinds -= {_SELECTION}
    here = {uuid for uuid, _ in _ours(json.loads(orjson.dumps(made)), system, kinds)}
    here.add(uuid_of("diagnostic-report", report.sender, report.id))  # what all versions have is never another's
    transactions: list[list[Json]] = (
        [made["entry"]] if isinstance(made, dict) else [one["resource"]["entry"] for one in made]
    )
    patient = next(entry["fullUrl"] for entry in transactions[0] if _is_patient(entry["resource"]))
    first, last = (_now(report, release, transactions, number, patient) for number in (0, -1))
    for bundle in sorted(earlier, key=lambda one: not _is_of(one, release)):
        for uuid, said in _ours(reread(bundle), system, kinds):
            if uuid not in here:
                here.add(uuid)
                is_first = said["resourceType"] in ("Observation", _SELECTION)
                now = first if is_first else last
                is_document = said["resourceType"] == "DocumentReference"
                resource = _document(said, now) if is_document else _statement(uuid, said, now)
                found = replace_found(uuid, resource, resource["identifier"][0])
                entry = {"fullUrl": f"urn:uuid:{uuid}", "resource": found.resource, "request": found.request}
                transactions[0 if is_first else -1].append(entry)


def _now(report: CodedReport, release: Release, transactions: list[list[Json]], number: int, patient: str) -> _Now:
    """What the n-th transaction may refer to: its own entries by fullUrl, those of others as the server finds them."""
    urls: dict[str, str] = {}
    for entries in transactions:
        for entry in entries:
            found = found_by(entry["request"])
            place = entry["fullUrl"] if entries is transactions[number] else found
            urls |= {entry["fullUrl"]: place, found: place}
    return _Now(report, release, {"reference": urls[patient]}, urls)


def _statement(uuid: str, said: Json, now: _Now) -> Json:
    """An Observation, an ImagingSelection, or a DiagnosticReport without its narrative: it would look as if it counted.

    A selection never is cancelled (R5 imagingselection-status), and when it was issued nobody said.
    """
    system = own_system("resource", now.report.sender)
    others = [one for one in said["identifier"] if one.get("system") != system]
    kept = {name: value for name, value in said.items() if name not in _LEFT_OUT and not _refers(value)}
    return {
        "resourceType": said["resourceType"],
        "identifier": [resource_identifier(uuid, now.report.sender), *others],
        "status": "cancelled" if said["status"] in _NEVER_FINAL else "entered-in-error",
        "subject": now.subject,
        **({"issued": now.report.issued.text} if said["resourceType"] != _SELECTION else {}),
        **kept,
    }


def _document(said: Json, now: _Now) -> Json:
    """The DocumentReference of an SR before, of either release, in the words of this one.

    It names study and series, but not the report: that is said by another document now. Once in error it stays so.
    """
    release, report = now.release, now.report
    identifier = said["identifier"][0]
    is_wrong = report.status in _WITHDRAWN
    content = said["content"][0]
    coding = content["format"] if "format" in content else content["profile"][0]["valueCoding"]
    related = said["context"]["related"] if "context" in said else [one["reference"] for one in said.get("event", ())]
    made: Json = {
        "resourceType": "DocumentReference",
        **release.master_identifier(identifier),
        "identifier": [identifier],
        "status": "entered-in-error" if is_wrong or said["status"] == "entered-in-error" else "superseded",
        "docStatus": release.document_status(report.status if is_wrong else Status(said["docStatus"])),
        "type": said["type"],
        "category": said["category"],
        "subject": now.subject,
        "date": said["date"],
    }
    authors = now.known(said.get("author", ()))
    if authors:
        made["author"] = authors
    if "relatesTo" in said:
        made["relatesTo"] = [{"code": release.replaces(), "target": one["target"]} for one in said["relatesTo"]]
    made["content"] = [{"attachment": content["attachment"], **release.document_format(coding)}]
    diagnostic = f"urn:uuid:{uuid_of('diagnostic-report', report.sender, report.id)}"
    return made | release.document_context(now.known([one for one in related if one.get("reference") != diagnostic]))


def _is_of(bundle: Emitted, release: Release) -> bool:
    """Whether a bundle is of a release, by its media type; a list of requests has another one with the same version."""
    return bundle.media_type.endswith(release.media_type.partition(";")[2])


def _ours(value: Any, system: str, kinds: frozenset[str]) -> Iterator[tuple[str, Json]]:
    """Every resource of ours of these types in a bundle, or in a list of requests, by its derived UUID.

    Of several the last counts: the one before is that of a report in all its versions.
    """
    if isinstance(value, list):
        for one in value:
            yield from _ours(one, system, kinds)
    elif isinstance(value, dict):
        if value.get("resourceType") not in kinds:
            for inner in value.values():
                if isinstance(inner, dict | list):
                    yield from _ours(inner, system, kinds)
            return
        own = [one["value"] for one in value.get("identifier", ()) if one.get("system") == system]
        if value["resourceType"] == "DocumentReference":
            uids = [one["value"] for one in value.get("identifier", ()) if one.get("system") == DICOM_UID]
            own = [uuid_of("document-reference", uid.removeprefix("urn:oid:")) for uid in uids[:1]]
        yield from ((uuid, value) for uuid in own[-1:])


def _refers(value: Any) -> bool:
    """Whether a member of a resource holds a reference."""
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, dict) and ("reference" in value or any(map(_refers, value.values())))


def _is_patient(resource: Json | orjson.Fragment) -> bool:
    return isinstance(resource, dict) and resource["resourceType"] == "Patient"
