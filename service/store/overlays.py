"""Overlays of a site: versions that are only ever added, the newest of a sender in use."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, Engine, Row, Select, and_, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from service.domain.errors import Conflict, NotFound, Problem
from service.store.database import reading, transaction
from service.store.tables import OVERLAYS
from service.store.unmapped import Decision, decide


@dataclass(frozen=True, slots=True)
class NewOverlay:
    """An overlay to keep; ``origin`` says what made it: an upload, a roll back, a decision on unmapped terms.

    ``after`` is the version that it was made from: when another one is current, it is not kept. None asks for nothing.
    """

    sender: str
    media_type: str
    content: bytes
    rows: int
    author: str
    origin: str = "upload"
    after: int | None = None


@dataclass(frozen=True, slots=True)
class KeptOverlay:
    """A version of an overlay as it is kept."""

    sender: str
    version: int
    created: str
    author: str
    origin: str
    rows: int
    media_type: str
    sha256: str
    content: bytes


class OverlayStore:
    """The overlays of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self._engine = engine
        self._now = now

    def stamp(self) -> int:
        """The number of the newest upload: it grows with every one, so that other processes notice."""
        with reading(self._engine) as connection:
            return int(connection.execute(_STAMP).scalar() or 0)

    def at(self, stamp: int) -> "UploadsAt":
        """The overlays of a moment at which another statement has asked for the stamp, too."""
        return UploadsAt(self, stamp)

    def current(self) -> tuple[KeptOverlay, ...]:
        """The newest version of every sender, in order of senders."""
        with reading(self._engine) as connection:
            return tuple(_kept(row) for row in connection.execute(_current().order_by(OVERLAYS.c.sender)))

    def get(self, sender: str, version: int | None = None) -> KeptOverlay:
        """A version of a sender's overlay, by default the newest; raises NotFound."""
        with reading(self._engine) as connection:
            return _get(connection, sender, version)

    def versions(self, sender: str) -> tuple[KeptOverlay, ...]:
        """All versions of a sender's overlay, newest first; raises NotFound."""
        statement = select(OVERLAYS).where(OVERLAYS.c.sender == sender).order_by(OVERLAYS.c.version.desc())
        with reading(self._engine) as connection:
            found = tuple(_kept(row) for row in connection.execute(statement))
        if not found:
            raise _not_found()
        return found

    def keep(self, new: NewOverlay) -> KeptOverlay:
        """A new version; raises Conflict when another one is current than the one it was made from."""
        return self.grow((new,), ())[0]

    def grow(self, new: Sequence[NewOverlay], decisions: Sequence[Decision]) -> tuple[KeptOverlay, ...]:
        """New versions together with the decisions that made them, all or nothing; raises Conflict."""
        now = self._now()
        try:
            with self._in_turn() as connection:
                decide(connection, decisions, now)
                return tuple(_keep(connection, one, now) for one in sorted(new, key=lambda one: one.sender))
        except IntegrityError:
            raise _outrun() from None

    def roll_back(self, sender: str, version: int, author: str) -> KeptOverlay:
        """An older version as a new one: nothing that was in use is ever lost; raises NotFound, Conflict."""
        try:
            with self._in_turn() as connection:
                old = _get(connection, sender, version)
                origin = f"version {version}"
                return _keep(
                    connection,
                    NewOverlay(sender, old.media_type, old.content, old.rows, author, origin),
                    self._now(),
                )
        except IntegrityError:
            raise _outrun() from None

    @contextmanager
    def _in_turn(self) -> Iterator[Connection]:
        """A transaction that adds versions, one after the other: who has seen a stamp has seen all below it."""
        with transaction(self._engine, writes=True) as connection:
            if connection.dialect.name == "postgresql":  # it gives numbers when asked, whoever commits first
                connection.execute(_TURN)
            yield connection


@dataclass(frozen=True, slots=True)
class UploadsAt:
    """The overlays of one database, whose stamp is known already."""

    _store: OverlayStore
    _stamp: int

    def stamp(self) -> int:
        """The number of the newest upload when it was asked for."""
        return self._stamp

    def current(self) -> tuple[KeptOverlay, ...]:
        """The newest version of every sender: at least those of that moment."""
        return self._store.current()


NEWEST: Final = func.max(OVERLAYS.c.id)
"""The number of the newest upload, NULL where there is none."""
_STAMP: Final = select(NEWEST)
_TURN: Final = text("SELECT pg_advisory_xact_lock(4, 0)")  # the first number is nobody else's in this database


def _keep(connection: Connection, new: NewOverlay, now: str) -> KeptOverlay:
    """A new version within a transaction; raises Conflict, and IntegrityError where another process was first."""
    last = connection.execute(select(func.max(OVERLAYS.c.version)).where(OVERLAYS.c.sender == new.sender)).scalar() or 0
    if new.after is not None and new.after != last:
        raise _outrun()
    digest = sha256(new.content).hexdigest()
    made = KeptOverlay(new.sender, last + 1, now, new.author, new.origin, new.rows, new.media_type, digest, new.content)
    connection.execute(insert(OVERLAYS).values({name: getattr(made, name) for name in KeptOverlay.__slots__}))
    return made


def _newest(connection: Connection, sender: str) -> KeptOverlay | None:
    """The newest version of a sender's overlay within a transaction, or None."""
    row = connection.execute(_current().where(OVERLAYS.c.sender == sender)).first()
    return _kept(row) if row is not None else None


def _get(connection: Connection, sender: str, version: int | None) -> KeptOverlay:
    if version is None:
        found = _newest(connection, sender)
    else:
        wanted = select(OVERLAYS).where(OVERLAYS.c.sender == sender, OVERLAYS.c.version == version)
        row = connection.execute(wanted).first()
        found = _kept(row) if row is not None else None
    if found is None:
        raise _not_found()
    return found


def _current() -> Select[*tuple[object, ...]]:
    last = (
        select(OVERLAYS.c.sender, func.max(OVERLAYS.c.version).label("version")).group_by(OVERLAYS.c.sender).subquery()
    )
    return select(OVERLAYS).join(last, and_(OVERLAYS.c.sender == last.c.sender, OVERLAYS.c.version == last.c.version))


def _kept(row: Row[*tuple[object, ...]]) -> KeptOverlay:
    members = {name: row._mapping[name] for name in KeptOverlay.__slots__}
    return KeptOverlay(**(members | {"content": bytes(members["content"])}))


def _not_found() -> NotFound:
    return NotFound(Problem("", "overlay", "there is no such overlay, or no such version of it"))


def _outrun() -> Conflict:
    return Conflict(Problem("?after", "overlay-version", "another version is current by now: get it and start from it"))
