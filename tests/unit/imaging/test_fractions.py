"""What a voxel counts: by Maximum Fractional Value where the type is FRACTIONAL, and there alone (PS3.3 C.8.20.2)."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from service.imaging.segments import Mask, Unmeasurable
from tests.seg_files import Spacing, seg

VOLUME_MM3 = 280.0
TYPES = hd.seg.SegmentationTypeValues
BITS = [TYPES.BINARY, TYPES.LABELMAP]
Make = Callable[[Any, Callable[[Dataset], object]], bytes]


def changed(content: bytes, change: Callable[[Dataset], object]) -> bytes:
    found = pydicom.dcmread(BytesIO(content))
    change(found)
    made = BytesIO()
    found.save_as(made, enforce_file_format=True)
    return made.getvalue()


def most(value: object) -> Callable[[Dataset], object]:
    """Maximum Fractional Value is this; None is an element without a value."""
    return lambda found: setattr(found, "MaximumFractionalValue", value)


def gone(found: Dataset) -> None:
    found.pop("MaximumFractionalValue", None)


def far(found: Dataset) -> None:
    """The last frame lies far from the others, so that most of the space has no frame."""
    found.PerFrameFunctionalGroupsSequence[-1].PlanePositionSequence[0].ImagePositionPatient[2] = 1_000.0


def stored(value: int) -> Callable[[Dataset], object]:
    """One byte a pixel, with this value where the segment is: such files are met with type BINARY."""

    def change(found: Dataset) -> None:
        pixels = found.pixel_array.astype(np.uint8) * value
        found.BitsAllocated, found.BitsStored, found.HighBit = 8, 8, 7
        found.PixelData = pixels.tobytes()

    return change


@pytest.fixture(params=["one frame", "frames", "frames far apart", "segments"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a SEG of a type, changed, whose segment 1 fills 280 cubic millimetres."""
    shape, spacing = {
        "one frame": ((1, 7, 10), (4.0, 1.0, 1.0)),
        "frames": ((4, 7, 10), (1.0, 1.0, 1.0)),
        "frames far apart": ((2, 14, 10), (1.0, 1.0, 1.0)),
        "segments": ((4, 7, 10), (1.0, 1.0, 1.0)),
    }[request.param]
    return lambda kind, change: _made(request.param, shape, spacing, kind, change)


def _made(
    name: str, shape: tuple[int, int, int], spacing: Spacing, kind: Any, change: Callable[[Dataset], object]
) -> bytes:
    voxels = np.zeros((shape[0], shape[1] + 2, shape[2] + 2), np.float32 if kind is TYPES.FRACTIONAL else bool)
    other = np.zeros_like(voxels)
    voxels[:, 1:-1, 1:-1] = 1
    other[:, 0, :3] = 1
    made = seg([voxels, other] if name == "segments" else [voxels], spacing, kind=kind)
    return changed(changed(made, far) if name == "frames far apart" else made, change)


@pytest.mark.parametrize("value", [0, 1, 2, 100, 255, None, [1, 2]])
@pytest.mark.parametrize("kind", BITS)
def test_a_type_without_fractions_has_none(make: Make, kind: Any, value: object) -> None:
    assert Mask(make(kind, most(value))).size(1) == Mask(make(kind, gone)).size(1)
    assert Mask(make(kind, most(value))).size(1).volume_mm3 == pytest.approx(VOLUME_MM3)


@pytest.mark.parametrize("value", [2, 255])
@pytest.mark.parametrize("attribute", [gone, most(255)])
def test_a_bit_that_is_more_than_1_is_refused(make: Make, attribute: Callable[[Dataset], object], value: int) -> None:
    content = changed(make(TYPES.BINARY, stored(value)), attribute)
    with pytest.raises(Unmeasurable, match=r"^the segment has voxels above 1, the most of its segmentation type$"):
        Mask(content).size(1)
    assert Mask(make(TYPES.BINARY, stored(1))).size(1).volume_mm3 == pytest.approx(VOLUME_MM3)


@pytest.mark.parametrize("change", [gone, most(None), most(0), most([255, 255])])
def test_fractions_of_an_unknown_whole_are_refused(make: Make, change: Callable[[Dataset], object]) -> None:
    mask = Mask(make(TYPES.FRACTIONAL, change))
    with pytest.raises(
        Unmeasurable, match=r"^the fractional segmentation has no Maximum Fractional Value of 1 or more"
    ):
        mask.size(1)


@pytest.mark.parametrize("value", [1, 100, 254])
def test_a_fraction_above_the_whole_is_refused(make: Make, value: int) -> None:
    with pytest.raises(Unmeasurable, match=f"^the segment has voxels above {value},"):
        Mask(make(TYPES.FRACTIONAL, most(value))).size(1)


@pytest.mark.parametrize(("value", "share"), [(255, 1.0), (300, 0.85), (510, 0.5)])
def test_a_voxel_counts_by_its_fraction(make: Make, value: int, share: float) -> None:
    assert Mask(make(TYPES.FRACTIONAL, most(value))).size(1).volume_mm3 == pytest.approx(VOLUME_MM3 * share)
