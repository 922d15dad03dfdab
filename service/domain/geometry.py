"""Images and the places on them.

Pixels are (column, row) from the top left **corner** of the first pixel, whose centre is 0.5, 0.5 (PS3.3 C.18.6);
millimetres are patient coordinates of a frame of reference (PS3.3 C.18.9). Shapes hold as float32 in an SR.
"""

import math
from dataclasses import Field, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, Generic, TypeVar

from service.domain.quick import data_class, interpreted, quickly_made
from service.domain.solids import ROUNDED_MM, axes_fault, plane_fault
from service.domain.uids import check_uid

T = TypeVar("T")
Point2D = tuple[float, float]
Point3D = tuple[float, float, float]


class Graphic(StrEnum):
    """The shapes of a 2D region; a polygon is closed (an SR has it as a closed POLYLINE, PS3.3 C.18.6.1.2)."""

    POINT = "point"
    LINE = "line"
    POLYGON = "polygon"


class Graphic3D(StrEnum):
    """Graphic Type of SCOORD3D (PS3.3 C.18.9.1.2)."""

    POINT = "point"
    MULTIPOINT = "multipoint"
    POLYLINE = "polyline"
    POLYGON = "polygon"
    ELLIPSE = "ellipse"
    ELLIPSOID = "ellipsoid"


POINTS_2D = {Graphic.POINT: (1, 1), Graphic.LINE: (2, 2), Graphic.POLYGON: (3, 100_000)}
"""Fewest and most points of a 2D shape (a polygon without its closing point)."""
POINTS_3D = {
    Graphic3D.POINT: (1, 1),
    Graphic3D.MULTIPOINT: (1, 100_000),
    Graphic3D.POLYLINE: (2, 100_000),
    Graphic3D.POLYGON: (3, 100_000),
    Graphic3D.ELLIPSE: (4, 4),
    Graphic3D.ELLIPSOID: (6, 6),
}
"""Fewest and most points of a 3D shape (a polygon without its closing point)."""


class Region2D(Generic[T]):
    """A shape in pixels, (n, 2); ``measurement`` names the measurement of the lesion that it shows."""

    __slots__ = ("graphic", "measurement", "points", "where")
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(
        self,
        graphic: Graphic,
        points: tuple[Point2D, ...],
        measurement: T | None = None,
        where: str = "",
    ) -> None:
        """Fill it; `data_class` makes the rest of it."""
        self.graphic: Final = graphic
        self.points: Final = points
        self.measurement: Final = measurement
        self.where: Final = where
        self.__post_init__()

    def __post_init__(self) -> None:
        """Hold the number of points of the shape."""
        fewest, most = POINTS_2D[self.graphic]
        if not fewest <= len(self.points) <= most:
            raise ValueError(f"a {self.graphic} has {fewest} to {most} points")


data_class(Region2D)


def extent(region: Region2D[T]) -> Decimal:
    """The length of a line in pixels, the area of a polygon in square pixels (by its corners), to two decimals."""
    points = region.points
    if region.graphic is Graphic.LINE:
        return Decimal(f"{math.dist(*points):.2f}")
    turned = zip(points, (*points[1:], points[0]), strict=True)
    return Decimal(f"{abs(math.fsum(x * below - next_x * y for (x, y), (next_x, below) in turned)) / 2:.2f}")


def fault_in_space(graphic: Graphic3D, points: tuple[Point3D, ...]) -> str | None:
    """Why points of the right number are no such shape, None where they are (PS3.3 C.18.9.1.2)."""
    if graphic is Graphic3D.POLYGON:
        return plane_fault(points)
    if graphic in (Graphic3D.ELLIPSE, Graphic3D.ELLIPSOID):
        return axes_fault(points, ROUNDED_MM)
    return None


@interpreted
@dataclass(frozen=True, slots=True)
class Region3D:
    """A shape in millimetres, (n, 3), patient coordinates of ``frame_of_reference``."""

    frame_of_reference: str
    graphic: Graphic3D
    points: tuple[Point3D, ...]
    where: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Hold the UID, the number of points of the shape, and what they are to each other."""
        check_uid(self.frame_of_reference)
        fewest, most = POINTS_3D[self.graphic]
        if not fewest <= len(self.points) <= most:
            raise ValueError(f"a {self.graphic} has {fewest} to {most} points")
        fault = fault_in_space(self.graphic, self.points)
        if fault is not None:
            raise ValueError(f"{fault} (PS3.3 C.18.9.1.2)")


SINGLE_FRAME = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{tail}"
    for tail in (
        *("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1"),  # CR, DX, mammography, intra-oral
        *("2", "4", "6.1", "7", "128"),  # CT, MR, ultrasound, secondary capture, PET
        *("77.1.1", "77.1.2", "77.1.3", "77.1.4", "77.1.7", "77.1.5.7", "81.1", "82.1"),  # visible light, ophthalmic
    )
)
"""SOP classes of images whose IOD has no Multi-frame module (PS3.3 A)."""


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One SOP instance: ``study`` is the report's own study when None; ``frames`` empty means the whole instance.

    Frame 1 of a single-frame image is the whole of it: only a multi-frame image has frame numbers (PS3.3 C.18.4).
    """

    sop_class: str
    sop_instance: str
    series: str
    study: str | None = None
    frames: tuple[int, ...] = ()
    where: str = field(default="", compare=False)

    def __init__(
        self,
        sop_class: str,
        sop_instance: str,
        series: str,
        study: str | None = None,
        frames: tuple[int, ...] = (),
        where: str = "",
    ) -> None:
        """Fill the native class; in Python `quickly_made` does it."""
        self.sop_class = sop_class  # type: ignore[misc] # read-only for all others
        self.sop_instance = sop_instance  # type: ignore[misc] # likewise
        self.series = series  # type: ignore[misc] # likewise
        self.study = study  # type: ignore[misc] # likewise
        self.frames = frames  # type: ignore[misc] # likewise
        self.where = where  # type: ignore[misc] # likewise
        self.__post_init__()

    def __post_init__(self) -> None:
        """Hold the UIDs; frames count from 1, and a single-frame image has no other."""
        check_uid(self.sop_class)
        check_uid(self.sop_instance)
        check_uid(self.series)
        if self.study is not None:
            check_uid(self.study)
        if any(frame < 1 for frame in self.frames):
            raise ValueError("frames count from 1")
        if self.frames and self.sop_class in SINGLE_FRAME:
            if any(frame > 1 for frame in self.frames):
                raise ValueError("an image of this SOP class has one frame (PS3.3 C.18.4)")
            object.__setattr__(self, "frames", ())


quickly_made(ImageReference)


class LesionImage(Generic[T]):
    """An image that shows a lesion, with the shapes on it."""

    __slots__ = ("image", "regions")
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, image: ImageReference, regions: tuple[Region2D[T], ...] = ()) -> None:
        """Fill it; `data_class` makes the rest of it."""
        self.image: Final = image
        self.regions: Final = regions


data_class(LesionImage)


SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
"""Segmentation Storage (PS3.6 table A-1)."""


@interpreted
@dataclass(frozen=True, slots=True)
class SegmentReference:
    """One segment (``number`` from 1) of a SEG instance, made from ``source_series``."""

    sop_instance: str
    series: str
    number: int
    source_series: str | None = None
    where: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Hold the UIDs and the number."""
        check_uid(self.sop_instance)
        check_uid(self.series)
        if self.source_series is not None:
            check_uid(self.source_series)
        if not 1 <= self.number <= 65_535:
            raise ValueError("a segment number is 1 to 65535")
