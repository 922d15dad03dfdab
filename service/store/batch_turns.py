"""Whose turn it is: the next part of a batch, so that no large batch holds up those that came after it.

Senders take turns, and of each sender its batches; of a batch its parts go in their order. The turn is with the sender
of whom nothing was taken for the longest, told by numbers: no clock decides. All of it is found by indexes: a look at
each sender that has a batch under way, whatever these hold.
"""

from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from service.store.batch_tables import BATCH_PARTS, BATCHES, IS_FREE

_IS_RUNNING: Final = BATCHES.c.state == literal_column("'running'")


def senders(connection: Connection) -> list[str]:
    """Those who have a batch under way, in the order of their turns."""
    return list(connection.execute(_SENDERS).scalars())


def next_part(connection: Connection) -> Row[str, int, int] | None:
    """The part whose turn it is: its batch, number and run; it is locked with its batch, and counts as a turn.

    One in a transaction, for who holds a batch must wait for no other.
    """
    for sender in senders(connection):
        batch = connection.execute(_BATCH, {"sender": sender}).scalar()
        if batch is None:
            continue
        # Another may take the last one while this waits for the batch: then there was no turn, and nothing is held.
        attempt = connection.begin_nested()
        part = _part_of(connection, batch)
        if part is not None:
            attempt.commit()
            return part
        attempt.rollback()
    return None


def _part_of(connection: Connection, batch: str) -> Row[str, int, int] | None:
    """The next part of a batch: the batch is held before it, as who cancels does: so none waits for ever."""
    turn = update(BATCHES).where(BATCHES.c.id == batch, _IS_RUNNING).values(turn=_NEXT_TURN)
    return connection.execute(_PART, {"batch": batch}).first() if connection.execute(turn).rowcount else None


def last_turn_of(batch: str) -> ScalarSelect[int]:
    """The turn that a batch begins with: that of its sender's batches that was last, so it comes behind these."""
    own = select(BATCHES.c.sender).where(BATCHES.c.id == batch).scalar_subquery()
    return _last_of(own)


def _senders() -> Select[str]:
    """Stepping from one to the next by the index: neither database does that for a DISTINCT."""
    first = select(func.min(BATCHES.c.sender)).where(_IS_RUNNING).scalar_subquery()
    found = select(first.label("sender")).cte("found", recursive=True)
    following = select(func.min(BATCHES.c.sender)).where(_IS_RUNNING, BATCHES.c.sender > found.c.sender)
    found = found.union_all(select(following.scalar_subquery()).where(found.c.sender.is_not(None)))
    return select(found.c.sender).where(found.c.sender.is_not(None)).order_by(_last_of(found.c.sender), found.c.sender)


def _last_of(sender: ColumnElement[str]) -> ScalarSelect[int]:
    """The last turn of a sender, by the index that begins with it."""
    one = BATCHES.alias("one")
    newest = select(one.c.turn).where(one.c.sender == sender).order_by(one.c.sender.desc(), one.c.turn.desc())
    return newest.limit(literal_column("1")).scalar_subquery()


_SENDERS: Final = _senders()
_TURN: Final = BATCHES.alias("turns")
_NEXT_TURN: Final = (
    select(func.coalesce(func.max(_TURN.c.turn), 0) + 1).where(_TURN.c.turn > literal_column("0")).scalar_subquery()
)
_FIRST_PART: Final = (
    select(BATCH_PARTS.c.number)
    .where(BATCH_PARTS.c.batch == BATCHES.c.id, IS_FREE)
    .order_by(BATCH_PARTS.c.number)
    .limit(literal_column("1"))
    .scalar_subquery()
)
_BATCH: Final = (
    select(BATCHES.c.id)
    .where(_IS_RUNNING, BATCHES.c.sender == bindparam("sender"), _FIRST_PART.is_not(None))
    .order_by(BATCHES.c.turn, BATCHES.c.created, BATCHES.c.id)
    .limit(literal_column("1"))
)
_PART: Final = (
    select(BATCH_PARTS.c.batch, BATCH_PARTS.c.number, BATCH_PARTS.c.run)
    .where(BATCH_PARTS.c.batch == bindparam("batch"), IS_FREE)
    .order_by(BATCH_PARTS.c.number)
    .limit(literal_column("1"))
    .with_for_update(skip_locked=True)
)
