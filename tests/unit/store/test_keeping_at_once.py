"""What a version is held to while others wait beside it: nothing that was looked at is old when it is written."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import Connection, text

from service.domain.errors import Conflict
from service.store.database import transaction
from service.store.reports import Store, Taken
from service.store.versions import Draft
from tests.unit.store.kept import ID, make_draft

WAITS_S = 120.0
"""Nothing here takes so long, unless who should wait does not."""
ACCESSION = "SELECT pg_advisory_xact_lock(hashtext('local/A481'))"
REPORT = "SELECT id FROM reports WHERE report_id = 'R1' FOR UPDATE"


def outcome(url: str, draft: Draft) -> str:
    """Keep a version on a connection of its own; what became of it."""
    with closing(Store(url)) as store:
        try:
            store.keep(draft)
        except Taken:
            return "taken"
        except Conflict as refused:
            return refused.problems[0].rule
        return "kept"


@contextmanager
def holding(store: Store, lock: str) -> Iterator[Connection]:
    """Hold what others wait for; SQLite has one writer, so there is nothing to wait for."""
    if store._engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    with transaction(store._engine, writes=True) as connection:
        connection.execute(text(lock))
        yield connection


def until_so_many_wait(store: Store, number: int) -> None:
    """Return once so many sessions wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    until = time.monotonic() + WAITS_S
    while time.monotonic() < until:
        with transaction(store._engine) as connection:
            if connection.execute(waiting).scalar() == number:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def after_waiting(store: Store, url: str, lock: str, *drafts: Draft, meanwhile: Draft | None = None) -> list[str]:
    """Keep drafts that come one after the other while something is held, and another one that waits for nothing."""
    with ThreadPoolExecutor(len(drafts)) as pool:
        found: list[Future[str]] = []
        with holding(store, lock):
            for draft in drafts:
                found.append(pool.submit(outcome, url, draft))
                until_so_many_wait(store, len(found))
            if meanwhile is not None:
                store.keep(meanwhile)
        return [one.result(WAITS_S) for one in found]


def test_a_version_that_waited_does_not_follow_one_that_is_no_longer_the_newest(
    store: Store, database_url: str
) -> None:
    store.keep(make_draft(1))
    both = (make_draft(2, predecessor=ID.format(1)), make_draft(3, predecessor=ID.format(1)))
    assert after_waiting(store, database_url, REPORT, *both) == ["kept", "taken"]


@pytest.mark.parametrize(("patient", "becomes"), [("PID", "kept"), ("OTHER", "version-patient")])
def test_a_report_that_was_made_while_one_waited_is_one_patients(
    store: Store, database_url: str, patient: str, becomes: str
) -> None:
    # The other one is a later version without an accession number: it follows none, and neither does this one.
    made = replace(make_draft(2), patient_id=patient, accession=None)
    assert after_waiting(store, database_url, ACCESSION, make_draft(1), meanwhile=made) == [becomes]


def test_a_report_that_was_removed_while_one_waited_is_made_anew(store: Store, database_url: str) -> None:
    store.keep(replace(make_draft(2), accession=None))
    with ThreadPoolExecutor(1) as pool:
        with holding(store, REPORT) as connection:
            later = pool.submit(outcome, database_url, make_draft(1))
            until_so_many_wait(store, 1)
            for table in ("outputs", "versions", "reports"):
                connection.execute(text(f"DELETE FROM {table}"))
        assert later.result(WAITS_S) == "kept"
    assert [one.version for one in store.versions(ID.format(1))] == [1]


def test_an_accession_number_that_was_used_while_one_waited_is_one_patients(store: Store, database_url: str) -> None:
    first = make_draft(1)
    other = replace(make_draft(2, report_id="R2", version=1), patient_id="OTHER")
    assert after_waiting(store, database_url, ACCESSION, first, other) == ["kept", "accession-patient"]


def test_reports_and_accession_numbers_in_any_order_never_wait_in_a_ring(store: Store, database_url: str) -> None:
    store.keep(make_draft(1))
    store.keep(make_draft(2, report_id="R2", version=1))
    crossed = list(product(["R1", "R2"], ["A481", "A482"])) * 3

    def insisting(numbered: tuple[int, tuple[str, str]]) -> str:
        number, (report, accession) = numbered
        for _ in range(len(crossed)):
            before = store.newest_before("local", report, number)
            assert before is not None
            draft = make_draft(number, report_id=report, predecessor=before.id, id=f"id-{number}")
            if (became := outcome(database_url, replace(draft, accession=accession))) != "taken":
                return became
        return "taken"

    with ThreadPoolExecutor(len(crossed)) as pool:
        found = list(pool.map(insisting, enumerate(crossed, 3)))
    assert found == ["kept"] * len(crossed)
