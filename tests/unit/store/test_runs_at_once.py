"""Runs that are taken back while somebody else holds a report, on PostgreSQL: SQLite has one writer."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from service.store.database import transaction
from service.store.deliveries import hold
from service.store.queues import Due
from service.store.reports import Store
from tests.runs import hand_out
from tests.unit.store.kept import keep, planned

TOGETHER_S = 60.0
"""Nothing here takes so long, unless those who should meet do not."""


def test_whoever_takes_runs_back_holds_one_report_at_a_time(kept: Store, database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer")
    keep(kept, 1, report="R1")
    keep(kept, 2, planned(2), report="R2")
    runs = [Due("pacs-2", 1, 0), Due("pacs-1", 1, 0)]
    hand_out(kept, *runs)
    locks = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with transaction(kept.deliveries.engine, writes=True) as connection:
            hold(connection, kept.deliveries.get("pacs-1").report)
            freed = pool.submit(kept.runs.freed, runs)
            for _ in range(6000):
                if freed.done() or connection.execute(locks).scalar():
                    break
                threading.Event().wait(0.01)
            assert not freed.done()
            assert kept.deliveries.get("pacs-2").fed is None
            hold(connection, kept.deliveries.get("pacs-2").report)  # it is not waited for
        freed.result(TOGETHER_S)
    assert kept.deliveries.get("pacs-1").fed is None
