"""How fast a batch is and how long it still takes, by the clock of the store."""

from pathlib import Path

import pytest

from service.store.batches import KEPT, BatchStore, Outcome
from service.store.reports import Store

BEGAN = "2026-03-02T10:00:00.000000Z"


class Clock:
    """An instant that a test sets."""

    now = BEGAN

    def __call__(self) -> str:
        """The instant."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def batches(tmp_path: Path, clock: Clock) -> BatchStore:
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    store.migrate()
    return BatchStore(store._engine, clock)


def begun(batches: BatchStore, lines: int = 4) -> str:
    made = batches.begin("", {})
    batches.add(made, 0, 1, [b"{}"] * lines)
    batches.ready(made, lines)
    return made


def test_rate_and_time_left_count_from_the_first_part(batches: BatchStore, clock: Clock) -> None:
    made = begun(batches)
    clock.now = "2026-03-02T11:00:00.000000Z"  # an hour behind another batch
    (due,) = batches.claim(1)
    assert (batches.get(made).rate, batches.get(made).left_s) == (None, None)
    clock.now = "2026-03-02T11:00:02.000000Z"
    batches.told(due, Outcome(1, KEPT, "one"))
    assert (batches.get(made).rate, batches.get(made).left_s) == (0.5, 6.0)


def test_what_is_over_has_neither(batches: BatchStore, clock: Clock) -> None:
    done, stopped = begun(batches, 1), begun(batches)
    for due in batches.claim(2):
        batches.told(due, Outcome(1, KEPT, "one"))
        clock.now = "2026-03-02T10:00:09.000000Z"
        if due.batch == done:
            batches.ended(due)
    batches.cancel(stopped)
    for name in (done, stopped):
        assert (batches.get(name).rate, batches.get(name).left_s) == (None, None)


def test_a_clock_that_has_gone_back_tells_neither(batches: BatchStore, clock: Clock) -> None:
    made = begun(batches)
    (due,) = batches.claim(1)
    batches.told(due, Outcome(1, KEPT, "one"))
    clock.now = "2026-03-02T09:00:00.000000Z"
    assert (batches.get(made).rate, batches.get(made).left_s) == (None, None)
