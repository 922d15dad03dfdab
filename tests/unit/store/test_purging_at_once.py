"""A purge while patients are merged: both ask for what they hold in one order, and none waits in a ring."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from service.store.patients import KeptId
from service.store.reports import Store
from service.store.retention import Purged
from tests.unit.store.kept import Clock, make_draft
from tests.unit.store.test_keeping_at_once import WAITS_S, until_so_many_wait

DAY = 86_400.0


def purged(url: str, clock: Clock) -> Purged:
    """Purge on a connection of its own."""
    with closing(Store(url, clock)) as store:
        return store.retention.purge(29)


def test_a_purge_comes_behind_a_merge_that_has_begun(kept: Store, clock: Clock, database_url: str) -> None:
    if kept._engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    for number in (1, 2):
        draft = make_draft(number, report_id=f"R{number}", version=1)
        kept.keep(replace(draft, patient_id=f"P{number}", accession=None))
    clock.move(30 * DAY)
    with ThreadPoolExecutor(1) as pool:
        with kept.patients.merging() as one:
            one(KeptId("S2", "HOSP"), KeptId("P2", "HOSP"))
            purge = pool.submit(purged, database_url, clock)
            until_so_many_wait(kept, 1)
            # A purge that holds what it removes by now, the first of the two, would be waited for by this one.
            one(KeptId("S1", "HOSP"), KeptId("P1", "HOSP"))
        assert purge.result(WAITS_S) == Purged(2, 2)
    assert [one.id for one in kept.patients.names("P1", None)] == ["S1"]
