"""An answer recorded in one statement: as it is recorded by who holds the delivery, and only where it may be."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, RowMapping, select, text

from service.store import runs
from service.store.database import transaction
from service.store.dead_letters import give_up
from service.store.delivery_rows import State
from service.store.queues import Due, Feed
from service.store.reports import Store
from service.store.tables import DELIVERIES
from service.store.turn_rows import HELD, held, write
from service.store.turns import Ended, Turn, put_off, settled
from tests.runs import hand_out
from tests.unit.store.kept import AWAY, Clock, Rows, begin, due, emptied, end, keep, planned, rows

TOGETHER_S = 60.0
"""Nothing here takes so long, unless those who should meet do not."""
Way = list[bool]
"""Of each answer whether one statement recorded it."""


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Way:
    """What became of each try to record an answer in one statement."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer, and no such statement")
    tried: Way = []
    true = runs._recorded

    def noted(connection: Connection, end: Ended, row: RowMapping | None = None) -> bool:
        done = true(connection, end, row)
        if row is None:
            tried.append(done)
        return done

    monkeypatch.setattr(runs, "_recorded", noted)
    return tried


@contextmanager
def all_held() -> Iterator[None]:
    """Until the block ends each answer is recorded by who holds its delivery."""
    noted = runs._recorded

    def held_only(connection: Connection, end: Ended, row: RowMapping | None = None) -> bool:
        return row is not None and noted(connection, end, row)

    runs._recorded = held_only
    try:
        yield
    finally:
        runs._recorded = noted


def proof(turn: Turn) -> Turn:
    """The turn after one that was stored, as the courier makes it."""
    counted = turn.delivery.counted if turn.again else 0
    at = replace(turn.delivery, attempts=turn.attempt, counted=counted, state=State.STORED)
    return replace(turn, delivery=at, step="verify", attempt=turn.attempt + 1, probing=False)


AGAIN: dict[str, Any] = {"state": State.QUEUED, "outcome": "unknown", "again_s": 7.0, "counts": True, "heard": None}
UNSURE: dict[str, Any] = AGAIN | {"state": State.STORED}


def stored(store: Store) -> None:
    hand_out(store, Due("pacs-1", 1, 0))
    end(store, begin(store), reason="thank you", detail=(("a", "b"),))


def verified(store: Store) -> None:
    hand_out(store, Due("pacs-1", 1, 0))
    turn = begin(store)
    end(store, turn)
    end(store, proof(turn), state=State.VERIFIED, outcome="verified", status="201", reason="read back")


def verified_at_once(store: Store) -> None:
    end(store, begin(store), state=State.VERIFIED, outcome="verified")


def refused(store: Store) -> None:
    end(store, begin(store), state=State.REFUSED, outcome="refused", status="409", reason="no", detail=(("x", "y"),))


def dead(store: Store) -> None:
    end(store, begin(store))
    end(store, begin(store), state=State.DEAD, outcome="mismatch", heard=None)


def put_off_and_counted(store: Store) -> None:
    end(store, begin(store), **AGAIN)
    end(store, begin(store, run=2), **AGAIN | {"again_s": 1e9})


def sent_again_since_it_is_not_there(store: Store) -> None:
    end(store, begin(store), **AGAIN)
    end(store, begin(store, run=2))
    end(store, begin(store, run=2), **UNSURE)
    end(store, begin(store, run=3), **AGAIN | {"outcome": "not-sent"})
    turn = begin(store, run=4)
    assert turn.again
    end(store, turn)
    end(store, proof(turn), **UNSURE)


def taken_over(store: Store) -> None:
    slow = begin(store)
    store.runs.freed([Due("pacs-1", 1, 0)])
    end(store, begin(store, run=2))
    assert not end(store, slow, state=State.REFUSED, outcome="refused")
    again = begin(store, run=2)
    store.runs.freed([Due("pacs-1", 2, 0)])
    assert not end(store, again, state=State.VERIFIED, outcome="verified")


def begun_twice(store: Store) -> None:
    slow = begin(store)
    begin(store)
    assert end(store, slow)


def given_up(store: Store) -> None:
    slow = begin(store)
    store.runs.freed([Due("pacs-1", 1, 0)])
    store.deliveries.give_up("pacs-1", "the archive was replaced")
    assert not end(store, slow)


def put_back_meanwhile(store: Store) -> None:
    slow = begin(store)
    end(store, slow, state=State.DEAD, outcome="mismatch")
    store.deliveries.retry("pacs-1")
    assert not end(store, slow)
    begin(store, run=2)


def works_after_a_failure(store: Store) -> None:
    keep(store, 2, planned(2), report="R2")
    end(store, begin(store, "pacs-2"), state=State.QUEUED, again_s=1.0, heard=AWAY)
    end(store, begin(store))
    end(store, begin(store), state=State.VERIFIED, outcome="verified")


def says_nothing_after_a_failure(store: Store) -> None:
    keep(store, 2, planned(2), report="R2")
    end(store, begin(store))
    end(store, begin(store, "pacs-2"), state=State.QUEUED, again_s=1.0, heard=AWAY)
    end(store, begin(store), state=State.DEAD, outcome="refused", heard=None)


def away(store: Store) -> None:
    end(store, begin(store), state=State.QUEUED, outcome="not-sent", again_s=3.0, counts=True, heard=AWAY)


WRITTEN: dict[Callable[[Store], None], Way] = {
    stored: [True],
    verified: [True, True],
    verified_at_once: [True],
    refused: [True],
    dead: [True, True],
    put_off_and_counted: [True, True],
    sent_again_since_it_is_not_there: [True] * 6,
    taken_over: [True, False, False],
    begun_twice: [False],
    given_up: [False],
    put_back_meanwhile: [True, False],
    works_after_a_failure: [False, True],
    says_nothing_after_a_failure: [True, True],
    away: [],
}
"""What is done with a delivery, and which of its answers one statement records."""


@pytest.mark.parametrize("done", WRITTEN, ids=lambda one: one.__name__)
def test_one_statement_writes_what_who_holds_the_delivery_writes(
    kept: Store, clock: Clock, ways: Way, done: Callable[[Store], None]
) -> None:
    def after(scene: Callable[[Store], None]) -> Rows:
        keep(kept)
        clock.move(2)
        scene(kept)
        clock.move(-2)
        return rows(kept)

    with all_held():
        wanted = after(done)
    assert ways == []
    emptied(kept)
    assert after(done) == wanted
    assert ways == WRITTEN[done]


@contextmanager
def while_held(store: Store, *calls: Callable[[], object]) -> Iterator[tuple[Connection, list[Future[object]]]]:
    """A transaction that holds the delivery while these wait for it, the first one in front."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    made: list[Future[object]] = []
    with ThreadPoolExecutor(len(calls)) as pool:
        with transaction(store.deliveries.engine, writes=True) as connection:
            connection.execute(select(DELIVERIES.c.id).where(DELIVERIES.c.id == "pacs-1").with_for_update())
            for call in calls:
                made.append(pool.submit(call))
                for _ in range(6000):
                    with store.deliveries.engine.connect() as looking:
                        if looking.execute(waiting).scalar() == len(made):
                            break
                    Event().wait(0.01)
                assert not any(one.done() for one in made), "they do not wait for who holds it"
            yield connection, made
        for one in made:
            one.result(TOGETHER_S)


def test_of_two_who_say_that_it_is_proven_one_is_heard(kept: Store, ways: Way) -> None:
    keep(kept)
    turn = begin(kept)
    end(kept, turn)
    says = [lambda: end(kept, proof(turn), state=State.VERIFIED, outcome="verified")] * 2
    with while_held(kept, *says) as (_, said):
        pass
    assert sorted(bool(one.result()) for one in said) == [False, True]
    assert sorted(ways) == [False, True, True]
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.attempts) == (State.VERIFIED, 2)
    assert len(kept.deliveries.attempts(["pacs-1"])["pacs-1"]) == 2


def test_who_waits_for_one_that_takes_the_run_over_changes_nothing(kept: Store, ways: Way) -> None:
    keep(kept)
    turn = begin(kept)
    with while_held(kept, lambda: end(kept, turn, reason="late")) as (connection, said):
        row = held(connection, HELD, id="pacs-1", run=1)
        assert row is not None
        write(connection, row, put_off(row, kept.now(), 0.0))
    assert (said[0].result(), ways) == (False, [False])
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.run, made.reason) == (State.QUEUED, 2, "")
    assert [one.reason for one in kept.deliveries.attempts(["pacs-1"])["pacs-1"]] == ["late"]


def test_who_waits_for_one_that_gives_the_delivery_up_changes_nothing(kept: Store, ways: Way) -> None:
    keep(kept)
    turn = begin(kept)
    with while_held(kept, lambda: end(kept, turn)) as (connection, said):
        row = held(connection, HELD, id="pacs-1", run=1)
        assert row is not None
        write(connection, row, put_off(row, kept.now(), 0.0))
        assert give_up(connection, [DELIVERIES.c.id == "pacs-1"], "the archive was replaced", kept.now()) == 1
    assert (said[0].result(), ways) == (False, [False])
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.is_open, made.run) == (State.DEAD, False, 3)


def test_who_waits_for_one_that_settles_it_changes_nothing(kept: Store, ways: Way) -> None:
    keep(kept)
    turn = begin(kept)
    with while_held(kept, lambda: end(kept, turn)) as (connection, said):
        row = held(connection, HELD, id="pacs-1", run=1)
        assert row is not None
        write(connection, row, settled(State.REFUSED, kept.now()))
    assert (said[0].result(), ways) == (False, [False])
    assert kept.deliveries.get("pacs-1").state is State.REFUSED


def test_who_waits_for_one_that_begins_the_run_once_more_finds_the_attempt_counted(kept: Store, ways: Way) -> None:
    keep(kept)
    turn = begin(kept)
    calls = (lambda: begin(kept), lambda: end(kept, turn, reason="the first"))
    with while_held(kept, *calls) as (_, said):
        pass
    assert (said[1].result(), ways) == (True, [False])
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.attempts) == (State.STORED, 2)
    first, second = kept.deliveries.attempts(["pacs-1"])["pacs-1"]
    assert (first.reason, second.ended) == ("the first", None)


def test_who_waits_for_one_that_hands_the_run_out_leaves_the_note(kept: Store, ways: Way) -> None:
    keep(kept)
    turn = begin(kept)
    with while_held(kept, lambda: end(kept, turn)) as (connection, said):
        assert Feed(connection, kept.now()).take([Due("pacs-1", 1, 0)])
    assert (said[0].result(), ways) == (True, [True])
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.fed) == (State.STORED, kept.now())
    assert due(kept) == []


@pytest.mark.parametrize("state", [State.STORED, State.VERIFIED])
def test_an_answer_that_is_said_twice_is_recorded_once(kept: Store, ways: Way, state: State) -> None:
    keep(kept)
    turn = begin(kept)
    assert end(kept, turn, state=state)
    before = rows(kept)
    assert end(kept, turn, state=state) is (state is State.STORED)  # its run goes on
    assert ways == [True, False]
    assert rows(kept) == before
