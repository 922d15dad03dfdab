"""The pairs of an SR with something else that says the same, made by others: values, codes and sites agree.

A pair differs where its own halves do: SRT and STU3 codes are translated, what a half leaves out is named here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.sr import _snomed_dict

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.received import Intake, Received
from service.domain.report import CodedReport
from service.doors import READERS, Format
from service.formats.fhir.read import read as read_fhir
from service.formats.sr.read import read as read_sr
from service.pipeline import Options, Source, convert
from tests.unit.formats.table.test_dcmqi import MAPPING

pytestmark = pytest.mark.cases

LIVER = "sr/tid1500_dcmqi_ctliver_result.dcm"
NODULE = "sr/tid1500_hl7_dicomsr_example.dcm"
HELD = {
    "dcmqi_json/sr-tid1500-ct-liver-example.json",
    "hl7_dicom-sr/Example-MeasurementReport.dicom.json",
    "hl7_dicom-sr/example.md",
    "tid1500-fhir_README.md",  # about the others
    "tid1500-fhir_dcmqi/expected.json",
    "tid1500-fhir_dcmqi/metadata.json",
    "tid1500-fhir_dcmqi/result.dsrdump",
}
Json = dict[str, Any]


def coded(received: Received) -> CodedReport:
    return code_report(received.report, vocabulary())


def sr(cases: Path, name: str) -> CodedReport:
    return coded(read_sr((cases / name).read_bytes(), Intake("site")))


def measured(report: CodedReport) -> set[tuple[Any, ...]]:
    (lesion,) = report.lesions
    return {
        (one.concept.concept, one.derivation and one.derivation.concept, str(one.value), one.unit.codes[0].code)
        for one in lesion.measurements
    }


def named(report: CodedReport) -> list[Any]:
    (lesion,) = report.lesions
    return [lesion.id, lesion.finding.codes, lesion.site and lesion.site.codes]


def test_every_file_of_the_pairs_is_held(cases: Path) -> None:
    folder = cases / "pairs"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == HELD


def test_an_sr_of_dcmqi_and_its_fhir_say_the_same(cases: Path) -> None:
    """SRT on both sides, STU3 on the one; its FHIR leaves out finding, segment and cm3, and has .m3 for mm3."""
    bundle = json.loads((cases / "pairs/tid1500-fhir_dcmqi/expected.json").read_text(encoding="utf-8"), parse_float=str)
    bundle["timestamp"] = "2018-11-22T12:00:00Z"
    text = json.dumps(bundle)
    for number in ("37.3289", "59.1691", "70361.9"):
        text = text.replace(f'"{number}"', number)
    fhir, liver = coded(read_fhir(text.encode(), Intake("site"))), sr(cases, LIVER)
    theirs, ours = measured(fhir), {(*one[:3], one[3].replace("mm3", ".m3")) for one in measured(liver)}
    assert ours - theirs == {("volume", None, "70.3619", "cm3")}
    assert theirs - ours == set()
    assert [one.site and one.site.codes for one in fhir.lesions] == [
        one.site and one.site.codes for one in liver.lesions
    ]
    assert (fhir.patient.id, fhir.patient.name, fhir.study.uid) == (
        liver.patient.id,
        liver.patient.name,
        liver.study.uid,
    )
    assert fhir.study.modality == liver.study.modality
    assert [one.codes for one in fhir.study.procedures] == [one.codes for one in liver.study.procedures]


@pytest.mark.parametrize(
    "name", ["dcmqi_json/sr-tid1500-ct-liver-example.json", "tid1500-fhir_dcmqi/metadata.json"], ids=["sct", "srt"]
)
def test_an_sr_of_dcmqi_and_what_it_was_made_from_say_the_same(name: str, cases: Path) -> None:
    said = coded(READERS[Format.DCMQI]((cases / "pairs" / name).read_bytes(), Intake(mapping=MAPPING)))
    liver = sr(cases, LIVER)
    assert measured(said) == measured(liver)
    assert len(measured(liver)) == 6
    assert named(said) == named(liver)


def test_an_sr_of_dcmqi_and_its_dump_say_the_same(cases: Path) -> None:
    """Numbers with their units; derivations, finding and site, whose SRT codes pydicom translates."""
    dump = (cases / "pairs/tid1500-fhir_dcmqi/result.dsrdump").read_text(encoding="utf-8")
    lines = re.findall(r'^      <contains NUM:\(,,"[^"]+"\)="([^"]+)" \(([^,]+),UCUM,', dump, re.MULTILINE)
    liver = sr(cases, LIVER)
    assert sorted(lines) == sorted((value, unit) for _, _, value, unit in measured(liver))
    (lesion,) = liver.lesions
    assert lesion.site is not None
    ours = [
        ("Finding", lesion.finding.codes[0].code),
        ("Finding Site", lesion.site.codes[0].code),
        *[("Derivation", one.derivation.codes[0].code) for one in lesion.measurements if one.derivation is not None],
    ]
    theirs = re.findall(r'CODE:\(,,"(Finding|Finding Site|Derivation)"\)=\(([^,]+),SRT', dump)
    assert [(name, _snomed_dict.mapping["SRT"][code]) for name, code in theirs] == ours


def test_the_dicom_json_of_the_guide_is_its_file(cases: Path) -> None:
    """HL7 DICOM SR: the same attributes in both, but for an accession number that is no list (PS3.18 F.2.2)."""
    said = json.loads((cases / "pairs/hl7_dicom-sr/Example-MeasurementReport.dicom.json").read_text(encoding="utf-8"))
    assert said["00080050"] == {"vr": "SH", "Value": "ACSN-235813"}
    said["00080050"]["Value"] = ["ACSN-235813"]
    data = pydicom.dcmread(cases / NODULE)
    assert pydicom.Dataset.from_json(json.dumps(said)).ContentSequence == data.ContentSequence


def snippets(page: str) -> Iterator[tuple[str, Any]]:
    """The FHIR cells of the page's tables by their section; None where one is no JSON, not even a part of it."""
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        for cell in re.findall(r"<pre>\n(.*?)</pre>", section, flags=re.DOTALL)[1:]:
            for whole in (cell, f"{{{cell}}}", f"[{cell}]", ""):
                try:
                    yield section.splitlines()[0].strip(), json.loads(whole or "null")
                    break
                except ValueError:
                    continue


def resources(page: str) -> dict[str, Json]:
    """The resources of the page's snippets that are JSON, by id."""
    found = {}
    for _, said in snippets(page):
        for one in said if isinstance(said, list) else [said]:
            if one and "resourceType" in one:
                found[one["id"]] = one
    return found


def written(cases: Path) -> list[Json]:
    source = Source((cases / NODULE).read_bytes(), Format.SR)
    options = Options(profile="dicom-sr", bundle="collection")
    content = convert(source, (Format.FHIR_R5,), options).outputs[Format.FHIR_R5].content
    return [entry["resource"] for entry in json.loads(content)["entry"]]


def only(kind: str, made: list[Json]) -> Json:
    (one,) = (resource for resource in made if resource["resourceType"] == kind)
    return one


def page_of(cases: Path) -> str:
    return (cases / "pairs/hl7_dicom-sr/example.md").read_text(encoding="utf-8")


def test_which_snippets_of_the_guide_are_no_json(cases: Path) -> None:
    unread = [section for section, said in snippets(page_of(cases)) if said is None]
    assert unread == [
        "Example ServiceRequest Mapping",
        "Example Document Mapping",
        "Example Imaging Measurement Container Mapping",
        "Example Imaging Measurement Group Mapping",
    ]
    assert set(resources(page_of(cases))) == {
        "measurement-report-general-equipment",
        "measurement-report-practitioner",
        "measurement-report-algorithm",
        "imaging-measurement-001",
        "qualitative-evaluation-001",
    }


def test_the_guide_and_our_bundle_identify_patient_and_study_alike(cases: Path) -> None:
    """The system of the page's patient is that of its own excerpt; the file says test-hospital.org, which is no URI."""
    logical = {
        one["type"]: one["identifier"]
        for _, said in snippets(page_of(cases))
        if isinstance(said, dict)
        for references in said.values()
        for one in (references if isinstance(references, list) else [references])
        if isinstance(one, dict) and "identifier" in one
    }
    assert set(logical) == {"Patient", "ImagingStudy"}
    made = written(cases)
    (patient,) = only("Patient", made)["identifier"]
    assert (patient["value"], patient["assigner"]) == (logical["Patient"]["value"], logical["Patient"]["assigner"])
    assert logical["ImagingStudy"] in only("ImagingStudy", made)["identifier"]


def test_the_guide_and_our_bundle_say_the_same_of_who_measured_and_what(cases: Path) -> None:
    page, made = resources(page_of(cases)), written(cases)
    assert only("Practitioner", made)["name"] == page["measurement-report-practitioner"]["name"]
    said = {one["code"]["coding"][0]["code"]: one for one in made if "coding" in one.get("code", {}) and "focus" in one}

    measurement = page["imaging-measurement-001"]
    ours = said[measurement["code"]["coding"][0]["code"]]
    assert ours["code"]["coding"][0]["system"] == measurement["code"]["coding"][0]["system"]
    quantity, theirs = dict(ours["valueQuantity"]), dict(measurement["valueQuantity"])
    # The page writes the unit in words and another volume than the file and its own excerpt of it, 3.111220E+04.
    assert (quantity["system"], quantity["code"]) == (theirs["system"], theirs["code"])
    assert (quantity["value"], theirs["value"]) == (31112.2, 6705.54990898997)

    evaluation = page["qualitative-evaluation-001"]
    ours = said[evaluation["code"]["coding"][0]["code"]]
    assert ours["category"][0]["coding"] == evaluation["category"][0]["coding"]
    assert ours["valueCodeableConcept"]["coding"][0]["code"] == evaluation["valueCodeableConcept"]["coding"][0]["code"]
    # NCIt by the URI that FHIR registers; the page's other system is of a scheme that the file does not identify.
    assert ours["code"]["coding"][0]["system"] == "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"


def test_the_devices_of_the_guide_are_losses_by_name(cases: Path) -> None:
    """A report has observers: not the equipment that wrote the SR, nor an algorithm of a single number."""
    algorithm = resources(page_of(cases))["measurement-report-algorithm"]
    losses = convert(Source((cases / NODULE).read_bytes(), Format.SR), (Format.FHIR_R5,), Options()).losses
    listed = {loss.what for loss in losses if loss.rule == "sr-algorithm"}
    assert f"Algorithm Name: {algorithm['displayName']}" in listed
    assert f"Algorithm Version: {algorithm['version'][0]['value']}" in listed
