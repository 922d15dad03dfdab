"""Releases in the deployment's PostgreSQL: built as an SQLite file, then copied and put into use in one transaction.

What is in use stands in one small table beside the releases, each of which is a schema of its own. Readers look there
once a second; the schema that was replaced is dropped some seconds after, when nobody asks it any more.
"""

import fcntl
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from service.coding.releases.build import Progress
from service.coding.releases.postgres import PostgresReleaseStore, connect, database
from service.coding.releases.postgres_schema import INDEXES, POSTINGS, TABLES, copied, statements
from service.coding.releases.refusing import wrong_layout
from service.coding.releases.shelf import Placed, missing
from service.coding.releases.tablestore import TableStore
from service.domain.errors import Problem, Unavailable

if TYPE_CHECKING:
    import psycopg

_PREFIX: Final = "lesionbridge_release_"
_LOCK: Final = 5_251_742  # one number for all machines: only one imports at a time
INTERVAL_S: Final = 1.0
"""How long a switch may go unseen."""
_GRACE_S: Final = 3.0
_HEARD: Final = 1 << 16
_MAKE: Final = """
create schema if not exists lesionbridge_releases;
create sequence if not exists lesionbridge_releases.switch;
create table if not exists lesionbridge_releases.release (
  name text primary key, file text not null, switched bigint not null, kind text not null,
  systems text not null, imported text not null, sources text not null, bytes bigint not null)
"""
_HELD: Final = """
select name, file, kind, systems, imported, sources, bytes from lesionbridge_releases.release order by name
"""
_MADE: Final = "select to_regclass('lesionbridge_releases.release')::text"
_STAMP: Final = "select coalesce(max(switched), 0), count(*) from lesionbridge_releases.release"
_PUT: Final = """
insert into lesionbridge_releases.release (name, file, switched, kind, systems, imported, sources, bytes)
values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_LEFT: Final = r"""
select nspname from pg_namespace where nspname like 'lesionbridge\_release\_%'
and nspname not in (select file from lesionbridge_releases.release)
"""
_SIZE: Final = """
select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace s on s.oid = relnamespace
where relkind = 'r' and nspname = %s
"""


class PostgresShelf:
    """The releases of one database; ``folder`` is where files are built."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the database's URL; nothing is opened yet."""
        self._url = url
        self._folder = folder
        self._clock = clock
        self._sleep = sleep
        self._looked: float | None = None
        self._stamp = (0, 0)

    @property
    def work(self) -> Path:
        """Where stores are built."""
        return self._folder / "work"

    def stamp(self) -> tuple[int, int]:
        """Changes when the set in use changes, looked at once a second; (0, 0) for none."""
        moment = self._clock()
        if self._looked is None or moment - self._looked >= INTERVAL_S:
            self._stamp, self._looked = self._read_stamp(), moment
        return self._stamp

    def _read_stamp(self) -> tuple[int, int]:
        if not self._is_made():
            return 0, 0
        ((switched, count),) = database(self._url).rows("pg_catalog", _STAMP)
        return int(switched), int(count)

    def _is_made(self) -> bool:
        """Whether anything was ever imported into this database."""
        ((found,),) = database(self._url).rows("pg_catalog", _MADE)
        return found is not None

    def current(self) -> tuple[Placed, ...]:
        """The releases in use, in the order of their names."""
        found = database(self._url).rows("pg_catalog", _HELD) if self._is_made() else []
        return tuple(
            Placed(
                name,
                file,
                kind,
                tuple((str(a), str(b), int(c)) for a, b, c in json.loads(systems)),
                imported,
                tuple(json.loads(sources)),
                size,
            )
            for name, file, kind, systems, imported, sources, size in found
        )

    def open(self, placed: Placed) -> TableStore:
        """One of them, to be asked; raises Unavailable."""
        return PostgresReleaseStore(database(self._url), placed.file, placed.name)

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Hold folder and database for one import; raises Unavailable while another one is at work."""
        self.work.mkdir(parents=True, exist_ok=True)
        with (self._folder / "import.lock").open("w") as lock, connect(self._url) as connection:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() == (True,)
            except BlockingIOError:
                held = False
            if not held:
                raise Unavailable(Problem(str(self._folder), "terminology", "another import is under way"))
            yield

    def place(self, work: Path, placed: Placed, progress: Progress) -> Placed:
        """Copy a finished file into a schema of its own and put it into use; all of it, or nothing."""
        import psycopg

        with connect(self._url) as connection:
            try:
                for statement in statements(_MAKE):
                    connection.execute(statement)
                with connection.transaction():
                    made = self._filled(connection, work, placed, progress)
            except psycopg.DataError as error:
                wrong_layout(placed.sources[0], 0, f"a text that PostgreSQL can't hold ({type(error).__name__})")
            except psycopg.Error as error:
                why = f"the release could not be copied into the database ({type(error).__name__})"
                raise Unavailable(Problem("", "terminology", why)) from None
            self._looked = None
            work.unlink()
            self._sweep(connection)
        return made

    def remove(self, name: str) -> None:
        """Take a release out of use and drop it; raises NotFound."""
        if name not in {one.name for one in self.current()}:
            raise missing(name)
        with self.importing(), connect(self._url) as connection:
            connection.execute("delete from lesionbridge_releases.release where name = %s", (name,))
            self._looked = None
            self._sweep(connection)

    def _filled(
        self, connection: "psycopg.Connection[tuple[Any, ...]]", work: Path, placed: Placed, progress: Progress
    ) -> Placed:
        """The new schema with its rows, and the row that puts it into use."""
        number = _one(connection, "select nextval('lesionbridge_releases.switch')")
        schema = f"{_PREFIX}{number}"
        connection.execute(f"create schema {schema}")
        connection.execute(f"set local search_path = {schema}")
        connection.execute("set local maintenance_work_mem = '256MB'")
        connection.execute("set local work_mem = '128MB'")
        for statement in statements(TABLES):
            connection.execute(statement)
        _copy(connection, work, progress)
        for statement in statements(INDEXES):
            progress("indexes", 0, 0)
            connection.execute(statement)
        listed = connection.execute("select tablename from pg_tables where schemaname = %s", (schema,))
        for (table,) in listed.fetchall():
            connection.execute(f"analyze {table}")
        made = replace(placed, file=schema, bytes=_one(connection, _SIZE, schema))
        said = (json.dumps(made.systems), made.imported, json.dumps(made.sources), made.bytes)
        connection.execute("delete from lesionbridge_releases.release where name = %s", (made.name,))
        connection.execute(_PUT, (made.name, made.file, number, made.kind, *said))
        return made

    def _sweep(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        """Drop what nothing names, once every reader has looked again."""
        left = [row[0] for row in connection.execute(_LEFT)]
        if left:
            self._sleep(_GRACE_S)
        for schema in left:
            connection.execute(f"drop schema if exists {schema} cascade")


def _one(connection: "psycopg.Connection[tuple[Any, ...]]", query: str, *values: object) -> int:
    """The number that a query gives."""
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0


def _copy(connection: "psycopg.Connection[tuple[Any, ...]]", work: Path, progress: Progress) -> None:
    """The rows of a finished SQLite file, table by table."""
    source = sqlite3.connect(f"{work.absolute().as_uri()}?mode=ro", uri=True)
    try:
        source.execute(POSTINGS)
        for table, columns, query in copied():
            renamed = query.replace("select word, rank from posting", "select term, doc from temp.posting")
            total = 0 if table == "posting" else source.execute(f"select count(*) from {table}").fetchone()[0]  # noqa: S608 - ours
            with connection.cursor().copy(f"copy {table} ({columns}) from stdin") as writing:
                for done, row in enumerate(source.execute(renamed)):
                    if not done % _HEARD:
                        progress(f"copy {table}", done, total)
                    writing.write_row(row)
    finally:
        source.close()
