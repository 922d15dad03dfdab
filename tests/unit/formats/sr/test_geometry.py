"""Shapes, segments and images: with the number that they show, as the region of the group, or named as lost."""

from typing import Any

import pytest

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, Graphic3D, LesionImage, Region3D, SegmentReference
from service.formats.sr.decode import decode_file
from service.formats.sr.write import write
from tests.report_set import regions_report
from tests.report_terms import AREA, FRAME_OF_REFERENCE, LONG_AXIS, MM, MM2, SERIES_UID
from tests.reports import TRIANGLE, image, make_coded_report, make_lesion, number, region
from tests.unit.formats.sr.written import group_of, only, tree

SQUARE = ((10.0, 10.0, 5.0), (20.0, 10.0, 5.0), (20.0, 20.0, 5.0))


@pytest.mark.parametrize(
    ("changes", "template"),
    [
        ({}, "1501"),
        ({"images": (LesionImage(image(), (region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0), shows=LONG_AXIS),)),)}, "1501"),
        ({"images": (LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),)),)}, "1410"),
        ({"images": (LesionImage(image(), (region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0)),)),)}, "1410"),
        ({"images": tuple(LesionImage(image(n), (region(Graphic.POLYGON, *TRIANGLE),)) for n in (1, 2))}, "1411"),
        ({"regions3d": (Region3D(FRAME_OF_REFERENCE, Graphic3D.POLYGON, SQUARE),)}, "1410"),
        ({"regions3d": (Region3D(FRAME_OF_REFERENCE, Graphic3D.POLYGON, SQUARE),) * 2}, "1411"),
        ({"segment": SegmentReference("1.2.3.77.1", "1.2.3.77", 1, SERIES_UID)}, "1411"),
    ],
)
def test_the_template_is_that_of_what_the_lesion_brings(changes: dict[str, object], template: str) -> None:
    assert group_of(**changes).value == template


def test_a_line_goes_below_the_number_that_it_shows() -> None:
    line = region(Graphic.LINE, (102.5, 88.0), (116.7, 88.0), shows=LONG_AXIS)
    group = group_of(images=(LesionImage(image(), (line,)),))
    (long_axis,) = [item for item in group.children if item.is_named("SCT", "103339001")]
    (shape,) = long_axis.children
    assert (shape.value_type, shape.relationship_type) == ("SCOORD", "INFERRED FROM")
    assert shape.children[0].relationship_type == "SELECTED FROM"
    assert shape.value.numbers == pytest.approx((102.5, 88.0, 116.7, 88.0), rel=1e-6)


def test_a_polygon_is_a_closed_polyline() -> None:
    group = group_of(images=(LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),)),))
    shape = only(group, "image-region").value
    assert shape.graphic_type == "POLYLINE"
    assert shape.numbers[:2] == shape.numbers[-2:]
    assert len(shape.numbers) == 2 * (len(TRIANGLE) + 1)


def _outlined(*slices: int) -> tuple[LesionImage[CodedTerm], ...]:
    """The area outlined on each of some slices."""
    return tuple(LesionImage(image(one), (region(Graphic.POLYGON, *TRIANGLE, shows=AREA),)) for one in slices)


def _areas(**changes: Any) -> list[list[str]]:
    """The images of the shapes below each area."""
    areas = [item for item in group_of(**changes).children if item.is_named("SCT", "42798000")]
    return [[shape.children[0].value.sop_instance for shape in area.children] for area in areas]


def test_each_of_several_areas_stands_above_the_outline_that_shows_it() -> None:
    first, second = (
        number(AREA, value, MM2, image=image(one).sop_instance) for value, one in (("122.5", 3), ("140.0", 4))
    )
    where = [[image(3).sop_instance], [image(4).sop_instance]]
    assert _areas(images=_outlined(3, 4), measurements=(first, second)) == where


def test_the_outline_of_the_area_stands_below_it_where_another_shape_lies_beside_it() -> None:
    free = LesionImage(image(4), (region(Graphic.POLYGON, *TRIANGLE),))
    found = _areas(images=(*_outlined(3), free), measurements=(number(AREA, "122.5", MM2),))
    assert found == [[image(3).sop_instance]]


def test_the_one_outline_of_the_one_area_is_the_region_of_the_group() -> None:
    assert _areas(images=_outlined(3), measurements=(number(AREA, "122.5", MM2),)) == [[]]


def test_what_is_of_another_kind_of_region_is_named_as_lost() -> None:
    lesion = make_lesion(
        images=(LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),)),),
        regions3d=(Region3D(FRAME_OF_REFERENCE, Graphic3D.POLYGON, SQUARE, where="/lesions/0/regions3d/0"),),
    )
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert (loss.where, loss.rule) == ("/lesions/0/regions3d/0", "sr-one-kind-of-region")


def test_a_segment_without_source_is_named_as_lost() -> None:
    lesion = make_lesion(images=(), segment=SegmentReference("1.2.3.77.1", "1.2.3.77", 1))
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert loss.rule == "sr-segment-source"


def test_a_region_of_too_many_points_is_named_as_lost() -> None:
    outline = tuple((float(step), 1.0) for step in range(9_000))
    lesion = make_lesion(images=(LesionImage(image(), (region(Graphic.POLYGON, *outline),)),))
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert loss.rule == "sr-graphic-data"


def test_an_image_measured_on_that_nobody_named_is_lost() -> None:
    lesion = make_lesion(measurements=(number(LONG_AXIS, "3", MM, image="1.2.3.99", where="/m"),))
    (loss,) = write(make_coded_report(lesions=(lesion,))).losses
    assert (loss.where, loss.rule) == ("/m/image", "sr-unknown-image")


def test_shapes_on_a_frame_name_the_frame() -> None:
    root = tree(regions_report())
    assert {item.value.frames for item in root.walk() if item.value_type == "IMAGE"} == {(), (2,)}


def test_a_number_has_an_image_or_a_shape_never_both() -> None:
    line = region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0), shows=LONG_AXIS)
    shown: tuple[LesionImage[CodedTerm], ...] = (LesionImage(image(1), (line,)), LesionImage(image(2)))
    said = number(LONG_AXIS, "3", MM, image=image(2).sop_instance, where="/m")
    document = write(make_coded_report(lesions=(make_lesion(images=shown, measurements=(said,)),)))
    (item,) = [one for one in decode_file(document.content)[1].walk() if one.value_type == "NUM"]
    assert [child.value_type for child in item.children] == ["SCOORD"]
    assert [(loss.where, loss.rule) for loss in document.losses] == [("/m/image", "sr-image-or-shape")]
