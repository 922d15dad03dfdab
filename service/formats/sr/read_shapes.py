"""Shapes, images and segments of anybody's SR as the report has them.

A report knows points, lines and polygons in pixels. What is the same in other words becomes those and nothing is said:
a closed POLYLINE, a MULTIPOINT. A CIRCLE or ELLIPSE becomes a polygon, an open path its lines, and that is flagged.
"""

import math
import struct
from itertools import pairwise
from typing import Final

from service.domain.codes import Term
from service.domain.geometry import (
    SEGMENTATION,
    Graphic,
    Graphic3D,
    ImageReference,
    LesionImage,
    Point2D,
    Region2D,
    Region3D,
    SegmentReference,
)
from service.domain.solids import ROUNDED_PIXELS, axes_fault
from service.domain.sop_classes import is_no_image
from service.domain.uids import derive_uid, is_uid
from service.formats.sr.content import Graphic as Drawn
from service.formats.sr.content import Node, Referenced
from service.formats.sr.read_notes import Notes

CORNERS: Final = 72
"""Of the polygon that stands for a circle or an ellipse; its area is 0.13 % smaller."""
_CIRCLE: Final = (2, "CIRCLE")
_ELLIPSE: Final = (4, "ELLIPSE")


def short(number: float) -> float:
    """The shortest decimal that is this single precision number: 102.3, not 102.30000305175781."""
    if number * 8 == int(number * 8) if math.isfinite(number) else True:
        return number
    for digits in (6, 7, 8):
        said = float(f"{number:.{digits}g}")
        if struct.unpack("<f", struct.pack("<f", said))[0] == number:
            return said
    return number


class Shown:
    """The images of one lesion with the shapes on them, in the order in which they come."""

    __slots__ = ("_images", "_notes", "regions3d")

    def __init__(self, notes: Notes) -> None:
        """Begin with none."""
        self._notes = notes
        self._images: dict[ImageReference, list[Region2D[Term]]] = {}
        self.regions3d: list[Region3D] = []

    def images(self) -> tuple[LesionImage[Term], ...]:
        """The images, in the order of the image library where it has them."""
        last = len(self._notes.places)
        order = sorted(self._images, key=lambda image: self._notes.places.get(image.sop_instance, last))
        return tuple(LesionImage(image, tuple(self._images[image])) for image in order)

    def image(self, node: Node) -> ImageReference | None:
        """An image that shows the lesion; None, and listed, where it can't be referred to."""
        made = image_reference(self._notes, node)
        if made is not None:
            self._images.setdefault(made, [])
        return made

    def shape(self, node: Node, measurement: Term | None) -> ImageReference | None:
        """A shape in pixels, with the image that it lies on."""
        value = node.value
        below = next((one for one in map(self._notes.reached, node.children) if one.kind == "IMAGE"), None)
        if below is None:
            self._notes.skip(node, "no image is said that the shape lies on", "sr-shape-without-image")
            return None
        if not isinstance(value, Drawn):
            self._notes.skip(node, "the shape has no graphic data", "sr-graphic-data")
            return None
        image = image_reference(self._notes, below)
        if image is None:
            self._notes.skip(node, "the image that it lies on can't be referred to", "sr-shape-without-image")
            return None
        for child in node.children:
            child.taken = child.taken or self._notes.reached(child) is below
        try:
            regions = _regions(self._notes, node, value, measurement)
        except ValueError as error:
            self._notes.skip(node, str(error), "sr-graphic-data")
            regions = []
        node.taken = True
        self._images.setdefault(image, []).extend(regions)
        return image

    def solid(self, node: Node) -> None:
        """A shape in millimetres."""
        value = node.value
        try:
            if not isinstance(value, Drawn):
                raise ValueError("the shape has no graphic data")
            self.regions3d.append(_region3d(node, value))
            node.taken = True
        except ValueError as error:
            self._notes.skip(node, str(error), "sr-graphic-data")


def image_reference(notes: Notes, node: Node) -> ImageReference | None:
    """The instance that an IMAGE item refers to, with the series and study that the evidence has for it."""
    value = node.value
    if not isinstance(value, Referenced) or not is_uid(value.sop_instance):
        notes.skip(node, "it refers to no SOP instance (PS3.3 C.18.4)", "sr-reference")
        return None
    known = notes.instances.get(value.sop_instance)
    sop_class = _class_of(notes, node, value)
    if not is_uid(sop_class):
        notes.skip(node, "the SOP class of the instance is not said", "sr-reference")
        return None
    if is_no_image(sop_class):
        notes.skip(node, "the instance is no image (PS3.3 C.18.4)", "sr-reference")
        return None
    if known is not None:
        _, series, study = known
    else:
        series, study = stand_in_series(notes, node, value.sop_instance), notes.study
    if value.more and not node.taken:
        notes.several(node.path, value.sop_instance, value.more, "SOP instance")
    frames = tuple(frame for frame in value.frames if frame > 0)
    if len(frames) < len(value.frames):
        notes.flag(node.path, "frame", "a frame number that is none is left out", "sr-frame")
    own = None if study == notes.study else study
    try:
        made = ImageReference(sop_class, value.sop_instance, series, own, frames, node.path)
    except ValueError:
        notes.flag(node.path, "frame", "an image of this class has one frame; its number is left out", "sr-frame")
        made = ImageReference(sop_class, value.sop_instance, series, own, (), node.path)
    node.taken = True
    return made


def _class_of(notes: Notes, node: Node, value: Referenced) -> str:
    """The SOP class of an instance, which has one: what an item said of it first, else the evidence."""
    known = notes.instances.get(value.sop_instance)
    said = value.sop_class if is_uid(value.sop_class) else (known[0] if known is not None else "")
    taken = notes.classes.setdefault(value.sop_instance, said)
    if said != taken and not node.taken:
        why = f"another item says {taken}, which is taken: an instance has one SOP class"
        notes.flag(node.path, said, why, "sr-reference")
    return taken


def stand_in_series(notes: Notes, node: Node, instance: str) -> str:
    """A series UID derived where the evidence does not have the instance."""
    why = "the evidence sequences do not have the instance: its series UID is derived, and none that an archive knows"
    notes.lack(node.path, "series of the instance", why, "sr-unknown-series")
    return derive_uid("unknown-series", notes.study, instance)


def segment(notes: Notes, node: Node, sources: list[Node]) -> SegmentReference | None:
    """A segment of a SEG instance, with the series that it was made from."""
    value = node.value
    if not isinstance(value, Referenced) or not is_uid(value.sop_instance):
        notes.skip(node, "it refers to no SOP instance (PS3.3 C.18.4)", "sr-reference")
        return None
    if not value.segments or value.segments[0] < 1:
        notes.skip(node, "no segment number is said", "sr-segment")
        return None
    known = notes.instances.get(value.sop_instance)
    if value.sop_class not in ("", SEGMENTATION) or _class_of(notes, node, value) not in ("", SEGMENTATION):
        notes.skip(node, "the instance is no segmentation", "sr-segment")
        return None
    if known is not None and known[2] != notes.study:
        notes.skip(node, f"the segmentation is of another study, {known[2]}, which a lesion can't name", "sr-segment")
        return None
    series = known[1] if known is not None else stand_in_series(notes, node, value.sop_instance)
    source = None
    for one in sources:
        if source is None and isinstance(one.value, str) and is_uid(one.value):
            source, one.taken = one.value, True
        else:
            notes.skip(one, "a segment has one source series, a UID", "sr-segment-source")
    if len(value.segments) > 1:
        more = ", ".join(map(str, value.segments[1:]))
        notes.flag(node.path, f"segments {more}", "a lesion has one segment; these are left out", "sr-segment")
    if value.frames:
        notes.flag(node.path, "frames", "a segment is referred to as a whole; its frames are left out", "sr-segment")
    node.taken = True
    return SegmentReference(value.sop_instance, series, value.segments[0], source, node.path)


def _points(numbers: tuple[float, ...]) -> list[Point2D]:
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a coordinate is no finite number")
    if not numbers or len(numbers) % 2:
        raise ValueError("the shape has no whole points")
    said = [short(number) for number in numbers]
    return list(zip(said[::2], said[1::2], strict=True))


def _regions(notes: Notes, node: Node, drawn: Drawn, measurement: Term | None) -> list[Region2D[Term]]:
    """What a SCOORD is in shapes of the report; raises ValueError where it is none (PS3.3 C.18.6.1.2)."""
    points, kind = _points(drawn.numbers), drawn.graphic_type
    if kind in ("POINT", "MULTIPOINT"):
        return [Region2D(Graphic.POINT, (point,), measurement, node.path) for point in points]
    if (len(points), kind) in (_CIRCLE, _ELLIPSE):
        fault = axes_fault(points, ROUNDED_PIXELS) if kind == "ELLIPSE" else None
        if fault is not None:
            raise ValueError(f"the points are no ellipse: {fault} (PS3.3 C.18.6.1.2)")
        why = f"{kind} is held as a polygon of {CORNERS} corners"
        notes.flag(node.path, kind, why, "sr-shape-as-polygon")
        corners = _circle(*points) if kind == "CIRCLE" else _ellipse(*points)
        return [Region2D(Graphic.POLYGON, corners, measurement, node.path)]
    if kind in ("POLYLINE", "POLYGON"):
        return _path(notes, node, points, measurement, closed=kind == "POLYGON")
    raise ValueError(f"{len(points)} points are no {kind or 'shape'}")


def _path(
    notes: Notes, node: Node, points: list[Point2D], measurement: Term | None, *, closed: bool
) -> list[Region2D[Term]]:
    """A line, a polygon where it ends where it begins, else its lines one by one."""
    if len(points) > 2 and (closed or points[0] == points[-1]):
        corners = points[:-1] if points[0] == points[-1] else points
        if len(corners) > 2:
            return [Region2D(Graphic.POLYGON, tuple(corners), measurement, node.path)]
        points = corners
    if len(points) == 1:
        return [Region2D(Graphic.POINT, (points[0],), measurement, node.path)]
    if len(points) > 2:
        notes.flag(node.path, "POLYLINE", "an open path is held as its lines, one by one", "sr-path-as-lines")
    return [Region2D(Graphic.LINE, (begin, end), measurement, node.path) for begin, end in pairwise(points)]


def _circle(center: Point2D, rim: Point2D) -> tuple[Point2D, ...]:
    """CIRCLE: its centre and a point on it."""
    radius = math.dist(center, rim)
    return tuple((center[0] + radius * math.cos(turn), center[1] + radius * math.sin(turn)) for turn in _turns())


def _ellipse(one: Point2D, other: Point2D, up: Point2D, down: Point2D) -> tuple[Point2D, ...]:
    """ELLIPSE: the ends of its major axis, then of its minor one."""
    center = ((one[0] + other[0]) / 2, (one[1] + other[1]) / 2)
    major = ((other[0] - one[0]) / 2, (other[1] - one[1]) / 2)
    minor = ((down[0] - up[0]) / 2, (down[1] - up[1]) / 2)
    return tuple(
        (
            center[0] + major[0] * math.cos(turn) + minor[0] * math.sin(turn),
            center[1] + major[1] * math.cos(turn) + minor[1] * math.sin(turn),
        )
        for turn in _turns()
    )


def _turns() -> list[float]:
    return [2 * math.pi * number / CORNERS for number in range(CORNERS)]


def _region3d(node: Node, drawn: Drawn) -> Region3D:
    """A SCOORD3D; raises ValueError where it is no shape (PS3.3 C.18.9.1.2)."""
    try:
        kind = Graphic3D(drawn.graphic_type.lower())
    except ValueError as error:
        raise ValueError(f"no Graphic Type {drawn.graphic_type[:16] or '(none)'} in space") from error
    if not all(map(math.isfinite, drawn.numbers)):
        raise ValueError("a coordinate is no finite number")
    if not drawn.numbers or len(drawn.numbers) % 3:
        raise ValueError("the shape has no whole points")
    said = [short(number) for number in drawn.numbers]
    points = list(zip(said[::3], said[1::3], said[2::3], strict=True))
    if kind is Graphic3D.POLYGON and len(points) > 3 and points[0] == points[-1]:
        points.pop()
    if not is_uid(drawn.frame_of_reference):
        raise ValueError("the shape has no frame of reference")
    return Region3D(drawn.frame_of_reference, kind, tuple(points), node.path)
