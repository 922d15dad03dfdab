"""The circuit of each destination: after some failures in a row it is left alone, then one delivery tries it.

It stands in the database, so that all workers know of it. While it is open, tries count for no delivery.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, ScalarSelect, bindparam, exists, select, update

from service.store.database import inserting, reading
from service.store.tables import CIRCUITS
from service.store.times import AHEAD_S, later

_LONGEST_S: Final = 86_400.0
"""A destination is never left alone for longer at a time."""


class Verdict(StrEnum):
    """What an answer says of the destination itself."""

    WORKS = "works"
    AWAY = "away"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Circuit:
    """When a destination is left alone: after ``failures`` in a row, at first for ``first_s`` and at most ``most_s``.

    ``try_s`` is how long a single try may take before another is made.
    """

    failures: int = 5
    first_s: float = 5.0
    most_s: float = 60.0
    try_s: float = 150.0


@dataclass(frozen=True, slots=True)
class CircuitState:
    """A destination that is left alone: since when, until when, and why."""

    destination: str
    failures: int
    opened: str
    until: str
    reason: str


class Door(StrEnum):
    """Whether a destination may be sent to."""

    OPEN = "open"
    TRY = "try"  # by one, to see whether it is back
    SHUT = "shut"


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer says of the destination; ``pause_s`` is what a busy one asked for, ``why`` holds no report."""

    verdict: Verdict
    pause_s: float = 0.0
    why: str = ""


def open_circuits(engine: Engine) -> tuple[CircuitState, ...]:
    """The destinations that are left alone."""
    statement = select(CIRCUITS).where(CIRCUITS.c.until.is_not(None)).order_by(CIRCUITS.c.destination)
    with reading(engine) as connection:
        return tuple(
            CircuitState(row.destination, row.failures, row.opened or row.until, row.until, row.reason)
            for row in connection.execute(statement)
        )


_MINE: Final = CIRCUITS.c.destination == bindparam("destination")
_UNTIL: Final = select(CIRCUITS.c.until, CIRCUITS.c.changed).where(_MINE)


def until(parameter: str) -> ScalarSelect[str | None]:
    """Until when the destination of a parameter is left alone, for statements that ask more at once."""
    return select(CIRCUITS.c.until).where(CIRCUITS.c.destination == bindparam(parameter)).scalar_subquery()


def troubled(parameter: str) -> ColumnElement[bool]:
    """Whether the destination of a parameter has failures that an answer would take away."""
    mine = CIRCUITS.c.destination == bindparam(parameter)
    return exists().where(mine, (CIRCUITS.c.failures > 0) | CIRCUITS.c.until.is_not(None))


def door(connection: Connection, destination: str, now: str, *, held: bool = False) -> Door:
    """Whether a destination may be sent to now; ``held``: nobody else may decide until the transaction ends."""
    statement = _UNTIL.with_for_update() if held else _UNTIL
    row = connection.execute(statement, {"destination": destination}).first()
    if row is None or row.until is None:
        return Door.OPEN
    return Door.SHUT if now < row.until and row.changed <= later(now, AHEAD_S) else Door.TRY


def take_try(connection: Connection, destination: str, now: str, circuit: Circuit) -> None:
    """Be the one that tries a destination; the others wait for how it goes."""
    mine = CIRCUITS.c.destination == destination
    connection.execute(update(CIRCUITS).where(mine).values(until=later(now, circuit.try_s), changed=now))


def note(connection: Connection, destination: str, heard: Heard, now: str, circuit: Circuit) -> None:
    """Remember what an answer says of a destination."""
    mine = CIRCUITS.c.destination == destination
    if heard.verdict is Verdict.WORKS:
        troubled = mine & ((CIRCUITS.c.failures > 0) | CIRCUITS.c.until.is_not(None))
        closed = {"failures": 0, "opened": None, "until": None, "reason": "", "changed": now}
        connection.execute(update(CIRCUITS).where(troubled).values(closed))
        return
    made = inserting(connection, CIRCUITS)
    fresh = {"destination": destination, "failures": 0, "opened": None, "until": None, "reason": "", "changed": now}
    connection.execute(made.values(fresh).on_conflict_do_nothing())
    row = connection.execute(select(CIRCUITS).where(mine).with_for_update()).one()
    failures = max(row.failures + 1, circuit.failures if heard.verdict is Verdict.BUSY else 0)
    values: dict[str, object] = {"failures": failures, "reason": heard.why, "changed": now}
    if failures >= circuit.failures:
        steps = min(failures - circuit.failures, 32)
        pause = max(min(circuit.most_s, circuit.first_s * 2.0**steps), min(heard.pause_s, _LONGEST_S))
        values |= {"opened": row.opened or now, "until": later(now, pause)}
    connection.execute(update(CIRCUITS).where(mine).values(values))
