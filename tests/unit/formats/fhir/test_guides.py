"""Documents in the shapes that published guides ask for, and the pairs of SR and FHIR that others made."""

import json
from decimal import Decimal
from typing import Any

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.received import Intake, Received
from service.domain.report import CodedReport
from service.formats.fhir.read import read
from service.formats.sr.write import write as write_sr

Json = dict[str, Any]
DCM = "http://dicom.nema.org/resources/ontology/DCM"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
BASE = "http://hospital.example"


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def size(value: str, unit: str) -> Json:
    return {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit}


def refer(resource: Json) -> Json:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def resource(kind: str, identity: str, /, **members: Any) -> Json:
    return {"resourceType": kind, "id": identity, **members}


PATIENT = resource("Patient", "p", identifier=[{"system": f"{BASE}/mrn", "value": "P-1"}], name=[{"family": "Roe"}])
STUDY_UID = {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}
DOCTOR = resource("Practitioner", "d", name=[{"family": "Reader", "given": ["Ann"]}])


def reading(*resources: Json, kind: str = "transaction", release: str = "R4") -> Received:
    """A bundle of these resources, read."""
    entries = [{"fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    return read(json.dumps(bundle, default=float).encode(), Intake("site"), release)


def sr_made(received: Received) -> CodedReport:
    """The coded report, once an SR could be made of it."""
    report = code_report(received.report, vocabulary())
    assert write_sr(report).content
    return report


def test_dicom_sr_to_fhir_groups_are_lesions_with_their_segment() -> None:
    """HL7's DICOM SR guide (R5): a group by its category, its members, a BodyStructure, ImagingSelection."""
    study = resource("ImagingStudy", "s", identifier=[STUDY_UID], status="available", subject=refer(PATIENT))
    study["modality"] = [concept(DCM, "CT", "Computed Tomography")]
    common = {"status": "final", "subject": refer(PATIENT), "partOf": [refer(study)], "performer": [refer(DOCTOR)]}
    body = resource("BodyStructure", "b", patient=refer(PATIENT))
    body["identifier"] = [
        {"type": concept(DCM, "112039", "Tracking Identifier"), "value": "Nodule 1"},
        {"type": concept(DCM, "112040", "Tracking Unique Identifier"), "value": "urn:oid:1.2.3.4.100"},
    ]
    body["includedStructure"] = [
        {"structure": concept(SNOMED, "39607008", "Lung"), "laterality": concept(SNOMED, "24028007", "Right")}
    ]
    selection = resource("ImagingSelection", "i", status="available", code=concept(DCM, "121191", "Referenced Segment"))
    selection |= {"studyUid": "1.2.3.4", "seriesUid": "1.2.3.4.2", "derivedFrom": [refer(study)]}
    selection["instance"] = [
        {"uid": "1.2.3.4.2.1", "sopClass": {"code": "1.2.840.10008.5.1.4.1.1.66.4"}, "subset": ["1"]}
    ]
    volume = resource("Observation", "v", code=concept(SNOMED, "118565006", "Volume"), **common)
    volume["valueQuantity"] = size("31112.20", "mm3")
    answer = resource("Observation", "q", code=concept("http://radlex.org", "RID36042", "Malignancy"), **common)
    answer |= {
        "category": [concept("http://terminology.hl7.org/CodeSystem/umls", "C0034375", "Qualitative Evaluations")]
    }
    answer["valueCodeableConcept"] = {"text": "highly suspicious"}
    group = resource("Observation", "g", category=[concept(DCM, "125007", "Measurement Group")], **common)
    group |= {"code": concept(SNOMED, "52988006", "Lesion"), "bodyStructure": refer(body)}
    group |= {"hasMember": [refer(volume), refer(answer)], "derivedFrom": [refer(selection)]}
    group["valueCodeableConcept"] = concept(SNOMED, "427359005", "Nodule")
    report = resource("DiagnosticReport", "r", status="final", issued="2019-03-23T08:24:28Z", subject=refer(PATIENT))
    report |= {
        "code": concept(DCM, "126000", "Imaging Measurement Report"),
        "study": [refer(study)],
        "result": [refer(group)],
    }

    received = reading(report, PATIENT, study, DOCTOR, body, selection, volume, answer, group, release="R5")

    (lesion,) = sr_made(received).lesions
    assert (lesion.id, lesion.tracking_uid) == ("Nodule 1", "1.2.3.4.100")
    assert lesion.finding.codes[0].code == "427359005"
    assert lesion.site is not None
    assert lesion.laterality is not None
    assert (lesion.site.codes[0].code, lesion.laterality.concept) == ("39607008", "right")
    assert [str(one.value) for one in lesion.measurements] == ["31112.2"]
    assert [one.value.text for one in lesion.evaluations] == ["highly suspicious"]
    assert lesion.segment is not None
    assert (lesion.segment.sop_instance, lesion.segment.number) == ("1.2.3.4.2.1", 1)
    assert [one.person and str(one.person.name) for one in received.report.observers] == ["Reader^Ann"]


def test_mcode_tumor_sizes_are_measurements_of_the_tumor_in_focus() -> None:
    """mCODE: TumorSize by components, its focus a Tumor."""
    tumor = resource("BodyStructure", "t", identifier=[{"system": f"{BASE}/tumors", "value": "Tumor 7"}])
    tumor |= {
        "morphology": concept(SNOMED, "94225005", "Secondary malignant neoplasm of brain"),
        "patient": refer(PATIENT),
    }
    tumor["location"] = concept(SNOMED, "83251001", "Frontal lobe structure")
    measured = resource("Observation", "o", status="final", code=concept(LOINC, "21889-1", "Size Tumor"))
    measured |= {"subject": refer(PATIENT), "focus": [refer(tumor)]}
    measured["component"] = [
        {"code": concept(LOINC, "33728-7", "Size.maximum dimension in Tumor"), "valueQuantity": size("2.50", "cm")},
        {"code": concept(LOINC, "33729-5", "Size additional dimension in Tumor"), "valueQuantity": size("1.4", "cm")},
    ]
    report = resource("DiagnosticReport", "r", status="final", issued="2026-03-02T10:41:00Z", subject=refer(PATIENT))
    report |= {"code": concept(LOINC, "24590-2", "MR Brain"), "result": [refer(measured)]}

    (lesion,) = sr_made(reading(report, PATIENT, tumor, measured)).lesions

    assert (lesion.id, lesion.finding.concept) == ("Tumor 7", "brain-metastasis")
    assert [(one.concept.codes[0].code, str(one.value)) for one in lesion.measurements] == [
        ("33728-7", "2.5"),
        ("33729-5", "1.4"),
    ]


def test_imr_reports_keep_findings_and_impression_and_name_what_is_only_rendered() -> None:
    """IHE IMR: Observations of findings and impression, the order by accession, a comparison, a rendered report."""
    study = resource("ImagingStudy", "s", identifier=[STUDY_UID], status="available", subject=refer(PATIENT))
    study["modality"] = [{"system": DCM, "code": "CT", "display": "Computed Tomography"}]
    order = resource("ServiceRequest", "o", status="completed", intent="order", subject=refer(PATIENT))
    accession = concept("http://terminology.hl7.org/CodeSystem/v2-0203", "ACSN", "Accession ID")
    order["identifier"] = [{"type": accession, "system": f"{BASE}/accession", "value": "A-12345"}]
    texts = []
    for name, code, text in (("f", "59776-5", "No pneumothorax."), ("i", "19005-8", "Hepatic steatosis.")):
        texts.append(resource("Observation", name, status="final", code=concept(LOINC, code, "x"), valueString=text))
        texts[-1] |= {"subject": refer(PATIENT), "basedOn": [refer(order)], "partOf": [refer(study)]}
    report = resource(
        "DiagnosticReport", "r", status="final", issued="2020-12-31T23:50:50-05:00", subject=refer(PATIENT)
    )
    report |= {"language": "en-US", "basedOn": [refer(order)], "imagingStudy": [refer(study)]}
    report |= {"code": concept(LOINC, "29252-4", "CT Chest WO Contrast"), "result": [refer(one) for one in texts]}
    report["resultsInterpreter"] = [refer(DOCTOR)]
    report["presentedForm"] = [{"contentType": "text/html", "data": "PHA+"}]

    received = reading(report, order, study, PATIENT, DOCTOR, *texts)

    coded = sr_made(received)
    assert (coded.findings, coded.impression) == ("No pneumothorax.", "Hepatic steatosis.")
    assert (coded.study.accession, coded.study.uid, coded.study.modality.concept) == (
        "A-12345",
        "1.2.3.4",
        "computed-tomography",
    )
    assert "Bundle.entry[0].resource.presentedForm" in {loss.where for loss in received.losses}


def test_sections_of_a_composition_are_findings_and_impression_where_nothing_else_says_them() -> None:
    """HL7 Europe imaging report: a document whose Composition has the words."""
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Two nodules.</p><p>No effusion &amp; no oedema.</p></div>'
    report = resource("DiagnosticReport", "r", status="final", subject=refer(PATIENT))
    report["code"] = concept(LOINC, "29252-4", "CT Chest WO Contrast")
    report["basedOn"] = [
        {
            "type": "ServiceRequest",
            "identifier": {
                "type": concept("http://terminology.hl7.org/CodeSystem/v2-0203", "ACSN", "Accession ID"),
                "system": f"{BASE}/accession",
                "value": "87654321",
            },
        }
    ]
    composition = resource("Composition", "c", status="final", date="2026-03-02T10:41:00+01:00", subject=refer(PATIENT))
    composition |= {"language": "en-GB", "author": [refer(DOCTOR)], "title": "Imaging report"}
    composition["section"] = [
        {"code": concept(LOINC, "59776-5", "Procedure findings"), "text": {"status": "generated", "div": div}},
        {"code": concept(LOINC, "55115-0", "Request"), "text": {"status": "generated", "div": "<div>Cough.</div>"}},
        {"title": "Report", "entry": [refer(report)]},
    ]

    received = reading(composition, report, PATIENT, DOCTOR, kind="document")

    assert received.report.findings == "Two nodules.\nNo effusion & no oedema."
    assert (received.report.study.accession, received.report.language) == ("87654321", "en-GB")
    assert "Bundle.entry[0].resource.section[1]" in {loss.where for loss in received.losses}
