"""Workers that come to the last part of a batch in the same moment: one has it, the other one what is next."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from service.store.batches import PartDue
from service.store.database import transaction
from service.store.reports import Store
from tests.unit.store.test_batch_turns import batch

TOGETHER_S = 60.0


def claimed_at_once(store: Store, held: str, workers: int) -> list[tuple[PartDue, ...]]:
    """What so many workers get that have chosen a batch, and wait for it, while its last part is free."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(workers) as pool:
        with transaction(store._engine, writes=True) as connection:
            connection.execute(text("SELECT id FROM batches WHERE id = :batch FOR UPDATE"), {"batch": held})
            claims = [pool.submit(store.batches.claim, 1) for _ in range(workers)]
            for _ in range(6000):
                with store._engine.connect() as looking:
                    if looking.execute(waiting).scalar() == workers:
                        break
                threading.Event().wait(0.01)
            else:
                raise AssertionError("they do not come to this batch")
        return [one.result(TOGETHER_S) for one in claims]


@pytest.fixture
def server(database_url: str) -> None:
    """PostgreSQL, where workers come at once."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("workers", [2, 4])
def test_one_takes_the_last_part_and_the_others_find_nothing(store: Store, workers: int) -> None:
    last = batch(store, "hospital a", 1)
    found = claimed_at_once(store, last, workers)
    assert sorted(found, reverse=True) == [(PartDue(last, 0, 1),), *[()] * (workers - 1)]


@pytest.mark.usefixtures("server")
def test_who_comes_late_takes_what_another_sender_waits_for(store: Store) -> None:
    last, other = batch(store, "hospital a", 1), batch(store, "hospital b", 3)
    found = claimed_at_once(store, last, 2)
    assert {one.batch for some in found for one in some} == {last, other}
