"""A copy of the embedded database while it is in use (SQLite's online backup), and putting one back.

DBOS's own file is not in it: what it knows is found again from the deliveries.
"""

import fcntl
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from service.domain.errors import Conflict, Invalid, NotAvailable, Problem, Unavailable
from service.store.copied import hold_known, hold_plain
from service.store.database import STEPS

_PAGES: Final = 1_000
"""Pages copied at a time: writers get in between."""
_RULE: Final = "backup"
_STEP: Final = re.compile("[A-Za-z0-9_.-]{1,64}")


def backup(database_url: str, target: Path) -> int:
    """Write a whole, checked copy; its bytes. Raises NotAvailable for a server, Conflict for a file that is there."""
    source = _file(database_url)
    if target.exists():
        raise Conflict(Problem("", _RULE, "there is a file of this name already"))
    if not source.exists():
        raise Conflict(Problem("", _RULE, "there is no database yet"))
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    part.touch()  # what can't be written says why, with its name
    try:
        with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(part)) as copy:
            live.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise Unavailable(Problem("", _RULE, f"the copy can't be made ({error.sqlite_errorname})")) from None
    try:
        _check(part)
        _to_disk(part)
        part.replace(target)
        _to_disk(target.parent)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def restore(database_url: str, source: Path, *, replace: bool = False) -> None:
    """Put a copy in the place of the database; raises Conflict where one is in the way or in use, Invalid.

    A copy with triggers, views, or tables that its step does not have is refused, for they would act with our rights.
    """
    target = _file(database_url)
    _check(source)
    _known(source)
    if target.exists() and not replace:
        raise Conflict(Problem("", _RULE, "there is a database already: say --replace"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{target}.worker").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _in_use() from None
        if target.exists():
            _hold_alone(target)
        part = target.with_name(f".{target.name}.part")
        part.unlink(missing_ok=True)
        part.touch()
        try:
            with closing(sqlite3.connect(source)) as copy, closing(sqlite3.connect(part)) as made:
                copy.backup(made)
        except sqlite3.Error as error:
            part.unlink(missing_ok=True)
            raise Unavailable(Problem("", _RULE, f"the copy can't be read back ({error.sqlite_errorname})")) from None
        _to_disk(part)
        # A log of the old file must not be played into the new one, and neither must old workflows.
        workflows = f"{str(target).removesuffix('.sqlite3')}-workflows.sqlite3"
        for stale in (f"{target}-wal", f"{target}-shm", workflows, f"{workflows}-wal", f"{workflows}-shm"):
            Path(stale).unlink(missing_ok=True)
        part.replace(target)
        _to_disk(target.parent)


def _file(database_url: str) -> Path:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise NotAvailable(Problem("", _RULE, "this is for SQLite; a PostgreSQL has pg_dump and pg_basebackup"))
    return Path(url.database)


def _hold_alone(path: Path) -> None:
    """Hold that nobody else has the database open: its log can be given up by the last connection only."""
    try:
        with closing(sqlite3.connect(path, timeout=0)) as live:
            if live.execute("PRAGMA journal_mode=DELETE").fetchone()[0] == "delete":
                return
    except sqlite3.OperationalError:
        pass
    except sqlite3.DatabaseError:
        return  # what is there is no database any more: that is why it is replaced
    raise _in_use()


def _in_use() -> Conflict:
    return Conflict(Problem("", _RULE, "the database is in use: stop the service first"))


def _check(path: Path) -> None:
    """Hold that a file is one of our databases, and whole."""
    try:
        with closing(_read_only(path)) as copy:
            whole = copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('reports', 'alembic_version')"
            if whole and copy.execute(query).fetchone()[0] == 2:
                return
    except sqlite3.Error:
        pass
    raise _foreign()


def _known(path: Path) -> None:
    """Hold that this program can work on a copy's tables, before anything is replaced by it."""
    try:
        with closing(_read_only(path)) as copy:
            hold_plain(copy)
            steps = [step for (step,) in copy.execute("SELECT version_num FROM alembic_version LIMIT 2")]
            if len(steps) != 1 or _STEP.fullmatch(str(steps[0])) is None:
                raise _foreign()
            (step,) = steps
            oldest = step
            query = "SELECT 1 FROM sqlite_master WHERE name = 'schema_steps'"
            if step not in STEPS and copy.execute(query).fetchone():
                said = copy.execute("SELECT oldest_program FROM schema_steps WHERE step = ?", (step,)).fetchone()
                oldest = said[0] if said else step
            hold_known(copy, step)
    except sqlite3.Error:
        raise _foreign() from None
    if oldest not in STEPS:
        why = f"the copy is of step {step}, which this version does not know: restore it with the newer one"
        raise Invalid(Problem("", _RULE, why))


def _read_only(path: Path) -> sqlite3.Connection:
    """A file that is only read; in a URI `?`, `#` and `%` of its name would make it another file's."""
    found = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    found.execute("PRAGMA trusted_schema=OFF")  # what a file defines may use no function that does something
    return found


def _foreign() -> Invalid:
    return Invalid(Problem("", _RULE, "the file is no whole copy of this service's database"))


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
