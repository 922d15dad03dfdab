"""The report itself: DiagnosticReport, DocumentReference of the SR, and Provenance."""

from dataclasses import dataclass

import orjson

from service.domain.report import CodedReport, Predecessor, Status
from service.formats.fhir.codeable import Json, codeable, date_time, field_name, hl7_concept
from service.formats.fhir.draft import Draft
from service.formats.fhir.identity import (
    Entry,
    dicom_identifier,
    own_system,
    put_by_id,
    replace_found,
    resource_identifier,
    uuid_of,
)
from service.formats.fhir.observers import Observers

OTHER_STUDY = "study of an image"
"""What a reference to a study says that nothing is compared with: only an image of the report is of it."""
_SUPPORTING = "http://hl7.org/fhir/StructureDefinition/workflow-supportingInfo"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the report's own resources refer to; ``narrative`` is an XHTML div."""

    narrative: str
    observers: Observers
    based_on: list[Json]
    imaging: dict[str, Entry]
    results: list[Json]


def report_identifiers(draft: Draft) -> list[Json]:
    """The report by its id, the same for all versions, and by its id and version."""
    report = draft.report
    assigner = {"display": report.sender}
    version: Json = {"use": "secondary", "system": own_system("report-version", report.sender)}
    return [
        {"system": own_system("report", report.sender), "value": report.id, "assigner": assigner},
        {**version, "value": f"{report.id}/{report.version}", "assigner": assigner},
    ]


def radiology() -> list[orjson.Fragment]:
    """The category by LOINC, as US Core asks, and by HL7's own table of diagnostic services."""
    return [field_name("radiology-category"), hl7_concept("v2-0074", "RAD", "Radiology")]


def narrative_of(div: str) -> Json:
    """A Narrative: generated, since it holds what the resource holds."""
    return {"status": "generated", "div": div}


def diagnostic_report(draft: Draft, gathered: Gathered) -> Json:
    """Add the DiagnosticReport and return the reference to it."""
    report, sender, observers = draft.report, draft.report.sender, gathered.observers
    uuid = uuid_of("diagnostic-report", sender, report.id)
    own = resource_identifier(uuid, sender)
    resource: Json = {
        "resourceType": "DiagnosticReport",
        "language": report.language,
        "text": narrative_of(gathered.narrative),
    }
    priors = [_prior(uid, entry, report) for uid, entry in gathered.imaging.items() if uid != report.study.uid]
    if priors:
        # imagingStudy is what was performed for this report; what it was compared with only supports it.
        resource["extension"] = [{"url": _SUPPORTING, "valueReference": prior} for prior in priors]
    resource["identifier"] = [*report_identifiers(draft), own]
    if gathered.based_on:
        resource["basedOn"] = gathered.based_on
    resource["status"] = report.status.value
    resource["category"] = radiology()
    resource["code"] = codeable(report.study.procedures[0], sender)
    resource["subject"] = draft.subject
    resource |= draft.effective
    resource["issued"] = report.issued.text
    performers = observers.organizations or observers.people
    if performers:
        resource["performer"] = performers
    if observers.people:
        resource["resultsInterpreter"] = observers.people
    if gathered.results:
        resource["result"] = gathered.results
    resource[draft.release.study] = [gathered.imaging[report.study.uid].reference]
    if report.impression is not None:
        resource["conclusion"] = report.impression
    if report.conclusions:
        resource["conclusionCode"] = [codeable(term, sender) for term in report.conclusions]
    # Not by the sender's id: it would stand in the log of the server.
    return draft.add(replace_found(uuid, resource, own))


def _prior(uid: str, study: Entry, report: CodedReport) -> Json:
    """A study that supports the report; of one that nothing is compared with it is said why it is there."""
    if any(comparison.uid == uid for comparison in report.study.comparisons):
        return study.reference
    return {**study.reference, "display": OTHER_STUDY}


def document_reference(draft: Draft, gathered: Gathered, diagnostic: Json) -> Json:
    """Add the DocumentReference to the SR and return the reference to it: each SR instance has its own."""
    report, sr, observers = draft.report, draft.sr, gathered.observers
    identifier = dicom_identifier(sr.sop_instance)
    withdrawn = report.status is Status.ENTERED_IN_ERROR
    resource: Json = {
        "resourceType": "DocumentReference",
        **draft.release.master_identifier(identifier),
        "identifier": [identifier],  # not every server searches masterIdentifier
        "status": "entered-in-error" if withdrawn else "current",
        "docStatus": draft.release.document_status(report.status),
        "type": field_name("diagnostic-imaging-report"),
        "category": radiology(),
        "subject": draft.subject,
        "date": report.issued.text,
    }
    if observers.authors:
        resource["author"] = observers.authors
    if observers.verified:
        person, verified_at, _ = observers.verified[0]
        # A lost time of day is named once, by Provenance.
        resource |= draft.release.authenticated(person, date_time(verified_at, "", []))
    if report.predecessor is not None:
        target = {"type": "DocumentReference", "identifier": dicom_identifier(report.predecessor.sop_instance)}
        resource["relatesTo"] = [{"code": draft.release.replaces(), "target": target}]
    attachment = {"contentType": "application/dicom", "language": report.language, "creation": report.issued.text}
    sop_class = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{sr.sop_class}"}
    resource["content"] = [{"attachment": attachment, **draft.release.document_format(sop_class)}]
    # To retrieve the instance its study and series are needed too (PS3.18 10.4).
    series = {"identifier": dicom_identifier(sr.series), "display": "DICOM series of the document"}
    study = gathered.imaging[report.study.uid].reference
    related = [diagnostic, study, series, *(_uids_of(report.predecessor) if report.predecessor is not None else ())]
    resource |= draft.release.document_context(related)
    return draft.add(replace_found(uuid_of("document-reference", sr.sop_instance), resource, identifier))


def _uids_of(predecessor: Predecessor) -> list[Json]:
    """Series, class and study of the SR that is replaced: an SR can't name its predecessor without (PS3.3 C.17.2)."""
    named = {
        "series-instance-uid": predecessor.series,
        "sop-class-uid": predecessor.sop_class,
        "study-instance-uid": predecessor.study,
    }
    return [
        {"identifier": {"type": field_name(name), **dicom_identifier(uid)}, "display": "of the replaced document"}
        for name, uid in named.items()
        if uid is not None
    ]


def provenances(draft: Draft, observers: Observers, target: Json) -> None:
    """Add who made the report, and one Provenance for each person who verified it, with the time.

    A DiagnosticReport can name no device, and no element holds when it was verified. Provenance has no natural key,
    so it is put under a derived id.
    """
    if observers.agents:
        agents = []
        for device, person in observers.agents:
            agent: Json = {"type": _participant("author", "Author"), "who": device or person}
            if device is not None and person is not None:
                agent["onBehalfOf"] = person
            agents.append(agent)
        _provenance(draft, "authored", {}, target, agents)
    for turn, (person, verified_at, where) in enumerate(observers.verified):
        time = {"occurredDateTime": date_time(verified_at, where, draft.losses)}
        verifier = {"type": _participant("verifier", "Verifier"), "who": person}
        _provenance(draft, f"verified-{turn}", time, target, [verifier])


def _participant(code: str, display: str) -> orjson.Fragment:
    return hl7_concept("provenance-participant-type", code, display)


def _provenance(draft: Draft, role: str, time: Json, target: Json, agents: list[Json]) -> None:
    report = draft.report
    resource: Json = {"resourceType": "Provenance", "target": [target], **time, "recorded": report.issued.text}
    resource["agent"] = agents
    uuid = uuid_of("provenance", report.sender, report.id, report.version, role)
    draft.add(put_by_id(uuid, resource))
