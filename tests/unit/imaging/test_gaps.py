"""Frames with room between them: a volume where it is known that they are one body, else why there is none."""

import pytest

from service.domain.loss import Loss
from service.imaging.segments import Mask
from service.pipeline import Format, Options, Source, convert
from tests.seg_files import box, seg
from tests.unit.imaging.test_measures import MEASURES, changed, say, without
from tests.unit.test_measuring import body, measurements

APART_MM = 10.0
WHOLE = seg([box((5, 30, 30), (3, 12, 20))], (APART_MM, 0.75, 1.25))
VOLUME = 3 * APART_MM * 12 * 20 * 0.75 * 1.25
WHY = "its frames are 2.5 mm thick and 10 mm apart, and no Spacing Between Slices is said"


def thick(said: str) -> bytes:
    """Three frames, 10 mm apart, of a Slice Thickness and without Spacing Between Slices."""
    return changed(changed(WHOLE, without("SpacingBetweenSlices")), say(MEASURES, "SliceThickness", said, shared=True))


def losses(mask: bytes, **lesion: object) -> list[Loss]:
    outcome = convert(Source(body(**lesion), masks=(mask,)), (Format.FINDINGS,), Options())
    return [loss for loss in outcome.losses if loss.rule == "mask-unmeasured"]


def test_frames_between_which_slices_may_be_missing_have_axes_and_no_volume() -> None:
    size, known = Mask(thick("2.5")).size(1), Mask(WHOLE).size(1)
    assert size.volume_mm3 == WHY
    assert (size.long_axis_mm, size.short_axis_mm) == (known.long_axis_mm, known.short_axis_mm)


@pytest.mark.parametrize("said", ["10", "12", "8.5", "5.1", "0", ""])
def test_frames_between_which_no_slice_fits_are_one_body(said: str) -> None:
    assert Mask(thick(said)).size(1).volume_mm3 == pytest.approx(VOLUME)


def test_a_spacing_that_is_said_decides() -> None:
    said = changed(WHOLE, say(MEASURES, "SliceThickness", "2.5", shared=True))
    assert Mask(said).size(1).volume_mm3 == pytest.approx(VOLUME)
    closer = changed(said, say(MEASURES, "SpacingBetweenSlices", "2.5", shared=True))
    assert Mask(closer).size(1).volume_mm3 == pytest.approx(VOLUME / 4)


def spaced(whole: bytes, thickness: str, spacing: str) -> bytes:
    """A mask that says both of its frames."""
    said = changed(whole, say(MEASURES, "SliceThickness", thickness, shared=True))
    return changed(said, say(MEASURES, "SpacingBetweenSlices", spacing, shared=True))


@pytest.mark.parametrize("degrees", [0, 25])
def test_a_spacing_that_may_be_that_of_edges_gives_no_volume(degrees: float) -> None:
    edges = spaced(seg([box((5, 30, 30), (3, 12, 20))], (5.0, 0.75, 1.25), degrees), "4", "1")
    why = "its frames are 4 mm thick, and no two are the 1 mm of Spacing Between Slices apart"
    assert Mask(edges).size(1).volume_mm3 == why
    assert [loss.why for loss in losses(edges)] == [f"{why}: it has no volume."]
    one = spaced(seg([box((3, 30, 30), (1, 12, 20))], (5.0, 0.75, 1.25), degrees), "4", "1")
    assert Mask(one).size(1).volume_mm3 == why


@pytest.mark.parametrize("degrees", [0, 25])
@pytest.mark.parametrize(("thickness", "spacing"), [("4", "2"), ("2.01", "2"), ("2", "2"), ("1", "2"), ("0", "2")])
def test_slices_that_overlap_are_measured_where_two_stand_one_spacing_apart(
    thickness: str, spacing: str, degrees: float
) -> None:
    overlapping = spaced(seg([box((5, 30, 30), (3, 12, 20))], (2.0, 0.75, 1.25), degrees), thickness, spacing)
    assert Mask(overlapping).size(1).volume_mm3 == pytest.approx(3 * 2.0 * 12 * 20 * 0.75 * 1.25)


def test_frames_of_another_segment_show_how_far_slices_stand_apart() -> None:
    beside, sparse = box((5, 30, 30), (3, 12, 20)), box((5, 30, 30), (1, 12, 20))
    overlapping = spaced(seg([sparse, beside], (2.0, 0.75, 1.25)), "4", "2")
    assert Mask(overlapping).size(1).volume_mm3 == pytest.approx(2.0 * 12 * 20 * 0.75 * 1.25)


def test_that_there_is_no_volume_is_flagged_unless_the_sender_has_said_one() -> None:
    assert [loss.why for loss in losses(thick("2.5"))] == [f"{WHY}: it has no volume."]
    assert losses(thick("2.5"), measurements={"volume": "1450 mm3"}) == []
    assert losses(WHOLE) == []


def test_a_volume_that_rounds_to_nothing_is_left_out_and_the_axes_stay() -> None:
    tiny = seg([box((3, 8, 8), (1, 2, 2))], (0.2, 0.05, 0.05))
    outcome = convert(Source(body(), masks=(tiny,)), (Format.FINDINGS,), Options())
    assert set(measurements(outcome.outputs[Format.FINDINGS].content)) == {"long-axis", "short-axis"}
    assert [(loss.what, loss.why) for loss in losses(tiny)] == [
        ("volume", "its volume rounds to nothing: it has no volume.")
    ]


def test_an_axis_that_rounds_to_nothing_is_left_out_and_the_others_stay() -> None:
    thin = seg([box((3, 300, 8), (1, 200, 1))], (1000.0, 0.01, 0.001))
    outcome = convert(Source(body(), masks=(thin,)), (Format.FINDINGS,), Options())
    found = measurements(outcome.outputs[Format.FINDINGS].content)
    assert {name: one["value"] for name, one in found.items()} == {"long-axis": 2, "volume": 2}
    assert [(loss.what, loss.why) for loss in losses(thin)] == [
        ("short axis", "its short axis rounds to nothing: it has no short axis.")
    ]
    assert losses(thin, measurements={"short-axis": "0.001 mm"}) == []
