"""What is due is found by an index, however much was sent before and however much waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from service.store.delivery_rows import BACKFILL
from service.store.queues import Pace
from service.store.reports import Store
from service.store.stalls import stalled
from service.store.tables import DELIVERIES
from tests.unit.store.kept import keep

SETTLED, WAITING = 3000, 1500
NAMES = [column.name for column in DELIVERIES.c if column.name not in {"id", "open", "state", "settled"}]
COPIES = """
INSERT INTO deliveries (id, open, state, settled, {names})
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {copies})
SELECT 'copy-' || {open} || '-' || n, {open}, CASE {open} WHEN 1 THEN 'queued' ELSE 'verified' END, NULL, {values}
FROM deliveries, counted WHERE deliveries.id LIKE 'pacs-%'
"""


@pytest.fixture
def full(database_url: str) -> Iterator[Store]:
    """A store in which much was sent and much waits, and the database knows it."""
    store = Store(database_url)
    store.migrate()
    keep(store)
    with store._engine.begin() as connection:
        [highest] = connection.execute(text("SELECT max(position) FROM deliveries")).scalars()
        for offset, (is_open, copies) in enumerate(((0, SETTLED), (1, WAITING))):
            named = {name: name for name in NAMES} | {"position": f"{highest + offset * SETTLED} + n"}
            said = COPIES.format(names=", ".join(named), values=", ".join(named.values()), open=is_open, copies=copies)
            connection.execute(text(said))
        connection.execute(text("ANALYZE deliveries"))
    yield store
    store.close()


@contextmanager
def plans(store: Store) -> Iterator[list[str]]:
    """How the database goes about each statement on deliveries that the block runs."""
    found: list[str] = []

    def look(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM deliveries" not in statement or statement.startswith("EXPLAIN"):
            return
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
        found.append("\n".join(str(row[-1]) for row in rows))

    event.listen(store._engine, "before_cursor_execute", look)
    try:
        yield found
    finally:
        event.remove(store._engine, "before_cursor_execute", look)


def is_direct(plan: str) -> bool:
    """Whether the whole table is neither read nor sorted."""
    return not any(said in plan for said in ("Seq Scan on deliveries", "SCAN deliveries\n", "Sort", "TEMP B-TREE"))


@pytest.mark.parametrize(
    "pace",
    [Pace(8, 8), Pace(8, 8, rate=100), Pace(8, 8, backfill=False), Pace(8, 8, backfill_rate=BACKFILL)],
    ids=["no rate", "rate", "window shut", "backfill rate"],
)
def test_what_is_due_next_is_read_from_an_index_in_its_order(full: Store, pace: Pace) -> None:
    with plans(full) as found, full.runs.feeding() as feed:
        assert feed is not None
        assert len(feed.due("pacs", pace)) == 8
    assert found
    assert all(is_direct(plan) for plan in found), found
    assert any("ix_deliveries_waiting" in plan for plan in found), found


def test_whether_anything_waits_is_read_from_an_index(full: Store) -> None:
    with plans(full) as found:
        assert full.runs.waits(["ehr", "pacs"])
        assert not full.runs.waits(["ehr"])
    assert len(found) == 2
    assert all("ix_deliveries_waiting" in plan and is_direct(plan) for plan in found), found


def test_what_workflows_have_is_read_from_an_index(full: Store) -> None:
    with plans(full) as found:
        assert full.runs.stale() == ()
    assert all("ix_deliveries_open" in plan for plan in found), found


def test_whether_a_destination_stands_still_is_read_from_indexes(full: Store) -> None:
    with plans(full) as found:
        assert not stalled(full._engine, full.now(), "ehr")
    assert found
    assert all(is_direct(plan) for plan in found), found


def test_the_length_of_each_queue_is_counted_in_an_index(full: Store) -> None:
    with plans(full) as found:
        [(destination, (waiting, _))] = full.deliveries.queues().items()
    assert (destination, waiting) == ("pacs", WAITING + 1)
    [plan] = found
    assert "ix_deliveries_open" in plan, plan
