"""What the points of a shape must be to each other: a polygon lies in a plane, axes of an ellipse halve each other.

PS3.3 C.18.9.1.2: the points of a POLYGON are coplanar; ELLIPSE is the ends of its major axis, then of its minor one;
ELLIPSOID is the ends of three orthogonal axes. It names no tolerance. These are for what was rounded when written down.
"""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Final

Point = tuple[float, ...]
Vector = tuple[float, float, float]

ROUNDED_MM: Final = 0.1
"""How far a point may be off in space: to tenths of a millimetre it is off by up to 0.05 on each axis, 0.087 in all."""
ROUNDED_PIXELS: Final = 1.0
"""How far a point may be off on an image: to whole pixels it is off by up to 0.5 on each axis, 0.71 in all."""
_FLOAT32: Final = 2.0**-23
"""Of a coordinate's size: a 32-bit float is off by up to half of it on each axis, 0.87 of it in all."""
_TURNS: Final = 32
"""How often the direction of the least squares is turned: for points of a plane a few are enough."""


def allowed(points: Sequence[Point], rounded: float) -> float:
    """How far each point may be off: by rounding, and by what a 32-bit float of this size can't tell apart."""
    return rounded + _FLOAT32 * max(abs(number) for point in points for number in point)


def plane_fault(points: Sequence[Point]) -> str | None:
    """Why the points, in millimetres, are not coplanar; None where they are (PS3.3 C.18.9.1.2).

    One plane that holds all of them is enough. That of the area they enclose is tried first; one that crosses itself
    may enclose none, so that of three points far from each other and that of the least squares are tried, too.
    """
    if len(points) < 4:
        return None
    most = allowed(points, ROUNDED_MM)
    centre = _middle(points)
    around = [_from(centre, point) for point in points]
    area = (0.0, 0.0, 0.0)
    for one, other in pairwise([*around, around[0]]):
        area = _sum(area, _cross(one, other))
    if _holds(area, around, most):
        return None
    spread = [_from(points[0], point) for point in points]
    far = max(spread, key=_length)
    across = max((_cross(far, other) for other in spread), key=_length)
    # Points of one line lie in many planes.
    if _length(across) <= most * _length(far) or _holds(across, spread, most):
        return None
    return None if _lies_between(_flattest(around, across), around, most) else "those of a polygon lie in one plane"


def axes_fault(points: Sequence[Point], rounded: float) -> str | None:
    """Why the points are not the ends of axes, pair by pair: they halve each other at right angles; None where so.

    Axes of an ellipse or ellipsoid do so by what the words mean. Of the two of an ellipse the first is the major one
    (PS3.3 C.18.6.1.2, C.18.9.1.2); the three of an ellipsoid have no order.
    """
    most = 2 * allowed(points, rounded)  # both ends of an axis may be off
    axes = [(_middle((begin, end)), _from(begin, end)) for begin, end in zip(points[::2], points[1::2], strict=True)]
    for (one_middle, one), (other_middle, other) in combinations(axes, 2):
        if math.dist(one_middle, other_middle) > most:
            return "its axes halve each other"
        if abs(_dot(one, other)) > most * (_length(one) + _length(other)):
            return "its axes stand at right angles"
    if len(axes) == 2 and _length(axes[0][1]) < _length(axes[1][1]) - 2 * most:
        return "the ends of its major axis come first"
    return None


def _holds(normal: Vector, from_one: Sequence[Point], most: float) -> bool:
    """Whether a plane, through the point that the others are seen from, passes all of them near enough."""
    length = _length(normal)
    return length > 0 and all(abs(_dot(normal, point)) <= most * length for point in from_one)


def _lies_between(normal: Vector, around: Sequence[Point], most: float) -> bool:
    """Whether the plane in the middle between the outermost points passes all of them near enough."""
    heights = [_dot(normal, point) for point in around]
    return max(heights) - min(heights) <= 2 * most * _length(normal)


def _flattest(around: Sequence[Point], begin: Vector) -> Vector:
    """The direction in which points around their middle differ least (least squares), found from one that is near.

    The adjugate of their matrix has the directions of its inverse: what it is applied to turns to the one wanted.
    """
    one, two, three = (
        tuple(math.fsum(point[row] * point[column] for point in around) for column in range(3)) for row in range(3)
    )
    adjugate = (_cross(two, three), _cross(three, one), _cross(one, two))
    normal = begin
    for _ in range(_TURNS):
        turned = tuple(_dot(row, normal) for row in adjugate)
        length = _length(turned)
        if not length:
            break  # points of one line tell no other direction
        normal = (turned[0] / length, turned[1] / length, turned[2] / length)
    return normal


def _length(vector: Point) -> float:
    return math.hypot(*vector)


def _middle(points: Sequence[Point]) -> tuple[float, ...]:
    return tuple(math.fsum(numbers) / len(points) for numbers in zip(*points, strict=True))


def _from(begin: Point, end: Point) -> tuple[float, ...]:
    return tuple(to - of for of, to in zip(begin, end, strict=True))


def _dot(one: Point, other: Point) -> float:
    return math.fsum(first * second for first, second in zip(one, other, strict=True))


def _cross(one: Point, other: Point) -> Vector:
    (a, b, c), (x, y, z) = one, other
    return b * z - c * y, c * x - a * z, a * y - b * x


def _sum(one: Vector, other: Vector) -> Vector:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]
