"""Masks of shapes that can be calculated: volume and axes in millimetres, whatever the planes and the voxels."""

import math

import numpy as np
import pytest

from service.imaging.segments import Mask, Unmeasurable, axes_of, convex_hull
from tests.seg_files import box, ellipsoid, seg

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.5, 0.8), (0.7, 1.2, 0.4)]


@pytest.mark.parametrize("degrees", [0.0, 27.0])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_an_ellipsoid_has_its_volume_and_axes(spacing: tuple[float, float, float], degrees: float) -> None:
    radii = (9.0, 8.0, 14.0)
    shape = tuple(math.ceil(2.4 * radius / step) for radius, step in zip(radii, spacing, strict=True))
    assert len(shape) == 3
    size = Mask(seg([ellipsoid(shape, spacing, radii)], spacing, degrees)).size(1)
    assert size.volume_mm3 == pytest.approx(4 / 3 * math.pi * math.prod(radii), rel=0.02)
    assert size.long_axis_mm == pytest.approx(28, abs=max(spacing[1:]))
    assert size.short_axis_mm == pytest.approx(16, abs=max(spacing[1:]))


@pytest.mark.parametrize("degrees", [0.0, 33.0])
def test_a_box_has_exactly_its_volume(degrees: float) -> None:
    spacing = (2.5, 0.75, 1.25)
    size = Mask(seg([box((8, 30, 30), (3, 12, 20))], spacing, degrees)).size(1)
    assert size.volume_mm3 == pytest.approx(3 * 12 * 20 * 2.5 * 0.75 * 1.25, rel=1e-6)


def test_axes_lie_at_right_angles_in_the_plane() -> None:
    """An ellipse turned by 30 degrees in the plane."""
    rows, columns = np.indices((200, 200)) - 99.5
    turn = math.radians(30)
    across = (columns * math.cos(turn) + rows * math.sin(turn)) / 60
    along = (rows * math.cos(turn) - columns * math.sin(turn)) / 25
    axes = axes_of(across**2 + along**2 <= 1, 0.5, 0.5)
    assert axes.long == pytest.approx(60, abs=0.6)
    assert axes.short == pytest.approx(25, abs=0.6)


def test_the_outline_runs_half_a_pixel_outside() -> None:
    one = np.zeros((5, 5), dtype=bool)
    one[2, 2] = True
    axes = axes_of(one, 2.0, 1.0)
    assert (axes.long, axes.short) == (2.0, 1.0)


def test_each_segment_has_its_own_size() -> None:
    mask = Mask(seg([box((8, 30, 30), (2, 4, 4)), box((8, 30, 30), (4, 8, 8))], (1.0, 1.0, 1.0)))
    assert [mask.size(number).volume_mm3 for number in (1, 2)] == [pytest.approx(32), pytest.approx(256)]


def test_what_can_not_be_measured_says_why() -> None:
    with pytest.raises(Unmeasurable):
        Mask(b"no segmentation")
    mask = Mask(seg([box((8, 30, 30), (2, 4, 4))], (1.0, 1.0, 1.0)))
    with pytest.raises(Unmeasurable, match="no segment 7"):
        mask.size(7)


def test_a_hull_has_its_corners_only() -> None:
    assert convex_hull([(0, 0), (1, 1), (2, 0), (2, 2), (0, 2), (1, 0)]) == [(0, 0), (2, 0), (2, 2), (0, 2)]
