"""One release in an SQLite file, opened read-only by every worker.

The file is read through the system's page cache, which all workers share. It is not mapped into memory: measured on a
full SNOMED CT, mapping is no quicker, and each worker is then charged with every page it has touched (170 MB after a
thousand searches instead of 9).
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from service.coding.releases.tablestore import TableStore, Wanted
from service.domain.errors import Problem, Unavailable

_CACHE_KIB: Final = 1024  # of pages, for each thread
_LAST: Final = "\U0010ffff"
_INDEXED: Final = 4  # letters: the beginnings that the index keeps (schema.SEARCH)
_NAMED: Final = 12


class SqliteReleaseStore(TableStore):
    """A ReleaseStore over one file. Connections are one a thread, so that none waits for another."""

    def __init__(self, path: Path, name: str = "") -> None:
        """Open the file; raises Unavailable when it is none of ours."""
        super().__init__(path.name, name)
        self.path = path
        self._local = threading.local()
        try:
            self.prepare()
        except sqlite3.DatabaseError as error:
            raise Unavailable(Problem(path.name, "terminology", "the store can't be read: import it again")) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        process = os.getpid()
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        # A connection is not carried over a fork (SQLite, "How To Corrupt", 2.6).
        if found is None or self._local.process != process:
            # immutable: nobody writes the file, so neither locks nor a look for a journal are needed.
            address = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            found = sqlite3.connect(address, uri=True, check_same_thread=False)
            found.execute("pragma mmap_size = 0")
            found.execute(f"pragma cache_size = -{_CACHE_KIB}")
            found.execute("pragma query_only = on")
            self._local.connection, self._local.process = found, process
        return found

    def rows(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def each(self, query: str, *values: object) -> Iterable[Any]:
        """The rows of a query one by one."""
        return self.connection.execute(query, values)

    def codes(self, runs: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Codes of the concepts with numbers in runs."""
        for first, last in runs:
            for row in self.each("select code from concept where n between ? and ? order by n", first, last):
                yield row[0]

    def matching(self, tokens: Sequence[Wanted], limit: int) -> list[tuple[int, int]]:
        """Ranks and numbers of the best concepts by the full-text index, which is in the order of ranks."""
        query = (
            "select r.rank, r.n from (select rowid as place from search where search match ? order by rowid limit ?)"
            " join ranked r on r.rank = place"
        )
        return [(rank, n) for rank, n in self.rows(query, self._expression(tokens), limit)]

    def _expression(self, tokens: Sequence[Wanted]) -> str:
        """An FTS5 query."""
        parts = []
        for forms, phrases, beginning in tokens:
            ways: dict[str, None] = {}
            for form in forms:
                ways.update(dict.fromkeys(self._beginning(form) if beginning and len(form) > 1 else (f'"{form}"',)))
            ways.update(dict.fromkeys("(" + " AND ".join(f'"{word}"' for word in phrase) + ")" for phrase in phrases))
            parts.append(f"({' OR '.join(ways)})")
        return " AND ".join(parts)

    def _beginning(self, form: str) -> list[str]:
        """What finds the words that begin so: short beginnings have an index, a few words are named.

        FTS5 would gather all that any other beginning finds before it gives the first.
        """
        if len(form) > _INDEXED:
            query = "select word from word where word >= ? and word < ? limit ?"
            words = self.rows(query, form, form + _LAST, _NAMED + 1)
            if 0 < len(words) <= _NAMED:
                return [f'"{row[0]}"' for row in words]
        return [f'"{form}"*']
