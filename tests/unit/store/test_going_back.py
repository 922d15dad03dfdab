"""What is said before the tables go back to an older step: whether that list knows all that goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from service.store.database import STEPS, migrate, open_engine
from service.store.going_back import BROUGHT, losses
from service.store.reports import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


WITH_COLUMNS = ("versions", "outputs", "reports", "batches")
"""Tables that later steps may bring columns for."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database of the newest step."""
    made = open_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    migrate(made)
    yield made
    made.dispose()


def there(engine: Engine) -> set[tuple[str, str]]:
    """All tables, and all columns of those that every step has."""
    found = inspect(engine)
    names = set(found.get_table_names())
    columns = {(name, one["name"]) for name in WITH_COLUMNS if name in names for one in found.get_columns(name)}
    return {(name, "") for name in names} | columns


@pytest.mark.parametrize("step", STEPS[:-1])
def test_all_that_a_step_back_takes_away_is_in_the_list(engine: Engine, step: str) -> None:
    before = there(engine)
    migrate(engine, step)
    after = there(engine)
    # Of a table that goes the columns are not named.
    gone = {(name, part) for name, part in before - after if not part or (name, "") in after}
    listed = {(name, part) for brought, name, part in BROUGHT if brought > step}
    assert gone == {(name, part) for name, part in listed if not part or (name, "") in after}


def test_an_empty_database_and_a_step_forward_lose_nothing(engine: Engine) -> None:
    assert [losses(engine, step, NOW) for step in STEPS] == [()] * len(STEPS)
    assert losses(engine, "nowhere", NOW) == ()


def test_workers_count_while_they_are_heard_of(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'b.sqlite3'}", clock=lambda: NOW)
    store.migrate()
    store.workers.take("token", "name", "revision")
    said = store.lost_with("0008")
    assert [("1 of this deployment's workers live" in one) for one in said] == [True]
    later = Store(f"sqlite:///{tmp_path / 'b.sqlite3'}", clock=lambda: NOW + timedelta(minutes=2))
    assert later.lost_with("0008") == ()
    store.close()
    later.close()
