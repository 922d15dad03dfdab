"""The size of one segment of a DICOM SEG: volume, and long and short axis in the plane of its frames, in millimetres.

- Volume: the voxels of the segment times the volume of one, which is the determinant of the affine matrix, so it holds
  for oblique planes and for voxels of three different lengths. Of a fractional segment each voxel counts by its
  fraction.
- Long axis: the longest diameter of the segment's outline in any frame. The outline runs half a pixel outside the
  centres of the outermost pixels, along rows and columns.
- Short axis: the longest chord of the same outline's convex hull at a right angle to the long axis.

A segment that is one frame has axes; it has a volume where the SEG says how thick the frame is.
"""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
_HALF: Final = 0.5
"""The fraction from which a voxel of a fractional segment belongs to its outline."""
MOST_VOXELS: Final = 2**28
"""Of a volume that is looked at: a small file may name places that are far apart."""
Point = tuple[float, float]


class Unmeasurable(ValueError):
    """A SEG or segment that can't be measured; says why."""


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """In millimetres and cubic millimetres; ``volume_mm3`` is None where the frame has no thickness."""

    long_axis_mm: float
    short_axis_mm: float
    volume_mm3: float | None


@dataclass(frozen=True, slots=True)
class Axes:
    """A longest diameter and the longest chord at a right angle to it."""

    long: float
    short: float


class Mask:
    """One SEG instance."""

    __slots__ = ("_seg", "sop_instance")

    def __init__(self, content: bytes) -> None:
        """Read it; raises Unmeasurable for what is no segmentation."""
        from highdicom.seg import segread

        try:
            self._seg: Any = segread(BytesIO(content))
            self.sop_instance = str(self._seg.SOPInstanceUID)
        except Exception as error:
            raise Unmeasurable("the file is no DICOM segmentation that can be read") from error

    def size(self, number: int) -> SegmentSize:
        """The size of the segment of a number; raises Unmeasurable where it is not there, empty or has no geometry."""
        if number not in self._seg.segment_numbers:
            raise Unmeasurable(f"the segmentation has no segment {number}")
        try:
            geometry = self._seg.get_volume_geometry(allow_missing_positions=True)
            fits = geometry is not None and math.prod(geometry.spatial_shape) <= MOST_VOXELS
        except Exception as error:
            raise Unmeasurable("the frames have no regular places in space") from error
        if not fits:
            raise Unmeasurable("the frames have no regular places in space, or fill more of it than can be held")
        try:
            volume = self._seg.get_volume(segment_numbers=[number], rescale_fractional=True)
        except Exception as error:
            raise Unmeasurable("the frames have no regular places in space") from error
        array: np.ndarray[Any, Any] = volume.array[..., 0]
        if not array.any():
            raise Unmeasurable("the segment is empty")
        column_mm, row_mm = (float(volume.spacing[2]), float(volume.spacing[1]))
        found = [axes_of(plane >= _HALF, row_mm, column_mm) for plane in array if (plane >= _HALF).any()]
        if not found:
            raise Unmeasurable("no voxel of the segment is half or more of it")
        longest = max(found, key=lambda axes: axes.long)
        cube = float(volume.voxel_volume) if self._is_thick(len(array)) else None
        return SegmentSize(longest.long, longest.short, None if cube is None else float(array.sum()) * cube)

    def _is_thick(self, frames: int) -> bool:
        """Whether the distance of the frames is known: from their places, or from what the SEG says of one frame."""
        if frames > 1:
            return True
        shared = self._seg.get("SharedFunctionalGroupsSequence", [None])[0]
        measures = shared.get("PixelMeasuresSequence", [None])[0] if shared is not None else None
        return measures is not None and bool(measures.get("SpacingBetweenSlices") or measures.get("SliceThickness"))


def axes_of(plane: Any, row_mm: float, column_mm: float) -> Axes:
    """The axes of a mask in one plane; ``row_mm`` is the distance of its rows, ``column_mm`` of its columns."""
    hull = convex_hull(_outline(plane, row_mm, column_mm))
    long, direction = _diameter(hull)
    return Axes(long, _chord(hull, direction))


def _outline(plane: Any, row_mm: float, column_mm: float) -> list[Point]:
    """Points half a pixel outside the pixels that lie at an edge, first rows then columns (in millimetres)."""
    import numpy as np

    padded = np.pad(plane, 1)
    inside = padded[1:-1, 1:-1]
    points: list[Point] = []
    for rows, columns in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        beside = padded[1 + rows : padded.shape[0] - 1 + rows, 1 + columns : padded.shape[1] - 1 + columns]
        at = np.argwhere(inside & ~beside)
        points += [((row + rows / 2) * row_mm, (column + columns / 2) * column_mm) for row, column in at.tolist()]
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
