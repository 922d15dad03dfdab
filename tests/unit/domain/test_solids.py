import math
import struct

import pytest

from service.domain.geometry import Graphic3D, Region3D
from service.domain.solids import ROUNDED_MM, ROUNDED_PIXELS, Point, axes_fault, plane_fault

TILTED = (math.cos(0.4), math.sin(0.4) * math.cos(1.1), math.sin(0.4) * math.sin(1.1))
ACROSS = (-math.sin(0.4), math.cos(0.4) * math.cos(1.1), math.cos(0.4) * math.sin(1.1))
"""Two directions at right angles, of an oblique slice."""


def on_slice(right: float, down: float, far: float = 0.0) -> tuple[float, float, float]:
    x, y, z = (far + right * one + down * other for one, other in zip(TILTED, ACROSS, strict=True))
    return x, y, z


def outline(far: float = 0.0, size: float = 20.0) -> list[Point]:
    turns = [2 * math.pi * number / 24 for number in range(24)]
    return [on_slice(size * math.cos(turn), size / 2 * math.sin(turn), far) for turn in turns]


def as_float32(points: list[Point]) -> list[Point]:
    return [struct.unpack("<3f", struct.pack("<3f", *point)) for point in points]


def to_tenths(points: list[Point]) -> list[Point]:
    return [tuple(round(number, 1) for number in point) for point in points]


@pytest.mark.parametrize("size", [0.2, 1.0, 20.0, 300.0])
@pytest.mark.parametrize("rounded", [as_float32, to_tenths])
def test_an_outline_of_an_oblique_slice_may_be_rounded(rounded: object, size: float) -> None:
    assert callable(rounded)
    assert plane_fault(rounded(outline(size=size))) is None


@pytest.mark.parametrize("far", [0.0, 1e4, 1e7])
def test_an_outline_far_from_the_origin_is_only_as_exact_as_a_float32(far: float) -> None:
    assert plane_fault(as_float32(outline(far))) is None


def test_refuses_one_corner_out_of_the_plane() -> None:
    points = outline()
    x, y, z = points[5]
    points[5] = (x + 0.5, y + 0.5, z + 0.5)
    assert plane_fault(points) is not None
    assert plane_fault(((0, 0, 0), (4, 0, 0), (2, 1, 0), (3, -1, 5))) is not None


@pytest.mark.parametrize(
    "corners",
    [[(0, 0), (9, 9), (9, 0), (0, 9)], [(0, 0), (1, 0), (5, 0), (9, 0)], [(3, 3)] * 4, [(0, 0), (4, 0), (4, 4)]],
)
def test_an_outline_may_cross_itself_or_be_a_line(corners: list[tuple[float, float]]) -> None:
    assert plane_fault([on_slice(*corner) for corner in corners]) is None


@pytest.mark.parametrize(
    "points",
    [
        [(-17.0, 27.44, -70.0), (23.0, 13.0, -56.6), (-38.8, 17.7, -77.2), (9.06, -46.62, -61.3)],
        [(14.5, -20.0, 188.2), (-20.53, -31.6, 184.2), (35.0, 2.6, 179.9), (33.3, -7.0, 185.8), (-47.36, 20.35, 140.7)],
    ],
)
def test_an_outline_that_crosses_itself_may_be_rounded(points: list[Point]) -> None:
    """Its corners, to tenths, tilt the plane of three of them away from the others."""
    assert plane_fault(points) is None
    x, y, z = points[0]
    assert plane_fault([(x, y, z + 1.0), *points[1:]]) is not None


def ellipse(*, slant: float = 0.0, shift: float = 0.0, minor: float = 8.0) -> list[Point]:
    return [on_slice(-15, 0), on_slice(15, 0), on_slice(-slant + shift, -minor), on_slice(slant + shift, minor)]


@pytest.mark.parametrize("rounded", [as_float32, to_tenths])
def test_an_ellipse_may_be_rounded(rounded: object) -> None:
    assert callable(rounded)
    assert axes_fault(rounded(ellipse()), ROUNDED_MM) is None


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (ellipse(slant=3), "right angles"),
        (ellipse(shift=2), "halve"),
        (ellipse(minor=16), "major"),
        ([*ellipse(), *as_float32([(0, 0, -3), (0, 0, 3)])], "right angles"),
    ],
)
def test_refuses_axes_of_no_ellipse(points: list[Point], why: str) -> None:
    assert why in str(axes_fault(points, ROUNDED_MM))


def test_axes_of_a_circle_have_no_order() -> None:
    assert axes_fault(ellipse(minor=15), ROUNDED_MM) is None


def test_axes_on_an_image_may_be_off_by_a_pixel() -> None:
    assert axes_fault([(0, 5), (10, 5), (4, 3), (6, 7)], ROUNDED_PIXELS) is None
    assert axes_fault([(0, 50), (100, 50), (30, 20), (70, 80)], ROUNDED_PIXELS) is not None


@pytest.mark.parametrize("graphic", [Graphic3D.POLYLINE, Graphic3D.MULTIPOINT])
def test_other_shapes_need_no_plane(graphic: Graphic3D) -> None:
    points = ((0.0, 0.0, 0.0), (4.0, 0.0, 0.0), (2.0, 1.0, 0.0), (3.0, -1.0, 5.0))
    assert Region3D("1.2", graphic, points).points == points
    with pytest.raises(ValueError, match="plane"):
        Region3D("1.2", Graphic3D.POLYGON, points)
