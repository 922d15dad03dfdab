"""PostgreSQL on a disk that is really full: what is asked is answered, nothing is half kept, and all goes on with room.

The disk is a file system in memory that holds one database; to mount one needs root.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from service.app import create_app
from service.config import Settings
from service.store.database import transaction
from service.store.failures import FAILURES
from service.store.reports import Store
from tests.databases import postgres, postgres_programs
from tests.findings import make_body

FINDINGS = {"Content-Type": "application/json"}
MIB, MOST = 40, 400
"""Of the disk; and of the reports that are sent until it is full."""
HELD = "SELECT (SELECT count(*) FROM versions), (SELECT count(DISTINCT version) FROM outputs), count(*) FROM reports"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own for PostgreSQL; skips where none can be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MIB}m,mode=0777", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("full disk of PostgreSQL: no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_said_keeps_reports_whole_and_takes_them_again_once_there_is_room() -> None:
    if postgres_programs() is None:
        pytest.skip("postgresql: its server programs (initdb, pg_ctl) are not installed")
    with postgres() as url:
        import psycopg

        with small_disk(Path(url.rpartition("host=")[2]) / "disk") as disk:
            place = disk / "place"
            place.mkdir()
            shutil.chown(place, "postgres")
            with psycopg.connect(url, autocommit=True) as operator:
                operator.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
                operator.execute("CREATE DATABASE small TABLESPACE small")
            _fill(url.replace("/postgres?", "/small?"), disk)


def _fill(url: str, disk: Path) -> None:
    store = Store(url)
    store.migrate()
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(shutil.disk_usage(disk).free - 3_000_000))
    client = create_app(Settings(database_url=url, log_level="error", audit=False)).test_client()

    def post(number: int) -> tuple[int, str]:
        body = make_body(report__id=f"R{number}", study__accession=f"A{number}")
        answer = client.post("/v1/reports", data=body, headers=FINDINGS)
        return answer.status_code, answer.text

    kept = 0
    while (answered := post(kept + 1))[0] == 201 and kept < MOST:
        kept += 1
    assert (kept > 0, answered[0]) == (True, 503)
    assert FAILURES["53100"] in answered[1]
    with transaction(store._engine) as connection:
        assert tuple(connection.execute(text(HELD)).one()) == (kept, kept, kept)
    assert client.get("/health/ready").status_code == 200
    ballast.unlink()
    assert [post(number)[0] for number in (kept, kept + 1)] == [200, 201]
    store.close()
