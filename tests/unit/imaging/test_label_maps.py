"""Label maps with more segments than 8 bits can number (PS3.3 C.8.20.2: Bits Allocated 8 or 16)."""

from io import BytesIO
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest

from service.imaging.segments import Mask, Unmeasurable
from tests.seg_files import box, seg

TYPES = hd.seg.SegmentationTypeValues


def labelled(numbers: "np.ndarray[Any, Any]", most: int) -> bytes:
    """A label map of segments 1 to ``most``."""
    return seg([numbers == one for one in range(1, most + 1)], (2.0, 1.0, 1.0), kind=TYPES.LABELMAP)


def wider(content: bytes, bits: int, times: int) -> bytes:
    """Pixels of so many bits, each so many times what it was."""
    found = pydicom.dcmread(BytesIO(content))
    pixels = found.pixel_array.astype(f"<u{bits // 8}") * times
    found.BitsAllocated = found.BitsStored = bits
    found.HighBit = bits - 1
    found.PixelData = pixels.tobytes()
    found["PixelData"].VR = "OW"
    made = BytesIO()
    found.save_as(made, enforce_file_format=True)
    return made.getvalue()


@pytest.mark.parametrize("most", [255, 300])
@pytest.mark.parametrize("frames", [1, 2])
def test_each_segment_has_its_own_voxels_however_high_its_number(most: int, frames: int) -> None:
    numbers = np.zeros((frames, 20, 24), dtype=int)
    numbers[0].flat[:most] = np.arange(1, most + 1)
    numbers[-1, 16, :7] = 44
    numbers[-1, 17:19, :10] = most
    mask = Mask(labelled(numbers, most))
    for number in (1, 44, most - 1, most):
        assert mask.size(number).volume_mm3 == pytest.approx(2.0 * (numbers == number).sum())
    assert mask.size(most).long_axis_mm >= np.hypot(2, 9)


def test_a_label_that_no_segment_has_is_none_of_them() -> None:
    content = wider(labelled(box((3, 8, 9), (2, 3, 4)).astype(int), 1), 16, 257)
    with pytest.raises(Unmeasurable, match="the segment is empty"):
        Mask(content).size(1)


@pytest.mark.parametrize(("kind", "bits"), [(TYPES.BINARY, 16), (TYPES.FRACTIONAL, 16), (TYPES.LABELMAP, 32)])
def test_pixels_of_more_bits_than_the_type_has_are_refused(kind: Any, bits: int) -> None:
    voxels = box((3, 8, 9), (2, 3, 4))
    content = seg([voxels.astype(np.float32) if kind is TYPES.FRACTIONAL else voxels], (2.0, 1.0, 1.0), kind=kind)
    with pytest.raises(Unmeasurable, match=rf"^its pixels have {bits} bits, more than those of its segmentation type$"):
        Mask(wider(content, bits, 257)).size(1)
