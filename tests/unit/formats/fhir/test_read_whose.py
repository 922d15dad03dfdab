"""Of whom and of which lesion an Observation of others speaks: nothing goes to another patient, lesion or side."""

from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from tests.unit.formats.fhir.test_read import (
    SIZE,
    SNOMED,
    UCUM,
    concept,
    make_observation,
    make_report,
    of_rule,
    reading,
    with_results,
)

Json = dict[str, Any]
DCM = "http://dicom.nema.org/resources/ontology/DCM"
LEFT, RIGHT = (concept(SNOMED, code, side) for code, side in (("7771000", "Left"), ("24028007", "Right")))
GROUP = make_observation(
    id="g", code=concept(DCM, "121071", "Finding"), valueCodeableConcept=concept(SNOMED, "27925004", "Nodule")
)


def body(name: str, site: str) -> Json:
    return {"resourceType": "BodyStructure", "id": name, "location": {"text": site}, "patient": {"reference": "#p"}}


def size(name: str, value: int, **members: Any) -> Json:
    quantity = {"value": value, "unit": "mm", "system": UCUM, "code": "mm"}
    code = concept(SNOMED, "103339001", "Long axis")
    return make_observation(id=name, code=code, valueQuantity=quantity, **members)


def of_members(*members: Json, others: tuple[Json, ...] = (), **group: Any) -> list[tuple[str, list[int]]]:
    """The lesions of a group with these members: site, and numbers."""
    held = GROUP | {"hasMember": [{"reference": f"#{one['id']}"} for one in members]} | group
    received = reading(make_report(contained=[held, *members, *others], result=[{"reference": "#g"}]))
    return [
        (one.site.text if one.site else "", [int(number.value) for number in one.measurements])
        for one in received.report.lesions
    ]


def focus(name: str) -> Json:
    return {"focus": [{"reference": f"#{name}"}]}


BODIES = (body("l", "left lobe"), body("r", "right lobe"))


def test_members_of_two_body_structures_are_of_two_lesions() -> None:
    found = of_members(size("a", 12, **focus("l")), size("b", 40, **focus("r")), others=BODIES)
    assert found == [("", []), ("left lobe", [12]), ("right lobe", [40])]


def test_a_member_of_another_body_structure_than_its_groups_is_of_another_lesion() -> None:
    found = of_members(size("a", 12, **focus("l")), size("b", 40, **focus("r")), others=BODIES, **focus("l"))
    assert found == [("left lobe", [12]), ("right lobe", [40])]


def test_the_body_structure_that_all_members_name_is_the_groups() -> None:
    found = of_members(size("a", 12, **focus("l")), size("b", 40, **focus("l")), others=BODIES[:1])
    assert found == [("left lobe", [12, 40])]


def side(said: Json) -> Json:
    return {"component": [{"code": concept(SNOMED, "272741003", "Laterality"), "valueCodeableConcept": said}]}


def test_a_member_on_the_other_side_is_of_another_lesion() -> None:
    found = of_members(size("a", 12, **side(LEFT)), size("b", 40, **side(RIGHT)), **side(LEFT))
    assert [numbers for _, numbers in found] == [[12], [40]]


def test_numbers_at_one_site_on_two_sides_are_of_two_lesions() -> None:
    received = reading(with_results(SIZE | side(LEFT), SIZE | side(RIGHT), SIZE | side(LEFT)))
    said = [(one.laterality.text if one.laterality else "", len(one.measurements)) for one in received.report.lesions]
    assert said == [("Left", 2), ("Right", 1)]
    assert of_rule(received, "fhir-further") == []


@pytest.mark.parametrize(
    "somebody",
    [
        {"reference": "RelatedPerson/fetus"},
        {"reference": "http://hospital/Patient/fetus/_history/1"},
        {"type": "Group", "display": "twins"},
        {"reference": "#q"},
    ],
)
def test_what_is_of_a_fetus_or_a_donor_is_no_part_of_the_report(somebody: Json) -> None:
    document = with_results(SIZE | {"focus": [somebody]}, SIZE | {"focus": [somebody]}, SIZE)
    document["contained"].append({"resourceType": "RelatedPerson", "id": "q", "patient": {"reference": "#p"}})
    received = reading(document)
    assert [len(one.measurements) for one in received.report.lesions] == [1]
    assert len(of_rule(received, "fhir-other-patient")) == 2


def test_a_focus_that_is_the_patient_is_none_else() -> None:
    received = reading(with_results(SIZE | {"focus": [{"reference": "#p"}]}))
    assert of_rule(received, "fhir-other-patient") == []
    assert len(received.report.lesions) == 1


@pytest.mark.parametrize("value", [{"valueBoolean": False}, {"dataAbsentReason": {"text": "not done"}}, {}])
@pytest.mark.parametrize("place", [{}, {"bodySite": {"text": "liver"}}])
def test_of_an_answer_that_can_not_be_read_no_lesion_is_made(value: Json, place: Json) -> None:
    said = make_observation(code=concept(SNOMED, "27925004", "Nodule"), **value, **place)
    received = reading(with_results(said))
    assert received.report.lesions == ()
    listed = {loss.where.rpartition(".")[2] for loss in received.losses}
    assert {"code", *value} <= listed
    assert of_rule(received, "fhir-finding")[0].kind == "skipped"


def test_an_identifier_that_is_no_longer_valid_is_listed_and_names_nobody() -> None:
    old = {"system": "http://hospital/mrn", "value": "P-0", "use": "old", "type": {"coding": [{"code": "MR"}]}}
    new = {"system": "http://hospital/mrn", "value": "P-1"}
    document = make_report()
    document["contained"][0]["identifier"] = [old, new]
    received = reading(document)
    assert (received.report.patient.id, received.report.patient.other_ids) == ("P-1", ())
    assert [loss.where for loss in of_rule(received, "fhir-old")] == ["DiagnosticReport.contained[0].identifier[0]"]


@pytest.mark.parametrize(
    ("effective", "listed"), [("2026-03-02", 0), ("2026-03-02T09:12:00+01:00", 0), ("2025-03-02", 1)]
)
def test_another_time_of_the_report_than_of_its_study_is_listed(effective: str, listed: int) -> None:
    document = make_report(effectiveDateTime=effective)
    document["contained"][1]["started"] = "2026-03-02T09:12:00+01:00"
    received = reading(document)
    assert received.report.study.started is not None
    assert received.report.study.started.text == "2026-03-02T09:12:00+01:00"
    assert [loss.where for loss in of_rule(received, "fhir-further")] == ["DiagnosticReport.effectiveDateTime"] * listed


ORDER = {
    "resourceType": "ServiceRequest",
    "id": "order",
    "status": "entered-in-error",
    "intent": "order",
    "subject": {"reference": "#p"},
    "identifier": [{"type": {"coding": [{"code": "ACSN"}]}, "system": "http://hospital/acsn", "value": "A1"}],
}


@pytest.mark.parametrize(("status", "accession"), [("entered-in-error", None), ("completed", "A1")])
def test_an_order_that_was_an_error_gives_no_accession_number(status: str, accession: str | None) -> None:
    received = reading(make_report(contained=[ORDER | {"status": status}], basedOn=[{"reference": "#order"}]))
    assert received.report.study.accession == accession
    assert len(of_rule(received, "fhir-status")) == (accession is None)


def test_a_study_that_was_an_error_is_flagged() -> None:
    document = make_report()
    document["contained"][1]["status"] = "entered-in-error"
    received = reading(document)
    assert received.report.study.uid == "1.2.3"
    assert [loss.where for loss in of_rule(received, "fhir-status")] == ["DiagnosticReport.contained[1].status"]


def dated(value: int, **time: Any) -> Json:
    return SIZE | {"valueQuantity": SIZE["valueQuantity"] | {"value": value}} | time


PRIOR = [
    {"effectiveDateTime": "2025-09-01"},
    {"effectiveInstant": "2026-03-01T23:59:00+01:00"},
    {"effectivePeriod": {"start": "2025-08-30", "end": "2025-09-01"}},
]


@pytest.mark.parametrize("time", PRIOR)
def test_the_size_of_a_prior_study_is_none_of_this_one(time: Json) -> None:
    document = with_results(dated(10, **time), dated(14), dated(15, effectiveDateTime="2026-03-03"))
    received = reading(document | {"effectiveDateTime": "2026-03-02T09:12:00+01:00"})
    assert [int(one.value) for one in received.report.lesions[0].measurements] == [14, 15]
    assert [loss.where for loss in of_rule(received, "fhir-other-time")] == ["DiagnosticReport.contained[2]"]


@pytest.mark.parametrize("time", PRIOR)
def test_where_all_is_of_another_day_the_study_has_the_wrong_time(time: Json) -> None:
    received = reading(with_results(dated(10, **time)) | {"effectiveDateTime": "2026-03-02T09:12:00+01:00"})
    assert [int(one.value) for one in received.report.lesions[0].measurements] == [10]
    assert of_rule(received, "fhir-other-time") == []
    assert any(loss.where.endswith(next(iter(time))) for loss in received.losses)


OTHER = {"resourceType": "Patient", "id": "q", "identifier": [{"value": "P-2"}]}


def test_a_study_of_another_patient_is_not_that_of_the_report() -> None:
    document = make_report()
    document["contained"][1]["subject"] = {"reference": "#q"}
    document["contained"].append(OTHER)
    received = reading(document)
    assert received.report.study.uid != "1.2.3"
    assert [loss.where for loss in of_rule(received, "fhir-other-patient")] == ["DiagnosticReport.contained[1]"]
    assert len(of_rule(received, "fhir-study")) == 1


def test_an_order_of_another_patient_gives_no_accession_number() -> None:
    order = ORDER | {"status": "completed", "subject": {"reference": "#q"}}
    received = reading(make_report(contained=[order, OTHER], basedOn=[{"reference": "#order"}]))
    assert received.report.study.accession is None
    assert len(of_rule(received, "fhir-other-patient")) == 1


def test_a_structure_of_another_patient_gives_no_site() -> None:
    bodies = (body("l", "left lobe") | {"patient": {"reference": "#q"}}, OTHER)
    assert of_members(size("a", 12), others=bodies, **focus("l")) == [("", [12])]


INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@pytest.mark.parametrize(("code", "found"), [("NEG", 0), ("ND", 0), ("POS", 1), ("A", 1)])
def test_a_finding_that_is_interpreted_as_negative_is_none(code: str, found: int) -> None:
    received = reading(with_results(GROUP | {"interpretation": [concept(INTERPRETATION, code)]}))
    assert len(received.report.lesions) == found
    assert len(of_rule(received, "fhir-denied")) == 1 - found


def test_two_sides_in_one_concept_are_words() -> None:
    both = {"coding": [*LEFT["coding"], *RIGHT["coding"]]}
    report = code_report(reading(with_results(GROUP | side(both))).report, vocabulary())
    laterality = report.lesions[0].laterality
    assert laterality is not None
    assert (laterality.text, laterality.codes) == ("Left / Right", ())


def test_two_codes_of_one_side_are_that_side() -> None:
    twice = {"coding": [*LEFT["coding"], {"system": "http://radlex.org", "code": "RID5824", "display": "left"}]}
    report = code_report(reading(with_results(GROUP | side(twice))).report, vocabulary())
    laterality = report.lesions[0].laterality
    assert laterality is not None
    assert laterality.concept == "left"


@pytest.mark.parametrize(("code", "numbers"), [(">", 0), ("<", 0), ("H", 1)])
def test_a_number_off_the_scale_is_a_bound(code: str, numbers: int) -> None:
    received = reading(with_results(SIZE | {"interpretation": [concept(INTERPRETATION, code)]}))
    assert sum(len(one.measurements) for one in received.report.lesions) == numbers
    assert len(of_rule(received, "fhir-comparator")) == 1 - numbers
