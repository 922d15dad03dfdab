"""Names that one process at a time holds, of all that share a PostgreSQL; gone with the process that holds them.

Each process has one connection for all that it holds, in no transaction, and asks without waiting: so nothing that
hangs keeps a connection of the pool, and nobody waits for two of them in turn.
"""

import threading
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from service.store.database import open_engine

# The first of the two numbers of these locks is 2; `service.store.documents` has 1.
_TAKE: Final = "SELECT pg_try_advisory_lock(2, key) FROM unnest(%(keys)s::int[]) AS key"
_GIVE_BACK: Final = "SELECT pg_advisory_unlock(2, key) FROM unnest(%(keys)s::int[]) AS key"
_PATIENCE_S: Final = 5.0
"""So long one waits for the connection; it is used for one statement at a time."""


class Holds:
    """What this process holds. SQLite has one process that delivers: there all is free."""

    def __init__(self, url: str) -> None:
        """Take the database's URL; nothing is connected yet. Raises ValueError when it is none."""
        self._engine = open_engine(url)
        self._alone = threading.Lock()
        self._connection: Connection | None = None
        self._held: set[str] = set()

    def take(self, names: Iterable[str]) -> bool:
        """Hold all of these names or none; whether they are free for this process.

        They are where the database can't be asked: what is held is no reason to deliver nothing. A name that is held is
        not taken again before it is given back.
        """
        wanted = sorted(names)
        if not wanted or self._engine.dialect.name != "postgresql" or not self._alone.acquire(timeout=_PATIENCE_S):
            return True
        try:
            got = [name for name, free in zip(wanted, self._asked(_TAKE, wanted), strict=True) if free]
            if len(got) == len(wanted):
                self._held.update(got)
                return True
            self._asked(_GIVE_BACK, got)
            return False
        except SQLAlchemyError:
            self._dropped()
            return True
        finally:
            self._alone.release()

    def give_back(self, names: Iterable[str]) -> None:
        """Let others have these names; the end of the connection does so, too."""
        with self._alone:
            mine = sorted(self._held.intersection(names))
            self._held.difference_update(mine)
            try:
                self._asked(_GIVE_BACK, mine)
            except SQLAlchemyError:
                self._dropped()

    def close(self) -> None:
        """Give all back."""
        with self._alone:
            self._dropped()
            self._engine.dispose()

    def _asked(self, statement: str, names: Sequence[str]) -> Sequence[bool]:
        """The answer for each name. The server is told digests: a name may hold what tells a patient."""
        if not names:
            return ()
        if self._connection is None or self._connection.closed:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        keys = [int.from_bytes(sha256(name.encode()).digest()[:4], signed=True) for name in names]
        return [bool(row[0]) for row in self._connection.exec_driver_sql(statement, {"keys": keys})]

    def _dropped(self) -> None:
        """End the connection, and with it what is held."""
        self._held.clear()
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
