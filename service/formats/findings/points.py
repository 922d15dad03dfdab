"""Points: pixels from the top left corner of the first one (PS3.3 C.18.6), or millimetres (PS3.3 C.18.9)."""

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

from service.formats.findings.rules import Rule
from service.formats.reading import Reading

PIXELS, MILLIMETRES = 2, 3
"""Numbers of one point."""
_AXES = {PIXELS: "[column, row]", MILLIMETRES: "[x, y, z]"}
_FLOAT32_MOST = 3.4028234663852886e38  # Graphic Data is FL (PS3.3 C.18.6)
_NUMBER_TYPES = frozenset({int, Decimal, float})  # float: from a text that another parser read

Points = tuple[tuple[float, ...], ...]


def points_schema(axes: int, fewest: int, most: int) -> dict[str, object]:
    """What OpenAPI says of a list of points."""
    number: dict[str, object] = {"type": "number", "minimum": 0} if axes == PIXELS else {"type": "number"}
    point = {"type": "array", "items": number, "minItems": axes, "maxItems": axes}
    bounds = {"minItems": fewest, **({"maxItems": most} if most == fewest else {})}
    return {"type": "array", "items": point, **bounds}


def points(
    value: Any, where: str, reading: Reading, axes: int, bounds: tuple[int, int], *, closed: bool = False
) -> Points | None:
    """Points of ``axes`` finite numbers that hold as float32; ``bounds`` are the fewest and most of them.

    Of a ``closed`` shape the last point is left out where it repeats the first one.
    """
    if type(value) is not list:
        reading.refuse_type(where, value, "a list of points")
        return None
    fewest, most = bounds
    most = min(most, reading.limits.points)
    if len(value) > most + 1:  # one more may close the shape
        reading.refuse(where, Rule.POINTS, f"Give at most {most} points.")
        return None
    numbers = _coordinates(value, axes)
    if not _within(numbers, 0 if axes == PIXELS else -_FLOAT32_MOST):
        _refuse_points(value, where, reading, axes)
        return None
    made: Points = tuple(zip(*[iter(numbers)] * axes, strict=True))
    if closed and len(made) > 1 and made[0] == made[-1]:
        made = made[:-1]
    if not fewest <= len(made) <= most:
        many = str(fewest) if fewest == most else f"{fewest} to {most}"
        reading.refuse(where, Rule.POINTS, f"Give {many} point{'' if fewest == most == 1 else 's'}.")
        return None
    return made


def _coordinates(value: list[Any], axes: int) -> list[Any]:
    """The numbers of all points as floats, one after another; none where one of them is no point."""
    made: list[Any] = []
    for point in value:
        if type(point) is not list or len(point) != axes:
            return []
        for number in point:
            if type(number) not in _NUMBER_TYPES:
                return []
            try:
                made.append(number if type(number) is float else float(number))
            except OverflowError:  # an integer beyond all floats
                return []
    return made


def _within(numbers: list[Any], least: float) -> bool:
    """Whether there are numbers, finite ones from ``least`` to the largest float32."""
    # What is not finite makes the sum so, and only numbers that are refused anyway make it too large.
    return bool(numbers) and isfinite(sum(numbers)) and min(numbers) >= least and max(numbers) <= _FLOAT32_MOST


def bare_point(value: list[Any], where: str, reading: Reading, axes: int) -> Points | None:
    """One point that stands for itself, not in a list."""
    before = reading.found
    _refuse_point(value, where, reading, axes)
    return None if reading.found != before else (tuple(map(float, value)),)


def _refuse_points(value: Sequence[Any], where: str, reading: Reading, axes: int) -> None:
    """Point at each coordinate that is wrong."""
    if not value:
        reading.refuse(where, Rule.POINTS, f"Give the points as {_AXES[axes]}.")
    for index, point in enumerate(value):
        _refuse_point(point, f"{where}/{index}", reading, axes)


def _refuse_point(point: Any, where: str, reading: Reading, axes: int) -> None:
    if type(point) is not list:
        reading.refuse_type(where, point, f"a point as {_AXES[axes]}")
    elif len(point) != axes:
        reading.refuse(where, Rule.POINTS, f"Give a point as {_AXES[axes]}: {axes} numbers.")
    else:
        for axis, number in enumerate(point):
            _refuse_coordinate(number, f"{where}/{axis}", reading, axes)


def _refuse_coordinate(number: Any, where: str, reading: Reading, axes: int) -> None:
    if type(number) not in _NUMBER_TYPES:
        reading.refuse_type(where, number, "a number")
    elif not -_FLOAT32_MOST <= number <= _FLOAT32_MOST:  # nor is NaN; abs() would round, and overflow
        reading.refuse(where, Rule.COORDINATE, "Give a coordinate that a 32-bit float can hold.")
    elif axes == PIXELS and number < 0:
        reading.refuse(where, Rule.COORDINATE, "Give pixels from 0, the top left corner of the first pixel.")
