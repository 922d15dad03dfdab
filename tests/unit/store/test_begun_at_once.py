"""A first attempt that begins in the statement that asks what is in its way: as one that begins after the answer."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from service.store import runs
from service.store.delivery_rows import State
from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Turn
from tests.runs import hand_out
from tests.unit.store.kept import AWAY, Clock, begin, emptied, end, keep, planned, rows

Scene = Callable[[Store, Clock], Turn | None]


def tried(store: Store, name: str = "pacs-1", **may: Any) -> Turn | None:
    """A step, if it may begin."""
    hand_out(store, Due(name, 1, 0))
    return store.runs.begin(name, 1, "worker-0", May(**may))


def free(store: Store, _clock: Clock) -> Turn | None:
    keep(store)
    return tried(store)


def behind_an_earlier_one(store: Store, _clock: Clock) -> Turn | None:
    keep(store, 1)
    keep(store, 2)
    return tried(store, "pacs-2")


def behind_an_earlier_one_that_it_may_not_overtake_either(store: Store, _clock: Clock) -> Turn | None:
    keep(store, 1)
    keep(store, 2)
    return tried(store, "pacs-2", overtake={"sr"})


def after_a_later_one(store: Store, _clock: Clock) -> Turn | None:
    keep(store, 3)
    begin(store, "pacs-3")
    keep(store, 2)
    return tried(store, "pacs-2")


def after_a_later_one_that_is_another_object(store: Store, _clock: Clock) -> Turn | None:
    keep(store, 3)
    begin(store, "pacs-3")
    keep(store, 2)
    return tried(store, "pacs-2", overtake={"sr"})


def after_a_later_one_that_is_queued_or_refused(store: Store, _clock: Clock) -> Turn | None:
    keep(store, 4)
    end(store, begin(store, "pacs-4"), state=State.REFUSED)
    keep(store, 3)
    keep(store, 2)
    return tried(store, "pacs-2")


def fail(store: Store) -> None:
    for number in range(2, 7):
        keep(store, number, planned(number), report=f"R{number}")
        end(store, begin(store, f"pacs-{number}"), state=State.QUEUED, again_s=1.0, heard=AWAY)


def left_alone(store: Store, _clock: Clock) -> Turn | None:
    fail(store)
    keep(store)
    return tried(store)


def trying(store: Store, clock: Clock) -> Turn | None:
    fail(store)
    clock.move(5)
    keep(store)
    return tried(store)


def elsewhere(store: Store, _clock: Clock) -> Turn | None:
    keep(store)
    return tried(store, destinations={"ehr"})


BEGINS: dict[Scene, bool] = {
    free: True,
    behind_an_earlier_one: False,
    behind_an_earlier_one_that_it_may_not_overtake_either: False,
    after_a_later_one: False,
    after_a_later_one_that_is_another_object: True,
    after_a_later_one_that_is_queued_or_refused: True,
    left_alone: False,
    trying: True,
    elsewhere: False,
}
"""Where an attempt is to begin, and whether it does."""


@pytest.fixture(autouse=True)
def on_postgresql(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no such statement")


@pytest.mark.parametrize("scene", BEGINS, ids=lambda one: one.__name__)
def test_it_begins_where_it_would_begin_after_a_look(
    kept: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, scene: Scene
) -> None:
    began = clock.at
    with monkeypatch.context() as changed:
        changed.setattr(runs, "_at_once", lambda *_: False)
        wanted = scene(kept, clock), rows(kept)
    emptied(kept)
    clock.at = began
    assert (scene(kept, clock), rows(kept)) == wanted
    assert (wanted[0] is not None) is BEGINS[scene]


def test_a_first_attempt_takes_four_messages_and_its_answer_one(kept: Store) -> None:
    keep(kept)
    asked: list[str] = []
    event.listen(kept.deliveries.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    turn = begin(kept)
    assert len(asked) == 2  # BEGIN and COMMIT are no statements of a cursor
    assert "FOR UPDATE OF reports, deliveries" in asked[0]
    assert end(kept, turn)
    assert len(asked) == 3
