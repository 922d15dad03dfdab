"""What is written again, sent again or delivered to more destinations in the same moment is decided one by one."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from service.delivery.settings import DestinationSettings, Folder
from service.domain.errors import Conflict
from service.doors import Options
from service.pipeline import Source
from service.publishing import publish
from service.store.circuits import Heard, Verdict
from service.store.database import transaction
from service.store.deliveries import DeliveryStore, hold, keep
from service.store.delivery_rows import Delivery, Origin, Planned, State
from service.store.reports import Store
from service.store.retention import Purged
from service.store.runs import May
from service.store.turns import Told
from service.workflows.accepting import Plan
from service.workflows.again import deliver_more, edit
from tests.findings import make_body

PACS, EHR = (Folder(name=name, takes="sr", path="/nonexistent") for name in ("pacs", "ehr"))
DESTINATIONS: Mapping[str, DestinationSettings] = {"pacs": PACS, "ehr": EHR}
TOGETHER_S = 60.0
"""Nothing here takes so long, unless those who should meet do not."""


class Between(DeliveryStore):
    """Deliveries of which something happens after the first look, right before what was planned by it is added."""

    def __init__(self, deliveries: DeliveryStore, happens: Callable[[], object]) -> None:
        super().__init__(deliveries.engine, deliveries.now)
        self._happens = [happens]

    def add(
        self,
        version: str,
        planned: Sequence[Planned],
        outputs: Sequence[Mapping[str, Any]],
        origin: Origin,
        seen: Sequence[Delivery] | None = None,
    ) -> tuple[Delivery, ...]:
        if self._happens:
            self._happens.pop()()
        return super().add(version, planned, outputs, origin, seen)


def late(url: str, happens: Callable[[], object]) -> Store:
    """A second connection, on which something happens between the look and the adding."""
    made = Store(url)
    made.deliveries = Between(made.deliveries, happens)
    return made


def first(store: Store, *destinations: DestinationSettings) -> tuple[Delivery, ...]:
    """The deliveries of a report to these destinations."""
    receipt = publish(Source(make_body()), Options(), store, planner=Plan(destinations or (PACS,)))
    return store.deliveries.of(str(receipt.id))


def end(store: Store, delivery: Delivery, state: State = State.DEAD) -> Delivery:
    """Bring it to an end."""
    turn = store.runs.begin(delivery.id, store.deliveries.get(delivery.id).run, "w", May())
    assert turn is not None
    told = Told(str(state), "", "", (), Heard(Verdict.WORKS), state, again_s=None, counts=False)
    assert store.runs.told(turn, store.now(), "w", told)
    return store.deliveries.get(delivery.id)


def again(store: Store, old: Delivery, destination: str = "pacs", **said: str) -> Delivery:
    """The delivery that is written in its place."""
    return edit(store, old.id, Source(b""), DESTINATIONS, {"destination": destination, **said})


def more(store: Store, old: Delivery, destination: DestinationSettings) -> tuple[Delivery, ...]:
    """Deliver a kept version to another destination."""
    return deliver_more(store, old.version, Source(make_body()), Plan((destination,)), Options())


def open_at(store: Store, old: Delivery) -> list[str]:
    """The destination of each delivery of the version that is open."""
    return sorted(one.destination for one in store.deliveries.of(old.version) if one.is_open)


def in_the_way(call: Callable[[], object]) -> tuple[str, ...]:
    """The deliveries that a call is refused for."""
    with pytest.raises(Conflict) as raised:
        call()
    return raised.value.problems[0].candidates


def test_what_is_sent_again_after_the_look_is_not_written_again(store: Store, database_url: str) -> None:
    old = end(store, first(store)[0])
    other = late(database_url, lambda: store.deliveries.retry(old.id))
    with pytest.raises(Conflict, match="only a dead letter"):
        again(other, old)
    other.close()
    assert open_at(store, old) == ["pacs"]
    assert store.deliveries.get(old.id).state is State.QUEUED


def test_what_is_written_again_twice_at_once_is_so_once_and_the_other_is_told(store: Store, database_url: str) -> None:
    old = end(store, first(store)[0])
    made: list[Delivery] = []
    other = late(database_url, lambda: made.append(again(store, old)))
    assert in_the_way(lambda: again(other, old, dialect="ohif")) == (made[0].id,)
    other.close()
    assert open_at(store, old) == ["pacs"]


def test_what_is_on_its_way_to_a_destination_has_nothing_written_beside_it(store: Store, database_url: str) -> None:
    old, own = first(store, PACS, EHR)
    end(store, old)
    assert in_the_way(lambda: again(store, old, "ehr")) == (own.id,)
    end(store, own)
    other = late(database_url, lambda: store.deliveries.retry(own.id))
    assert in_the_way(lambda: again(other, old, "ehr")) == (own.id,)
    other.close()
    assert open_at(store, old) == ["ehr"]


def test_of_one_written_again_for_a_destination_and_one_more_to_it_there_is_one(
    store: Store, database_url: str
) -> None:
    old = end(store, first(store)[0])
    other = late(database_url, lambda: more(store, old, EHR))
    candidates = in_the_way(lambda: again(other, old, "ehr"))
    other.close()
    assert candidates == tuple(one.id for one in store.deliveries.of(old.version) if one.destination == "ehr")
    assert open_at(store, old) == ["ehr"]


def test_what_was_written_again_for_a_destination_meanwhile_is_not_delivered_there_once_more(
    store: Store, database_url: str
) -> None:
    old = end(store, first(store)[0])
    made: list[Delivery] = []
    other = late(database_url, lambda: made.append(again(store, old, "ehr", dialect="ohif")))
    assert more(other, old, EHR)[-1].id == made[0].id
    other.close()
    assert open_at(store, old) == ["ehr"]


def meets(store: Store, url: str, begun: Callable[[Any], None], call: Callable[[Store], object]) -> object:
    """What a call on a second connection comes to that is made while a transaction is under way.

    The call waits for the transaction, as PostgreSQL shows; SQLite has one writer and lets the next one wait.
    """
    other = Store(url)
    try:
        with ThreadPoolExecutor(1) as pool:
            with transaction(store.deliveries.engine, writes=True) as connection:
                begun(connection)
                called = pool.submit(call, other)
                if url.startswith("postgresql"):
                    _until_it_waits(store, called)
            return called.result(TOGETHER_S)
    finally:
        other.close()


def _until_it_waits(store: Store, called: "Future[object]") -> None:
    locks = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    until = time.monotonic() + TOGETHER_S
    while not called.done() and time.monotonic() < until:
        with store.deliveries.engine.connect() as looking:
            if looking.execute(locks).scalar():
                return
        threading.Event().wait(0.01)


def writes_again(old: Delivery) -> Callable[[Any], None]:
    """What adds a delivery in the place of an old one, as `DeliveryStore.add` does."""

    def begun(connection: Any) -> None:
        hold(connection, old.report)
        planned = Planned("again", old.destination, old.format, old.role, sr=old.sr, parent=old.id)
        keep(connection, (old.version, old.report, old.number), [planned], old.changed, Origin())

    return begun


def test_whoever_sends_again_waits_for_who_writes_again(store: Store, database_url: str) -> None:
    old = end(store, first(store)[0])

    def retried(other: Store) -> object:
        with suppress(Conflict):
            return other.deliveries.retry(old.id)
        return None

    assert meets(store, database_url, writes_again(old), retried) is None
    assert [one.id for one in store.deliveries.of(old.version) if one.is_open] == ["again"]


def test_whoever_sends_all_again_waits_for_who_writes_again(store: Store, database_url: str) -> None:
    old = end(store, first(store)[0])
    assert meets(store, database_url, writes_again(old), lambda other: other.deliveries.retry_all({})) == 0
    assert [one.id for one in store.deliveries.of(old.version) if one.is_open] == ["again"]


def test_what_is_written_again_while_old_reports_are_removed_stays(store: Store, database_url: str) -> None:
    old = end(store, first(store)[0])

    def purged(other: Store) -> object:
        return other.retention.purge(-1, dead_letters=True)  # whatever came until tomorrow

    assert meets(store, database_url, writes_again(old), purged) == Purged(0, 0)
    assert len(store.deliveries.of(old.version)) == 2
