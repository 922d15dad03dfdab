"""A PostgreSQL server of this test run's own, on a socket in a temporary folder; databases that have their tables."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from service.store.reports import Store


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's server programs, or None."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


def another(url: str, name: str) -> str:
    """The URL of a new, empty database on the same server."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"create database {name}")
    return url.replace("/postgres?", f"/{name}?")


@contextmanager
def postgres(*, fsync: bool = False) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL that ends with the block; with `fsync` commits are on the disk, as in use."""
    programs = postgres_programs()
    if programs is None:
        raise FileNotFoundError("initdb")
    # The server refuses to run as root: hand it to the user that Debian's package made.
    user = "postgres" if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="lb-pg-") as folder:
        Path(folder).chmod(0o777)
        data = Path(folder) / "data"

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120)

        run("initdb", "-D", str(data), "-U", "lesionbridge", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses='' -k {folder} -c fsync={'on' if fsync else 'off'}"
        run("pg_ctl", "-D", str(data), "-l", f"{folder}/log", "-o", options, "-w", "start")
        try:
            yield f"postgresql://lesionbridge@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


def with_tables(url: str) -> str:
    """The URL of an empty database, which now has its tables: those that the migrations made in another, copied.

    The migrations themselves take a tenth of a second; nothing happens to an SQLite file that is there.
    """
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), file.open("xb") as made:
            made.write(_sqlite_tables())
    return url


@cache
def _sqlite_tables() -> bytes:
    with TemporaryDirectory(prefix="lb-tables-") as folder:
        file = Path(folder) / "tables.sqlite3"
        store = Store(f"sqlite:///{file}")
        store.migrate()
        store.close()
        return file.read_bytes()
