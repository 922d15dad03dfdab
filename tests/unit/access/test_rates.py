"""Rates: shared where the database is there, each process for itself while it is away, nothing without a bound."""

import pytest

from service.access.rates import Rates
from service.domain.errors import Problem, Throttled, Unavailable


def away(_name: str, _most: int) -> float:
    raise Unavailable(Problem("", "database", "away"))


def test_a_caller_without_a_bound_is_not_counted() -> None:
    asked: list[str] = []

    def shared(name: str, _most: int) -> float:
        asked.append(name)
        return 0.0

    Rates(0, shared).count("north", 0)
    assert asked == []


def test_a_bound_of_its_own_counts_more_than_that_of_all() -> None:
    asked: list[tuple[str, int]] = []

    def shared(name: str, most: int) -> float:
        asked.append((name, most))
        return 0.0

    rates = Rates(60, shared)
    rates.count("north", 0)
    rates.count("south", 5)
    assert asked == [("north", 60), ("south", 5)]


@pytest.mark.parametrize(("left", "wait"), [(0.2, 1), (9.01, 10)])
def test_says_when_to_come_back_in_whole_seconds(left: float, wait: int) -> None:
    with pytest.raises(Throttled) as raised:
        Rates(6, lambda _name, _most: left).count("north", 0)
    assert raised.value.after_s == wait


def test_while_the_database_is_away_a_process_counts_for_itself() -> None:
    rates = Rates(2, away)
    rates.count("north", 0)
    rates.count("north", 0)
    with pytest.raises(Throttled) as raised:
        rates.count("north", 0)
    assert 1 <= raised.value.after_s <= 61
    rates.count("south", 0)
