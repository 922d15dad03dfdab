"""SEGs whose frames are compressed: without loss they measure as the plain ones, else they are refused and say why."""

from __future__ import annotations

import resource
from collections.abc import Callable
from io import BytesIO
from typing import Any

import highdicom as hd
import jpeg_ls  # type: ignore[import-untyped]  # it ships no types
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    JPEG2000,
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from service.imaging.segments import Mask, Unmeasurable
from tests.seg_files import box, seg

BOX = box((8, 30, 30), (3, 12, 20))
SPACING = (2.5, 0.75, 1.25)
KINDS = hd.seg.SegmentationTypeValues
LABELS = seg([BOX], SPACING, kind=KINDS.LABELMAP)
FRACTIONS = seg([np.where(BOX, 0.7, 0.0)], SPACING, kind=KINDS.FRACTIONAL)
Pack = Callable[["np.ndarray[Any, Any]"], bytes]
GROWN_KB = 500_000


def by_jpeg_ls(plane: np.ndarray[Any, Any], lossy_error: int = 0) -> bytes:
    return bytes(jpeg_ls.encode_array(np.ascontiguousarray(plane), lossy_error=lossy_error))


def by_pillow(form: str, **how: Any) -> Pack:
    def pack(plane: np.ndarray[Any, Any]) -> bytes:
        made = BytesIO()
        Image.fromarray(plane).save(made, form, **how)
        return made.getvalue()

    return pack


def frames(content: bytes, pack: Pack) -> list[bytes]:
    return [pack(plane.astype("uint8")) for plane in pydicom.dcmread(BytesIO(content)).pixel_array]


def packed(content: bytes, syntax: UID, made: list[bytes]) -> bytes:
    """A SEG with these frames in place of its own."""
    found = pydicom.dcmread(BytesIO(content))
    found.PixelData = encapsulate(made)
    found["PixelData"].VR = "OB"
    found["PixelData"].is_undefined_length = True
    found.file_meta.TransferSyntaxUID = syntax
    out = BytesIO()
    found.save_as(out, enforce_file_format=True)
    return out.getvalue()


def run_lengths(content: bytes) -> list[bytes]:
    """The frames in RLE, as pydicom makes it."""
    found = pydicom.dcmread(BytesIO(content))
    found.compress(RLELossless, generate_instance_uid=False)
    return list(generate_frames(found.PixelData, number_of_frames=found.NumberOfFrames))


def lossless(content: bytes) -> dict[UID, list[bytes]]:
    return {
        RLELossless: run_lengths(content),
        JPEGLSLossless: frames(content, by_jpeg_ls),
    }


@pytest.mark.parametrize("content", [LABELS, FRACTIONS], ids=["label map", "fractions"])
@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless], ids=lambda one: one.name)
def test_frames_without_loss_measure_as_plain_ones(content: bytes, syntax: UID) -> None:
    assert Mask(packed(content, syntax, lossless(content)[syntax])).size(1) == Mask(content).size(1)


@pytest.mark.parametrize(
    ("syntax", "pack"),
    [
        (JPEGBaseline8Bit, by_pillow("JPEG", quality=75)),
        (JPEG2000, by_pillow("JPEG2000", irreversible=True)),
        # Said to be without loss; that layers were left out stands nowhere in it.
        (JPEG2000Lossless, by_pillow("JPEG2000", irreversible=False, quality_layers=[20])),
        (JPEG2000Lossless, by_pillow("JPEG2000", irreversible=True)),
        (JPEGLSNearLossless, lambda plane: by_jpeg_ls(plane, 3)),
        (JPEGLosslessSV1, by_jpeg_ls),  # nothing here reads it, whatever it holds
        (HTJ2KLossless, by_jpeg_ls),
    ],
    ids=lambda one: one.name if isinstance(one, UID) else "",
)
@pytest.mark.parametrize("content", [LABELS, FRACTIONS], ids=["label map", "fractions"])
def test_frames_with_losses_or_that_nothing_reads_are_refused_by_name(content: bytes, syntax: UID, pack: Pack) -> None:
    with pytest.raises(Unmeasurable, match="compressed as masks are not read") as refused:
        Mask(packed(content, syntax, frames(content, pack)))
    assert f"({syntax.name})" in str(refused.value)


@pytest.mark.parametrize(
    "pack",
    [
        lambda plane: by_jpeg_ls(plane, 3),
        lambda plane: by_jpeg_ls(plane.reshape(20, 45)),
        lambda plane: by_jpeg_ls(plane[:20]),
        lambda _: b"\xff\xd8\xff\xe0\0\2",
        lambda _: b"nothing",
    ],
    ids=["with losses", "other rows", "fewer rows", "cut", "nothing"],
)
def test_a_frame_that_is_another_than_the_file_says_is_refused(pack: Pack) -> None:
    with pytest.raises(Unmeasurable, match="frame 1 has other Rows and Columns than the file says, or is compressed"):
        Mask(packed(FRACTIONS, JPEGLSLossless, frames(FRACTIONS, pack)))


def test_a_small_frame_that_says_that_it_is_large_is_not_unpacked() -> None:
    made = frames(LABELS, by_jpeg_ls)
    at = made[0].index(b"\xff\xf7") + 5
    made = [one[:at] + b"\x60\0\x60\0" + one[at + 4 :] for one in made]  # 24,576 rows and columns
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Unmeasurable):
        Mask(packed(LABELS, JPEGLSLossless, made)).size(1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWN_KB


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless], ids=lambda one: one.name)
@pytest.mark.parametrize("damage", ["cut", "fewer"])
def test_damaged_frames_are_refused_as_that(syntax: UID, damage: str) -> None:
    made = lossless(LABELS)[syntax]
    made = made[:-1] if damage == "fewer" else [one[: len(one) * 2 // 3] for one in made]
    with pytest.raises(Unmeasurable, match="compressed frames can't be"):
        Mask(packed(LABELS, syntax, made)).size(1)
