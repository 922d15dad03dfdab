"""A step of the tables while others use them: nobody waits long behind it, and nothing ends in a ring."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from service.domain.errors import Unavailable
from service.store import database
from service.store.database import HEAD, transaction
from service.store.keeping import asked_of, held, write
from service.store.reports import Store
from tests.unit.store.kept import ID, make_draft

BEFORE = "0011"


@pytest.fixture
def at_once(store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The program that migrates, beside one that works; pauses are short, and so is what a step waits."""
    if store._engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    monkeypatch.setattr(database, "STEP_WAITS", "300ms")
    monkeypatch.setattr(database, "PAUSES_S", (0.1, 0.2, 0.4))
    with closing(Store(database_url)) as other:
        other.migrate(BEFORE)
        yield other


def test_a_step_that_waits_for_a_backup_keeps_nobody_waiting(store: Store, at_once: Store) -> None:
    store.keep(make_draft(1))
    with transaction(store._engine) as backup, ThreadPoolExecutor(2) as pool:
        backup.execute(text("SELECT 1 FROM outputs"))
        migrating = pool.submit(at_once.migrate)
        while not migrating.done():
            assert pool.submit(store.output, ID.format(1), "sr").result(60).content
        with pytest.raises(Unavailable) as refused:
            migrating.result()
        assert "lesionbridge migrate" in refused.value.problems[0].detail
        assert at_once.faults()
    assert at_once.migrate() == (BEFORE, HEAD)


def test_a_step_is_made_once_the_backup_has_ended(
    store: Store, at_once: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PAUSES_S", (0.1,) * 100)
    with ThreadPoolExecutor(1) as pool:
        with transaction(store._engine) as backup:
            backup.execute(text("SELECT 1 FROM outputs"))
            migrating = pool.submit(at_once.migrate)
            with pytest.raises(TimeoutError):
                migrating.result(0.5)
        assert migrating.result(60) == (BEFORE, HEAD)


@pytest.mark.parametrize("to", [HEAD, BEFORE])
def test_a_report_that_is_being_kept_and_a_step_wait_in_no_ring(
    store: Store, at_once: Store, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STEP_WAITS", "20s")
    if to == BEFORE:
        at_once.migrate()
    draft = make_draft(1)
    looked = threading.Event()

    def keep() -> None:
        with transaction(store._engine, writes=True) as connection:
            seen = held(connection, asked_of(draft))
            looked.set()
            threading.Event().wait(0.2)  # the step asks for its tables meanwhile
            write(connection, draft, seen)

    with ThreadPoolExecutor(1) as pool:
        keeping = pool.submit(keep)
        assert looked.wait(30)
        assert at_once.migrate(to)
        keeping.result(30)
    assert store.get(ID.format(1)).version == 1
