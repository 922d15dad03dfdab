"""HL7 Europe's imaging report, 1.0.0-ballot (http://hl7.eu/fhir/imaging, for R5 http://hl7.eu/fhir/imaging-r5).

Its report has to refer to a Composition, so it is a document (BundleReportEuImaging). Patient and people follow HL7
Europe's core profiles, 2.0.0 (http://hl7.eu/fhir/base, http://hl7.eu/fhir/base-r5). R5's invariant dgr-1 can't be
kept with two results: its ``in`` wants a single item on the left, and gets every result.
"""

from collections.abc import Iterator
from typing import Final

import orjson

from service.domain.report import CodedReport
from service.formats.fhir.codeable import Json, field_name, hl7_concept
from service.formats.fhir.documents import narrative_of
from service.formats.fhir.profiles import uscore
from service.formats.fhir.profiles.claims import claim, claim_bundle
from service.formats.fhir.profiles.eu_checks import ACCESSION, COMPOSITION, DICOM_UID
from service.formats.fhir.profiles.guide_codes import of_guide
from service.formats.fhir.profiles.rules import is_one_of
from service.formats.fhir.profiles.shaping import Shaping, plain
from service.formats.html.text import block, clean

_VERSION: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Composition.version"
_ORDERED: Final = ("DiagnosticReport", "ImagingStudy", "Observation")


def document_r4(shaping: Shaping) -> Json:
    """The document in R4, where the report has its Composition, and that its version, by an extension."""
    composition, diagnostic = _shape(shaping, "priority-category")
    resource = composition["resource"]
    resource["identifier"] = diagnostic["identifier"][0]
    resource["extension"] = [{"url": _VERSION, "valueString": str(shaping.report.version)}]
    said = {"url": COMPOSITION, "valueReference": {"reference": composition["fullUrl"]}}
    diagnostic["extension"] = [*diagnostic.get("extension", ()), said]
    return _claimed(shaping, "eu-imaging")


def document_r5(shaping: Shaping) -> Json:
    """The document in R5."""
    composition, diagnostic = _shape(shaping, "priority-category-r5")
    resource = composition["resource"]
    resource["identifier"] = [diagnostic["identifier"][0]]
    resource["version"] = str(shaping.report.version)
    diagnostic["composition"] = {"reference": composition["fullUrl"]}
    return _claimed(shaping, "eu-imaging-r5")


def _claimed(shaping: Shaping, mode: str) -> Json:
    claim(shaping, mode)
    return claim_bundle(shaping, shaping.bundle, mode)


def _shape(shaping: Shaping, priority: str) -> tuple[Json, Json]:
    """What both releases have in common; returns the entry of the Composition and the DiagnosticReport."""
    uscore.shape(shaping)
    (diagnostic,) = shaping.resources("DiagnosticReport")
    composition = shaping.entries[0]
    for order in shaping.resources("ServiceRequest"):
        order["category"] = [_plain("imaging-procedure")]
    _name_orders(shaping)
    for study in shaping.resources("ImagingStudy"):
        for identifier in study["identifier"]:
            if identifier.get("system") == DICOM_UID:
                identifier["type"] = _plain("study-instance-uid")
    categories = [
        {"coding": [_coding(of_guide("report-category"))], "text": "Diagnostic imaging report"},
        {"coding": [_coding(of_guide(priority))], "text": "Medical imaging"},
    ]
    for resource in (diagnostic, composition["resource"]):
        resource["category"] = [*resource["category"], *categories]
    own = composition["resource"]
    # Whoever is responsible for the report as an organization is an author of the document (dr-comp-author-org).
    organizations = [one for one in diagnostic.get("performer", ()) if _is_a(shaping, one, "Organization")]
    own["author"] = [*own["author"], *organizations]
    reference = next(one["fullUrl"] for one in shaping.entries if one["resource"] is diagnostic)
    own["section"] = [
        *(_filled(section, own["text"], {"reference": reference}) for section in own["section"]),
        *_sections(shaping, diagnostic),
    ]
    return composition, diagnostic


def _filled(section: Json, narrative: Json, report: Json) -> Json:
    """A section that is there anyway: whoever has entries has them as text, too; who has none refers to the report.

    An impression is the conclusion of the DiagnosticReport.
    """
    return {**section, "text": narrative} if "entry" in section else {**section, "entry": [report]}


def _name_orders(shaping: Shaping) -> None:
    """Beside a reference to an order stands its accession number (BasedOnServiceRequestOrderEuImagingReference)."""
    numbers = {
        entry["fullUrl"]: identifier
        for entry in shaping.entries
        if entry["resource"]["resourceType"] == "ServiceRequest"
        for identifier in entry["resource"]["identifier"]
        if is_one_of(identifier.get("type"), ACCESSION)
    }
    for kind in _ORDERED:
        for resource in shaping.resources(kind):
            for reference in resource.get("basedOn", ()):
                if reference["reference"] in numbers:
                    reference["identifier"] = numbers[reference["reference"]]


def _sections(shaping: Shaping, diagnostic: Json) -> Iterator[Json]:
    """The sections that the guide demands beside findings and impression; one without content says so."""
    report = shaping.report
    own = f"urn:oid:{report.study.uid}"
    studies: list[tuple[str, Json]] = [
        (identifier["value"], {"reference": entry["fullUrl"]})
        for entry in shaping.entries
        if entry["resource"]["resourceType"] == "ImagingStudy"
        for identifier in entry["resource"]["identifier"]
        if identifier.get("system") == DICOM_UID
    ]
    reported = [reference for uid, reference in studies if uid == own]
    code = {"coding": [_coding(of_guide("studies-section"))], "text": "Imaging studies"}
    yield _section("Imaging studies", code, report.study.uid, reported)
    orders = [{"reference": one["reference"]} for one in diagnostic.get("basedOn", ())]
    said = report.study.accession or "An order without an accession number."
    yield _section("Order", _plain("order-section"), said if orders else "", orders)
    yield _section("History", _plain("history-section"), "", [])
    yield _section("Procedure", _plain("procedure-section"), _procedures(report), reported)
    compared = {f"urn:oid:{one.uid}" for one in report.study.comparisons} - {own}
    priors = [(uid, reference) for uid, reference in studies if uid in compared]
    if priors:
        said = "\n".join(uid.removeprefix("urn:oid:") for uid, _ in priors)
        yield _section("Comparison", _plain("comparison-section"), said, [reference for _, reference in priors])


def _procedures(report: CodedReport) -> str:
    return "\n".join(one.text for one in report.study.procedures)


def _section(title: str, code: Json, said: str, entries: list[Json]) -> Json:
    """A section; without entries it has the reason why (eu-imaging-composition-1)."""
    words = said or "Not in this report."
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{clean(block(words, "en"))}</div>'
    made = {"title": title, "code": code, "text": narrative_of(div)}
    if entries:
        return {**made, "entry": entries}
    return {
        **made,
        **plain(orjson.dumps({"emptyReason": hl7_concept("list-empty-reason", "unavailable", "Unavailable")})),
    }


def _plain(key: str) -> Json:
    """A concept as CodeableConcept, as plain JSON."""
    made: Json = plain(orjson.dumps({"code": field_name(key)}))["code"]
    return made


def _coding(said: str) -> Json:
    system, _, code = said.partition("|")
    return {"system": system, "code": code}


def _is_a(shaping: Shaping, reference: Json, kind: str) -> bool:
    target = shaping.target(reference)
    return target is not None and target["resourceType"] == kind
