"""A destination that is away is left alone, and tried again ever more seldom; one that is busy gets its pause."""

from typing import Any

import pytest

from service.store.circuits import Circuit, Heard, Verdict, open_circuits
from service.store.delivery_rows import State
from service.store.reports import Store
from service.store.runs import May, Runs
from tests.unit.store.kept import AWAY, Clock, begin, due, end, keep


def fail(store: Store, number: int, **changes: Any) -> None:
    """Deliver one report to a destination that is away."""
    keep(store, number, report=f"R{number}")
    end(store, begin(store, f"pacs-{number}"), state=State.QUEUED, again_s=1.0, heard=AWAY, **changes)


def test_a_destination_is_left_alone_after_some_failures_in_a_row(kept: Store, clock: Clock) -> None:
    for number in range(1, 6):
        fail(kept, number)
    [state] = open_circuits(kept.deliveries.engine)
    assert (state.destination, state.failures, state.reason) == ("pacs", 5, "connection refused")
    keep(kept, 6, report="R6")
    assert due(kept) == []
    assert kept.runs.begin("pacs-6", 1, "worker-0", May()) is None
    clock.move(5)
    assert due(kept) == ["pacs-1"]  # one, to see whether it is back


def test_one_tries_and_the_others_wait_for_how_it_goes(kept: Store, clock: Clock) -> None:
    for number in range(1, 6):
        fail(kept, number)
    clock.move(5)
    trying = begin(kept, "pacs-1", 2)
    assert trying.probing
    assert kept.runs.begin("pacs-2", 2, "worker-0", May()) is None
    end(kept, trying, state=State.VERIFIED)
    assert open_circuits(kept.deliveries.engine) == ()
    assert not begin(kept, "pacs-3", 2).probing


def test_a_destination_that_stays_away_is_tried_ever_more_seldom(kept: Store, clock: Clock) -> None:
    for number in range(1, 6):
        fail(kept, number)
    clock.move(5)
    end(kept, begin(kept, "pacs-1", 2), state=State.QUEUED, again_s=1.0, heard=AWAY)
    clock.move(9)
    assert due(kept) == []
    clock.move(1)
    assert due(kept) != []


def test_a_busy_destination_gets_the_pause_it_asks_for(kept: Store, clock: Clock) -> None:
    keep(kept, 1)
    keep(kept, 2, report="R2")
    busy = Heard(Verdict.BUSY, 100.0, "busy 503")
    end(kept, begin(kept), state=State.QUEUED, again_s=100.0, heard=busy)
    clock.move(99)
    assert due(kept) == []
    clock.move(1)
    assert due(kept) == ["pacs-1"]


def test_a_circuit_of_a_clock_that_went_back_is_tried(kept: Store, clock: Clock) -> None:
    clock.move(400 * 86_400)
    for number in range(1, 6):
        fail(kept, number)
    clock.move(-400 * 86_400)
    assert len(due(kept)) == 1


@pytest.mark.parametrize("circuit", [Circuit(failures=1, first_s=1.0)])
def test_a_circuit_opens_when_it_is_told_to(kept: Store, circuit: Circuit) -> None:
    kept.runs = Runs(kept.deliveries.engine, kept.now, circuit)
    fail(kept, 1)
    assert len(open_circuits(kept.deliveries.engine)) == 1
