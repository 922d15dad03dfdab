"""Every concept of the reference vocabulary through the whole service: JSON in, its codes in the SR and in FHIR.

Read back with pydicom and as plain JSON, at the place where the field belongs; the codes expected are the reference's.
"""

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
import pytest
from pydicom import Dataset

from service.coding import vocabulary
from service.coding.coder import code_report
from service.coding.resolve import hits
from service.domain.limits import Limits
from service.domain.report import CodedReport
from service.formats.findings.read import read
from service.formats.sr.write import write as write_sr
from tests import fhir_bundles
from tests.tables.groups import FIELDS, MEASURED, NAMED, STRUCTURE, SUPPLIED
from tests.tables.reference import Row, rows

DESIGNATORS = {
    "http://snomed.info/sct": "SCT",
    "http://radlex.org": "RADLEX",
    "http://loinc.org": "LN",
    "http://dicom.nema.org/resources/ontology/DCM": "DCM",
    "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
    "http://terminology.hl7.org/CodeSystem/icd-o-3": "ICDO3",
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": "NCIt",
    "urn:oid:1.2.840.10008.2.16.15": "RADELEMENT",
}
LESION_MEMBERS = {
    "finding": ("DCM", "121071"),
    "site": ("SCT", "363698007"),
    "laterality": ("SCT", "272741003"),
    "topography": ("SCT", "106233006"),
    "certainty": ("DCM", "111012"),
    "change": ("RADLEX", "RID39449"),
}
REPORT_MEMBERS = {"differential": ("DCM", "111023"), "technique": ("99LESIONBRIDGE", "technique")}
"""Coded members with the concept names that they have in the outputs (TID 1500, 1501)."""
PROCEDURE, MODALITY = ("DCM", "121058"), ("DCM", "121139")
Codes = frozenset[tuple[str, str]]


class Said(NamedTuple):
    """A term of the reference said in one field, and what should come out: codes, one of ``broader``, or text."""

    term: str
    field: str
    exact: Codes
    broader: Codes

    def agrees(self, codes: Codes, text: str) -> bool:
        """Whether codes and the text beside them are what the reference has for the term."""
        if self.exact:
            return codes == self.exact
        return (len(codes) == 1 and codes <= self.broader if self.broader else not codes) and bool(text)


def all_said(reference: Path) -> Iterator[Said]:
    """Every term of the reference in every field of its group that takes it."""
    shipped = vocabulary()
    for row in rows(reference):
        if row.term in MEASURED or row.term in NAMED or row.term in STRUCTURE:
            continue
        for name in FIELDS[row.group]:
            field = shipped.field(name)
            if field is not None and hits(shipped, row.term, field):
                yield expected(row, name)


def expected(row: Row, field: str) -> Said:
    """What the reference has for a term: of each system the first exact code, or the part that the field leaves."""
    first: dict[str, str] = {}
    for code in row.whole("exact"):
        first.setdefault(code.system, code.code)
    exact = frozenset(first.items())
    parts = {(code.system, code.code) for code in row.codes if code.part}
    system, _, value = SUPPLIED.get(field, "").partition("#")
    if not exact and (system, value) in parts:
        exact = frozenset(parts - {(system, value)})
    return Said(row.term, field, exact, frozenset((code.system, code.code) for code in row.whole("broader")))


def coded(lesions: Iterable[dict[str, Any]] = (), **study: Any) -> CodedReport:
    """A report of these lesions, read from its JSON and coded."""
    report = {"id": "V1", "status": "final", "issued": "2026-03-02T10:41:00Z", "impression": "Said below."}
    report |= study.pop("report", {})
    body = {
        "report": report,
        "patient": {"id": "P1"},
        "study": {"uid": "1.2.826.0.1.3680043.10.1561.1", "modality": "MR", "procedure": "MRI brain"} | study,
        "lesions": list(lesions),
    }
    content = json.dumps(body).encode()
    return code_report(read(content, default_sender="local", limits=Limits()), vocabulary())


def lesion(number: int, one: Said) -> dict[str, Any]:
    """A lesion that says one term in its field."""
    made: dict[str, Any] = {"id": f"L{number}", "finding": "lesion"}
    if one.field in ("laterality", "topography"):
        made["site"] = "brain"
    if one.field in LESION_MEMBERS:
        return made | {one.field: one.term}
    return made | {"descriptors": {one.field: one.term}}


def name_of(field: str) -> tuple[str, str]:
    """The concept name of a field in the outputs."""
    if field in LESION_MEMBERS:
        return LESION_MEMBERS[field]
    code = vocabulary().code(vocabulary().evaluations[field].concept)
    return code.system, code.code


# ---- the SR, read with pydicom


def codes_in(entry: Dataset) -> Codes:
    """The codes of a coded entry and of its equivalents (PS3.3 8.8)."""
    entries = [entry, *entry.get("EquivalentCodeSequence", ())]
    return frozenset((one.CodingSchemeDesignator, one.get("CodeValue") or one.LongCodeValue) for one in entries)


def named(items: Iterable[Dataset], name: tuple[str, str]) -> list[Dataset]:
    """The content items of one concept name."""
    return [
        item
        for item in items
        if "ConceptNameCodeSequence" in item
        and (item.ConceptNameCodeSequence[0].CodingSchemeDesignator, item.ConceptNameCodeSequence[0].CodeValue) == name
    ]


def answer_in(item: Dataset, words: str = "") -> tuple[Codes, str]:
    """The codes of an item, and the text that stands for or beside them."""
    if item.ValueType == "TEXT":
        return frozenset(), item.TextValue
    beside = named(item.get("ContentSequence", ()), ("DCM", "121051"))
    return codes_in(item.ConceptCodeSequence[0]), beside[0].TextValue if beside else words


def answers_in_group(group: Dataset, name: tuple[str, str], items: Iterable[Dataset]) -> list[tuple[Codes, str]]:
    """The answers to a field among the items of a group, with the words that stand beside or instead of a code."""
    words = {True: "", False: ""}
    for text in named(group.ContentSequence, ("UMLS", "C0034375")):
        (field,) = named(text.ContentSequence, ("DCM", "121050"))
        entry = field.ConceptCodeSequence[0]
        if (entry.CodingSchemeDesignator, entry.get("CodeValue") or entry.get("LongCodeValue")) == name:
            has_code = bool(named(text.ContentSequence, ("DCM", "121051")))
            words[has_code] = text.TextValue.removeprefix(f"{entry.CodeMeaning}: ")
    found = [answer_in(item, words[True]) for item in named(items, name)]
    return [*found, (frozenset(), words[False])] if words[False] else found


def answers_in_report(evaluations: Dataset, name: tuple[str, str]) -> list[tuple[Codes, str]]:
    """The answers to a field of the report; the words of a code come right after it."""
    items = list(evaluations.ContentSequence)
    return [
        answer_in(item, after[0].TextValue if (after := named(items[place + 1 : place + 2], ("DCM", "121051"))) else "")
        for place, item in enumerate(items)
        if named([item], name)
    ]


def sr_of(report: CodedReport) -> Dataset:
    """The SR, written and read back."""
    return pydicom.dcmread(BytesIO(write_sr(report).content))


def groups_in(dataset: Dataset) -> dict[str, Dataset]:
    """The measurement groups by their tracking identifier."""
    (measurements,) = named(dataset.ContentSequence, ("DCM", "126010"))
    groups = named(measurements.ContentSequence, ("DCM", "125007"))
    return {named(group.ContentSequence, ("DCM", "112039"))[0].TextValue: group for group in groups}


# ---- FHIR, read as plain JSON


def concept_in(concept: dict[str, Any]) -> tuple[Codes, str]:
    """The codes of a CodeableConcept, and its text."""
    codings = concept.get("coding", ())
    return frozenset((DESIGNATORS.get(one["system"], one["system"]), one["code"]) for one in codings), concept["text"]


def primary(concept: dict[str, Any]) -> tuple[str, str]:
    """The first code of a CodeableConcept; our own scheme by its designator."""
    first = concept["coding"][0]
    own = vocabulary().systems["99LESIONBRIDGE"].uri
    return ("99LESIONBRIDGE" if first["system"] == own else DESIGNATORS[first["system"]]), first["code"]


def answers(bundle: dict[str, Any], observation: dict[str, Any], field: str) -> list[tuple[Codes, str]]:
    """What a lesion's Observation says in a field."""
    if field == "finding":
        return [concept_in(observation["valueCodeableConcept"])]
    if field == "site":
        return [concept_in(observation["bodySite"])]
    members = [fhir_bundles.target(bundle, member) for member in observation.get("hasMember", ())]
    parts = [*observation.get("component", ()), *members]
    return [
        concept_in(part["valueCodeableConcept"])
        for part in parts
        if "valueCodeableConcept" in part and primary(part["code"]) == name_of(field)
    ]


@pytest.fixture(scope="module")
def chunk() -> int:
    """Lesions a report: few enough to be quick, many enough to tell lesions apart."""
    return 100


def test_every_term_on_a_lesion_has_its_codes_in_the_sr_and_in_fhir(reference: Path, chunk: int) -> None:
    terms = [one for one in all_said(reference) if one.field in LESION_MEMBERS or one.field in vocabulary().evaluations]
    assert len(terms) > 550
    wrong: list[tuple[object, ...]] = []
    for start in range(0, len(terms), chunk):
        told = dict(enumerate(terms[start : start + chunk], 1))
        report = coded(lesion(number, one) for number, one in told.items())
        groups = groups_in(sr_of(report))
        bundle = fhir_bundles.written(report)
        observations = fhir_bundles.lesions(bundle)
        assert len(groups) == len(observations) == len(told)
        for (number, one), observation in zip(told.items(), observations, strict=True):
            group = groups[f"L{number}"]
            items: Iterable[Dataset] = group.ContentSequence
            if one.field in ("laterality", "topography"):
                items = named(items, LESION_MEMBERS["site"])[0].get("ContentSequence", ())
            in_sr = answers_in_group(group, name_of(one.field), items)
            if len(in_sr) != 1 or not one.agrees(*in_sr[0]):
                wrong.append(("SR", *one, in_sr))
            in_fhir = answers(bundle, observation, one.field)
            if len(in_fhir) != 1 or not one.agrees(*in_fhir[0]):
                wrong.append(("FHIR", *one, in_fhir))
    assert not wrong


def test_every_term_on_a_report_has_its_codes_in_the_sr_and_in_fhir(reference: Path) -> None:
    terms = list(all_said(reference))
    told = {name: [one for one in terms if one.field == name] for name in REPORT_MEMBERS}
    assert all(told.values())
    report = coded(
        technique=[one.term for one in told["technique"]],
        report={"differential": [one.term for one in told["differential"]]},
    )
    (evaluations,) = named(sr_of(report).ContentSequence, ("UMLS", "C0034375"))
    bundle = fhir_bundles.written(report)
    observations = fhir_bundles.resources(bundle, "Observation")
    (differential,) = (one for one in observations if "component" in one and primary(one["code"])[1] == "111023")
    in_fhir = {
        "differential": [concept_in(part["valueCodeableConcept"]) for part in differential["component"]],
        "technique": [
            concept_in(one["valueCodeableConcept"])
            for one in observations
            if "valueCodeableConcept" in one and one["code"].get("coding") and primary(one["code"])[1] == "technique"
        ],
    }
    for name, code in REPORT_MEMBERS.items():
        in_sr = answers_in_report(evaluations, code)
        for one, first, second in zip(told[name], in_sr, in_fhir[name], strict=True):
            assert one.agrees(*first), ("SR", one, first)
            assert one.agrees(*second), ("FHIR", one, second)


def test_every_procedure_has_its_codes_in_the_sr_and_in_fhir(reference: Path) -> None:
    told = [one for one in all_said(reference) if one.field == "procedure"]
    report = coded(procedure=[one.term for one in told])
    in_sr = [answer_in(item) for item in named(sr_of(report).ContentSequence, PROCEDURE)]
    study = fhir_bundles.only(fhir_bundles.written(report), "ImagingStudy")
    in_fhir = [concept_in(concept) for concept in study["procedureCode"]]
    for one, first, second in zip(told, in_sr, in_fhir, strict=True):
        assert one.agrees(*first), ("SR", one, first)
        assert one.agrees(*second), ("FHIR", one, second)


def test_every_modality_has_its_dcm_code_in_the_sr_and_in_fhir(reference: Path) -> None:
    told = [one for one in all_said(reference) if one.field == "modality"]
    assert {code for one in told for system, code in one.exact if system == "DCM"} == {"CT", "MR", "PT", "NM"}
    for one in told:
        report = coded(modality=one.term)
        (wanted,) = (code for code in one.exact if code[0] == "DCM")
        (library,) = named(sr_of(report).ContentSequence, ("DCM", "111028"))
        (group,) = named(library.ContentSequence, ("DCM", "126200"))
        (item,) = named(group.ContentSequence, MODALITY)
        first = item.ConceptCodeSequence[0]
        assert (first.CodingSchemeDesignator, first.CodeValue) == wanted
        assert codes_in(first) == one.exact
        study = fhir_bundles.only(fhir_bundles.written(report), "ImagingStudy")
        assert [(DESIGNATORS[coding["system"]], coding["code"]) for coding in study["modality"]] == [wanted]
