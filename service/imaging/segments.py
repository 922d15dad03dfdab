"""The size of one segment of a DICOM SEG: volume, and long and short axis in the plane of its frames, in millimetres.

- Volume: the voxels of the segment times the volume of one, which is the determinant of the affine matrix, so it holds
  for oblique planes and for voxels of three different lengths. Of a fractional segment each voxel counts by its
  fraction.
- Long axis: the longest diameter of the segment's outline in any frame. The outline runs half a pixel outside the
  centres of the outermost pixels, along rows and columns.
- Short axis: the longest chord of the same outline's convex hull at a right angle to the long axis.

A segment that is one frame has axes; it has a volume where the SEG says how thick the frame is. Of several frames there
is none where slices may be missing in between. All numbers that these are calculated from are looked at first
(`service.imaging.measures`).
"""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from service.domain.limits import Limits
from service.imaging.files import plain
from service.imaging.frames import check_frames, is_compressed
from service.imaging.measures import check, gap, thickness_mm
from service.imaging.tiles import check_tiles
from service.imaging.whose import Tracked, Whose, tracked, whose

SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
_LABELS: Final = "LABELMAP"
_HALF: Final = 0.5
"""The fraction from which a voxel of a fractional segment belongs to its outline."""
_UNREADABLE: Final = "the file is no DICOM segmentation that can be read"
_DAMAGED: Final = "its compressed frames can't be unpacked"
_IRREGULAR: Final = "the frames have no regular places in space"
Point = tuple[float, float]


class Unmeasurable(ValueError):
    """A SEG or segment that can't be measured; says why."""


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """In millimetres and cubic millimetres; ``volume_mm3`` says why where there is no volume."""

    long_axis_mm: float
    short_axis_mm: float
    volume_mm3: float | str


@dataclass(frozen=True, slots=True)
class Axes:
    """A longest diameter and the longest chord at a right angle to it."""

    long: float
    short: float


class Mask:
    """One SEG instance. ``voxels`` fill the space around its frames, and are looked at for each segment.

    A small file may unpack to many frames, or name places that are far apart: all is counted before it is held.
    """

    __slots__ = ("_bits", "_kind", "_limits", "_seg", "sop_instance", "voxels")

    def __init__(self, content: bytes, limits: Limits | None = None) -> None:
        """Read it; raises Unmeasurable for what is no segmentation, or past a limit."""
        from highdicom.seg import segread

        self._limits = limits or Limits()
        try:
            held = plain(content, self._limits.body_bytes)
        except ValueError as error:
            raise Unmeasurable(str(error)) from error
        try:
            self._seg: Any = segread(BytesIO(held))
            self.sop_instance = str(self._seg.SOPInstanceUID)
            self._kind, self._bits = str(self._seg.SegmentationType), int(self._seg.BitsAllocated)
            pixels = int(self._seg.NumberOfFrames) * int(self._seg.Rows) * int(self._seg.Columns)
        except Exception as error:
            raise Unmeasurable(_why_unreadable(held)) from error
        try:
            check(self._seg)
            check_tiles(self._seg)
            check_frames(self._seg)
        except ValueError as error:
            raise Unmeasurable(str(error)) from error
        if pixels > self._limits.mask_voxels:
            raise Unmeasurable("its frames have more pixels than limits.mask_voxels")
        self.voxels = self._space()

    def _space(self) -> int:
        """The voxels of the space around the frames; 0 where they have no regular places."""
        try:
            geometry = self._seg.get_volume_geometry(allow_missing_positions=True)
        except Exception:  # noqa: BLE001 - whatever it is, the segments can't be measured, which is said of each
            return 0
        return math.prod(geometry.spatial_shape) if geometry is not None else 0

    def whose(self) -> Whose:
        """The study, series and patient that it says it is of."""
        return whose(self._seg)

    def tracked(self, number: int) -> Tracked:
        """The lesion that the segment of a number says it is."""
        return tracked(self._seg, number)

    def size(self, number: int) -> SegmentSize:
        """The size of the segment of a number; raises Unmeasurable where it is not there, empty or has no geometry."""
        import numpy as np

        volume, whole = self._volume(number), self._whole()
        array: np.ndarray[Any, Any] = volume.array == number if self._kind == _LABELS else volume.array[..., 0]
        filled = np.flatnonzero(array.reshape(len(array), -1).any(axis=1))
        if not len(filled):
            raise Unmeasurable("the segment is empty")
        if any(array[plane].max() > whole for plane in filled):
            raise Unmeasurable(f"the segment has voxels above {whole}, the most of its segmentation type")
        half = _HALF * whole
        drawn = [plane for plane in filled if (array[plane] >= half).any()]
        if not drawn:
            raise Unmeasurable("no voxel of the segment is half or more of it")
        column_mm, row_mm = (float(volume.spacing[2]), float(volume.spacing[1]))
        found = [axes_of(array[plane] >= half, row_mm, column_mm) for plane in drawn]
        longest = max(found, key=lambda axes: axes.long)
        thick_mm = self._thick_mm(len(array), float(volume.spacing[0]))
        if isinstance(thick_mm, str):
            return SegmentSize(longest.long, longest.short, thick_mm)
        voxels = sum(int(array[plane].sum(dtype=np.int64)) for plane in filled) / whole
        one = float(volume.voxel_volume) * thick_mm / float(volume.spacing[0])
        return SegmentSize(longest.long, longest.short, voxels * one)

    def _thick_mm(self, planes: int, apart_mm: float) -> float | str:
        """How thick a plane of the space around the frames is, or why that is not known."""
        if planes > 1:
            return gap(self._seg, apart_mm) or apart_mm
        # The library takes 1 mm for the distance of one frame from nothing.
        thick_mm = thickness_mm(self._seg)
        if thick_mm is None:
            return "nothing says how thick its one frame is"
        return gap(self._seg, thick_mm) or thick_mm

    def _volume(self, number: int) -> Any:
        """The voxels as they are stored: those of the segment; of a label map all, each the number of its segment."""
        if number not in self._seg.segment_numbers:
            raise Unmeasurable(f"the segmentation has no segment {number}")
        if not self.voxels:
            raise Unmeasurable(_IRREGULAR)
        if self.voxels > self._limits.mask_voxels:
            raise Unmeasurable("the space around its frames has more voxels than limits.mask_voxels")
        if self._bits > (16 if self._kind == _LABELS else 8):
            raise Unmeasurable(f"its pixels have {self._bits} bits, more than those of its segmentation type")
        try:
            if self._kind == _LABELS:
                # highdicom looks for one segment of it by the lower 8 bits of the pixels.
                return self._seg.get_volume(combine_segments=True, dtype="uint16")
            return self._seg.get_volume(segment_numbers=[number], rescale_fractional=False)
        except Exception as error:
            raise Unmeasurable(_DAMAGED if is_compressed(self._seg) else _IRREGULAR) from error

    def _whole(self) -> int:
        """The value of a voxel that is all of the segment, above which there is none (PS3.3 C.8.20.2, C.8.20.2.3).

        Maximum Fractional Value where the type is FRACTIONAL, else 1; raises Unmeasurable where that value is no use.
        """
        if self._kind != "FRACTIONAL":
            return 1
        most = self._seg.get("MaximumFractionalValue")
        if not isinstance(most, int) or most < 1:
            raise Unmeasurable("the fractional segmentation has no Maximum Fractional Value of 1 or more")
        return most


def _why_unreadable(content: bytes) -> str:
    """What of its numbers is none, where that is what the library failed at."""
    from pydicom import dcmread

    try:
        check(dcmread(BytesIO(content), stop_before_pixels=True))
    except ValueError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - it was not readable before; this only looks for a better word
        return _UNREADABLE
    return _UNREADABLE


def axes_of(plane: Any, row_mm: float, column_mm: float) -> Axes:
    """The axes of a mask in one plane; ``row_mm`` is the distance of its rows, ``column_mm`` of its columns."""
    hull = convex_hull(_outline(plane, row_mm, column_mm))
    long, direction = _diameter(hull)
    return Axes(long, _chord(hull, direction))


def _outline(plane: Any, row_mm: float, column_mm: float) -> list[Point]:
    """Points half a pixel outside the first and the last pixel of each row (in millimetres).

    All other pixels lie between these, so the convex hull is that of the whole outline, however ragged a mask is.
    """
    import numpy as np

    rows = np.flatnonzero(plane.any(axis=1))
    first = plane[rows].argmax(axis=1).tolist()
    last = (plane.shape[1] - 1 - plane[rows, ::-1].argmax(axis=1)).tolist()
    points: list[Point] = []
    for row, left, right in zip(rows.tolist(), first, last, strict=True):
        points += [(row * row_mm, (left - _HALF) * column_mm), (row * row_mm, (right + _HALF) * column_mm)]
        points += [((row + side) * row_mm, at * column_mm) for at in (left, right) for side in (-_HALF, _HALF)]
    return points


def convex_hull(points: list[Point]) -> list[Point]:
    """The corners of the convex hull, counter-clockwise (monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered

    def half(run: list[Point]) -> list[Point]:
        made: list[Point] = []
        for point in run:
            while len(made) > 1 and _turn(made[-2], made[-1], point) <= 0:
                made.pop()
            made.append(point)
        return made[:-1]

    return half(ordered) + half(ordered[::-1])


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _diameter(hull: list[Point]) -> tuple[float, Point]:
    """The greatest distance of two corners, and its direction."""
    best, direction = 0.0, (1.0, 0.0)
    for number, one in enumerate(hull):
        for other in hull[number + 1 :]:
            far = math.dist(one, other)
            if far > best:
                best, direction = far, ((other[0] - one[0]) / far, (other[1] - one[1]) / far)
    return best, direction


def _chord(hull: list[Point], direction: Point) -> float:
    """The longest chord at a right angle; chords grow and shrink linearly, so one through a corner is longest."""
    ends = [*hull[1:], hull[0]]
    longest = 0.0
    for corner in hull:
        at = corner[0] * direction[0] + corner[1] * direction[1]
        heights = []
        for one, other in zip(hull, ends, strict=True):
            a = one[0] * direction[0] + one[1] * direction[1] - at
            b = other[0] * direction[0] + other[1] * direction[1] - at
            if a * b > 0 or a == b:
                continue
            share = a / (a - b)
            x, y = one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
            heights.append(y * direction[0] - x * direction[1])
        if heights:
            longest = max(longest, max(heights) - min(heights))
    return longest
