"""The work on a delivery, step by step: what is due, a turn begun, an answer recorded. Each is one transaction.

A run is one go at a delivery. Its number is in the row: who works on an older run may record what a peer answered, and
changes no state. So a worker that was taken for dead and comes back does no harm.
"""

import sys
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from service.store.circuits import Circuit, Door, Heard, door, note, take_try
from service.store.database import reading, transaction
from service.store.deliveries import BACKFILL, Delivery, State, made
from service.store.tables import ATTEMPTS, DELIVERIES, OUTPUTS, REPORTS
from service.store.times import AHEAD_S, later

MOST_PAUSE_S: Final = 86_400.0
"""No pause is longer."""
LOST: Final = "the worker was lost before the answer came"
_FED_LATE_S: Final = 30.0
_FEED_LOCK: Final = 5_251_742  # one number for all processes


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


@dataclass(frozen=True, slots=True)
class Turn:
    """A step that was begun: number of the attempt, and whether it only tries whether the destination is back."""

    delivery: Delivery
    step: str
    attempt: int
    content: bytes
    media_type: str
    probing: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a peer answered, and what follows: the state, and the pause when there is to be another run."""

    outcome: str
    status: str
    reason: str
    detail: tuple[tuple[str, str], ...]
    heard: Heard | None
    state: State
    again_s: float | None
    counts: bool


@dataclass(frozen=True, slots=True)
class May:
    """What a worker may do: the destinations that it knows (None: all).

    ``overtake``: formats of which an older version may come after a newer one, since each is an object of its own.
    """

    destinations: Container[str] | None = None
    overtake: Container[str] = ()


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
        connection, now = self._connection, self._now
        at = door(connection, destination, now)
        room = (1 if at is Door.TRY else pace.limit) - _fed(connection, destination)
        if at is Door.SHUT or room <= 0:
            return ()
        conditions = [
            DELIVERIES.c.destination == destination,
            DELIVERIES.c.open == 1,
            DELIVERIES.c.fed.is_(None),
            or_(DELIVERIES.c.next_at <= now, DELIVERIES.c.changed > later(now, AHEAD_S)),
            ~earlier_open(),
        ]
        room = min(room, pace.share, self._left(destination, pace.rate, pace.per_s))
        found = self._heads([*conditions, DELIVERIES.c.priority < BACKFILL], room)
        if not pace.backfill:
            return found
        room = min(room - len(found), self._left(destination, pace.backfill_rate, pace.backfill_per_s, BACKFILL))
        return found + self._heads([*conditions, DELIVERIES.c.priority >= BACKFILL], room)

    def _heads(self, conditions: Sequence[ColumnElement[bool]], room: int) -> tuple[Due, ...]:
        """The first that meet the conditions."""
        if room <= 0:
            return ()
        rows = self._connection.execute(
            select(DELIVERIES.c.id, DELIVERIES.c.run, DELIVERIES.c.priority)
            .where(*conditions)
            .order_by(DELIVERIES.c.priority, DELIVERIES.c.position)
            .limit(room)
        )
        return tuple(Due(row.id, row.run, row.priority) for row in rows)

    def _left(self, destination: str, rate: int, per_s: float, priority: int = 0) -> int:
        """How many more may start now under a rate for what has at least this priority number; 0 is no rate."""
        if not rate:
            return sys.maxsize
        since = later(self._now, -per_s)
        return rate - _started(self._connection, destination, since, self._now, priority)


class Runs:
    """The runs of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str], circuit: Circuit | None = None) -> None:
        """Take the database, the clock, and when a destination is left alone."""
        self._engine = engine
        self._now = now
        self._circuit = circuit or Circuit()

    @contextmanager
    def feeding(self) -> Iterator[Feed | None]:
        """Be the only one who starts runs, until the block ends; None when another does it now.

        SQLite has one worker. On PostgreSQL the lock ends with its transaction, so also with the process.
        """
        with transaction(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                taken = connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _FEED_LOCK})
                if not taken.scalar():
                    yield None
                    return
            yield Feed(connection, self._now())

    def fed(self, runs: Sequence[Due]) -> None:
        """Remember that a workflow has these runs; one that is done by now stays as it is."""
        now = self._now()
        with transaction(self._engine, writes=True) as connection:
            for one in runs:
                mine = and_(DELIVERIES.c.id == one.id, DELIVERIES.c.run == one.run, DELIVERIES.c.open == 1)
                connection.execute(update(DELIVERIES).where(mine).values(fed=now))

    def stale(self) -> tuple[Due, ...]:
        """Runs that a workflow has had for a while: whoever asks looks whether it still has them."""
        now = self._now()
        late = or_(DELIVERIES.c.fed < later(now, -_FED_LATE_S), DELIVERIES.c.fed > later(now, AHEAD_S))
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(DELIVERIES.c.id, DELIVERIES.c.run, DELIVERIES.c.priority)
                .where(DELIVERIES.c.open == 1, DELIVERIES.c.fed.is_not(None), late)
                .limit(1000)
            )
            return tuple(Due(row.id, row.run, row.priority) for row in rows)

    def freed(self, runs: Sequence[Due]) -> None:
        """Take runs back that nobody works on: the next one is due at once."""
        with transaction(self._engine, writes=True) as connection:
            for one in runs:
                row = _held(connection, one.id, one.run)
                if row is not None:
                    _put_off(connection, row, self._now(), 0.0)

    def begin(self, id: str, run: int, worker: str, may: May) -> Turn | None:  # noqa: A002 - as in the routes
        """Begin the next step of a run; None when there is nothing to do in it now, or ever."""
        now = self._now()
        with transaction(self._engine, writes=True) as connection:
            row = _held(connection, id, run)
            if row is None:
                return None
            delivery = made(row)
            if may.destinations is not None and delivery.destination not in may.destinations:
                return None
            content = connection.execute(
                select(OUTPUTS.c.content, OUTPUTS.c.media_type).where(
                    OUTPUTS.c.version == delivery.version, OUTPUTS.c.role == delivery.role
                )
            ).one()
            if delivery.state is State.STORED:
                return Turn(delivery, "verify", delivery.attempts + 1, bytes(content[0]), content[1])
            if _of_report(connection, delivery, lower=True):
                _put_off(connection, row, now, 1.0)
                return None
            newer = 0 if delivery.format in may.overtake else _of_report(connection, delivery, lower=False)
            if newer:
                superseded = f"superseded: version {newer} went there already"
                _settle(connection, row, now, State.DEAD, status="", reason=superseded)
                return None
            at = door(connection, delivery.destination, now, held=True)
            if at is Door.SHUT:
                _put_off(connection, row, now, 1.0)
                return None
            if at is Door.TRY:
                take_try(connection, delivery.destination, now, self._circuit)
            number = delivery.attempts + 1
            if delivery.attempts:
                _close_lost(connection, id, now)
            connection.execute(insert(ATTEMPTS).values(**_begun(delivery, "send", number, worker, now)))
            changed = {"state": State.SENDING, "attempts": number, "changed": now}
            connection.execute(update(DELIVERIES).where(DELIVERIES.c.position == delivery.position).values(changed))
            return Turn(delivery, "send", number, bytes(content[0]), content[1], at is Door.TRY)

    def told(self, turn: Turn, started: str, worker: str, told: Told) -> bool:
        """Record the answer to a step and what follows from it; False when the run was taken over meanwhile."""
        now = self._now()
        ended = {
            "ended": now,
            "outcome": told.outcome,
            "status": told.status,
            "reason": told.reason,
            "detail": orjson.dumps(told.detail).decode(),
        }
        at = turn.delivery
        with transaction(self._engine, writes=True) as connection:
            row = _held(connection, at.id, at.run)
            if turn.step == "send":
                mine = and_(ATTEMPTS.c.delivery == at.id, ATTEMPTS.c.number == turn.attempt)
                connection.execute(update(ATTEMPTS).where(mine).values(ended))
            elif row is not None:
                begun = _begun(at, turn.step, row["attempts"] + 1, worker, started)
                connection.execute(insert(ATTEMPTS).values(**(begun | ended)))
            if told.heard is not None:
                note(connection, at.destination, told.heard, now, self._circuit)
            if row is None:
                return False
            sent = told.state is State.STORED and turn.step == "send"
            values: dict[str, Any] = {
                "attempts": row["attempts"] + (turn.step != "send"),
                "counted": 0 if sent else row["counted"] + told.counts,
                "status": told.status,
                "reason": told.reason,
            }
            if told.again_s is not None:
                _put_off(connection, row, now, told.again_s, told.state, **values)
            elif sent:
                changed = {"state": State.STORED, "changed": now, **values}
                connection.execute(update(DELIVERIES).where(DELIVERIES.c.position == at.position).values(changed))
            else:
                _settle(connection, row, now, told.state, **values)
            return True


def _held(connection: Connection, id: str, run: int) -> RowMapping | None:  # noqa: A002 - as in the routes
    """The row of a run, held together with its report until the transaction ends; None when the run is over."""
    mine = and_(DELIVERIES.c.id == id, DELIVERIES.c.run == run, DELIVERIES.c.open == 1)
    held = select(DELIVERIES).join(REPORTS, REPORTS.c.id == DELIVERIES.c.report).where(mine)
    row = connection.execute(held.with_for_update()).first()
    return row._mapping if row else None


def _fed(connection: Connection, destination: str) -> int:
    fed = select(func.count()).where(
        DELIVERIES.c.destination == destination, DELIVERIES.c.open == 1, DELIVERIES.c.fed.is_not(None)
    )
    return int(connection.execute(fed).scalar() or 0)


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
        DELIVERIES.c.open == 1,
        DELIVERIES.c.fed.is_not(None),
        DELIVERIES.c.state == State.QUEUED,
        DELIVERIES.c.priority >= priority,
    )
    return sum(int(connection.execute(one).scalar() or 0) for one in (sent, about))


def earlier_open() -> Any:
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


def _of_report(connection: Connection, at: Delivery, *, lower: bool) -> int:
    """The number of an open earlier version, or of a later one that went out or may have; 0: there is none."""
    same = [DELIVERIES.c.report == at.report, DELIVERIES.c.destination == at.destination]
    if lower:
        same += [DELIVERIES.c.number < at.number, DELIVERIES.c.open == 1]
    else:
        out = DELIVERIES.c.state.in_((State.SENDING, State.STORED, State.VERIFIED))
        same += [DELIVERIES.c.number > at.number, out]
    return int(connection.execute(select(func.max(DELIVERIES.c.number)).where(*same)).scalar() or 0)


def _begun(at: Delivery, step: str, number: int, worker: str, started: str) -> dict[str, Any]:
    return {
        "delivery": at.id,
        "number": number,
        "destination": at.destination,
        "step": step,
        "run": at.run,
        "worker": worker,
        "started": started,
        "ended": None,
        "outcome": "",
        "status": "",
        "reason": "",
        "detail": "[]",
    }


def _close_lost(connection: Connection, id: str, now: str) -> None:  # noqa: A002 - as in the routes
    """End the attempts whose worker was lost: nobody knows what became of them."""
    lost = and_(ATTEMPTS.c.delivery == id, ATTEMPTS.c.ended.is_(None))
    connection.execute(update(ATTEMPTS).where(lost).values(ended=now, outcome="unknown", reason=LOST))


def _put_off(
    connection: Connection, row: RowMapping, now: str, pause_s: float, state: State | None = None, **more: Any
) -> None:
    """Give a run back; the next one is due after a pause."""
    values: dict[str, Any] = {
        "run": row["run"] + 1,
        "fed": None,
        "changed": now,
        "next_at": later(now, min(pause_s, MOST_PAUSE_S)),
        "state": state or (State.STORED if row["state"] == State.STORED else State.QUEUED),
        **more,
    }
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.position == row["position"]).values(values))


def _settle(connection: Connection, row: RowMapping, now: str, state: State, **more: Any) -> None:
    """Close a delivery."""
    values = {"state": state, "open": 0, "fed": None, "changed": now, "settled": now, **more}
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.position == row["position"]).values(values))
