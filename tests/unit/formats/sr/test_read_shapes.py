"""Other makers' shapes, images and segments: as the report has them, or skipped alone and listed."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from service.domain.geometry import Graphic, Graphic3D
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, only, received, rules


def test_a_number_without_a_value_is_skipped_and_its_shape_kept() -> None:
    found = received(sr.measured(long_axis(sr.shape("POINT", [3.5, 4.5]), value=None, unit=None)))
    lesion = only(found)
    assert lesion.measurements == ()
    assert [region.graphic for shown in lesion.images for region in shown.regions] == [Graphic.POINT]
    assert rules(found, "1.1.1.3") == {"sr-no-value"}


@pytest.mark.parametrize(
    ("kind", "points", "graphics", "rule"),
    [
        ("POINT", [1, 2], ["point"], None),
        ("MULTIPOINT", [1, 2, 3, 4], ["point", "point"], None),
        ("POLYLINE", [1, 2, 3, 4], ["line"], None),
        ("POLYLINE", [1, 2, 3, 4, 5, 0, 1, 2], ["polygon"], None),
        ("POLYLINE", [1, 2, 3, 4, 1, 2], ["line"], None),
        ("POLYLINE", [1, 2, 3, 4, 5, 0], ["line", "line"], "sr-path-as-lines"),
        ("CIRCLE", [5, 5, 5, 9], ["polygon"], "sr-shape-as-polygon"),
        ("ELLIPSE", [0, 5, 10, 5, 5, 3, 5, 7], ["polygon"], "sr-shape-as-polygon"),
        ("ELLIPSE", [0, 5, 10, 5], [], "sr-graphic-data"),
        ("ELLIPSE", [0, 5, 10, 5, 4, 3, 6, 7], ["polygon"], "sr-shape-as-polygon"),  # to whole pixels
        ("ELLIPSE", [0, 50, 100, 50, 50, 30, 90, 70], [], "sr-graphic-data"),
        ("ELLIPSE", [0, 50, 100, 50, 30, 70, 70, 30], [], "sr-graphic-data"),
        ("BLOB", [0, 5], [], "sr-graphic-data"),
        ("POLYLINE", [1, 2, 3], [], "sr-graphic-data"),
        ("POINT", [float("inf"), 2], [], "sr-graphic-data"),
    ],
)
def test_shapes_in_pixels(kind: str, points: list[float], graphics: list[str], rule: str | None) -> None:
    found = received(sr.measured(sr.shape(kind, points, relation="CONTAINS")))
    shown = only(found).images
    assert [str(region.graphic) for one in shown for region in one.regions] == graphics
    assert rules(found, "1.1.1.3") == ({rule} if rule else set())


def test_a_circle_keeps_its_size() -> None:
    found = received(sr.measured(sr.shape("CIRCLE", [50, 50, 50, 60], relation="CONTAINS")))
    corners = only(found).images[0].regions[0].points
    area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, (*corners[1:], corners[0]), strict=True))) / 2
    assert 0.998 < area / (3.141592653589793 * 100) < 1


def test_coordinates_come_back_as_they_were_written() -> None:
    found = received(sr.measured(sr.shape("POINT", [102.3, 0.1], relation="CONTAINS")))
    assert only(found).images[0].regions[0].points == ((102.3, 0.1),)


def test_a_shape_in_space_needs_its_frame_of_reference() -> None:
    def solid(**more: Any) -> Dataset:
        return sr.item("SCOORD3D", "CONTAINS", ("111030", "DCM", "Image Region"), **more)

    good = solid(GraphicType="POINT", GraphicData=[1, 2, 3], ReferencedFrameOfReferenceUID="1.2.3")
    bad = solid(GraphicType="POINT", GraphicData=[1, 2, 3])
    found = received(sr.measured(good, bad))
    (region,) = only(found).regions3d
    assert (region.graphic, region.points) == (Graphic3D.POINT, ((1.0, 2.0, 3.0),))
    assert rules(found, "1.1.1.4") == {"sr-graphic-data"}


def test_a_shape_in_space_that_is_none_is_skipped_alone() -> None:
    def solid(kind: str, *points: float) -> Dataset:
        more = {"GraphicType": kind, "GraphicData": list(points), "ReferencedFrameOfReferenceUID": "1.2.3"}
        return sr.item("SCOORD3D", "CONTAINS", ("111030", "DCM", "Image Region"), **more)

    twisted = solid("POLYGON", 0, 0, 0, 4, 0, 0, 2, 1, 0, 3, -1, 5, 0, 0, 0)
    flat = solid("POLYGON", 0, 0, 0, 4, 0, 0, 2, 1, 0, 0, 0, 0)
    found = received(sr.measured(twisted, flat))
    (region,) = only(found).regions3d
    assert region.points == ((0, 0, 0), (4, 0, 0), (2, 1, 0))
    assert rules(found, "1.1.1.3") == {"sr-graphic-data"}


def test_an_image_that_is_an_sr_by_its_class_is_skipped_alone() -> None:
    document = sr.image(f"{sr.STUDY}.9.9", "1.2.840.10008.5.1.4.1.1.88.33", "CONTAINS")
    found = received(sr.measured(document, sr.image(relation="CONTAINS")))
    assert [shown.image.sop_instance for shown in only(found).images] == [sr.IMAGE]
    assert rules(found, "1.1.1.3") == {"sr-reference"}


def test_an_image_outside_the_evidence_gets_a_series_that_is_derived_and_flagged() -> None:
    other = f"{sr.STUDY}.9.9"
    first, again = (received(sr.measured(sr.image(other, relation="CONTAINS"))) for _ in range(2))
    (shown,) = only(first).images
    assert shown.image.series.startswith("2.25.")
    assert only(again).images == only(first).images
    assert rules(first, "1.1.1.3") == {"sr-unknown-series"}


def test_a_segment_has_its_source_series() -> None:
    marked = sr.image(f"{sr.STUDY}.5.5", "1.2.840.10008.5.1.4.1.1.66.4", "CONTAINS", ReferencedSegmentNumber=[2])
    marked.ConceptNameCodeSequence = Sequence([sr.coded(("121191", "DCM", "Referenced Segment"))])
    source = sr.uid(("121232", "DCM", "Source series for segmentation"), sr.SERIES, "CONTAINS")
    segment = only(received(sr.measured(marked, source))).segment
    assert segment is not None
    assert (segment.number, segment.source_series) == (2, sr.SERIES)
