"""API keys as they are kept."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import Engine, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.domain.errors import Conflict, NotFound, Problem
from service.store.database import reading, transaction
from service.store.tables import API_KEYS


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
