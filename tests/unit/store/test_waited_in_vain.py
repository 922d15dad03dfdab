"""Who waited in vain for another transaction is told for what, and what to do; SQLite has one writer, and says that."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import text

from service.domain.errors import Unavailable
from service.store import database
from service.store.database import transaction
from service.store.reports import Store
from tests.unit.store.kept import ID, make_draft
from tests.unit.store.test_keeping_at_once import ACCESSION, REPORT, WAITS_S, holding, until_so_many_wait

BLOCKED = "end that transaction (which one it is pg_stat_activity and pg_blocking_pids() tell)"


def impatient(url: str, setting: str) -> Store:
    """A store whose server waits 100 ms."""
    return Store(f"{url}&options=-c%20{setting}%3D100")


@contextmanager
def hearing(said: list[str]) -> Iterator[None]:
    """Take down why the database could not be used."""
    try:
        yield
    except Unavailable as error:
        said.extend(problem.detail for problem in error.problems)


def told(raised: pytest.ExceptionInfo[Unavailable]) -> str:
    (problem,) = raised.value.problems
    assert problem.rule == "database"
    return problem.detail


@pytest.mark.parametrize(("lock", "what"), [(REPORT, "a row of the table reports"), (ACCESSION, "a lock")])
def test_what_was_waited_for_is_said(store: Store, database_url: str, lock: str, what: str) -> None:
    store.keep(make_draft(1))
    with (
        holding(store, lock),
        closing(impatient(database_url, "lock_timeout")) as other,
        pytest.raises(Unavailable) as raised,
    ):
        other.keep(make_draft(2, predecessor=ID.format(1)))
    said = told(raised)
    assert said.startswith(f"another transaction has {what} for longer than lock_timeout lets this one wait: ask again")
    assert said.endswith(BLOCKED)


def test_two_that_wait_for_each_other_are_told_so(store: Store, database_url: str) -> None:
    for number in (1, 2):
        store.keep(make_draft(number, report_id=f"R{number}"))
    first, second = REPORT, REPORT.replace("R1", "R2")

    def other() -> str:
        with closing(Store(database_url)) as mine, transaction(mine._engine, writes=True) as connection:
            connection.execute(text(second))
            connection.execute(text(first))
        return ""

    said: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        with hearing(said), holding(store, first) as connection:
            waits = pool.submit(other)
            until_so_many_wait(store, 1)
            connection.execute(text(second))
        with hearing(said):
            waits.result(WAITS_S)
    (why,) = said
    assert why.startswith("two transactions waited for each other, this one for a row of the table reports")


def test_a_statement_that_takes_too_long_is_told_so(store: Store, database_url: str) -> None:
    with (
        holding(store, "SELECT 1"),
        closing(impatient(database_url, "statement_timeout")) as other,
        pytest.raises(Unavailable) as raised,
        transaction(other._engine) as connection,
    ):
        connection.execute(text("SELECT pg_sleep(5)"))
    assert "statement_timeout" in told(raised)


def test_a_writer_of_sqlite_that_waited_in_vain_is_told_so(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has many writers")
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    with (
        transaction(store._engine, writes=True),
        closing(Store(database_url)) as other,
        pytest.raises(Unavailable) as raised,
    ):
        other.keep(make_draft(1))
    assert told(raised) == "another process has been writing into the database for too long: ask again"
