"""Other people's documents: what is read of them, what is listed, and what is refused."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Invalid, LesionBridgeError, Unreadable
from service.domain.loss import Loss, LossKind
from service.domain.received import Intake, Received
from service.domain.report import Status
from service.formats.fhir.read import read

Json = dict[str, Any]
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"


def concept(system: str, code: str, display: str = "", **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})], **more}


def make_report(**members: Any) -> Json:
    """A DiagnosticReport of somebody else with a contained patient; None leaves a member out."""
    report = {
        "resourceType": "DiagnosticReport",
        "language": "en",
        "identifier": [{"system": "http://hospital/reports", "value": "R-1"}],
        "status": "final",
        "code": concept(LOINC, "24590-2", "MR Brain"),
        "subject": {"reference": "#p"},
        "issued": "2026-03-02T10:41:00+01:00",
        "conclusion": "Stable.",
        "imagingStudy": [{"reference": "#s"}],
        "contained": [make_patient(id="p"), make_study(id="s"), *members.pop("contained", [])],
    }
    return {name: value for name, value in (report | members).items() if value is not None}


def make_patient(**members: Any) -> Json:
    patient = {"resourceType": "Patient", "identifier": [{"system": "http://hospital/mrn", "value": "P-1"}]}
    return patient | members


def make_study(**members: Any) -> Json:
    study = {
        "resourceType": "ImagingStudy",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
        "status": "available",
        "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "MR"}],
        "subject": {"reference": "#p"},
    }
    return study | members


def make_observation(**members: Any) -> Json:
    observation = {"resourceType": "Observation", "status": "final", "subject": {"reference": "#p"}}
    return observation | members


def make_bundle(*resources: Json) -> Json:
    entries = [{"fullUrl": f"http://hospital/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def reading(document: Any) -> Received:
    return read(json.dumps(document).encode(), Intake("site"))


def of_rule(received: Received, rule: str) -> list[Loss]:
    return [loss for loss in received.losses if loss.rule == rule]


def with_results(*observations: Json) -> Json:
    """A report with contained Observations as its results."""
    named = [{"id": f"o{number}", **one} for number, one in enumerate(observations)]
    return make_report(contained=named, result=[{"reference": f"#{one['id']}"} for one in named])


SIZE = make_observation(
    code=concept(SNOMED, "103339001", "Long axis"),
    bodySite=concept(SNOMED, "83251001", "Frontal lobe structure"),
    valueQuantity={"value": 12, "unit": "mm", "system": UCUM, "code": "mm"},
)


def test_a_single_report_is_read_with_what_it_contains() -> None:
    received = reading(make_report(conclusion="No metastasis."))

    report = received.report
    assert (report.id, report.sender, report.version, report.status) == ("R-1", "site", 1, Status.FINAL)
    assert (report.patient.id, report.patient.issuer.key if report.patient.issuer else "") == (
        "P-1",
        "http://hospital/mrn",
    )
    assert (report.study.uid, report.study.modality.code.code if report.study.modality.code else "") == ("1.2.3", "MR")
    assert (report.impression, received.losses) == ("No metastasis.", ())


@pytest.mark.parametrize(
    "reference",
    [
        "http://hospital/Patient/p",
        "Patient/p",
        "Patient/p/_history/3",
        "http://another.base/Patient/p",
    ],
)
def test_a_patient_of_the_bundle_is_found_however_it_is_referred_to(reference: str) -> None:
    report = make_report(id="r", contained=[], subject={"reference": reference})

    received = reading(make_bundle(report | {"contained": [make_study(id="s")]}, make_patient(id="p", gender="female")))

    assert received.report.patient.sex == "F"


def test_a_patient_may_be_named_by_an_identifier_alone() -> None:
    subject = {"type": "Patient", "identifier": {"system": "http://hospital/mrn", "value": "P-9"}}

    assert reading(make_report(subject=subject)).report.patient.id == "P-9"


def test_an_observation_of_another_patient_is_no_part_of_the_report() -> None:
    document = with_results(SIZE | {"subject": {"reference": "#q"}})
    document["contained"].append(make_patient(id="q", identifier=[{"value": "P-2"}]))

    received = reading(document)

    assert received.report.lesions == ()
    assert [loss.where for loss in of_rule(received, "fhir-other-patient")] == ["DiagnosticReport.contained[2]"]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_an_observation_that_does_not_hold_is_not_read(status: str) -> None:
    received = reading(with_results(SIZE | {"status": status}))

    assert received.report.lesions == ()
    assert of_rule(received, "fhir-status")[0].kind is LossKind.SKIPPED


def test_a_number_without_a_lesion_is_measured_at_its_site() -> None:
    received = reading(with_results(SIZE))

    (lesion,) = received.report.lesions
    assert (lesion.measurements[0].value, lesion.finding.text) == (Decimal(12), "not said")
    assert lesion.site is not None
    assert lesion.site.code is not None
    assert lesion.site.code.code == "83251001"
    assert [loss.where for loss in of_rule(received, "fhir-finding")] == ["DiagnosticReport.contained[2]"]


def test_numbers_at_one_site_are_of_one_lesion_and_elsewhere_of_another() -> None:
    other = SIZE | {"bodySite": concept(SNOMED, "78277001", "Temporal lobe structure")}

    received = reading(with_results(SIZE, SIZE | {"code": concept(SNOMED, "103340004", "Short axis")}, other))

    assert [len(lesion.measurements) for lesion in received.report.lesions] == [2, 1]


def test_a_bound_is_no_number() -> None:
    received = reading(with_results(SIZE | {"valueQuantity": {"value": 5, "comparator": "<", "unit": "mm"}}))

    assert received.report.lesions == ()
    assert of_rule(received, "fhir-comparator")[0].where == "DiagnosticReport.contained[2].valueQuantity"


def test_digits_stay_as_they_are_written() -> None:
    text = json.dumps(with_results(SIZE)).replace('"value": 12,', '"value": 12.500,')

    received = read(text.encode(), Intake("site"))

    assert str(received.report.lesions[0].measurements[0].value) == "12.500"


def test_components_of_a_derivation_are_measurements_of_the_same_thing() -> None:
    parts = [
        {
            "code": concept(SNOMED, code, name),
            "valueQuantity": {"value": value, "unit": "mm", "system": UCUM, "code": "mm"},
        }
        for code, name, value in (("373098007", "Mean", 4), ("56851009", "Maximum", 9))
    ]
    observation = make_observation(code=concept(SNOMED, "81827009", "Diameter"), component=parts)

    (lesion,) = reading(with_results(observation)).report.lesions

    assert [
        (one.concept.text, str(one.value), one.derivation and one.derivation.text) for one in lesion.measurements
    ] == [
        ("Diameter", "4", "Mean"),
        ("Diameter", "9", "Maximum"),
    ]


def test_findings_and_impression_are_texts_of_the_report() -> None:
    texts = [("18782-3", "Findings", "Clear lungs."), ("19005-8", "x", "No acute abnormality.")]
    observations = [
        make_observation(code=concept(LOINC, code, text=name), valueString=text) for code, name, text in texts
    ]

    document = with_results(*observations)
    del document["conclusion"]

    report = reading(document).report

    assert (report.findings, report.impression) == ("Clear lungs.", "No acute abnormality.")


def test_a_body_structure_gives_site_side_morphology_and_ids() -> None:
    body = {
        "resourceType": "BodyStructure",
        "id": "b",
        "identifier": [{"value": "Tumor 7"}],
        "morphology": concept(SNOMED, "94225005", "Secondary malignant neoplasm of brain"),
        "location": concept(SNOMED, "83251001", "Frontal lobe structure"),
        "locationQualifier": [concept(SNOMED, "7771000", "Left")],
        "patient": {"reference": "#p"},
    }
    document = with_results(SIZE | {"focus": [{"reference": "#b"}]})
    document["contained"].append(body)

    received = reading(document)
    (lesion,) = code_report(received.report, vocabulary()).lesions

    assert (lesion.id, lesion.finding.concept) == ("Tumor 7", "brain-metastasis")
    assert (lesion.site and lesion.site.concept, lesion.laterality and lesion.laterality.concept) == (
        "frontal-lobe",
        "left",
    )


def test_references_in_a_circle_end() -> None:
    first = SIZE | {"id": "a", "hasMember": [{"reference": "#b"}]}
    second = SIZE | {"id": "b", "hasMember": [{"reference": "#a"}, {"reference": "#b"}]}
    document = make_report(contained=[first, second], result=[{"reference": "#a"}])

    received = reading(document)

    assert len(received.report.lesions[0].measurements) == 2
    assert [loss.where for loss in of_rule(received, "fhir-twice")] == [
        "DiagnosticReport.contained[3].hasMember[0]",
        "DiagnosticReport.contained[3].hasMember[1]",
    ]


def test_a_reference_that_leads_nowhere_is_listed_and_the_rest_is_read() -> None:
    document = with_results(SIZE)
    document["result"].insert(0, {"reference": "Observation/elsewhere"})

    received = reading(document)

    assert len(received.report.lesions) == 1
    assert "DiagnosticReport.result[0]" in {loss.where for loss in received.losses}


def test_what_a_report_has_no_place_for_is_listed_with_its_path() -> None:
    observation = SIZE | {"interpretation": [concept("http://x", "H")], "specimen": {"display": "core"}}
    document = with_results(observation)
    document["presentedForm"] = [{"contentType": "text/html", "data": "PGI+"}]
    document["contained"].append({"resourceType": "Encounter", "id": "e", "status": "finished"})

    places = {loss.where for loss in reading(document).losses}

    assert places >= {
        "DiagnosticReport.contained[2].interpretation",
        "DiagnosticReport.contained[2].specimen",
        "DiagnosticReport.presentedForm",
        "DiagnosticReport.contained[3]",
    }


def test_the_first_of_several_codes_that_is_known_is_taken_and_the_others_are_listed() -> None:
    finding = {"coding": [{"system": "http://x", "code": "1"}, {"system": SNOMED, "code": "94225005"}]}
    observation = make_observation(
        code=concept("http://dicom.nema.org/resources/ontology/DCM", "121071"), valueCodeableConcept=finding
    )

    received = reading(with_results(observation))

    assert received.report.lesions[0].finding.code is not None
    assert received.report.lesions[0].finding.code.code == "94225005"
    assert [loss.where for loss in of_rule(received, "fhir-further-code")] == [
        "DiagnosticReport.contained[2].valueCodeableConcept.coding[0]"
    ]


def test_words_that_say_more_than_the_code_are_listed() -> None:
    finding = concept(SNOMED, "94225005", text="large mass with midline shift")
    observation = make_observation(
        code=concept("http://dicom.nema.org/resources/ontology/DCM", "121071"), valueCodeableConcept=finding
    )

    assert [loss.where for loss in of_rule(reading(with_results(observation)), "fhir-words")] == [
        "DiagnosticReport.contained[2].valueCodeableConcept.text"
    ]


def test_what_is_not_said_is_never_made_up_silently() -> None:
    document = make_report(imagingStudy=None, language=None, identifier=None, issued=None, id="abc")
    document["contained"] = [make_patient(id="p")]
    document["effectiveDateTime"] = "2026-03-02"

    received = reading(document)

    assert (received.report.id, received.report.issued.text) == ("abc", "2026-03-02T00:00:00+00:00")
    assert {loss.rule for loss in received.losses if loss.kind is LossKind.FLAGGED} == {
        "fhir-report-id",
        "fhir-issued",
        "fhir-language",
        "fhir-study",
        "fhir-modality",
    }


REFUSED: dict[str, tuple[Any, type[LesionBridgeError], str]] = {
    "no resource": ({"report": {}}, Invalid, "fhir-resource"),
    "no object": ([], Invalid, "fhir-resource"),
    "no report": (make_bundle(make_patient(id="p")), Invalid, "fhir-no-report"),
    "no patient": (make_report(subject=None), Invalid, "fhir-patient"),
    "no status": (make_report(status=None), Invalid, "fhir-status"),
    "no word": (make_report(conclusion=None), Invalid, "fhir-empty"),
    "no time": (make_report(issued=None), Invalid, "fhir-issued"),
}


@pytest.mark.parametrize(("document", "error", "rule"), REFUSED.values(), ids=REFUSED)
def test_a_report_that_nobody_can_keep_is_refused_with_its_place(
    document: Any, error: type[LesionBridgeError], rule: str
) -> None:
    with pytest.raises(error) as raised:
        reading(document)

    assert [problem.rule for problem in raised.value.problems] == [rule]


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(Unreadable):
        read(b"{", Intake())


def test_every_rule_of_the_reader_is_explained() -> None:
    room = Path(__file__).parents[4]
    guide = (room / "docs/conformance-fhir.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (room / "service/formats/fhir").glob("read*.py"))

    rules = set(re.findall(r'"(fhir-[a-z-]+)"', sources)) - {"fhir-observation", "fhir-study"}

    assert [rule for rule in sorted(rules) if f"`{rule}`" not in guide] == []


def test_digits_are_told_apart_where_one_float_stands_for_two_numbers() -> None:
    other = SIZE | {"code": concept(SNOMED, "103340004", "Short axis")}
    text = json.dumps(with_results(SIZE, other)).replace('"value": 12,', '"value": 12.5,', 1)

    received = read(text.replace('"value": 12,', '"value": 12.50,').encode(), Intake("site"))

    assert [str(one.value) for one in received.report.lesions[0].measurements] == ["12.5", "12.50"]
