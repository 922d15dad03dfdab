"""How often a worker looks for parts of batches: not with each delivery that ends, and never later than it may be."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from service.pipeline import Source
from service.store.batches import PartDue
from service.store.reports import Store
from service.workflows.batching import Clerk, Opening
from service.workflows.courier import Courier
from service.workflows.feeding import PARTS_S, Feeder
from service.workflows.watching import Watching
from service.workflows.worker import TICK_S


class Starts:
    """What starts parts: it remembers them, and leaves them to the test."""

    def __init__(self) -> None:
        self.parts: list[PartDue] = []

    def start_part(self, part: PartDue) -> bool:
        """Started."""
        self.parts.append(part)
        return True


class Watch:
    """A clock that the test sets."""

    at = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.at


@pytest.fixture
def looks(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each look."""
    made: list[int] = []
    claim: Callable[[int], Any] = store.batches.claim

    def counted(most: int) -> Any:
        made.append(most)
        return claim(most)

    monkeypatch.setattr(store.batches, "claim", counted)
    return made


def waiting(store: Store, parts: int) -> None:
    batch = store.batches.begin("", {})
    for number in range(parts):
        store.batches.add(batch, number, number + 1, [b"{}"])
    store.batches.ready(batch, parts)


def at_work(store: Store) -> tuple[Feeder, Clerk, Starts, Watch]:
    clock, starts = Watch(), Starts()
    clerk = Clerk(store, {}, lambda: Opening(Source(b"")), threading.Event())
    courier = Courier(store, {}, "worker-7", Watching())
    return Feeder(store, starts, courier, clerk, clock), clerk, starts, clock


def test_who_is_woken_by_a_delivery_does_not_look_for_parts_again(store: Store, looks: list[int]) -> None:
    feeder, _, starts, clock = at_work(store)
    assert feeder.feed_part() == PARTS_S
    waiting(store, 1)
    clock.at += PARTS_S - 0.0625
    assert feeder.feed_part() == 0.0625  # so long the worker waits at most
    assert (len(looks), starts.parts) == (1, [])
    clock.at += 0.0625
    feeder.feed_part()
    assert (len(looks), len(starts.parts)) == (2, 1)


def test_once_a_part_has_ended_the_next_one_is_looked_for_at_once(store: Store, looks: list[int]) -> None:
    waiting(store, 3)
    feeder, clerk, starts, _ = at_work(store)
    feeder.feed_part()
    feeder.feed_part()
    assert len(looks) == len(starts.parts) == 1
    clerk.left(starts.parts[0])
    feeder.feed_part()
    clerk.left(starts.parts[1])  # before the worker looked whether it is at work
    feeder.feed_part()
    assert [one.number for one in starts.parts] == [0, 1, 2]


def test_a_part_that_another_worker_had_begun_is_followed_at_once_too(store: Store, looks: list[int]) -> None:
    feeder, clerk, starts, _ = at_work(store)
    feeder.feed_part()
    waiting(store, 1)
    resumed = PartDue("another", 0, 1)
    clerk.took(resumed)
    feeder.feed_part()
    clerk.left(resumed)
    feeder.feed_part()
    assert (len(looks), len(starts.parts)) == (2, 1)


def test_a_batch_waits_no_longer_than_a_delivery() -> None:
    assert PARTS_S <= TICK_S
