"""A lesion as BodyStructure, Observation and members."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from service.domain.codes import CodedTerm
from service.domain.geometry import ImageReference
from service.domain.report import CountKind, ReferenceRange
from service.domain.uids import derive_uuid_text
from service.formats.fhir.identity import image_uri
from service.formats.fhir.write import write
from tests.fhir_bundles import Json, lesions, only, resources, said, sr_of, target, written
from tests.report_set import REPORTS
from tests.report_terms import FRONTAL_LOBE, JUNCTION, LEFT, LONG_AXIS, MM, MM3, VOLUME
from tests.reports import make_coded_report, make_lesion, number


def codes(concept: Json) -> list[str]:
    return [coding["code"] for coding in concept.get("coding", ())]


def members(bundle: Json, observation: Json) -> list[Json]:
    return [target(bundle, item) for item in observation["hasMember"]]


@pytest.mark.parametrize("text", [str(UUID(int=0)), "a\0b", "\\u0000", '"}],"status":"'])
def test_what_entries_are_put_together_with_may_stand_in_a_text(text: str) -> None:
    evaluation = make_lesion().evaluations[0]
    twice = replace(evaluation, value=CodedTerm(text), name=CodedTerm(text))

    report = make_coded_report(lesions=(make_lesion(text, text=text, evaluations=(twice, twice)),))

    bundle = written(report)

    (lesion,) = lesions(bundle)
    first, second = members(bundle, lesion)[-2:]
    assert lesion["note"] == [{"text": text}]
    assert [one["valueCodeableConcept"] for one in (first, second)] == [{"text": text}] * 2
    parts = ("fhir-observation", report.sender, report.id, text)
    for turn, one in enumerate((first, second), 1):
        assert one["identifier"][0]["value"] == derive_uuid_text(*parts, f"evaluation {text} #{turn}")


def test_a_lesion_is_a_finding_at_its_site_with_its_focus() -> None:
    bundle = written(make_coded_report())

    (lesion,) = lesions(bundle)

    assert codes(lesion["code"]) == ["121071"]
    assert lesion["valueCodeableConcept"]["text"] == "brain metastasis"
    assert codes(lesion["bodySite"]) == [code.code for code in FRONTAL_LOBE.codes]
    assert lesion["category"][0]["coding"][0]["code"] == "imaging"
    assert target(bundle, lesion["focus"][0])["resourceType"] == "BodyStructure"


def test_side_and_topography_stand_in_the_body_structure_in_this_order_and_are_named_in_the_observation() -> None:
    bundle = written(make_coded_report(lesions=(make_lesion(topography=JUNCTION),)))

    (lesion,) = lesions(bundle)
    structure = only(bundle, "BodyStructure")

    assert [item["text"] for item in structure["locationQualifier"]] == ["left", "grey-white matter junction"]
    assert said(lesion)["Laterality"]["text"] == LEFT.text
    assert said(lesion)["Topographical modifier"]["text"] == JUNCTION.text


def test_the_two_identifiers_of_a_lesion_are_told_apart_by_type() -> None:
    lesion = make_lesion()
    structure = only(written(make_coded_report(lesions=(lesion,))), "BodyStructure")

    by_type = {item["type"]["coding"][0]["code"]: item for item in structure["identifier"]}

    assert by_type["112039"]["value"] == "L1"
    assert "system" not in by_type["112039"]
    assert by_type["112040"]["system"] == "urn:dicom:uid"
    assert by_type["112040"]["value"] == f"urn:oid:{lesion.tracking_uid}"


def test_a_lesion_seen_in_another_report_is_the_same_body_structure() -> None:
    ids = {only(written(make_coded_report(id=report)), "BodyStructure")["id"] for report in ("A", "B")}

    assert len(ids) == 1


def test_one_tracking_uid_of_two_patients_is_two_body_structures() -> None:
    report = make_coded_report()
    other = replace(report, patient=replace(report.patient, id="PID-2"))

    ids = {only(written(one), "BodyStructure")["id"] for one in (report, other)}

    assert len(ids) == 2


def test_members_come_in_the_order_of_the_report_each_with_the_lesions_focus() -> None:
    bundle = written(make_coded_report())
    (lesion,) = lesions(bundle)

    found = members(bundle, lesion)

    assert [item["code"]["text"] for item in found] == [
        "long axis",
        "short axis",
        "volume",
        "T1 signal",
        "T1 post-contrast",
        "Edema",
    ]
    assert all(item["focus"] == lesion["focus"] for item in found)
    assert found[0]["valueQuantity"] == {
        "value": Decimal("14.2"),
        "unit": "mm",
        "system": "http://unitsofmeasure.org",
        "code": "mm",
    }
    assert found[3]["valueCodeableConcept"]["text"] == "hypointense"


def test_the_same_field_answered_twice_is_two_members() -> None:
    bundle = written(REPORTS["rich"]())

    answers = [
        item["valueCodeableConcept"]["text"]
        for item in members(bundle, lesions(bundle)[0])
        if item["code"]["text"] == "T1 signal"
    ]

    assert answers == ["hypointense", "speckled"]


def test_a_measurement_says_how_it_was_made() -> None:
    bundle = written(REPORTS["rich"]())

    long_axis, short_axis, volume, uptake = members(bundle, lesions(bundle)[0])[:4]

    assert codes(long_axis["method"]) == ["122501"]
    assert codes(said(long_axis)["Derivation"]) == ["56851009"]
    assert said(long_axis)["Source of Measurement"] == "urn:oid:1.2.826.0.1.3680043.10.1561.1.2.1"
    assert said(short_axis)["Derivation"] == {"text": "widest of three readings"}
    assert volume["referenceRange"][0]["low"]["value"] == 0
    assert volume["referenceRange"][0]["high"]["value"] == Decimal("10.5")
    assert volume["referenceRange"][0]["high"]["code"] == "mm3"
    assert volume["referenceRange"][0]["text"] == "none is normal"
    assert uptake["valueQuantity"]["code"] == "g/ml{SUVbw}"
    assert uptake["method"] == {"text": "house method"}


def test_a_range_open_at_one_end_has_only_the_other() -> None:
    measured = number(VOLUME, "3", MM3, range=ReferenceRange(high=Decimal("2.0")))
    bundle = written(make_coded_report(lesions=(make_lesion(measurements=(measured,)),)))

    (limits,) = members(bundle, lesions(bundle)[0])[0]["referenceRange"]

    assert limits.keys() == {"high"}


def test_what_has_no_element_of_its_own_is_a_component() -> None:
    first = lesions(written(REPORTS["rich"]()))[0]

    components = said(first)

    assert components["Finding category"]["text"] == "neoplasm, secondary"
    assert {value["text"] for value in components.values() if isinstance(value, dict)} >= {"suspicious", "enlarged"}
    assert components["Time Point"] == "Follow-up 2"
    assert codes(components["Time Point Type"]) == ["126074"]
    assert components["Time Point Order"] == 3
    assert components["Subject Time Point Identifier"] == "TP-3"
    assert components["Protocol Time Point Identifier"] == "P-3"
    assert first["note"] == [{"text": "Grew since the last study.\nSee image 12; ärztlich geprüft."}]


def test_a_count_is_a_number_or_a_word() -> None:
    def counted(count: int | CountKind) -> Json:
        (lesion,) = lesions(written(make_coded_report(lesions=(make_lesion(count=count),))))
        (value,) = (item for item in lesion["component"] if item["code"]["text"] == "number of lesions")
        found: Json = value
        return found

    assert counted(7)["valueInteger"] == 7
    for kind in CountKind:
        assert kind.value in counted(kind)["valueCodeableConcept"]["text"]


def test_an_image_is_named_with_its_frames() -> None:
    assert image_uri(ImageReference("1.2", "1.3", "1.4")) == "urn:oid:1.3"
    assert image_uri(ImageReference("1.2", "1.3", "1.4", frames=(3, 5))) == "urn:oid:1.3#frames=3,5"


def test_every_image_of_a_lesion_is_named_and_its_study_is_what_it_is_derived_from() -> None:
    bundle = written(REPORTS["rich"]())
    first = lesions(bundle)[0]

    named = [item["valueString"] for item in first["component"] if item["code"]["coding"][0]["code"] == "121112"]
    studies = [target(bundle, item)["identifier"][0]["value"] for item in first["derivedFrom"]]

    assert named == [
        "urn:oid:1.2.826.0.1.3680043.10.1561.1.2.1",
        "urn:oid:1.2.826.0.1.3680043.10.1561.1.2.2#frames=3,4",
        "urn:oid:1.2.826.0.1.3680043.10.1561.9.2.7",
    ]
    assert studies == ["urn:oid:1.2.826.0.1.3680043.10.1561.1", "urn:oid:1.2.826.0.1.3680043.10.1561.9"]


def test_a_segment_is_named_with_its_number_and_its_source() -> None:
    first, second = (said(item) for item in lesions(written(REPORTS["segment"]())))

    assert first["Referenced Segment"] == "urn:oid:1.2.3.77.1#segment=1"
    assert first["Source series for segmentation"] == "urn:oid:1.2.826.0.1.3680043.10.1561.1.2"
    assert second["Referenced Segment"] == "urn:oid:1.2.3.77.1#segment=2"
    assert "Source series for segmentation" not in second


def test_every_shape_is_named_as_lost_and_nothing_else_is() -> None:
    for name, make in REPORTS.items():
        report = make()
        shapes = sum(len(shown.regions) for lesion in report.lesions for shown in lesion.images)
        shapes += sum(len(lesion.regions3d) for lesion in report.lesions)

        losses = write(report, sr_of(report)).losses

        assert [loss.rule for loss in losses] == ["fhir-geometry"] * shapes, name
        assert all(loss.where for loss in losses)


def test_a_lesion_of_which_little_is_said_claims_no_more() -> None:
    bundle = written(make_coded_report(lesions=(make_lesion(site=None, laterality=None, images=(), evaluations=()),)))

    (lesion,) = lesions(bundle)

    assert "bodySite" not in lesion
    assert "component" not in lesion
    assert only(bundle, "BodyStructure").keys() == {"resourceType", "id", "identifier", "patient"}


def test_a_measurement_of_a_term_without_a_code_is_there_as_text() -> None:
    bundle = written(REPORTS["bone"]())
    (tortuosity,) = (item for item in resources(bundle, "Observation") if "feeding vessel" in item["code"]["text"])

    assert tortuosity["code"] == {"text": "tortuosity of the feeding vessel"}
    assert tortuosity["valueQuantity"]["value"] == Decimal("0.40")
    assert tortuosity["valueQuantity"]["code"] == "1"


def test_a_lesion_without_a_tracking_uid_is_a_fault_of_the_caller() -> None:
    report = make_coded_report(lesions=(make_lesion(tracking_uid=None, measurements=(number(LONG_AXIS, "1", MM),)),))

    with pytest.raises(ValueError, match="tracking UID"):
        write(report, sr_of(report))
