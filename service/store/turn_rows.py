"""The rows of a turn: a delivery that is held, and an attempt at it that begins or ends, each change in one go."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    insert,
    select,
    update,
)

from service.store.circuits import troubled
from service.store.tables import ATTEMPTS, DELIVERIES, OUTPUTS, REPORTS

LOST: Final = "the worker was lost before the answer came"

# Statements are made once: to put one together costs as much as to run it.
_RUN: Final = (DELIVERIES.c.id == bindparam("id"), DELIVERIES.c.run == bindparam("run"), DELIVERIES.c.open == 1)
_WITH_REPORT: Final = DELIVERIES.join(REPORTS, REPORTS.c.id == DELIVERIES.c.report)
_ITS_OUTPUT: Final = and_(OUTPUTS.c.version == DELIVERIES.c.version, OUTPUTS.c.role == DELIVERIES.c.role)
# Held in this order: who decides of several deliveries of a report holds it before them.
_OF: Final = (REPORTS, DELIVERIES)
HELD: Final = select(DELIVERIES).select_from(_WITH_REPORT).where(*_RUN).with_for_update(of=_OF)
HELD_WITH_OUTPUT: Final = (
    select(DELIVERIES, OUTPUTS.c.content, OUTPUTS.c.media_type)
    .select_from(_WITH_REPORT.outerjoin(OUTPUTS, _ITS_OUTPUT))
    .where(*_RUN)
    .with_for_update(of=_OF)
)
# Without its report: the order of versions is decided where a step is begun, never where it ends.
HELD_ALONE: Final = (
    select(DELIVERIES, troubled("destination").label("troubled")).where(*_RUN).with_for_update(of=DELIVERIES)
)
BEGINNING: Final = frozenset({"state", "attempts", "changed"})
"""The columns of a delivery that the begin of an attempt changes."""
_ENDING: Final = ("ended", "outcome", "status", "reason", "detail")
_NUMBER: Final = bindparam("attempt_number", type_=Integer())
_BEGUN: Final = {one.name: bindparam(f"attempt_{one.name}", type_=one.type) for one in ATTEMPTS.c}
_ATTEMPT_BEGINS: Final = insert(ATTEMPTS).values(_BEGUN)
_ATTEMPT_ENDS: Final = (
    update(ATTEMPTS)
    .where(ATTEMPTS.c.delivery == bindparam("attempt_delivery"), ATTEMPTS.c.number == _NUMBER)
    .values({name: bindparam(f"attempt_{name}") for name in _ENDING})
)


def held(connection: Connection, statement: Select[Any], **run: str | int) -> RowMapping | None:
    """The row of a delivery if this run is still going on, locked until the transaction ends."""
    row = connection.execute(statement, run).first()
    return row._mapping if row is not None else None


def write(
    connection: Connection, row: RowMapping, changes: Mapping[str, Any], attempt: Mapping[str, Any] | None = None
) -> None:
    """Change a delivery that is held, with an attempt at it that begins or, where it names no step, ends."""
    named = parameters(row, changes)
    delivery = _held_delivery(frozenset(changes))
    if attempt is None:
        connection.execute(delivery, named)
        return
    tried = _as_parameters("attempt", attempt)
    if connection.dialect.name == "postgresql":
        connection.execute(_held_with_attempt(frozenset(changes), begins="step" in attempt), named | tried)
        return
    connection.execute(_ATTEMPT_BEGINS if "step" in attempt else _ATTEMPT_ENDS, tried)
    connection.execute(delivery, named)


@lru_cache(maxsize=16)
def _held_delivery(changed: frozenset[str]) -> Update:
    """The statement for the columns that change; there are a few sets of them."""
    return update(DELIVERIES).where(DELIVERIES.c.position == bindparam("delivery_position")).values(_new(changed))


@lru_cache(maxsize=16)
def _held_with_attempt(changed: frozenset[str], *, begins: bool) -> Update:
    """The same with the attempt, where the database can do that in one statement."""
    attempt = _ATTEMPT_BEGINS.cte("attempt") if begins else _ATTEMPT_ENDS.cte("attempt")
    return _held_delivery(changed).add_cte(attempt)


def begins_where(free: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a statement of PostgreSQL begins an attempt at a delivery that is held, which it does on a condition."""
    mine = DELIVERIES.c.position == bindparam("delivery_position")
    changes = update(DELIVERIES).where(mine, free).values(_new(BEGINNING)).returning(DELIVERIES.c.id)
    moved = changes.cte("moved")
    made = insert(ATTEMPTS).from_select(list(_BEGUN), select(*_BEGUN.values()).select_from(moved))
    return exists(select(moved.c.id).add_cte(made.cte("attempt")))


def parameters(row: RowMapping, changes: Mapping[str, Any], attempt: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a change of a delivery that is held, and of an attempt, is told."""
    named = _as_parameters("delivery", {"position": row["position"], **changes})
    return named | _as_parameters("attempt", attempt or {})


def _new(changed: frozenset[str]) -> dict[str, Any]:
    """Columns of a delivery with the parameters that they are set to."""
    return {name: bindparam(f"delivery_{name}") for name in sorted(changed)}


def write_unheld(
    connection: Connection,
    was: Mapping[str, Any],
    changes: Mapping[str, Any],
    attempt: Mapping[str, Any],
    *,
    untroubled: str | None = None,
) -> bool:
    """Change a delivery that nobody holds, and its attempt with it, where it still is what it ``was``; whether so.

    One statement, and PostgreSQL alone has it. It waits for who holds the row, and then asks once more, of the row as
    that one left it (READ COMMITTED). All that the change is made of is asked; a column that it does not name stays:

    - A run that is over never comes back: retry, giving up, taking back and putting off count it up, and nothing counts
      it down. What is settled is not open; only such a one is removed.
    - Whoever begins a step of the same run once more, as one that resumed the workflow does, counts an attempt, and who
      proves something, too; who records that it was sent changes its state. So of two with one turn, the second finds
      another row.
    - Who hands runs out writes ``fed`` alone, which a change either leaves or takes away, whatever it was.

    Where the row is another one nothing is written, of the attempt neither: it is made of what the change gives back.
    ``untroubled``: a destination; where the statement finds that it has failures nothing is written, too.
    """
    statement = _unheld(frozenset(changes), begins="step" in attempt, asks=untroubled is not None)
    values = _as_parameters("was", was) | _as_parameters("delivery", changes) | _as_parameters("attempt", attempt)
    values["was_destination"] = untroubled
    return connection.execute(statement, values).first() is not None


@lru_cache(maxsize=16)
def _unheld(changed: frozenset[str], *, begins: bool, asks: bool) -> Select[Any]:
    """The statement for the columns that change, with the attempt."""
    same = [DELIVERIES.c[name] == bindparam(f"was_{name}") for name in ("id", "run", "state", "attempts", "counted")]
    if asks:
        same.append(~troubled("was_destination"))
    changes = update(DELIVERIES).where(*same, DELIVERIES.c.open == 1).values(_new(changed))
    moved = changes.returning(DELIVERIES.c.id).cte("moved")
    if begins:
        made = insert(ATTEMPTS).from_select(list(_BEGUN), select(*_BEGUN.values()).select_from(moved))
        return select(moved.c.id).add_cte(made.cte("attempt"))
    return select(moved.c.id).add_cte(_ATTEMPT_ENDS.where(ATTEMPTS.c.delivery == moved.c.id).cte("attempt"))


def end_attempt(connection: Connection, attempt: Mapping[str, Any]) -> None:
    """Say what an attempt came to, and change nothing else."""
    connection.execute(_ATTEMPT_ENDS, _as_parameters("attempt", attempt))


def _as_parameters(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{table}_{name}": value for name, value in values.items()}


def close_lost(connection: Connection, ids: Sequence[str], now: str) -> None:
    """End the attempts at deliveries whose worker was lost: nobody knows what became of them."""
    lost = and_(ATTEMPTS.c.delivery.in_(ids), ATTEMPTS.c.ended.is_(None))
    connection.execute(update(ATTEMPTS).where(lost).values(ended=now, outcome="unknown", reason=LOST))
