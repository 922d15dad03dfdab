"""Dead letters: which of them nobody has looked after, how they are put back, and how what waits is made one."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, select, update

from service.domain.emitted import REJECTION
from service.domain.errors import Invalid, Problem
from service.store.delivery_rows import DEAD_LETTERS, State
from service.store.queues import alone
from service.store.tables import DELIVERIES, IS_OPEN, REPORTS
from service.store.turn_rows import close_lost

_NEXT: Final = DELIVERIES.alias("next").c
_FOLLOWED: Final = exists().where(_NEXT.version == DELIVERIES.c.version, _NEXT.parent == DELIVERIES.c.id)
# Whichever delivery the later one follows: by way of another destination, or written twice, that is not the one whose
# place it has. A rejection note is never written again, and what it goes with does not take its place.
_IN_ITS_PLACE: Final = (
    _NEXT.version == DELIVERIES.c.version,
    _NEXT.destination == DELIVERIES.c.destination,
    _NEXT.position > DELIVERIES.c.position,
    _NEXT.parent.is_not(None),
    ~DELIVERIES.c.role.startswith(REJECTION),
)
_REPLACED: Final = exists().where(*_IN_ITS_PLACE)
"""Whether a later delivery to the same destination is in its place: its own bytes would undo that one."""
UNSEEN: Final = DELIVERIES.c.state.in_(DEAD_LETTERS) & ~_FOLLOWED & ~_REPLACED
"""Dead letters that nobody has looked after: none was written again in its place, here or for another destination."""


_HELD_AT_A_TIME: Final = 10_000
"""Reports in one statement: neither database takes as many parameters as one may wish to put back."""


def put_back(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], now: str, priority: int | None = None
) -> int:
    """Put dead letters back; how many. Their reports are held: none is written again at the same time."""
    dead = (DELIVERIES.c.state.in_(DEAD_LETTERS), *conditions)
    values: dict[str, Any] = {
        "state": State.QUEUED,
        "open": 1,
        "counted": 0,
        "run": DELIVERIES.c.run + 1,
        "fed": None,
        "changed": now,
        "next_at": now,
        "settled": None,
    }
    if priority is not None:
        values["priority"] = priority
    back = 0
    for these in _held(connection, dead):
        # In a statement of its own: it sees what was written again before the reports were held.
        back += connection.execute(update(DELIVERIES).where(these, *dead, ~_REPLACED).values(values)).rowcount
    return back


GIVEN_UP: Final = "given up by an operator: "
_REASON_LONG: Final = 200


def give_up(connection: Connection, conditions: Sequence[ColumnElement[bool]], reason: str, now: str) -> int:
    """Make what waits a dead letter for a reason; how many. Nothing that was begun is touched, and nothing is begun.

    Their reports are held. Another run counts from here on, so who was handed one finds that it is over. Raises Invalid
    for a reason that is no line of text.
    """
    reason = reason.strip()
    if not reason or len(reason) > _REASON_LONG or not reason.isprintable():
        why = f"say why, for who looks at it later: one line of at most {_REASON_LONG} characters"
        raise Invalid(Problem("/reason", "reason", why))
    alone(connection)
    waiting = (IS_OPEN, DELIVERIES.c.state == State.QUEUED, *conditions)
    values: dict[str, Any] = {
        "state": State.DEAD,
        "open": 0,
        "run": DELIVERIES.c.run + 1,
        "fed": None,
        "changed": now,
        "settled": now,
        "status": "",
        "reason": f"{GIVEN_UP}{reason}",
    }
    given_up = 0
    for these in _held(connection, waiting):
        statement = update(DELIVERIES).where(these, *waiting).values(values).returning(DELIVERIES.c.id)
        ids = connection.execute(statement).scalars().all()
        for start in range(0, len(ids), _HELD_AT_A_TIME):
            close_lost(connection, ids[start : start + _HELD_AT_A_TIME], now)
        given_up += len(ids)
    return given_up


def _held(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> Iterator[ColumnElement[bool]]:
    """Hold the reports of such deliveries, in the order of their ids; conditions that those meet, some at a time."""
    of = select(DELIVERIES.c.report).where(*conditions)
    held = select(REPORTS.c.id).where(REPORTS.c.id.in_(of)).order_by(REPORTS.c.id).with_for_update()
    reports = connection.execute(held).scalars().all()
    for start in range(0, len(reports), _HELD_AT_A_TIME):
        yield DELIVERIES.c.report.in_(reports[start : start + _HELD_AT_A_TIME])


def in_its_place(connection: Connection, id: str) -> tuple[str, ...]:  # noqa: A002 - the route's own word
    """The newest delivery that is in the place of one."""
    statement = select(_NEXT.id).where(DELIVERIES.c.id == id, *_IN_ITS_PLACE).order_by(_NEXT.position.desc()).limit(1)
    return tuple(connection.execute(statement).scalars())
