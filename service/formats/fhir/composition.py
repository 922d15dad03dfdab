"""The Composition that leads a document bundle: findings, impression, and the report they are of."""

from service.formats.fhir.codeable import Json, date_time, field_name
from service.formats.fhir.documents import Gathered, narrative_of, radiology, report_identifiers
from service.formats.fhir.draft import Draft
from service.formats.fhir.identity import Entry, uuid_of
from service.formats.html.text import block, clean


def composition(draft: Draft, gathered: Gathered, diagnostic: Json, document: Json) -> Entry:
    """The Composition; its sections refer to the Observations, to the DiagnosticReport and to the SR."""
    report, observers, release = draft.report, gathered.observers, draft.release
    identifier, subject = release.composed(report_identifiers(draft)[1], draft.subject)
    resource: Json = {
        "resourceType": "Composition",
        "language": report.language,
        "text": narrative_of(gathered.narrative),
        "identifier": identifier,
        "status": release.document_status(report.status),
        "type": field_name("diagnostic-imaging-report"),
        "category": radiology(),
        "subject": subject,
        "date": report.issued.text,
        # Somebody must be the author: where no observer is said, whoever sent it.
        "author": observers.authors or [{"display": report.sender}],
        "title": report.study.procedures[0].text,
    }
    if observers.verified:
        resource["attester"] = [
            # A lost time of day is named once, by Provenance.
            {"mode": release.attested(), "time": date_time(verified_at, "", []), "party": person}
            for person, verified_at, _ in observers.verified
        ]
    resource["section"] = _sections(draft, gathered, [diagnostic, document])
    return Entry(uuid_of("composition", report.sender, report.id, report.version), resource, {})


def _sections(draft: Draft, gathered: Gathered, documents: list[Json]) -> list[Json]:
    report = draft.report
    sections: list[Json] = []
    if report.findings is not None or gathered.results:
        findings: Json = {"title": "Findings", "code": field_name("findings-section")}
        if report.findings is not None:
            findings["text"] = _free_text(report.findings, report.language)
        if gathered.results:
            findings["entry"] = gathered.results
        sections.append(findings)
    if report.impression is not None:
        text = _free_text(report.impression, report.language)
        sections.append({"title": "Impression", "code": field_name("impression-section"), "text": text})
    named = {"title": "Imaging report", "code": field_name("diagnostic-imaging-report")}
    return [*sections, {**named, "entry": documents}]


def _free_text(text: str, language: str) -> Json:
    return narrative_of(f'<div xmlns="http://www.w3.org/1999/xhtml">{clean(block(text, language))}</div>')
