"""The audit trail as it is kept: events that are only ever added, each chained to the one before, and where they end.

The end stands in a row of its own, written with each event. So a trail whose last events were taken out is found out:
the next event follows what that row says, never what is left. On PostgreSQL whoever adds one holds that row for a
statement only, and waits for the disk afterwards, together with others.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from threading import Event, Timer
from typing import Any, Final

from sqlalchemy import Connection, Engine, LargeBinary, Select, bindparam, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.domain.errors import Problem, Unavailable
from service.store.database import reading, transaction, writing_once
from service.store.trail_tables import AUDIT, AUDIT_END

FIRST: Final = "0" * 64
"""What stands before the first event of a trail."""
_PAGE: Final = 1_000
_CONFIRMED_S: Final = 10.0
"""So long who reads the trail waits for the disks of the database, and of its synchronous standbys."""
_CANCELLED_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event of the trail with its place in the chain."""

    position: int
    event: bytes
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class End:
    """Where a trail ends: the position and the hash of its last event; 0 before the first."""

    position: int
    hash: str


_NEXT: Final = text(
    "WITH noted AS (UPDATE audit_end SET position = position + 1, previous = hash,"
    " hash = encode(sha256(convert_to(hash, 'UTF8') || '\\x0a'::bytea || :event), 'hex')"
    " WHERE id = 1 AND set_config('synchronous_commit', 'off', true) = 'off' RETURNING position, previous, hash)"
    " INSERT INTO audit (position, event, previous, hash) SELECT position, :event, previous, hash FROM noted"
).bindparams(bindparam("event", type_=LargeBinary()))
"""The next event, chained as `chained` does it, and the end with it; who comes at the same time waits for the end.

The row of the end is held until its transaction is over: did that wait for the disk, one event at a time would.
"""
_ON_DISK: Final = text("SELECT pg_logical_emit_message(true, 'audit', '') WHERE NOT pg_is_in_recovery()")
"""A record of its own in PostgreSQL's log, whose commit waits for the disk, and so for all that was committed before.

It holds nothing, so those who come at the same time wait for one writing together. A server that only follows another
has no log of its own to wait for.
"""
_END: Final = select(AUDIT_END.c.position, AUDIT_END.c.hash).where(AUDIT_END.c.id == 1)
_LAST: Final = select(AUDIT.c.position, AUDIT.c.hash).order_by(AUDIT.c.position.desc()).limit(1)


class AuditTrail:
    """Events that are only ever added, each chained to the one before it."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine
        self._notes_end = False

    def add(self, event: bytes) -> None:
        """Add an event at the end of the chain, and note the end, both or neither.

        It is on the disk when this returns. On PostgreSQL one statement adds it and another one waits; the table is
        locked where an event stands there that a program of an older step has added, which notes no end.
        """
        notes_end = self._has_end()
        if notes_end and self._engine.dialect.name == "postgresql":
            try:
                with writing_once(self._engine) as connection:
                    if connection.execute(_NEXT, {"event": event}).rowcount == 1:
                        connection.execute(_ON_DISK)
                        return
            except IntegrityError:
                pass  # its position is taken: nothing was written
        with transaction(self._engine, writes=True) as connection:
            if connection.dialect.name == "postgresql":
                # One writer at a time, or two events would follow the same one.
                connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
            at = _followed(connection, notes_end=notes_end)
            row = {"position": at.position + 1, "previous": at.hash, "hash": chained(at.hash, event)}
            connection.execute(insert(AUDIT).values(event=event, **row))
            if notes_end and not connection.execute(update(AUDIT_END).where(AUDIT_END.c.id == 1).values(row)).rowcount:
                connection.execute(insert(AUDIT_END).values(id=1, **row))

    def _has_end(self) -> bool:
        """Whether the tables are of a step that notes the end; asked until they are."""
        if not self._notes_end:
            with transaction(self._engine) as connection:
                self._notes_end = inspect(connection).has_table(AUDIT_END.name)
        return self._notes_end

    def end(self) -> End | None:
        """Where the trail ends as it was noted with its last event; None where the note is gone."""
        with reading(self._engine) as connection:
            row = connection.execute(_END).first()
        return End(row.position, row.hash) if row is not None else None

    def holds(self, end: End) -> bool:
        """Whether the trail came to this end once: an event stands there with this hash."""
        with reading(self._engine) as connection:
            return _is_there(connection, end)

    def last(self) -> KeptEvent | None:
        """The event at the end of the chain, or None; no crash takes it back."""
        statement = select(AUDIT).order_by(AUDIT.c.position.desc()).limit(1)
        found = self._on_disk(statement)
        return found[0] if found else None

    def after(self, position: int, limit: int = _PAGE) -> tuple[KeptEvent, ...]:
        """The events after a position, oldest first; no crash takes them back."""
        statement = select(AUDIT).where(AUDIT.c.position > position).order_by(AUDIT.c.position)
        return self._on_disk(statement.limit(limit))

    def _on_disk(self, statement: Select[Any]) -> tuple[KeptEvent, ...]:
        """Events that are read, and on the disk: others see one before that, and could give out what a crash undoes."""
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
            if connection.dialect.name == "postgresql":
                with _within(connection, _CONFIRMED_S):
                    connection.execute(_ON_DISK)
        return tuple(_kept(row) for row in rows)

    def all(self) -> Iterator[KeptEvent]:
        """All events, page by page."""
        position = 0
        while page := self.after(position):
            yield from page
            position = page[-1].position

    def broken(self) -> int | None:
        """The position of the first event that was changed, moved or follows a gap; None where the chain holds."""
        previous, expected = FIRST, 1
        for kept in self.all():
            if kept.position != expected or kept.previous != previous or kept.hash != chained(previous, kept.event):
                return kept.position
            previous, expected = kept.hash, expected + 1
        return None


@contextmanager
def _within(connection: Connection, seconds: float) -> Iterator[None]:
    """End what a connection to PostgreSQL waits for after so long; raises Unavailable then.

    What it waited for is not known: a disk may be slow as well as a standby away. No setting of the server ends its
    wait for a standby, `statement_timeout` either: somebody has to cancel it.
    """
    driver, over = connection.connection.driver_connection, Event()

    def cancel() -> None:
        over.set()
        with suppress(Exception):  # the driver's own error: who waits finds out by itself what became of the server
            driver.cancel_safe(timeout=_CANCELLED_S)  # type: ignore[union-attr] # it is connected

    waits = Timer(seconds, cancel)
    waits.daemon = True
    waits.start()
    try:
        yield
    except DBAPIError:
        if not over.is_set():
            raise
    finally:
        waits.cancel()
        waits.join()
    if over.is_set():
        connection.invalidate()  # who has it next would be cancelled where the server is late
        why = f"the database did not confirm within {seconds:g} s that it keeps the newest events"
        may = "where a synchronous standby is set up (synchronous_standby_names) it may be away, else its disk slow"
        raise Unavailable(Problem("", "database", f"{why}: {may}"))


def _followed(connection: Connection, *, notes_end: bool) -> End:
    """What the next event follows: the last one, or the end that was noted where its event is not there.

    So what was cut off leaves a gap, and what was put in its place a break, for as long as there is a trail.
    """
    row = connection.execute(_LAST).first()
    last = End(row.position, row.hash) if row is not None else End(0, FIRST)
    noted = connection.execute(_END).first() if notes_end else None
    if noted is None or _is_there(connection, End(noted.position, noted.hash)):
        return last
    return End(max(last.position, noted.position), noted.hash)


def _is_there(connection: Connection, end: End) -> bool:
    if end.position == 0:
        return end.hash == FIRST
    found = connection.execute(select(AUDIT.c.hash).where(AUDIT.c.position == end.position)).scalar()
    return found == end.hash


def _kept(row: Any) -> KeptEvent:
    """An event as it stands in the table; SQLite lets whoever changes one put text there in place of bytes."""
    event = row.event.encode() if isinstance(row.event, str) else bytes(row.event)
    return KeptEvent(row.position, event, row.previous, row.hash)


def chained(previous: str, event: bytes) -> str:
    """The hash of an event that follows another one."""
    return sha256(previous.encode() + b"\n" + event).hexdigest()
