"""The work on a delivery, step by step: handed out, a turn begun, an answer recorded. Each is one transaction.

A run is one go at a delivery. Its number is in the row: who works on an older run may record what a peer answered, and
changes no state. So a worker that was taken for dead and comes back does no harm.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Boolean, Connection, Engine, Integer, RowMapping, bindparam, exists, func, or_, select

from service.store.circuits import Circuit, Door, Verdict, door, note, take_try, until
from service.store.database import reading, transaction, writing_once
from service.store.delivery_rows import Delivery, State, delivery_of
from service.store.queues import Due, Feed, alone, is_waiting
from service.store.tables import ATTEMPTS, DELIVERIES, UNDER_WAY
from service.store.times import AHEAD_S, later
from service.store.turn_rows import (
    HELD,
    HELD_ALONE,
    HELD_WITH_OUTPUT,
    begins_where,
    close_lost,
    end_attempt,
    held,
    parameters,
    write,
    write_unheld,
)
from service.store.turns import Ended, Told, Turn, begun, left_by, put_off, settled

_FED_LATE_S: Final = 30.0


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
                row = held(connection, HELD, id=one.id, run=one.run)
                if row is not None:
                    write(connection, row, put_off(row, self._now(), 0.0))

    def begin(self, id: str, run: int, worker: str, may: May) -> Turn | None:  # noqa: A002 - as in the routes
        """Begin the next step of a run; None when there is nothing to do in it now, or ever."""
        now = self._now()
        with transaction(self._engine, writes=True) as connection:
            row = held(connection, HELD_WITH_OUTPUT, id=id, run=run)
            if row is None:
                return None
            delivery = delivery_of(row)
            if may.destinations is not None and delivery.destination not in may.destinations:
                return None
            content, media_type = bytes(row["content"]), row["media_type"]
            if delivery.state is State.STORED:
                return Turn(delivery, "verify", delivery.attempts + 1, content, media_type)
            number = delivery.attempts + 1
            changes = {"state": State.SENDING, "attempts": number, "changed": now}
            attempt = begun(delivery, "send", number, worker, now)
            overtakes = delivery.format in may.overtake
            # Only now, with the report held: a statement sees what was committed when it began, not when it got a lock.
            if _at_once(connection, delivery):
                named = parameters(row, changes, attempt) | {"overtakes": overtakes}
                at_hand = connection.execute(_FIRST, _place(delivery) | named).one()
                if at_hand.begun:
                    return Turn(delivery, "send", number, content, media_type)
            else:
                at_hand = connection.execute(_AT_HAND, _place(delivery)).one()
            if at_hand.lower:
                write(connection, row, put_off(row, now, 1.0))
                return None
            if at_hand.newer and not overtakes:
                superseded = f"superseded: version {at_hand.newer} went there already"
                write(connection, row, settled(State.DEAD, now) | {"status": "", "reason": superseded})
                return None
            # Held only where it matters: all that is sent to a destination would wait for each other.
            at = Door.OPEN if at_hand.until is None else door(connection, delivery.destination, now, held=True)
            if at is Door.SHUT:
                write(connection, row, put_off(row, now, 1.0))
                return None
            if at is Door.TRY:
                take_try(connection, delivery.destination, now, self._circuit)
            if delivery.attempts:
                close_lost(connection, (id,), now)
            write(connection, row, changes, attempt)
            again = bool(delivery.counted and connection.execute(_QUESTIONS, _counted(delivery)).scalar())
            return Turn(delivery, "send", number, content, media_type, at is Door.TRY, again)

    def told(self, turn: Turn, started: str, worker: str, told: Told) -> bool:
        """Record the answer to a step and what follows from it; False when the run was taken over meanwhile."""
        end = Ended(turn, told, worker, started, self._now())
        if self._engine.dialect.name == "postgresql" and (told.heard is None or told.heard.verdict is Verdict.WORKS):
            with writing_once(self._engine) as connection:
                if _recorded(connection, end):
                    return True
        with transaction(self._engine, writes=True) as connection:
            at = turn.delivery
            row = held(connection, HELD_ALONE, id=at.id, run=at.run, destination=at.destination)
            # An answer that says no news of the destination itself is no statement.
            if told.heard is not None and (row is None or row["troubled"] or told.heard.verdict is not Verdict.WORKS):
                note(connection, at.destination, told.heard, end.now, self._circuit)
            if row is not None:
                return _recorded(connection, end, row)
            if turn.step == "send":
                end_attempt(connection, end.attempt(left_by(turn)))
            return False


def _recorded(connection: Connection, end: Ended, row: RowMapping | None = None) -> bool:
    """Write what follows from an answer into a delivery that is held, with the attempt; whether that was done.

    Without a row nobody holds it: then it is done where the turn's delivery is as the turn left it, and where there is
    nothing to forget of the destination; else nothing is.
    """
    if row is not None:
        write(connection, row, end.follows(row), end.attempt(row))
        return True
    was = left_by(end.turn)
    destination = end.turn.delivery.destination if end.told.heard is not None else None
    return write_unheld(connection, was, end.follows(was), end.attempt(was), untroubled=destination)


# Made once, as those of `turn_rows` are.
_SAME: Final = (
    DELIVERIES.c.report == bindparam("at_report", type_=Integer()),
    DELIVERIES.c.destination == bindparam("at_destination"),
)
_NUMBER: Final = bindparam("at_number", type_=Integer())
# Not as a list: SQLAlchemy writes one out anew with each use.
_OUT: Final = or_(*(DELIVERIES.c.state == one for one in (State.SENDING, State.STORED, State.VERIFIED)))
_HIGHEST: Final = select(func.max(DELIVERIES.c.number)).where(*_SAME)
_AT_HAND: Final = select(
    _HIGHEST.where(DELIVERIES.c.number < _NUMBER, DELIVERIES.c.open == 1).scalar_subquery().label("lower"),
    _HIGHEST.where(DELIVERIES.c.number > _NUMBER, _OUT).scalar_subquery().label("newer"),
    until("at_destination").label("until"),
)
"""The number of an open earlier version, of a later one that went out or may have, and how the destination is."""
_LOOKED: Final = _AT_HAND.cte("at_hand")
_FREE: Final = (
    exists()
    .select_from(_LOOKED)
    .where(
        _LOOKED.c.lower.is_(None),
        or_(_LOOKED.c.newer.is_(None), bindparam("overtakes", type_=Boolean())),
        _LOOKED.c.until.is_(None),
    )
)
_FIRST: Final = select(_LOOKED, begins_where(_FREE).label("begun"))
"""The same, and the first attempt begins where nothing of it is in the way; ``begun`` says whether it has."""
_QUESTIONS: Final = select(func.count()).where(
    ATTEMPTS.c.delivery == bindparam("delivery"),
    ATTEMPTS.c.number > bindparam("above", type_=Integer()),
    ATTEMPTS.c.step == "verify",
)
"""How often a peer was asked for proof in the attempts above a number."""


def _at_once(connection: Connection, at: Delivery) -> bool:
    """Whether an attempt begins in the statement that asks what is in its way: of the first one nothing is closed."""
    return not at.attempts and connection.dialect.name == "postgresql"


def _place(at: Delivery) -> dict[str, str | int]:
    """Where a delivery stands in the order of versions."""
    return {"at_report": at.report, "at_destination": at.destination, "at_number": at.number}


def _counted(at: Delivery) -> dict[str, str | int]:
    """The last attempts of a delivery, as many as count.

    Counted anew since it was put back or first called stored: what stands in them of older ones was not counted since.
    """
    return {"delivery": at.id, "above": at.attempts - at.counted}
