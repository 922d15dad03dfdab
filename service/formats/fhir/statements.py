"""What the report says beyond its lesions, as Observations: text, negatives, differential, evaluations, technique."""

from collections.abc import Iterator
from dataclasses import replace

import orjson

from service.domain.codes import CodedTerm
from service.formats.fhir.codeable import Json, answer, codeable, field_name, member_name
from service.formats.fhir.draft import Draft
from service.formats.fhir.identity import image_uri, reference


def statements(draft: Draft) -> list[Json]:
    """Add the Observations of the whole report and return references to them, in the order of the report."""
    references = []
    for key, said in _said(draft):
        uuid = draft.observations.member(f'null,"{key}"'.encode())
        draft.observe(uuid, (orjson.dumps(said)[1:-1],))
        references.append(reference(uuid.decode()))
    return references


def _said(draft: Draft) -> Iterator[tuple[str, Json]]:
    report, sender = draft.report, draft.report.sender
    if report.findings is not None:
        yield "findings", {"code": field_name("findings"), "valueString": report.findings}
    for turn, evaluation in enumerate(report.evaluations):
        value = {"valueCodeableConcept": codeable(evaluation.value, sender)}
        yield f"evaluation {turn}", {"code": codeable(evaluation.name, sender), **value}
    for turn, technique in enumerate(report.study.technique):
        yield f"technique {turn}", _statement("technique", technique, sender)
    # DiagnosticReport.code is one concept; ImagingStudy and ServiceRequest may be older than this report.
    for turn, procedure in enumerate(report.study.procedures[1:]):
        yield f"procedure {turn}", _statement("procedure", procedure, sender)
    if report.study.images:
        # In ImagingStudy they stand with those of the lesions, by series and without their frames.
        source = field_name("source-of-measurement")
        images = [{"code": source, "valueString": image_uri(image)} for image in report.study.images]
        yield "images", {"code": field_name("image-library"), "component": images}
    for turn, negative in enumerate(report.negatives):
        # The finding is the question and "absent" its answer: as an answer it could be read as found. A code that says
        # less than the finding is left out, since the absence of the one is not that of the other.
        name = replace(negative, codes=()) if negative.broader else negative
        yield f"negative {turn}", {"code": codeable(name, sender), "valueCodeableConcept": answer("absent")}
    if report.differential:
        ranked = [_statement("differential", term, sender) for term in report.differential]
        yield "differential", {"code": member_name("differential"), "component": ranked}


def _statement(member: str, term: CodedTerm, sender: str) -> Json:
    return {"code": member_name(member), "valueCodeableConcept": codeable(term, sender)}
