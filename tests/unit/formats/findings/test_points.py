"""Coordinates that another parser read: numbers that JSON does not have, and the ends of a float32."""

from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from service.domain.limits import Limits
from service.formats.findings.points import MILLIMETRES, PIXELS, points
from service.formats.reading import Reading

_MOST = 3.4028234663852886e38


@pytest.mark.parametrize("wrong", [nan, inf, -inf, -0.5, 1e39, 10**400, True, None, "1", [1.0]])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_points_at_a_coordinate_that_is_none(wrong: Any, place: int) -> None:
    reading = Reading(Limits())
    said: list[list[Any]] = [[1.0, 2], [Decimal(3), 4.5], [5.5, 6.0]]
    said[place][1] = wrong

    assert points(said, "/line", reading, PIXELS, (3, 3)) is None
    assert [problem.pointer for problem in reading.problems] == [f"/line/{place}/1"]


@pytest.mark.parametrize("wrong", [[], [1.0], [1.0, 2.0, 3.0], "12", {"x": 1, "y": 2}, None])
def test_points_at_what_is_no_point(wrong: Any) -> None:
    reading = Reading(Limits())

    assert points([[1.0, 2.0], wrong], "/line", reading, PIXELS, (2, 2)) is None
    assert [problem.pointer for problem in reading.problems] == ["/line/1"]


def test_takes_numbers_of_every_kind_to_the_ends_of_a_float32() -> None:
    reading = Reading(Limits())
    said = [[_MOST, -_MOST, 0], [Decimal("1.5"), -2, _MOST], [_MOST, _MOST, -0.0]]

    assert points(said, "/points", reading, MILLIMETRES, (3, 3)) == (
        (_MOST, -_MOST, 0.0),
        (1.5, -2.0, _MOST),
        (_MOST, _MOST, 0.0),
    )
    assert not reading.found
