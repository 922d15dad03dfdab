"""R5: what differs from R4, and the shapes that only it can hold."""

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.bundle import Bundle

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, LesionImage
from service.domain.report import CodedReport, Lesion, Status
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.write import BUNDLES, write
from tests.fhir_bundles import Json, lesions, only, resources, said, sr_of, target, written
from tests.report_set import REPORTS, status_report
from tests.report_terms import AREA, LONG_AXIS, MM, MM2
from tests.reports import image, make_coded_report, make_lesion, number, region

EVERY = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
DCM = "http://dicom.nema.org/resources/ontology/DCM"


def _made(report: CodedReport, bundle: str = "transaction") -> Json:
    return written(report, bundle, R5)


def _of(lesion: Lesion[CodedTerm]) -> tuple[Json, Json]:
    """A bundle of one lesion, and the lesion's Observation."""
    bundle = _made(make_coded_report(lesions=(lesion,)))
    (observation,) = lesions(bundle)
    return bundle, observation


def _selections(bundle: Json, observation: Json) -> list[Json]:
    found = [target(bundle, one) for one in observation["derivedFrom"]]
    return [one for one in found if one["resourceType"] == "ImagingSelection"]


@EVERY
@pytest.mark.parametrize("kind", BUNDLES)
def test_fhir_resources_reads_every_bundle_as_r5(make: Callable[[], CodedReport], kind: str) -> None:
    report = make()

    emitted = write(report, sr_of(report), bundle=kind, release=R5)

    Bundle.model_validate_json(emitted.content)
    assert emitted.media_type == "application/fhir+json; fhirVersion=5.0"
    assert emitted == write(make(), sr_of(report), bundle=kind, release=R5)


@EVERY
def test_the_same_resources_have_the_same_ids_in_both_releases(make: Callable[[], CodedReport]) -> None:
    older, newer = ([entry["fullUrl"] for entry in written(make(), "document", one)["entry"]] for one in (R4, R5))

    assert set(older) <= set(newer)


@EVERY
def test_coordinates_are_read_by_others_as_they_were_drawn(make: Callable[[], CodedReport]) -> None:
    """fhir.resources reads every shape of the report, equal as float32, on its image or in its frame of reference."""
    report = make()
    bundle: Any = Bundle.model_validate_json(write(report, sr_of(report), release=R5).content)
    drawn = set()
    for entry in bundle.entry:
        if entry.resource.get_resource_type() != "ImagingSelection":
            continue
        for instance in entry.resource.instance or ():
            for shape in instance.imageRegion2D or ():
                drawn.add((instance.uid, _floats(shape.coordinate)))
            for shape in instance.imageRegion3D or ():
                drawn.add((entry.resource.frameOfReferenceUid, _floats(shape.coordinate)))

    assert drawn == set(_shapes(report))


def _floats(numbers: Any) -> bytes:
    return struct.pack(f"{len(numbers)}f", *map(float, numbers))


def _shapes(report: CodedReport) -> list[tuple[str, bytes]]:
    found: list[tuple[str, Any, Any]] = []
    for lesion in report.lesions:
        for shown in lesion.images:
            found += ((shown.image.sop_instance, one.graphic, one.points) for one in shown.regions)
        found += ((one.frame_of_reference, one.graphic, one.points) for one in lesion.regions3d)
    made = []
    for where, graphic, points in found:
        closed = (*points, points[0]) if graphic.value == "polygon" else points
        made.append((where, _floats([number for point in closed for number in point])))
    return made


def test_shapes_of_one_series_are_instances_of_one_selection_each_on_its_image() -> None:
    polygon = region(Graphic.POLYGON, (1.0, 1.0), (9.0, 1.0), (5.0, 7.0))
    images = (LesionImage(image(3), (polygon,)), LesionImage(image(4), (polygon,)))

    bundle, observation = _of(make_lesion(images=images))

    (selection,) = _selections(bundle, observation)
    assert selection["code"]["coding"][0] == {"system": DCM, "code": "111030", "display": "Image Region"}
    assert [one["uid"] for one in selection["instance"]] == [image(3).sop_instance, image(4).sop_instance]
    for instance in selection["instance"]:
        (shape,) = instance["imageRegion2D"]
        assert shape["regionType"] == "polyline"
        assert [float(number) for number in shape["coordinate"]] == [1, 1, 9, 1, 5, 7, 1, 1]


def test_a_shape_that_shows_a_measurement_is_what_the_measurement_derives_from() -> None:
    line = region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0), shows=LONG_AXIS)
    polygon = region(Graphic.POLYGON, (1.0, 1.0), (9.0, 1.0), (5.0, 7.0), shows=AREA)
    measured = (number(LONG_AXIS, "14.2", MM), number(AREA, "20", MM2))
    lesion = make_lesion(images=(LesionImage(image(3), (line, polygon)),), measurements=measured, evaluations=())

    bundle, observation = _of(lesion)

    (whole,) = _selections(bundle, observation)
    parts = [_selections(bundle, target(bundle, one)) for one in observation["hasMember"]]
    assert [[one["instance"] for one in part] for part in parts] == [[[one]] for one in whole["instance"]]


def test_the_only_shape_of_a_lesion_is_one_selection_of_the_lesion_and_of_its_measurement() -> None:
    line = region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0), shows=LONG_AXIS)
    measured = (number(LONG_AXIS, "14.2", MM),)

    bundle, _ = _of(make_lesion(images=(LesionImage(image(3), (line,)),), measurements=measured))

    assert len(resources(bundle, "ImagingSelection")) == 1


def test_the_image_of_a_measurement_is_selected_even_when_nothing_else_is_known_of_it() -> None:
    measured = (number(LONG_AXIS, "14.2", MM, image="1.2.3.4.99"),)

    bundle, observation = _of(make_lesion(measurements=measured, images=(), evaluations=()))

    (member,) = (target(bundle, one) for one in observation["hasMember"])
    (selection,) = _selections(bundle, member)
    assert selection["instance"] == [{"uid": "1.2.3.4.99"}]
    assert "seriesUid" not in selection


def test_a_shape_in_millimetres_is_in_its_frame_of_reference_and_in_the_sr() -> None:
    report = REPORTS["regions3d"]()

    bundle = _made(report)

    shapes = [one for one in resources(bundle, "ImagingSelection") if "imageRegion3D" in one["instance"][0]]
    for selection in shapes:
        (instance,) = selection["instance"]
        assert selection["frameOfReferenceUid"]
        assert (selection["seriesUid"], instance["uid"]) == (sr_of(report).series, sr_of(report).sop_instance)
    types = [one["regionType"] for selection in shapes for one in selection["instance"][0]["imageRegion3D"]]
    assert set(types) == {"point", "multipoint", "polyline", "polygon", "ellipse", "ellipsoid"}


def test_a_segment_is_a_subset_of_its_instance_and_its_source_series_the_focus() -> None:
    bundle = _made(REPORTS["segment"]())

    found = [_selections(bundle, seen) for seen in lesions(bundle)]
    first, second = ([one for one in seen if "subset" in one["instance"][0]] for seen in found)
    assert [one["instance"][0]["subset"] for one in (*first, *second)] == [["1"], ["2"]]
    assert "1.2.840.10008.5.1.4.1.1.66.4" in first[0]["instance"][0]["sopClass"]["code"]
    (source,) = (target(bundle, one) for one in first[0]["focus"])
    assert source["code"]["coding"][0]["code"] == "121232"
    assert "focus" not in second[0]


def test_nothing_of_a_lesion_is_lost_in_r5() -> None:
    for name in ("regions", "regions3d", "segment", "ohif"):
        report = REPORTS[name]()
        assert write(report, sr_of(report), release=R5).losses == (), name


def test_the_site_alone_is_body_site_and_with_a_side_a_body_structure_never_both() -> None:
    plain = make_lesion(laterality=None, topography=None)

    for lesion, member in ((plain, "bodySite"), (make_lesion(), "bodyStructure")):
        bundle, observation = _of(lesion)
        assert {"bodySite", "bodyStructure"} & set(observation) == {member}
        (structure,) = only(bundle, "BodyStructure")["includedStructure"]
        assert structure["structure"]["text"] == lesion.site.text if lesion.site else False
        assert ("laterality" in structure) == (lesion.laterality is not None)


def test_a_site_that_nobody_named_is_said_to_be_unknown() -> None:
    bundle, observation = _of(make_lesion(site=None, laterality=None, topography=None))

    (structure,) = only(bundle, "BodyStructure")["includedStructure"]
    assert structure["structure"]["extension"][0]["valueCode"] == "unknown"
    assert not {"bodySite", "bodyStructure"} & set(observation)


def test_side_and_topography_are_components_as_in_r4() -> None:
    _, observation = _of(make_lesion())

    assert said(observation) == {
        name: value
        for name, value in said(lesions(written(make_coded_report(lesions=(make_lesion(),))))[0]).items()
        if name != "Source of Measurement"
    }


@pytest.mark.parametrize("status", Status)
def test_a_document_has_the_state_of_the_report(status: Status) -> None:
    bundle = _made(status_report(status), "document")

    assert only(bundle, "Composition")["status"] == status.value
    assert only(bundle, "DocumentReference")["docStatus"] == status.value


def test_a_withdrawn_report_withdraws_its_selections() -> None:
    report = replace(REPORTS["segment"](), status=Status.ENTERED_IN_ERROR)

    assert {one["status"] for one in resources(_made(report), "ImagingSelection")} == {"entered-in-error"}


def test_elements_that_r5_renamed_have_their_new_names() -> None:
    bundle = _made(REPORTS["rich"](), "document")

    report = only(bundle, "DiagnosticReport")
    study = target(bundle, report["study"][0])
    document = only(bundle, "DocumentReference")
    assert study["modality"][0]["coding"][0]["code"] == "MR"
    assert all("concept" in one for one in study["procedure"])
    assert "concept" in only(bundle, "ServiceRequest")["code"]
    assert all(one["name"][0]["value"] == one["displayName"] for one in resources(bundle, "Device"))
    assert document["attester"][0]["mode"]["coding"][0]["code"] == "professional"
    assert document["relatesTo"][0]["code"]["coding"][0]["code"] == "replaces"
    assert document["content"][0]["profile"][0]["valueCoding"]["code"].startswith("urn:oid:")
    assert target(bundle, document["event"][1]["reference"]) == study
    for observation in resources(bundle, "Observation"):
        assert target(bundle, observation["partOf"][0]) == study
