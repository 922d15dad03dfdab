"""A merge of patients while versions are kept beside it: each is found under the surviving id, whoever was first."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from service.domain.errors import Unavailable
from service.store import keeping, patients
from service.store.database import transaction
from service.store.patients import KeptId
from service.store.reports import Store
from service.store.versions import Draft
from tests.unit.store.kept import ID, make_draft
from tests.unit.store.test_keeping_at_once import WAITS_S, holding, outcome, until_so_many_wait

PRIOR, SURVIVOR = KeptId("PID", "HOSP"), KeptId("NEW", "HOSP")
KEEPING = "SELECT pg_advisory_xact_lock_shared(3, 0)"


def merged(url: str) -> str:
    """Merge on a connection of its own."""
    with closing(Store(url)) as store:
        store.patients.merge(SURVIVOR, PRIOR)
        return "merged"


def found(store: Store, patient: str = "NEW") -> list[int]:
    """The versions that a search for an id finds."""
    return sorted(one.version for one in store.search({"patient_id": patient}, limit=9))


def settled(store: Store, waits: Future[str]) -> None:
    """Return once somebody waits or has ended; of a writer of SQLite nobody can see that it waits."""
    until = time.monotonic() + WAITS_S
    while not waits.done() and time.monotonic() < until:
        if store._engine.dialect.name != "postgresql":
            time.sleep(0.2)
            return
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
        with transaction(store._engine) as connection:
            if connection.execute(waiting).scalar():
                return
        time.sleep(0.01)


class Paused:
    """Versions are looked at, and written once they may be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put itself before what writes; the first one only is held up."""
        self.looked, self.go = threading.Event(), threading.Event()
        self._write: Callable[..., None] = keeping.write
        monkeypatch.setattr("service.store.reports.write", self)

    def __call__(self, *args: Any) -> None:
        """Write, once it is let go."""
        if not self.looked.is_set():
            self.looked.set()
            assert self.go.wait(WAITS_S)
        self._write(*args)


@pytest.mark.parametrize(
    "draft",
    [
        make_draft(2, predecessor=ID.format(1)),
        replace(make_draft(2, predecessor=ID.format(1)), accession=None),
        make_draft(2, report_id="R2"),
        replace(make_draft(2, report_id="R2"), accession=None),
    ],
    ids=["of a report", "of a report without accession", "of none", "of none without accession"],
)
def test_a_version_that_has_looked_before_a_merge_is_found_after_it(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch, draft: Draft
) -> None:
    store.keep(make_draft(1))
    paused = Paused(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        version = pool.submit(outcome, database_url, draft)
        assert paused.looked.wait(WAITS_S)
        merge = pool.submit(merged, database_url)
        settled(store, merge)
        paused.go.set()
        assert (version.result(WAITS_S), merge.result(WAITS_S)) == ("kept", "merged")
    assert found(store) == [1, 2]


def test_a_version_that_comes_during_a_merge_is_found_after_it(store: Store, database_url: str) -> None:
    store.keep(make_draft(1))
    with ThreadPoolExecutor(1) as pool:
        with store.patients.merging() as one:
            one(SURVIVOR, PRIOR)
            later = pool.submit(outcome, database_url, make_draft(2, predecessor=ID.format(1)))
            settled(store, later)
        assert later.result(WAITS_S) == "kept"
    assert found(store) == [1, 2]


def test_a_merge_comes_before_versions_that_came_after_it(store: Store, database_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        with holding(store, KEEPING):
            merge = pool.submit(merged, database_url)
            until_so_many_wait(store, 1)
            version = pool.submit(outcome, database_url, make_draft(1))
            until_so_many_wait(store, 2)
        assert (merge.result(WAITS_S), version.result(WAITS_S)) == ("merged", "kept")
    assert found(store) == [1]


def test_a_merge_that_has_waited_for_too_long_lets_others_go_on(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patients, "_PATIENCE_MS", 50)
    with holding(store, KEEPING):
        with pytest.raises(Unavailable, match="nothing is merged, try again"):
            merged(database_url)
        assert outcome(database_url, make_draft(1)) == "kept"
    assert found(store) == []


def test_who_asks_what_a_merge_would_touch_waits_for_nobody(store: Store) -> None:
    store.keep(make_draft(1))
    with holding(store, KEEPING):
        told = store.patients.merge(SURVIVOR, PRIOR, dry_run=True)
    assert [one.version for one in told.reports] == [1]


def test_a_merge_again_moves_what_was_kept_under_the_prior_id_since(store: Store) -> None:
    middle = KeptId("MIDDLE", "HOSP")
    store.patients.merge(middle, PRIOR)
    store.patients.merge(SURVIVOR, middle)
    store.keep(make_draft(1))
    store.keep(replace(make_draft(2, report_id="R2"), patient_id="OTHER", accession=None))
    with transaction(store._engine, writes=True) as connection:
        connection.execute(text("UPDATE versions SET patient_id = 'PID' WHERE version = 1"))
    assert store.patients.merge(middle, PRIOR, dry_run=True).reports[0].version == 1
    assert found(store) == []
    assert [one.version for one in store.patients.merge(middle, PRIOR).reports] == [1]
    assert (found(store), found(store, "OTHER")) == ([1], [2])


def test_merges_and_versions_in_any_order_never_wait_in_a_ring(store: Store, database_url: str) -> None:
    drafts = [
        replace(make_draft(number, report_id=f"R{number}", version=number), accession=f"A{number % 2}")
        for number in range(1, 9)
    ]
    with ThreadPoolExecutor(6) as pool:
        became: list[Future[str]] = []
        for draft in drafts:
            became += [pool.submit(outcome, database_url, draft), pool.submit(merged, database_url)]
        assert [one.result(WAITS_S) for one in became] == ["kept", "merged"] * len(drafts)
    assert found(store) == list(range(1, 9))
