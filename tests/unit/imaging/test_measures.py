"""Numbers of a SEG that no distance or place can have: refused with their path, in shared groups and in a frame's."""

from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from service.imaging.segments import Mask, Unmeasurable
from tests.seg_files import box, seg

SPACING = (2.5, 0.75, 1.25)
MANY = seg([box((8, 30, 30), (3, 12, 20))], SPACING)
ONE = seg([box((3, 30, 30), (1, 12, 20))[1:2]], SPACING)
AREA = 12 * 20 * 0.75 * 1.25
MEASURES, ORIENTATION, POSITION = "PixelMeasuresSequence", "PlaneOrientationSequence", "PlanePositionSequence"
WRONG = [
    *(
        (MEASURES, "PixelSpacing", said)
        for said in ("0\\1", "-1\\1", "1\\-1", "1\\1\\1", "1", "nan\\1", "inf\\1", "abc")
    ),
    *((MEASURES, "SpacingBetweenSlices", said) for said in ("-2.5", "0", "nan", "inf", "1\\2")),
    *((MEASURES, "SliceThickness", said) for said in ("-2.5", "nan", "-inf", "1\\2")),
    *(
        (ORIENTATION, "ImageOrientationPatient", said)
        for said in (
            "2\\0\\0\\0\\2\\0",
            "1\\0\\0\\1\\0\\0",
            "0\\0\\0\\0\\0\\0",
            "1\\0\\0\\.5\\.5\\0",
            "1\\0\\0",
            "nan\\0\\0\\0\\1\\0",
        )
    ),
    *((POSITION, "ImagePositionPatient", said) for said in ("0\\0\\nan", "inf\\0\\0", "0\\0", "0\\0\\0\\1")),
]


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    data = pydicom.dcmread(BytesIO(content))
    change(data)
    made = BytesIO()
    data.save_as(made, enforce_file_format=True)
    return made.getvalue()


def say(sequence: str, keyword: str, said: str, *, shared: bool) -> Callable[[Any], None]:
    """A change that writes a value as it stands, into the shared groups or into the last frame."""

    def change(data: Any) -> None:
        groups, frames = data.SharedFunctionalGroupsSequence[0], data.PerFrameFunctionalGroupsSequence
        if not shared and sequence in groups:
            for frame in frames:
                setattr(frame, sequence, deepcopy(groups[sequence].value))
            del groups[sequence]
        item = getattr(groups if sequence in groups else frames[-1], sequence)[0]
        tag = Tag(tag_for_keyword(keyword))  # type: ignore[arg-type] # each is in the dictionary
        raw = said.encode() + b" " * (len(said) % 2)
        item._dict[tag] = RawDataElement(tag, "DS", len(raw), raw, 0, False, True)

    return change


def without(keyword: str) -> Callable[[Any], None]:
    return lambda data: delattr(data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0], keyword)


@pytest.mark.parametrize("content", [ONE, MANY], ids=["one frame", "frames"])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "of a frame"])
@pytest.mark.parametrize(("sequence", "keyword", "said"), WRONG)
def test_a_number_that_can_not_be_is_refused_with_its_path(
    sequence: str, keyword: str, said: str, *, shared: bool, content: bytes
) -> None:
    with pytest.raises(Unmeasurable) as refused:
        Mask(changed(content, say(sequence, keyword, said, shared=shared))).size(1)
    frame = 1 if content is ONE else 3
    group = "SharedFunctionalGroupsSequence[1]"
    if not shared or sequence == POSITION:
        group = f"PerFrameFunctionalGroupsSequence[{frame}]"
    assert str(refused.value).startswith(f"{group}.{sequence}[1].{keyword} is not ")


@pytest.mark.parametrize("keyword", ["SpacingBetweenSlices", "SliceThickness"])
@pytest.mark.parametrize("shared", [True, False])
def test_one_frame_is_as_thick_as_it_says(keyword: str, *, shared: bool) -> None:
    content = changed(ONE, without("SpacingBetweenSlices"))
    size = Mask(changed(content, say(MEASURES, keyword, "4", shared=shared))).size(1)
    assert size.volume_mm3 == pytest.approx(AREA * 4)


def test_one_frame_of_no_thickness_has_axes_and_no_volume() -> None:
    content = changed(ONE, without("SpacingBetweenSlices"))
    size = Mask(changed(content, say(MEASURES, "SliceThickness", "0", shared=True))).size(1)
    assert (size.volume_mm3, size.long_axis_mm > 0) == ("nothing says how thick its one frame is", True)


def test_places_of_the_frames_count_for_more_than_a_thickness() -> None:
    whole = Mask(MANY).size(1)
    assert whole.volume_mm3 == pytest.approx(AREA * 2.5 * 3)
    for said in ("0", "9"):
        assert Mask(changed(MANY, say(MEASURES, "SliceThickness", said, shared=True))).size(1) == whole


def test_direction_cosines_of_four_digits_are_unit_vectors() -> None:
    turned = say(ORIENTATION, "ImageOrientationPatient", "0.5774\\0.5774\\0.5774\\-.7071\\.7071\\0", shared=True)
    assert Mask(changed(ONE, turned)).size(1).long_axis_mm == pytest.approx(Mask(ONE).size(1).long_axis_mm, rel=1e-3)


@pytest.mark.parametrize(
    ("sequence", "keyword", "said"),
    [
        (MEASURES, "PixelSpacing", "3\\3"),
        (MEASURES, "PixelSpacing", "0.75\\1.26"),
        (ORIENTATION, "ImageOrientationPatient", "0\\1\\0\\1\\0\\0"),
    ],
)
@pytest.mark.parametrize("shared", [True, False], ids=["beside the shared one", "of a frame"])
def test_frames_that_contradict_each_other_are_refused(sequence: str, keyword: str, said: str, *, shared: bool) -> None:
    def change(data: Any) -> None:
        kept = deepcopy(data.SharedFunctionalGroupsSequence[0][sequence].value)
        say(sequence, keyword, said, shared=False)(data)
        if shared:
            setattr(data.SharedFunctionalGroupsSequence[0], sequence, kept)

    with pytest.raises(Unmeasurable, match=rf"^PerFrame.*{keyword} is not that of the other frames$"):
        Mask(changed(MANY, change)).size(1)
