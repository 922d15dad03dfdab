"""API keys and the audit trail as they are kept."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Engine, LargeBinary, Row, bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from service.domain.errors import Conflict, NotFound, Problem
from service.store.database import reading, transaction, writing_once
from service.store.tables import API_KEYS, AUDIT

FIRST: Final = "0" * 64
"""What stands before the first event of a trail."""
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class KeptKey:
    """An API key; ``expires`` and ``revoked`` are instants of the tables."""

    id: str
    name: str
    sender: str
    scopes: str
    digest: str
    rate_per_minute: int
    body_bytes: int
    created: str
    expires: str | None = None
    revoked: str | None = None

    def is_good(self, now: str) -> bool:
        """Whether it may be used at an instant."""
        return self.revoked is None and (self.expires is None or now < self.expires)


class KeyStore:
    """The API keys of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self._engine, self.now = engine, now

    def add(self, key: KeptKey) -> None:
        """Keep a key; raises Conflict where its name is in use."""
        try:
            with transaction(self._engine, writes=True) as connection:
                connection.execute(insert(API_KEYS).values(**asdict(key)))
        except IntegrityError:
            raise Conflict(Problem("", "key-name", "there is a key of this name")) from None

    def find(self, id: str) -> KeptKey | None:  # noqa: A002 - the column's own word
        """A key by its id."""
        with reading(self._engine) as connection:
            row = connection.execute(select(API_KEYS).where(API_KEYS.c.id == id)).first()
        return _key(row) if row is not None else None

    def all(self) -> tuple[KeptKey, ...]:
        """All keys, in the order of their names."""
        with reading(self._engine) as connection:
            return tuple(map(_key, connection.execute(select(API_KEYS).order_by(API_KEYS.c.name))))

    def revoke(self, name: str) -> None:
        """Take a key back for ever; raises NotFound."""
        with transaction(self._engine, writes=True) as connection:
            done = connection.execute(
                update(API_KEYS).where(API_KEYS.c.name == name, API_KEYS.c.revoked.is_(None)).values(revoked=self.now())
            )
        if done.rowcount == 0:
            raise NotFound(Problem("", "key-name", "there is no such key, or it is revoked already"))


def _key(row: Row[tuple[object, ...]]) -> KeptKey:
    return KeptKey(**row._mapping)


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event of the trail with its place in the chain."""

    position: int
    event: bytes
    previous: str
    hash: str


_NEXT: Final = text(
    "INSERT INTO audit (position, event, previous, hash)"
    " SELECT position + 1, :event, hash, encode(sha256(convert_to(hash, 'UTF8') || '\\x0a'::bytea || :event), 'hex')"
    " FROM audit ORDER BY position DESC LIMIT 1 ON CONFLICT DO NOTHING"
).bindparams(bindparam("event", type_=LargeBinary()))
"""The next event, chained as `chained` does it; nothing where its position was taken meanwhile."""


class AuditTrail:
    """Events that are only ever added, each chained to the one before it."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def add(self, event: bytes) -> None:
        """Add an event at the end of the chain.

        On PostgreSQL one statement does it; the table is locked where another event came between, or none is there yet.
        """
        if self._engine.dialect.name == "postgresql":
            with writing_once(self._engine) as connection:
                if connection.execute(_NEXT, {"event": event}).rowcount == 1:
                    return
        with transaction(self._engine, writes=True) as connection:
            if connection.dialect.name == "postgresql":
                # One writer at a time, or two events would follow the same one.
                connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
            last = connection.execute(
                select(AUDIT.c.position, AUDIT.c.hash).order_by(AUDIT.c.position.desc()).limit(1)
            ).first()
            position, previous = (last.position + 1, last.hash) if last is not None else (1, FIRST)
            row = {"position": position, "event": event, "previous": previous, "hash": chained(previous, event)}
            connection.execute(insert(AUDIT).values(**row))

    def last(self) -> KeptEvent | None:
        """The event at the end of the chain, or None."""
        statement = select(AUDIT).order_by(AUDIT.c.position.desc()).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(statement).first()
        return _kept(row) if row is not None else None

    def after(self, position: int, limit: int = _PAGE) -> tuple[KeptEvent, ...]:
        """The events after a position, oldest first."""
        statement = select(AUDIT).where(AUDIT.c.position > position).order_by(AUDIT.c.position)
        with reading(self._engine) as connection:
            rows = connection.execute(statement.limit(limit)).all()
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


def _kept(row: Any) -> KeptEvent:
    """An event as it stands in the table; SQLite lets whoever changes one put text there in place of bytes."""
    event = row.event.encode() if isinstance(row.event, str) else bytes(row.event)
    return KeptEvent(row.position, event, row.previous, row.hash)


def chained(previous: str, event: bytes) -> str:
    """The hash of an event that follows another one."""
    return sha256(previous.encode() + b"\n" + event).hexdigest()
