"""What is due at a destination: in its order, at its pace, and started by one process."""

from dataclasses import replace

import pytest

from service.store.delivery_rows import BACKFILL, State
from service.store.queues import Due
from service.store.reports import Store
from tests.runs import hand_out
from tests.unit.store.kept import ID, PACE, Clock, begin, due, end, keep, planned


def test_what_a_destination_takes_dry_is_never_due(kept: Store) -> None:
    keep(kept, 1, planned(dry_run=True))
    assert due(kept) == []
    [made] = kept.deliveries.of(ID.format(1))
    assert (made.state, made.is_open) == (State.DRY_RUN, False)


def test_deliveries_are_due_in_the_order_they_came(kept: Store) -> None:
    for number in (1, 2, 3):
        keep(kept, number, report=f"R{number}")
    assert due(kept) == ["pacs-1", "pacs-2", "pacs-3"]
    assert due(kept, pace=replace(PACE, share=2)) == ["pacs-1", "pacs-2"]
    assert due(kept, "ehr") == []


def test_no_more_are_started_than_the_destination_takes_at_a_time(kept: Store) -> None:
    for number in (1, 2, 3):
        keep(kept, number, report=f"R{number}")
    hand_out(kept, Due("pacs-1", 1, 0))
    assert due(kept, pace=replace(PACE, limit=2)) == ["pacs-2"]


def test_a_rate_is_held_over_any_span_of_its_length(kept: Store, clock: Clock) -> None:
    for number in range(1, 5):
        keep(kept, number, report=f"R{number}")
    pace = replace(PACE, rate=2, per_s=10.0)
    assert due(kept, pace=pace) == ["pacs-1", "pacs-2"]
    for name in ("pacs-1", "pacs-2"):
        end(kept, begin(kept, name), state=State.VERIFIED)
        clock.move(4)
    assert due(kept, pace=pace) == []
    clock.move(3)
    assert due(kept, pace=pace) == ["pacs-3"]


def test_a_backfill_waits_for_all_others_and_for_its_window(kept: Store) -> None:
    keep(kept, 1, planned(priority=BACKFILL))
    keep(kept, 2, report="R2")
    assert due(kept) == ["pacs-2", "pacs-1"]
    assert due(kept, pace=replace(PACE, backfill=False)) == ["pacs-2"]


def test_a_backfill_has_a_rate_of_its_own(kept: Store) -> None:
    for number in range(1, 4):
        keep(kept, number, planned(number, priority=BACKFILL), report=f"R{number}")
    for number in range(4, 7):
        keep(kept, number, report=f"R{number}")
    pace = replace(PACE, backfill_rate=1, backfill_per_s=60.0)
    assert due(kept, pace=pace) == ["pacs-4", "pacs-5", "pacs-6", "pacs-1"]
    end(kept, begin(kept, "pacs-1"), state=State.VERIFIED)
    assert due(kept, pace=pace) == ["pacs-4", "pacs-5", "pacs-6"]


def test_another_run_is_due_after_its_pause(kept: Store, clock: Clock) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.QUEUED, outcome="busy", again_s=30.0, counts=True)
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.run, made.counted, made.fed) == (State.QUEUED, 2, 1, None)
    clock.move(29)
    assert due(kept) == []
    clock.move(1)
    assert due(kept) == ["pacs-1"]


def test_what_a_clock_has_put_off_is_due_when_the_clock_goes_back(kept: Store, clock: Clock) -> None:
    keep(kept)
    clock.move(400 * 86_400)
    end(kept, begin(kept), state=State.QUEUED, again_s=30.0)
    clock.move(-400 * 86_400)
    assert due(kept) == ["pacs-1"]


def test_whether_anything_waits_is_asked_without_starting_it(kept: Store, clock: Clock) -> None:
    assert not kept.runs.waits(("pacs", "ehr"))
    keep(kept, 1)
    assert kept.runs.waits(("ehr", "pacs"))
    assert not kept.runs.waits(("ehr",))
    assert not kept.runs.waits(())
    hand_out(kept, Due("pacs-1", 1, 0))
    assert not kept.runs.waits(("pacs",))
    kept.runs.freed([Due("pacs-1", 1, 0)])
    clock.move(-60)
    assert kept.runs.waits(("pacs",)), "the clock has gone back since it was put off"


def test_only_the_runs_that_are_named_and_wait_are_handed_out(kept: Store) -> None:
    keep(kept, 1, planned(1), planned(1, "ehr"))
    mine = Due("pacs-1", 1, 0)
    assert hand_out(kept, mine, Due("ehr-1", 2, 0)) == (mine,)
    assert (due(kept), due(kept, "ehr")) == ([], ["ehr-1"])
    assert hand_out(kept, mine) == ()


def test_runs_that_a_workflow_has_had_for_long_are_looked_at(kept: Store, clock: Clock) -> None:
    keep(kept)
    hand_out(kept, Due("pacs-1", 1, 0))
    assert kept.runs.stale() == ()
    clock.move(31)
    assert [one.id for one in kept.runs.stale()] == ["pacs-1"]
    clock.move(-400)
    assert [one.id for one in kept.runs.stale()] == ["pacs-1"]


def test_only_one_process_starts_runs_at_a_time(kept: Store, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one worker, held by a lock of the file: tests/unit/workflows")
    other = Store(database_url)
    with kept.runs.feeding() as first, other.runs.feeding() as second:
        assert (first is not None, second) == (True, None)
    other.close()
