"""The queue of each destination: what is due in its order, and at which pace it is started.

What waits, and what is under way, stand in an index each that has no more than that: so a look costs the same, however
much was ever sent and however much waits.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from service.store.circuits import Door, door, until
from service.store.delivery_rows import BACKFILL, State
from service.store.tables import ATTEMPTS, DELIVERIES, UNDER_WAY, WAITING
from service.store.times import AHEAD_S, later


@dataclass(frozen=True, slots=True)
class Due:
    """A run that may start: its delivery and its number."""

    id: str
    run: int
    priority: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How a destination is fed: ``limit`` runs at a time in all, ``share`` by this worker now.

    ``rate``: at most so many in ``per_s`` seconds, 0 is no limit. ``backfill``: whether its window is open; it has a
    rate of its own beside the other.
    """

    limit: int
    share: int
    rate: int = 0
    per_s: float = 1.0
    backfill: bool = True
    backfill_rate: int = 0
    backfill_per_s: float = 1.0


class Feed:
    """What may start now."""

    def __init__(self, connection: Connection, now: str) -> None:
        """Take a transaction and the present instant."""
        self._connection = connection
        self._now = now

    def due(self, destination: str, pace: Pace) -> tuple[Due, ...]:
        """The next runs of a destination, in their order; none while it is left alone, one when it may be tried.

        A version waits for those before it.
        """
        if pace.backfill and not pace.rate and not pace.backfill_rate:
            return self._due_at_once(destination, pace)
        at_hand = self._connection.execute(_FED, {"destination": destination}).one()
        room = min(self._room(destination, pace.limit, at_hand.fed, at_hand.until), pace.share)
        if room <= 0:
            return ()
        room = min(room, self._left(destination, pace.rate, pace.per_s))
        found = self._heads(_HEADS_SOON, destination, room)
        if not pace.backfill:
            return found
        room = min(room - len(found), self._left(destination, pace.backfill_rate, pace.backfill_per_s, BACKFILL))
        return found + self._heads(_HEADS_BACKFILL, destination, room)

    def take(self, runs: Sequence[Due]) -> tuple[Due, ...]:
        """Note that workflows get these runs, before they have them; those of them that still waited, in their order.

        A process that is lost before they have leaves runs that no workflow is at, which are looked for.
        """
        if not runs:
            return ()
        named = tuple_(DELIVERIES.c.id, DELIVERIES.c.run).in_([(one.id, one.run) for one in runs])
        statement = update(DELIVERIES).where(named, WAITING).values(fed=self._now)
        if self._connection.dialect.name == "postgresql":
            # It waits for no disk: what a crash of the server takes back is due again, and its workflow is there.
            statement = statement.where(func.set_config("synchronous_commit", "off", True) == "off")
        rows = self._connection.execute(statement.returning(DELIVERIES.c.id, DELIVERIES.c.run))
        taken = {(row.id, row.run) for row in rows}
        return tuple(one for one in runs if (one.id, one.run) in taken)

    def _due_at_once(self, destination: str, pace: Pace) -> tuple[Due, ...]:
        """The next runs where no rate holds them back: each row says beside it what decides how many of them start."""
        if pace.share <= 0:
            return ()
        asked = {"destination": destination, "room": pace.share} | _instants(self._now)
        rows = self._connection.execute(_HEADS_AND_FED, asked).all()
        room = self._room(destination, pace.limit, rows[0].fed, rows[0].until) if rows else 0
        return tuple(Due(row.id, row.run, row.priority) for row in rows[: max(room, 0)])

    def _room(self, destination: str, limit: int, fed: int, until: str | None) -> int:
        """How many runs more a destination may have that has so many; none, or less, while it is left alone."""
        at = Door.OPEN if until is None else door(self._connection, destination, self._now)
        return 0 if at is Door.SHUT else (1 if at is Door.TRY else limit) - fed

    def _heads(self, statement: Select[str, int, int], destination: str, room: int) -> tuple[Due, ...]:
        """The first that are due."""
        if room <= 0:
            return ()
        rows = self._connection.execute(statement, {"destination": destination, "room": room} | _instants(self._now))
        return tuple(Due(row.id, row.run, row.priority) for row in rows)

    def _left(self, destination: str, rate: int, per_s: float, priority: int = 0) -> int:
        """How many more may start now under a rate for what has at least this priority number; 0 is no rate."""
        if not rate:
            return sys.maxsize
        since = later(self._now, -per_s)
        return rate - _started(self._connection, destination, since, self._now, priority)


_LOCK: Final = 5_251_742  # one number for all processes


def alone(connection: Connection, *, waits: bool = True) -> bool:
    """Be the only one who decides what is handed out, until the transaction ends; whether that is so.

    Asked for before anything else is held. SQLite has one writer. On PostgreSQL the lock ends with its transaction, so
    also with the process.
    """
    if connection.dialect.name != "postgresql":
        return True
    if waits:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        return True
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar())


def is_waiting(connection: Connection, destinations: Sequence[str], now: str) -> bool:
    """Whether anything is due to one of the destinations that no workflow has."""
    return bool(connection.execute(_any_waiting(tuple(destinations)), _instants(now)).scalar())


def first_waiting(destination: ColumnElement[str] | str, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether anything waits for a destination that meets the conditions.

    It asks for the first in order, which an index has. Asked only whether there is one, PostgreSQL may look through all
    that was ever sent for it.
    """
    first = select(DELIVERIES.c.position).where(DELIVERIES.c.destination == destination, WAITING, *conditions)
    return first.order_by(*_ORDER).limit(literal_column("1")).scalar_subquery().is_not(None)


def earlier_open() -> ColumnElement[bool]:
    """Whether a delivery of an earlier version to the same destination is still open."""
    other = DELIVERIES.alias("earlier")
    return exists(
        select(other.c.position).where(
            other.c.report == DELIVERIES.c.report,
            other.c.destination == DELIVERIES.c.destination,
            other.c.number < DELIVERIES.c.number,
            other.c.open == 1,
        )
    )


_ORDER: Final = (DELIVERIES.c.priority, DELIVERIES.c.position)
_DUE: Final = or_(DELIVERIES.c.next_at <= bindparam("now"), DELIVERIES.c.changed > bindparam("ahead"))
_HEADS: Final = (
    select(DELIVERIES.c.id, DELIVERIES.c.run, DELIVERIES.c.priority)
    .where(DELIVERIES.c.destination == bindparam("destination"), WAITING, _DUE, ~earlier_open())
    .order_by(*_ORDER)
    .limit(bindparam("room", type_=Integer()))
)
_HEADS_SOON: Final = _HEADS.where(DELIVERIES.c.priority < BACKFILL)
_HEADS_BACKFILL: Final = _HEADS.where(DELIVERIES.c.priority >= BACKFILL)
_FED_BY_NOW: Final = (
    select(func.count())
    .where(DELIVERIES.c.destination == bindparam("destination"), UNDER_WAY)
    .correlate(None)
    .scalar_subquery()
    .label("fed")
)
_FED: Final = select(_FED_BY_NOW, until("destination").label("until"))
"""How many runs of a destination workflows have, and how the destination is."""
_HEADS_AND_FED: Final = _HEADS.add_columns(_FED_BY_NOW, until("destination").label("until"))


@lru_cache(maxsize=16)
def _any_waiting(destinations: tuple[str, ...]) -> Select[Any]:
    """One look for each destination."""
    return select(or_(*(first_waiting(name, _DUE) for name in destinations)))


def _instants(now: str) -> dict[str, str]:
    return {"now": now, "ahead": later(now, AHEAD_S)}


def _started(connection: Connection, destination: str, since: str, now: str, priority: int) -> int:
    """How many were sent since then, and how many are about to be."""
    sent = select(func.count()).where(
        ATTEMPTS.c.destination == destination,
        ATTEMPTS.c.started > since,
        ATTEMPTS.c.started <= now,
        ATTEMPTS.c.step == "send",
    )
    if priority:
        sent = sent.where(DELIVERIES.c.id == ATTEMPTS.c.delivery, DELIVERIES.c.priority >= priority)
    about = select(func.count()).where(
        DELIVERIES.c.destination == destination,
        UNDER_WAY,
        DELIVERIES.c.state == State.QUEUED,
        DELIVERIES.c.priority >= priority,
    )
    return sum(int(connection.execute(one).scalar() or 0) for one in (sent, about))
