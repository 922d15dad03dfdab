"""Shapes: line, bidirectional, polygon and point on an image, and the shapes in space."""

from collections.abc import Iterable
from typing import Any, ClassVar

from service.domain.codes import Term
from service.domain.geometry import POINTS_2D, POINTS_3D, Graphic, Graphic3D, LesionImage, Region2D, Region3D
from service.domain.quick import interpreted
from service.formats.findings.fields import Member, choose, objects, too_long, uid
from service.formats.findings.members import refuse_member
from service.formats.findings.points import MILLIMETRES, PIXELS, bare_point, points, points_schema
from service.formats.findings.rules import Rule
from service.formats.findings.terms import TERM, term
from service.formats.reading import Reading

_MEASUREMENT: dict[str, object] = {**TERM, "description": "The measurement of the lesion that this shows."}


def _shape_schema(graphic: Graphic) -> dict[str, object]:
    points = points_schema(PIXELS, *POINTS_2D[graphic])
    return {
        "type": "object",
        "properties": {"points": points, "measurement": _MEASUREMENT},
        "required": ["points"],
        "additionalProperties": False,
    }


def _one_or_many(*schemas: dict[str, object], description: str) -> dict[str, object]:
    return {"anyOf": [*schemas, {"type": "array", "items": schemas[0]}], "description": description}


def _plain(graphic: Graphic, description: str) -> dict[str, object]:
    bare = points_schema(PIXELS, *POINTS_2D[graphic])
    flat = [bare["items"]] if graphic is Graphic.POINT else []
    return _one_or_many(_shape_schema(graphic), bare, *flat, description=description)  # type: ignore[arg-type]  # a schema, as points_schema writes it


_AXIS: dict[str, object] = {"anyOf": [points_schema(PIXELS, 2, 2), _shape_schema(Graphic.LINE)]}
_BIDIRECTIONAL: dict[str, object] = {
    "type": "object",
    "properties": {"long": _AXIS, "short": _AXIS},
    "required": ["long", "short"],
    "additionalProperties": False,
}
SHAPES: dict[str, object] = {
    "line": _plain(Graphic.LINE, "Two points."),
    "bidirectional": _one_or_many(_BIDIRECTIONAL, description="Long and short axis, two points each."),
    "polygon": _plain(Graphic.POLYGON, "A closed outline of three points or more."),
    "point": _plain(Graphic.POINT, "One point."),
}
"""The shapes of an image and what OpenAPI says of them; in the order in which they are kept, however they came."""


def _shape(graphic: Graphic, value: Any, where: str, reading: Reading) -> Region2D[Term] | None:
    """A shape by its members, or its bare points."""
    before = reading.found
    made: Any = None
    shown: Term | None = None
    bounds, closed = POINTS_2D[graphic], graphic is Graphic.POLYGON
    if type(value) is list:
        if graphic is Graphic.POINT and value and type(value[0]) is not list:
            made = bare_point(value, where, reading, PIXELS)
        else:
            made = points(value, where, reading, PIXELS, bounds, closed=closed)
    elif type(value) is dict:
        for name, item in value.items():
            if name == "points":
                made = points(item, f"{where}/points", reading, PIXELS, bounds, closed=closed)
            elif name == "measurement":
                shown = term(item, f"{where}/measurement", reading)
            else:
                refuse_member(name, where, reading, {"points": 0, "measurement": 0})
        if "points" not in value:
            reading.refuse(f"{where}/points", Rule.REQUIRED, "Give the points.")
    else:
        reading.refuse_type(where, value, "an object with points, or a list of such objects")
    return None if reading.found != before else Region2D(graphic, made, shown, where)


_AXES = {"long": "long axis", "short": "short axis"}


def _bidirectional(value: Any, where: str, reading: Reading) -> list[Region2D[Term] | None]:
    """Two lines; each is assumed to show the axis of its name unless it says another measurement."""
    if type(value) is not dict:
        reading.refuse_type(where, value, "an object with long and short, or a list of such objects")
        return []
    for name in value:
        if name not in _AXES:
            refuse_member(name, where, reading, _AXES)
    made: list[Region2D[Term] | None] = []
    for name, shows in _AXES.items():
        place = f"{where}/{name}"
        if name not in value:
            reading.refuse(place, Rule.REQUIRED, "Give both axes; a single one is a line.")
            continue
        region = _shape(Graphic.LINE, value[name], place, reading)
        if region is not None and region.measurement is None:
            region = Region2D(region.graphic, region.points, Term(shows, None, place), place)
        made.append(region)
    return made


def without_dangling(images: tuple[LesionImage[Term], ...], measured: Iterable[str]) -> tuple[LesionImage[Term], ...]:
    """The images, where an axis of a bidirectional shows a measurement only if the sender said so or the lesion has it.

    ``measured`` are the lesion's measurements in words. What was only assumed must not be a reason to refuse.
    """
    known = {name.casefold().replace("-", " ") for name in measured}
    return tuple(
        [LesionImage(shown.image, tuple([_held(region, known) for region in shown.regions])) for shown in images]
    )


def _held(region: Region2D[Term], known: set[str]) -> Region2D[Term]:
    # An assumed measurement has the place of the axis itself.
    shows = region.measurement
    if shows is None or shows.where != region.where or shows.text in known:
        return region
    return Region2D(region.graphic, region.points, None, region.where)


def shapes(name: str, value: Any, where: str, reading: Reading) -> list[Region2D[Term] | None]:
    """One shape or a list of them; a line, polygon or point may also be its bare points."""
    many = type(value) is list and (not value or type(value[0]) is dict)
    if many:
        if too_long(value, where, reading, reading.limits.items):
            return []
        made: list[Region2D[Term] | None] = []
        for index, item in enumerate(value):
            made.extend(shapes(name, item, f"{where}/{index}", reading))
        return made
    if name == "bidirectional":
        return _bidirectional(value, where, reading)
    return [_shape(Graphic(name), value, where, reading)]


_KINDS: dict[str, Any] = {str(kind): kind for kind in Graphic3D}


def _region3d(value: Any, where: str, reading: Reading) -> Region3D | None:
    names = ("frameOfReference", "kind", "points")
    if type(value) is not dict:
        reading.refuse_type(where, value, "an object with frameOfReference, kind and points")
        return None
    before = reading.found
    for name in value:
        if name not in names:
            refuse_member(name, where, reading, dict.fromkeys(names))
    for name in names:
        if name not in value:
            reading.refuse(f"{where}/{name}", Rule.REQUIRED, "Give this member.")
    if not set(names) <= value.keys():
        return None
    frame = uid(value["frameOfReference"], f"{where}/frameOfReference", reading)
    kind: Any = choose(value["kind"], f"{where}/kind", reading, _KINDS)
    if frame is None or kind is None:
        return None
    made: Any = points(
        value["points"], f"{where}/points", reading, MILLIMETRES, POINTS_3D[kind], closed=kind is Graphic3D.POLYGON
    )
    if reading.found != before:
        return None
    try:
        return Region3D(frame, kind, made, where)
    except ValueError as error:  # all else that it holds was asked above
        reading.refuse(f"{where}/points", Rule.SHAPE, f"These points are no {kind}: {error}.")
        return None


@interpreted
class Regions3D(Member):
    """Shapes in millimetres, patient coordinates."""

    describes: ClassVar[dict[str, object]] = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "frameOfReference": {
                    "type": "string",
                    "description": "Frame of Reference UID of the images.",
                },
                "kind": {"type": "string", "enum": list(_KINDS)},
                "points": points_schema(MILLIMETRES, 1, 100_000),
            },
            "required": ["frameOfReference", "kind", "points"],
            "additionalProperties": False,
        },
    }

    def read(self, value: Any, where: str, reading: Reading) -> tuple[Region3D, ...] | None:
        """The shapes in the order they came."""
        return objects(_region3d, value, where, reading, reading.limits.items)
