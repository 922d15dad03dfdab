"""One release in a schema of a PostgreSQL database, and the connections that all releases there are asked through.

A worker has one read-only connection a thread, whatever is loaded. The schema is set on it before a question about
another release (`search_path`), so connections are direct ones: a pooler that hands each statement to another server
process can't be between.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from service.coding.releases.tablestore import TableStore, Wanted, batched_by
from service.domain.errors import Problem, Unavailable
from service.domain.vanished import VANISHED

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
CONNECT_S: Final = 5
_STATEMENT_MS: Final = 30_000
_AT_ONCE: Final = 5_000  # numbers in one query
_IN_ORDER: Final = "select rank, n from search where words @@ ?::tsquery order by rank limit ?"
_FIRST_FOUND: Final = (
    "with found as materialized (select rank, n from search where words @@ ?::tsquery)"
    " select rank, n from found order by rank limit ?"
)
FEW: Final = 25_000
"""Concepts that are found and ordered in a few milliseconds."""
_LAST: Final = "\U0010ffff"
_SCHEMES: Final = ("postgresql+psycopg://", "postgresql://", "postgres://")
_READING: Final = f"-c default_transaction_read_only=on -c statement_timeout={_STATEMENT_MS} -c jit=off"


def is_postgres(url: str) -> bool:
    """Whether a database URL names a PostgreSQL."""
    return url.startswith(_SCHEMES)


def connect(url: str, options: str = "") -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection that commits each statement; raises Unavailable."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    scheme = next(one for one in _SCHEMES if url.startswith(one))
    address = f"postgresql://{url.removeprefix(scheme)}"
    try:
        said = conninfo_to_dict(address)
        return psycopg.connect(
            make_conninfo(address, **{name: value for name, value in VANISHED.items() if name not in said}),
            autocommit=True,
            connect_timeout=CONNECT_S,
            client_encoding="utf8",
            options=options,
        )
    except psycopg.Error as error:
        raise away(error) from None


def away(error: Exception) -> Unavailable:
    """What is said of a database that does not answer; the driver's text may hold what was asked."""
    why = f"the database of the releases can't be used ({type(error).__name__})"
    return Unavailable(Problem("", "terminology", why))


@cache
def database(url: str) -> "Database":
    """The connections of this process to a database."""
    return Database(url)


class Database:
    """Connections to one database, one a thread."""

    def __init__(self, url: str) -> None:
        """Take the URL; nothing is opened yet."""
        self._url = url
        self._local = threading.local()

    def rows(self, schema: str, query: str, values: Sequence[object] = ()) -> list[Any]:
        """The rows of a query about what is in a schema; a connection that was lost is opened again, once."""
        import psycopg

        try:
            return self._tried(schema, query, values)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            why = "another release was put into use meanwhile: ask again"
            raise Unavailable(Problem("", "terminology", why)) from None
        except psycopg.OperationalError as error:
            if isinstance(error, psycopg.errors.QueryCanceled):
                raise away(error) from None
            self._local.connection = None
        except psycopg.Error as error:
            raise away(error) from None
        try:
            return self._tried(schema, query, values)
        except psycopg.Error as error:
            raise away(error) from None

    def _tried(self, schema: str, query: str, values: Sequence[object]) -> list[Any]:
        connection = self._connection()
        if self._local.schema != schema:
            connection.execute(f"set search_path = {schema}")
            self._local.schema = schema
        return connection.execute(query, values).fetchall()

    def _connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """This thread's connection, in this process: a fork does not share it."""
        found: psycopg.Connection[tuple[Any, ...]] | None = getattr(self._local, "connection", None)
        if found is None or found.closed or self._local.process != os.getpid():
            found = connect(self._url, _READING)
            self._local.connection, self._local.process, self._local.schema = found, os.getpid(), ""
        return found


class PostgresReleaseStore(TableStore):
    """A ReleaseStore over one schema."""

    def __init__(self, held: Database, schema: str, name: str) -> None:
        """Read what does not change; raises Unavailable."""
        super().__init__(schema, name)
        self._database = held
        self.prepare()

    def rows(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        return self._database.rows(self.key, _spoken(query), values)

    def each(self, query: str, *values: object) -> Iterable[Any]:
        """The rows of a query."""
        return self.rows(query, *values)

    def codes(self, runs: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Codes of the concepts with numbers in runs, some thousand in one query."""
        query = "select code from concept where n = any(?) order by n"
        for numbers in _pieces(runs):
            for row in self.rows(query, numbers):
                yield row[0]

    def matching(self, tokens: Sequence[Wanted], limit: int) -> list[tuple[int, int]]:
        """Ranks and numbers of the best concepts by the index of words.

        Where few concepts answer, or several words narrow them, all are found first and then ordered. Left to itself
        the server reads the concepts in their order until it has enough, which is quicker only for a word that very
        many have: 42 ms in place of 1 to 11 ms for others, on a full SNOMED CT.
        """
        query = _FIRST_FOUND if len(tokens) > 1 or self._having(tokens[0]) <= FEW else _IN_ORDER
        return [(rank, n) for rank, n in self.rows(query, _tsquery(tokens), limit)]

    def _having(self, token: Wanted) -> int:
        """About how many concepts have a token: at most as many as its words have together."""
        forms, phrases, beginning = token
        query = "select coalesce(sum(concepts), 0) from word where word >= ? and word < ?"
        ends = [form + _LAST if beginning and len(form) > 1 else form + "\x01" for form in forms]
        return sum(
            int(self.rows(query, first, end)[0][0])
            for first, end in [*zip(forms, ends, strict=True), *((one[0], one[0] + "\x01") for one in phrases)]
        )


def _pieces(runs: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """The numbers of runs, so many at once."""
    made: list[int] = []
    for first, last in runs:
        for start in range(first, last + 1, _AT_ONCE):
            made += range(start, min(start + _AT_ONCE, last + 1))
            if len(made) >= _AT_ONCE:
                yield from map(list, batched_by(made, _AT_ONCE))
                made = []
    if made:
        yield made


def _tsquery(tokens: Sequence[Wanted]) -> str:
    """Every token, as a word or as the beginning of one, or with all words of what it is short for."""
    parts = []
    for forms, phrases, beginning in tokens:
        ways = [_lexeme(form) + (":*" if beginning and len(form) > 1 else "") for form in forms]
        ways += ["(" + " & ".join(map(_lexeme, phrase)) + ")" for phrase in phrases]
        parts.append(f"({' | '.join(dict.fromkeys(ways))})")
    return " & ".join(parts)


def _lexeme(word: str) -> str:
    """A word as it is (PostgreSQL 8.11.2, tsquery)."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


@cache
def _spoken(query: str) -> str:
    """A query with the driver's marks for its values; how many marks a list has is one of few numbers."""
    return query.replace("%", "%%").replace("?", "%s")
