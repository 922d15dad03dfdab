"""How often a caller may ask, counted for all processes of a deployment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from service.store.database import transaction
from service.store.reports import Store

ASK = """
import sys
from service.store.reports import Store
store = Store(sys.argv[1])
print(sum(store.rates.take("north", 40) == 0 for _ in range(40)))
"""


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Store]:
    """An embedded store that goes by that clock; a server goes by its own."""
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('timed') / 'x.sqlite3'}", clock)
    made.migrate()
    yield made
    made.close()


def test_as_many_as_a_minute_may_have_then_one_after_the_other(timed: Store, clock: Clock) -> None:
    assert [timed.rates.take("north", 6) for _ in range(6)] == [0.0] * 6
    assert timed.rates.take("north", 6) == pytest.approx(10)
    clock.go(4)
    assert timed.rates.take("north", 6) == pytest.approx(6)
    clock.go(6)
    assert timed.rates.take("north", 6) == 0
    assert timed.rates.take("north", 6) == pytest.approx(10)
    clock.go(3600)
    assert [timed.rates.take("north", 6) == 0 for _ in range(7)] == [True] * 6 + [False]


def test_for_long_no_more_than_the_bound_a_minute(timed: Store, clock: Clock) -> None:
    taken = 0
    for _ in range(600):
        taken += timed.rates.take("north", 30) == 0
        clock.go(1)
    assert taken == 30 + 600 * 30 // 60 - 1


def test_a_clock_that_goes_back_shuts_nobody_out(timed: Store, clock: Clock) -> None:
    for _ in range(6):
        timed.rates.take("north", 6)
    clock.go(-7200)
    assert timed.rates.take("north", 6) == 0


def test_callers_do_not_share(store: Store) -> None:
    assert [store.rates.take(name, 1) == 0 for name in ("north", "south", "north")] == [True, True, False]


def test_one_statement_a_request(store: Store) -> None:
    said: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    store.rates.take("north", 5)
    assert len([one for one in said if not one.startswith("BEGIN")]) == 1


def test_two_processes_let_through_no_more_than_one(store: Store, database_url: str) -> None:
    command = [sys.executable, "-c", ASK, database_url]
    began = datetime.now(UTC)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(subprocess.run, command, capture_output=True, text=True, timeout=120) for _ in range(2)]
        taken = [int(run.result().stdout) for run in runs]
    passed = (datetime.now(UTC) - began).total_seconds()
    assert 40 <= sum(taken) <= 40 + passed * 40 / 60 + 1
    assert sum(taken) < 80


def test_rows_that_say_nothing_any_more_are_removed(timed: Store, clock: Clock) -> None:
    for number in range(600):
        timed.rates.take(f"address 10.0.0.{number}", 60)
        clock.go(1)
    with transaction(timed._engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM rates")).scalar_one() <= 100
