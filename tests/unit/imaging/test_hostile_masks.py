"""Small SEG files that would become large, far or slow: refused before they are, with the setting that bounds them."""

import resource
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.formats.findings.read import read
from service.imaging import segments
from service.imaging.segments import Mask, Unmeasurable
from service.measuring import measured
from tests.findings import make_body
from tests.seg_files import box, seg

ONE = seg([box((8, 30, 30), (3, 12, 20))], (2.5, 0.75, 1.25))
DEFLATED = b"1.2.840.10008.1.2.1.99"
_META_LENGTH = slice(140, 144)


def deflated(content: bytes, more: bytes = b"") -> bytes:
    """A SEG in the deflated transfer syntax; ``more`` are elements behind the others."""
    found = pydicom.dcmread(BytesIO(content))
    found.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    made = BytesIO()
    found.save_as(made, enforce_file_format=True)
    start = 144 + struct.unpack("<I", made.getvalue()[_META_LENGTH])[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    plain = zlib.decompress(made.getvalue()[start:], -zlib.MAX_WBITS)
    return made.getvalue()[:start] + packer.compress(plain + more) + packer.flush()


def private(size: int) -> bytes:
    """A private element of so many zeros."""
    return struct.pack("<HH2sHI", 0x7FE1, 0x1010, b"OB", 0, size) + bytes(size)


def moved(content: bytes, far_mm: float) -> bytes:
    """The last frame far away from the others."""
    found = pydicom.dcmread(BytesIO(content))
    found.PerFrameFunctionalGroupsSequence[-1].PlanePositionSequence[0].ImagePositionPatient[2] = far_mm
    made = BytesIO()
    found.save_as(made, enforce_file_format=True)
    return made.getvalue()


def test_a_deflated_mask_is_measured_as_the_plain_one() -> None:
    assert Mask(deflated(ONE)).size(1) == Mask(ONE).size(1)


def test_a_deflated_bomb_is_never_unpacked() -> None:
    bomb = deflated(ONE, private(64 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Unmeasurable, match=r"unpacks to more than 1000000 bytes \(limits\.body_bytes\)"):
        Mask(bomb, Limits(body_bytes=1_000_000))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(lambda whole: whole.replace(DEFLATED, b"1.2.840.10008.1.2.1\0\0\0", 1) + DEFLATED, id="elsewhere"),
        pytest.param(lambda whole: whole.replace(b"\x02\0\x10\0UI", b"\x02\0\x10\0UN", 1), id="as another VR"),
        pytest.param(lambda whole: whole[:400], id="cut off"),
    ],
)
def test_a_transfer_syntax_that_can_be_read_in_two_ways_is_refused(hidden: Any) -> None:
    with pytest.raises(Unmeasurable):
        Mask(hidden(deflated(ONE)), Limits(body_bytes=1_000_000))


def test_frames_far_apart_and_frames_of_many_pixels_are_counted_before_they_are_held() -> None:
    two = np.zeros((2, 64, 64), dtype=bool)
    two[:, :3, :3] = True
    far = moved(seg([two], (1.0, 1.0, 1.0)), 1_000.0)
    assert Mask(far).size(1).volume_mm3 == 18.0
    with pytest.raises(Unmeasurable, match=r"limits\.mask_voxels"):
        Mask(far, Limits(mask_voxels=64 * 64 * 999)).size(1)
    with pytest.raises(Unmeasurable, match=r"limits\.mask_voxels"):
        Mask(far, Limits(mask_voxels=64 * 64))


def test_a_fractional_mask_far_apart_takes_no_more_memory_than_its_frames() -> None:
    fractions = np.zeros((2, 128, 128), dtype=np.float32)
    fractions[:, :4, :4] = 1.0
    fractions[:, 4, 4] = 0.2
    kind = hd.seg.SegmentationTypeValues.FRACTIONAL
    mask = Mask(moved(seg([fractions], (1.0, 1.0, 1.0), kind=kind), 4_000.0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert mask.size(1).volume_mm3 == pytest.approx(2 * (16 + 0.2), rel=1e-3)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10


def test_a_ragged_outline_is_as_soon_measured_as_a_smooth_one(monkeypatch: pytest.MonkeyPatch) -> None:
    board = np.zeros((1, 400, 400), dtype=bool)
    board[0, ::2, ::2] = True
    whole, given = segments.convex_hull, list[int]()

    def counted(points: list[segments.Point]) -> list[segments.Point]:
        given.append(len(points))
        return whole(points)

    monkeypatch.setattr(segments, "convex_hull", counted)
    assert Mask(seg([board], (1.0, 1.0, 1.0))).size(1).long_axis_mm == pytest.approx(np.hypot(398, 399))
    assert max(given) <= 6 * 400


def test_the_segments_of_one_document_are_bounded_and_each_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    size = Mask.size

    def counted(mask: Mask, number: int) -> segments.SegmentSize:
        looked.append(number)
        return size(mask, number)

    monkeypatch.setattr(Mask, "size", counted)
    content = seg([box((8, 30, 30), (2, 4, 4)), box((8, 30, 30), (4, 8, 8))], (1.0, 1.0, 1.0))
    place = {"sop": "1.2.826.0.1.3680043.10.1561.6.2.1", "series": "1.2.826.0.1.3680043.10.1561.6.2"}
    lesions = [
        {"id": f"L{one}", "finding": "mass", "segment": {**place, "number": 1 + one % 2, "sourceSeries": "1.2.3"}}
        for one in range(6)
    ]
    tables = vocabulary()
    coded = code_report(read(make_body(lesions=lesions), default_sender="local", limits=Limits()), tables)
    # An SR may show one lesion in several groups; two lesions that are one segment are not measured.
    uids = [lesion.tracking_uid for lesion in coded.lesions[:2]] * 3
    one_of_two = zip(coded.lesions, uids, strict=True)
    coded = replace(coded, lesions=tuple(replace(lesion, tracking_uid=uid) for lesion, uid in one_of_two))
    assert all(lesion.measurements for lesion in measured(coded, [content], tables).lesions)
    assert looked == [1, 2]
    few = measured(coded, [content], tables, Limits(measured_voxels=Mask(content).voxels))
    assert [bool(lesion.measurements) for lesion in few.lesions] == [True, False] * 3
    why = {loss.why for loss in few.losses if loss.rule == "mask-unmeasured"}
    assert why == {"the masks have more than limits.measured_voxels: not measured."}
