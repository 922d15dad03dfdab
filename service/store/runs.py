"""The work on a delivery, step by step: handed out, a turn begun, an answer recorded. Each is one transaction.

A run is one go at a delivery. Its number is in the row: who works on an older run may record what a peer answered, and
changes no state. So a worker that was taken for dead and comes back does no harm.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from service.store.circuits import TROUBLED, UNTIL, Circuit, Door, Heard, Verdict, door, note, take_try
from service.store.database import reading, transaction
from service.store.delivery_rows import Delivery, State, delivery_of
from service.store.queues import Due, Feed, alone, is_waiting
from service.store.tables import ATTEMPTS, DELIVERIES, OUTPUTS, REPORTS, UNDER_WAY
from service.store.times import AHEAD_S, later

MOST_PAUSE_S: Final = 86_400.0
"""No pause is longer."""
LOST: Final = "the worker was lost before the answer came"
_FED_LATE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A step that was begun: number of the attempt, and whether it only tries whether the destination is back.

    ``again``: the peer said before that it has it, and did not.
    """

    delivery: Delivery
    step: str
    attempt: int
    content: bytes
    media_type: str
    probing: bool = False
    again: bool = False


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


class Runs:
    """The runs of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str], circuit: Circuit | None = None) -> None:
        """Take the database, the clock, and when a destination is left alone."""
        self._engine = engine
        self._now = now
        self._circuit = circuit or Circuit()

    @contextmanager
    def feeding(self) -> Iterator[Feed | None]:
        """Be the only one who hands out runs, until the block ends; None when another does it now.

        What is taken counts once the block has ended. SQLite has one worker. On PostgreSQL the lock ends with its
        transaction, so also with the process.
        """
        with transaction(self._engine, writes=True) as connection:
            if not alone(connection, waits=False):
                yield None
                return
            yield Feed(connection, self._now())

    def waits(self, destinations: Sequence[str]) -> bool:
        """Whether anything is due to one of the destinations that no workflow has; one statement, and no lock."""
        if not destinations:
            return False
        with reading(self._engine) as connection:
            return is_waiting(connection, destinations, self._now())

    def stale(self) -> tuple[Due, ...]:
        """Runs that a workflow has had for a while: whoever asks looks whether it still has them."""
        now = self._now()
        late = or_(DELIVERIES.c.fed < later(now, -_FED_LATE_S), DELIVERIES.c.fed > later(now, AHEAD_S))
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(DELIVERIES.c.id, DELIVERIES.c.run, DELIVERIES.c.priority).where(UNDER_WAY, late).limit(1000)
            )
            return tuple(Due(row.id, row.run, row.priority) for row in rows)

    def freed(self, runs: Sequence[Due]) -> None:
        """Take runs back that nobody works on: the next one is due at once.

        Each in a transaction of its own: who holds several reports holds them in the order of their ids.
        """
        for one in runs:
            with transaction(self._engine, writes=True) as connection:
                row = _held(connection, _HELD, id=one.id, run=one.run)
                if row is not None:
                    _put_off(connection, row, self._now(), 0.0)

    def begin(self, id: str, run: int, worker: str, may: May) -> Turn | None:  # noqa: A002 - as in the routes
        """Begin the next step of a run; None when there is nothing to do in it now, or ever."""
        now = self._now()
        with transaction(self._engine, writes=True) as connection:
            row = _held(connection, _HELD_WITH_OUTPUT, id=id, run=run)
            if row is None:
                return None
            delivery = delivery_of(row)
            if may.destinations is not None and delivery.destination not in may.destinations:
                return None
            content, media_type = bytes(row["content"]), row["media_type"]
            if delivery.state is State.STORED:
                return Turn(delivery, "verify", delivery.attempts + 1, content, media_type)
            # Only now, with the report held: a statement sees what was committed when it began, not when it got a lock.
            at_hand = connection.execute(_AT_HAND, _place(delivery)).one()
            if at_hand.lower:
                _put_off(connection, row, now, 1.0)
                return None
            if at_hand.newer and delivery.format not in may.overtake:
                superseded = f"superseded: version {at_hand.newer} went there already"
                _settle(connection, row, now, State.DEAD, status="", reason=superseded)
                return None
            # Held only where it matters: all that is sent to a destination would wait for each other.
            at = Door.OPEN if at_hand.until is None else door(connection, delivery.destination, now, held=True)
            if at is Door.SHUT:
                _put_off(connection, row, now, 1.0)
                return None
            if at is Door.TRY:
                take_try(connection, delivery.destination, now, self._circuit)
            number = delivery.attempts + 1
            if delivery.attempts:
                close_lost(connection, (id,), now)
            attempt = _begun(delivery, "send", number, worker, now)
            _write(connection, row, {"state": State.SENDING, "attempts": number, "changed": now}, attempt)
            again = bool(delivery.counted and connection.execute(_QUESTIONS, _counted(delivery)).scalar())
            return Turn(delivery, "send", number, content, media_type, at is Door.TRY, again)

    def told(self, turn: Turn, started: str, worker: str, told: Told) -> bool:
        """Record the answer to a step and what follows from it; False when the run was taken over meanwhile."""
        now = self._now()
        at = turn.delivery
        with transaction(self._engine, writes=True) as connection:
            row = _held(connection, _HELD_ALONE, id=at.id, run=at.run, destination=at.destination)
            attempt: dict[str, Any] = {
                "ended": now,
                "outcome": told.outcome,
                "status": told.status,
                "reason": told.reason,
                "detail": orjson.dumps(told.detail).decode(),
            }
            if turn.step == "send":
                attempt = {"delivery": at.id, "number": turn.attempt} | attempt
            elif row is not None:
                attempt = _begun(at, turn.step, row["attempts"] + 1, worker, started) | attempt
            # An answer that says no news of the destination itself is no statement.
            if told.heard is not None and (row is None or row["troubled"] or told.heard.verdict is not Verdict.WORKS):
                note(connection, at.destination, told.heard, now, self._circuit)
            if row is not None:
                _recorded(connection, turn, row, now, told, attempt)
            elif turn.step == "send":
                connection.execute(_ATTEMPT_ENDS, _as_parameters("attempt", attempt))
            return row is not None


# Statements are made once: to put one together costs as much as to run it.
_RUN: Final = (DELIVERIES.c.id == bindparam("id"), DELIVERIES.c.run == bindparam("run"), DELIVERIES.c.open == 1)
_WITH_REPORT: Final = DELIVERIES.join(REPORTS, REPORTS.c.id == DELIVERIES.c.report)
_ITS_OUTPUT: Final = and_(OUTPUTS.c.version == DELIVERIES.c.version, OUTPUTS.c.role == DELIVERIES.c.role)
# Held in this order: who decides of several deliveries of a report holds it before them.
_OF: Final = (REPORTS, DELIVERIES)
_HELD: Final = select(DELIVERIES).select_from(_WITH_REPORT).where(*_RUN).with_for_update(of=_OF)
_HELD_WITH_OUTPUT: Final = (
    select(DELIVERIES, OUTPUTS.c.content, OUTPUTS.c.media_type)
    .select_from(_WITH_REPORT.outerjoin(OUTPUTS, _ITS_OUTPUT))
    .where(*_RUN)
    .with_for_update(of=_OF)
)
# Without its report: the order of versions is decided where a step is begun, never where it ends.
_HELD_ALONE: Final = select(DELIVERIES, TROUBLED.label("troubled")).where(*_RUN).with_for_update(of=DELIVERIES)
_SAME: Final = (
    DELIVERIES.c.report == bindparam("report", type_=Integer()),
    DELIVERIES.c.destination == bindparam("destination"),
)
_NUMBER: Final = bindparam("number", type_=Integer())
_OUT: Final = DELIVERIES.c.state.in_((State.SENDING, State.STORED, State.VERIFIED))
_HIGHEST: Final = select(func.max(DELIVERIES.c.number)).where(*_SAME)
_AT_HAND: Final = select(
    _HIGHEST.where(DELIVERIES.c.number < _NUMBER, DELIVERIES.c.open == 1).scalar_subquery().label("lower"),
    _HIGHEST.where(DELIVERIES.c.number > _NUMBER, _OUT).scalar_subquery().label("newer"),
    UNTIL.label("until"),
)
"""The number of an open earlier version, of a later one that went out or may have, and how the destination is."""
_QUESTIONS: Final = select(func.count()).where(
    ATTEMPTS.c.delivery == bindparam("delivery"),
    ATTEMPTS.c.number > bindparam("above", type_=Integer()),
    ATTEMPTS.c.step == "verify",
)
"""How often a peer was asked for proof in the attempts above a number."""
_WRITTEN: Final = (
    "state",
    "open",
    "attempts",
    "counted",
    "run",
    "fed",
    "changed",
    "next_at",
    "settled",
    "status",
    "reason",
)
"""The columns of a delivery that change with its runs."""
_DELIVERY: Final = (
    update(DELIVERIES)
    .where(DELIVERIES.c.position == bindparam("delivery_position"))
    .values({name: bindparam(f"delivery_{name}") for name in _WRITTEN})
)
_ATTEMPT_BEGINS: Final = insert(ATTEMPTS).values({one.name: bindparam(f"attempt_{one.name}") for one in ATTEMPTS.c})
_ATTEMPT_ENDS: Final = (
    update(ATTEMPTS)
    .where(
        ATTEMPTS.c.delivery == bindparam("attempt_delivery"),
        ATTEMPTS.c.number == bindparam("attempt_number", type_=Integer()),
    )
    .values({name: bindparam(f"attempt_{name}") for name in ("ended", "outcome", "status", "reason", "detail")})
)
_WITH_BEGIN: Final = _DELIVERY.add_cte(_ATTEMPT_BEGINS.cte("attempt"))
_WITH_END: Final = _DELIVERY.add_cte(_ATTEMPT_ENDS.cte("attempt"))
"""Both in one statement, where the database can do that."""


def _held(connection: Connection, statement: Select[Any], **run: str | int) -> RowMapping | None:
    """The row of a run, held until the transaction ends; None when the run is over."""
    row = connection.execute(statement, run).first()
    return row._mapping if row else None


def _recorded(
    connection: Connection, turn: Turn, row: RowMapping, now: str, told: Told, attempt: Mapping[str, Any]
) -> None:
    """End an attempt, and change its delivery to what follows."""
    sent = told.state is State.STORED and turn.step == "send"
    values: dict[str, Any] = {
        "attempts": row["attempts"] + (turn.step != "send"),
        "counted": 0 if sent and not turn.again else row["counted"] + told.counts,
        "status": told.status,
        "reason": told.reason,
    }
    if told.again_s is not None:
        _put_off(connection, row, now, told.again_s, attempt, **(values | {"state": told.state}))
    elif sent:
        _write(connection, row, {"state": State.STORED, "changed": now, **values}, attempt)
    else:
        _settle(connection, row, now, told.state, attempt, **values)


def _write(
    connection: Connection, row: RowMapping, changes: Mapping[str, Any], attempt: Mapping[str, Any] | None = None
) -> None:
    """Change a delivery that is held, with an attempt at it that begins or, where it names no step, ends."""
    values = {"position": row["position"]} | {name: row[name] for name in _WRITTEN} | dict(changes)
    named = _as_parameters("delivery", values)
    if attempt is None:
        connection.execute(_DELIVERY, named)
        return
    begins = "step" in attempt
    tried = _as_parameters("attempt", attempt)
    if connection.dialect.name == "postgresql":
        connection.execute(_WITH_BEGIN if begins else _WITH_END, named | tried)
        return
    connection.execute(_ATTEMPT_BEGINS if begins else _ATTEMPT_ENDS, tried)
    connection.execute(_DELIVERY, named)


def _as_parameters(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{table}_{name}": value for name, value in values.items()}


def _place(at: Delivery) -> dict[str, str | int]:
    """Where a delivery stands in the order of versions."""
    return {"report": at.report, "destination": at.destination, "number": at.number}


def _counted(at: Delivery) -> dict[str, str | int]:
    """The last attempts of a delivery, as many as count.

    Counted anew since it was put back or first called stored: what stands in them of older ones was not counted since.
    """
    return {"delivery": at.id, "above": at.attempts - at.counted}


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


def close_lost(connection: Connection, ids: Sequence[str], now: str) -> None:
    """End the attempts at deliveries whose worker was lost: nobody knows what became of them."""
    lost = and_(ATTEMPTS.c.delivery.in_(ids), ATTEMPTS.c.ended.is_(None))
    connection.execute(update(ATTEMPTS).where(lost).values(ended=now, outcome="unknown", reason=LOST))


def _put_off(
    connection: Connection,
    row: RowMapping,
    now: str,
    pause_s: float,
    attempt: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    """Give a run back; the next one is due after a pause."""
    values: dict[str, Any] = {
        "run": row["run"] + 1,
        "fed": None,
        "changed": now,
        "next_at": later(now, min(pause_s, MOST_PAUSE_S)),
        "state": State.STORED if row["state"] == State.STORED else State.QUEUED,
        **more,
    }
    _write(connection, row, values, attempt)


def _settle(
    connection: Connection,
    row: RowMapping,
    now: str,
    state: State,
    attempt: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    """Close a delivery."""
    values = {"state": state, "open": 0, "fed": None, "changed": now, "settled": now, **more}
    _write(connection, row, values, attempt)
