"""Opening the database: SQLite with its pragmas, PostgreSQL through psycopg; migrations and what is wrong with it."""

import math
import select
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidatePoolError,
    InvalidRequestError,
    NoSuchModuleError,
    SAWarning,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoneFree

from service.domain.errors import Invalid, Problem, Unavailable
from service.domain.vanished import VANISHED
from service.store.failures import FAILURES, LOCKED, READ_ONLY, state_of, why

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

HEAD = "0012"
"""The newest step of `migrations/versions`."""
BUSY_TIMEOUT_MS = 10_000
CONNECTIONS: Final = 15
"""To PostgreSQL at most, of one process; who finds none free within half a minute is told that it is unavailable."""
IDLE_S: Final = 5.0
"""After so long a connection is asked before its next use: a failover takes longer."""
ASKED_S: Final = 5.0
"""So long the answer may take, as long as a new connection may."""
_STANDS_BY: Final = (b"in_hot_standby", b"default_transaction_read_only")
"""What a server tells of itself with each connection, and when it changes (from PostgreSQL 14)."""
_MIGRATION_LOCK = 5_251_741  # one number for all processes: only one migrates at a time
STEP_WAITS: Final = "2s"
"""So long a step waits for a table that a transaction has: who asks for the table meanwhile waits behind it."""
PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""The pauses after which a step that waited in vain is tried again."""


def open_engine(url: str, *, ping: bool = True) -> Engine:
    """An engine that connects on first use; raises ValueError for a URL that is no database.

    ``ping``: a connection of the pool is looked at before each use, so that a restart of the server fails no request.
    """
    try:
        parsed = _parsed(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ValueError("the database is SQLite or PostgreSQL")
        if parsed.get_backend_name() == "postgresql":
            # Beyond its size a pool opens a connection and closes it after one use, each time a process of the server.
            size = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True}
            remote = create_engine(noticing(parsed), connect_args={"connect_timeout": 5}, **size)
            if ping:
                for looks, at in LOOKS:
                    event.listen(remote, at, looks)
            return remote
    except (ArgumentError, NoSuchModuleError) as error:
        raise ValueError("not a database URL") from error
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SAWarning)
        try:
            engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        except SAWarning:
            raise ValueError("SQLite has no such option as stands behind its ?") from None
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ValueError:  # of a port that is no number
        raise ValueError("not a database URL") from None


def noticing(url: URL) -> URL:
    """The address of a PostgreSQL with what is missing in it of `VANISHED`."""
    return url.update_query_dict({name: value for name, value in VANISHED.items() if name not in url.query})


def look_at(connection: Any, record: Any, _proxy: object) -> None:
    """Give the pool's connections up where the server has ended this one: only then is there anything to read.

    A server that ends a connection says so, and closes it; while nothing is asked it says nothing else but that its own
    settings have changed. To ask it (``pool_pre_ping``) is a message to and fro for each use: so it is asked only where
    it was not used for a while. One that is gone with its machine says nothing.
    """
    looked = select.poll()
    if not connection.closed:
        looked.register(connection.fileno(), select.POLLIN)
    if connection.closed or looked.poll(0):
        raise InvalidatePoolError
    if time.monotonic() - record.info.get(_LEFT, math.inf) >= IDLE_S and not _answers(connection.pgconn, looked):
        raise InvalidatePoolError


def _answers(server: Any, looked: select.poll) -> bool:
    """Whether a server answers an empty query in time; a connection to one that does not is of no more use."""
    from psycopg import OperationalError

    until = time.monotonic() + ASKED_S
    try:
        server.send_query(b"")
        server.flush()
        while server.is_busy() or server.get_result() is not None:
            if server.is_busy():
                if not looked.poll(max(0.0, until - time.monotonic()) * 1000):
                    return False
                server.consume_input()
    except OperationalError:
        return False
    return True


def _leave(_connection: object, record: Any) -> None:
    """Note when a connection was used last."""
    record.info[_LEFT] = time.monotonic()


_LEFT: Final = "left"
LOOKS: Final = ((look_at, "checkout"), (_leave, "checkin"))
"""What is done about each use of a connection to PostgreSQL, with the event of the pool."""


@event.listens_for(Engine, "handle_error")
def give_up_standbys(context: ExceptionContext) -> None:
    """Take a server that takes no writes for one that has gone: after a failover its address leads to another one.

    Connections that were opened before would stay with the old one for as long as that lives. DBOS has an engine of its
    own, with a pool of its own: so this is of every engine.
    """
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers beside a writer, references held, and a commit is on disk before it is answered."""
    connection.isolation_level = None  # the driver would begin too late; `_begin_sqlite` does
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at once: one that has read first can't wait for it (SQLITE_BUSY without a timeout)."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: Engine, *, writes: bool = False) -> Iterator[Connection]:
    """One transaction; a database that does not answer is `Unavailable`, a constraint that speaks passes through."""
    with _answered(), _connected(engine, writes=writes) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Statements that only read. On PostgreSQL each sees what is committed when it begins, in a transaction or not
    (READ COMMITTED): without one the messages that begin and end it are spared. Raises Unavailable.
    """
    with _each_alone(engine, writes=False) as connection:
        yield connection


@contextmanager
def writing_once(engine: Engine) -> Iterator[Connection]:
    """One statement that writes; on PostgreSQL it is a transaction by itself, and needs none around it."""
    with _each_alone(engine, writes=True) as connection:
        yield connection


@contextmanager
def _each_alone(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    if engine.dialect.name != "postgresql":
        with transaction(engine, writes=writes) as connection:
            yield connection
        return
    with _answered(), _connected(engine, writes=writes, isolation_level="AUTOCOMMIT") as connection:
        yield connection


def _connected(engine: Engine, *, writes: bool, **options: Any) -> Connection:
    try:
        connection = engine.connect()
        if writes and _stands_by(connection):
            # Its address may lead to another by now; nothing was begun yet. Where it does not, the server says so.
            connection.invalidate()
            connection.close()
            engine.dispose()
            connection = engine.connect()
        return connection.execution_options(writes=writes, **options)
    except InvalidRequestError:  # what the pool says of a connection that ended twice before anything was asked
        why = "the database ends each connection at once: is it stopping, or is nothing behind its proxy?"
        raise Unavailable(Problem("", "database", why)) from None


def _stands_by(connection: Connection) -> bool:
    """Whether the server of a connection has told that it takes no writes: it is not asked."""
    if connection.dialect.name != "postgresql":
        return False
    driver: Any = connection.connection.driver_connection
    return any(driver.pgconn.parameter_status(one) == b"on" for one in _STANDS_BY)


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DataError:
        said = "a value is none that the database takes, as a text with the character NUL is none for PostgreSQL"
        raise Invalid(Problem("", "database-value", said)) from None
    except DBAPIError as error:
        raise Unavailable(Problem("", "database", why(error.orig))) from None
    except NoneFree:
        said = f"all {CONNECTIONS} connections of this process to the database are in use: try again"
        raise Unavailable(Problem("", "database", said)) from None


def inserting(connection: Connection, table: Any) -> "postgresql.Insert | sqlite.Insert":
    """An insert that may say ON CONFLICT: each dialect has its own, and is imported where it is in use."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as into_postgresql

        return into_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as into_sqlite

    return into_sqlite(table)


STEPS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012")
"""All steps of `migrations/versions`, the oldest first."""


def is_there(engine: Engine) -> bool:
    """Whether there is a database behind an engine: SQLite makes the file that it is asked for."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return not file or file == ":memory:" or Path(file).exists()


def migrate(engine: Engine, to: str = HEAD) -> tuple[str, str] | None:
    """Bring the tables to a step, forward or back; processes that start together wait for the first one.

    The step before (empty: there were no tables) and after; None where that is the same. Raises Invalid for a step that
    is not there, and for tables that a newer program has made, Unavailable where a transaction does not let a table go.
    """
    if to not in STEPS:
        raise Invalid(Problem("", "migration", "there is no such step", STEPS))
    if to == HEAD and not faults(engine):
        return None  # Alembic is dear to import, and most starts find the tables as they should be.
    for pause_s in PAUSES_S:
        with suppress(_Held):
            return _migrated(engine, to)
        time.sleep(pause_s)
    try:
        return _migrated(engine, to)
    except _Held:
        why = (
            "a transaction that goes on, as that of a backup, has a table that is to be changed; nothing was changed: "
            "wait for its end, or end it, then run `lesionbridge migrate` again"
        )
        raise Unavailable(Problem("", "database", why)) from None


class _Held(Exception):
    """Another transaction has a table that a step changes."""


def _migrated(engine: Engine, to: str) -> tuple[str, str] | None:
    """One attempt at `migrate`, all or nothing; raises _Held where it would keep others waiting."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with transaction(engine, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            connection.execute(text("SELECT set_config('lock_timeout', :waits, true)"), {"waits": STEP_WAITS})
        config.attributes["connection"] = connection
        at = None
        if inspect(connection).has_table("alembic_version"):
            at = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if at is not None and at not in STEPS:
            why = f"the database is at step {at}, which this version does not know: migrate with the newer one"
            raise Invalid(Problem("", "migration", why, STEPS))
        back = at is not None and STEPS.index(at) > STEPS.index(to)
        try:
            (command.downgrade if back else command.upgrade)(config, to)
        except DBAPIError as error:
            if state_of(error.orig) == LOCKED:
                raise _Held from None
            raise
    return (at or "", to) if at != to else None


def faults(engine: Engine) -> tuple[str, ...]:
    """What keeps the database from being used, in words; empty when all is well."""
    try:
        with transaction(engine) as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ("the database has no tables yet: run `lesionbridge migrate`",)
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            oldest = HEAD if found == HEAD else _oldest_program(connection, found)
    except Unavailable as error:
        return (error.problems[0].detail,)
    except (SQLAlchemyError, OSError) as error:
        return (f"the database can't be opened ({type(error).__name__})",)
    if oldest in STEPS:
        return ()
    if oldest is not None:
        return (f"the database is at step {found}, for programs of step {oldest} or later; this one is of {HEAD}",)
    if found not in STEPS:
        return (f"the database is at step {found}, which this version does not know: use the newer one",)
    return (f"the database is at step {found}, this version needs {HEAD}: run `lesionbridge migrate`",)


def refuses_writes(engine: Engine) -> tuple[str, ...]:
    """Why nothing can be written into a database that can be read, in words; empty when it can, or is away."""
    if engine.dialect.name != "postgresql":
        return ()
    with suppress(Unavailable):
        with reading(engine) as connection:
            # A standby has it on, whatever its settings say.
            refuses = connection.execute(text("SHOW transaction_read_only")).scalar() == "on"
        if refuses:
            engine.dispose()  # who is not ready is asked nothing else: the next look is at where the address leads then
            return (FAILURES[READ_ONLY],)
    return ()


def _oldest_program(connection: Connection, step: str | None) -> str | None:
    """The step of the oldest program that may run on a newer step; None for an older one, which says nothing."""
    if step in STEPS or not inspect(connection).has_table("schema_steps"):
        return None
    said = connection.execute(text("SELECT oldest_program FROM schema_steps WHERE step = :step"), {"step": step})
    found: str | None = said.scalar()
    return found
