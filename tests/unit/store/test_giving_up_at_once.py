"""What is given up in the moment in which somebody else does something with it is decided one by one."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from service.domain.errors import Conflict
from service.store.database import transaction
from service.store.deliveries import hold
from service.store.delivery_rows import State
from service.store.queues import Due
from service.store.reports import Store
from service.store.turns import Turn
from tests.unit.store.kept import ANYTHING, keep, planned, told

TOGETHER_S = 60.0
"""Nothing here takes so long, unless those who should meet do not."""
WHY = "the archive was replaced"


def met(store: Store, url: str, first: Callable[[], object], second: Callable[[], object]) -> tuple[Any, Any]:
    """What two calls come to, or their refusals, that wait for who holds the report if at all: the first one in front.

    On SQLite they wait for its one writer, in either order.
    """
    with ThreadPoolExecutor(2) as pool:
        with transaction(store.deliveries.engine, writes=True) as connection:
            hold(connection, store.deliveries.get("pacs-1").report)
            calls: list[Future[object]] = []
            for call in (first, second):
                calls.append(pool.submit(_or_refusal, call))
                if url.startswith("postgresql"):
                    _until_so_many_wait(store, calls)
        return calls[0].result(TOGETHER_S), calls[1].result(TOGETHER_S)


def _or_refusal(call: Callable[[], object]) -> object:
    try:
        return call()
    except Conflict as refusal:
        return refusal


def _until_so_many_wait(store: Store, calls: list[Future[object]]) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(6000):
        with store.deliveries.engine.connect() as looking:
            if looking.execute(waiting).scalar() == sum(not one.done() for one in calls):
                return
        threading.Event().wait(0.01)
    raise AssertionError("they do not wait for who holds the report")


def test_of_two_operators_one_gives_it_up_and_the_other_is_told(kept: Store, database_url: str) -> None:
    keep(kept)
    both = met(
        kept,
        database_url,
        lambda: kept.deliveries.give_up("pacs-1", "first"),
        lambda: kept.deliveries.give_up("pacs-1", "second"),
    )
    [refusal] = [one for one in both if isinstance(one, Conflict)]
    assert "is dead" in refusal.problems[0].detail
    [made] = [one for one in both if not isinstance(one, Conflict)]
    assert made == kept.deliveries.get("pacs-1")
    assert made.run == 2


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("operator_first", [True, False])
def test_it_is_given_up_or_sent_and_never_both(
    kept: Store, database_url: str, *, every: bool, operator_first: bool
) -> None:
    keep(kept)

    def gives_up() -> object:
        if every:
            return kept.deliveries.give_up_all("pacs", WHY)
        return kept.deliveries.give_up("pacs-1", WHY)

    def takes() -> object:
        return kept.runs.begin("pacs-1", 1, "worker-0", ANYTHING)

    order = (gives_up, takes) if operator_first else (takes, gives_up)
    both = met(kept, database_url, *order)
    turn = both[1] if operator_first else both[0]
    given = both[0] if operator_first else both[1]
    made = kept.deliveries.get("pacs-1")
    if turn is None:
        assert made.state is State.DEAD
        assert made.attempts == 0
        assert given == 1 if every else not isinstance(given, Conflict)
        return
    assert isinstance(turn, Turn)
    assert made.state is State.SENDING
    assert given == 0 if every else isinstance(given, Conflict)
    assert kept.runs.told(turn, kept.now(), "worker-0", told(State.VERIFIED))


def test_what_is_sent_again_and_given_up_at_once_ends_as_one_of_both(kept: Store, database_url: str) -> None:
    keep(kept)
    kept.deliveries.give_up("pacs-1", WHY)
    retried, given = met(
        kept,
        database_url,
        lambda: kept.deliveries.retry("pacs-1"),
        lambda: kept.deliveries.give_up("pacs-1", WHY),
    )
    made = kept.deliveries.get("pacs-1")
    assert not isinstance(retried, Conflict)
    if isinstance(given, Conflict):
        assert (made.state, made.is_open, made.run) == (State.QUEUED, True, 3)
    else:
        assert (made.state, made.is_open, made.run) == (State.DEAD, False, 4)


def test_whoever_gives_all_up_waits_for_who_hands_them_out(kept: Store) -> None:
    for number in (1, 2, 3):
        keep(kept, number, planned(number), report=f"R{number}")
    with ThreadPoolExecutor(1) as pool:
        with kept.runs.feeding() as feed:
            assert feed is not None
            given = pool.submit(kept.deliveries.give_up_all, "pacs", WHY)
            threading.Event().wait(0.2)
            # Were it not waited for, each would hold what the other one wants.
            for number in (3, 2, 1):
                assert feed.take([Due(f"pacs-{number}", 1, 0)])
        assert given.result(TOGETHER_S) == 3
    assert {kept.deliveries.get(f"pacs-{number}").fed for number in (1, 2, 3)} == {None}
