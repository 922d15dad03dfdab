"""Versions of a report reach a destination in their order, and an older one never replaces a newer one."""

import threading
import time

import pytest
from sqlalchemy import text

from service.store.delivery_rows import State
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Turn
from tests.unit.store.kept import ANYTHING, begin, due, end, keep, planned


def test_a_version_waits_for_the_one_before_it_at_each_destination(kept: Store) -> None:
    keep(kept, 1, planned(1), planned(1, "ehr"))
    keep(kept, 2, planned(2), planned(2, "ehr"))
    assert (due(kept), due(kept, "ehr")) == (["pacs-1"], ["ehr-1"])
    end(kept, begin(kept), state=State.VERIFIED)
    assert (due(kept), due(kept, "ehr")) == (["pacs-2"], ["ehr-1"])
    assert kept.runs.begin("ehr-2", 1, "worker-0", May()) is None
    assert kept.deliveries.get("ehr-2").run == 2  # it was put back


@pytest.mark.parametrize("last", [State.REFUSED, State.DEAD])
def test_a_version_goes_on_when_the_one_before_it_will_never_arrive(kept: Store, last: State) -> None:
    keep(kept, 1)
    keep(kept, 2)
    end(kept, begin(kept), state=last)
    assert due(kept) == ["pacs-2"]


def test_an_older_version_never_replaces_a_newer_one(kept: Store) -> None:
    keep(kept, 3, planned(3, "ehr"))
    end(kept, begin(kept, "ehr-3"), state=State.VERIFIED)
    keep(kept, 2, planned(2, "ehr"))
    assert kept.runs.begin("ehr-2", 1, "worker-0", May()) is None
    late = kept.deliveries.get("ehr-2")
    assert (late.state, late.reason) == (State.DEAD, "superseded: version 3 went there already")


def test_an_older_version_that_is_an_object_of_its_own_may_come_late(kept: Store) -> None:
    keep(kept, 3)
    end(kept, begin(kept, "pacs-3"), state=State.VERIFIED)
    keep(kept, 2)
    assert begin(kept, "pacs-2", may=May(overtake={"sr"})).step == "send"


def test_an_order_that_was_decided_while_a_run_waited_for_its_report_counts(kept: Store, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")
    keep(kept, 3, planned(3, "ehr"))
    keep(kept, 2, planned(2, "ehr"))
    begun: list[Turn | None] = []
    # Not pg_stat_activity, which says the same all through a transaction.
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    older = threading.Thread(target=lambda: begun.append(kept.runs.begin("ehr-2", 1, "worker-0", ANYTHING)))
    with kept.deliveries.engine.begin() as newer:
        newer.execute(text("SELECT id FROM reports FOR UPDATE"))
        older.start()
        with kept.deliveries.engine.connect() as beside:
            while not beside.execute(text(waiting)).scalar():
                time.sleep(0.01)
        newer.execute(text("UPDATE deliveries SET state = 'sending' WHERE id = 'ehr-3'"))
    older.join()
    assert begun == [None]
    assert kept.deliveries.get("ehr-2").reason == "superseded: version 3 went there already"
