"""Batches of two senders, of which a worker is killed in the middle of a part, or finds the disk full."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from service.doors import Options
from service.store.batches import DONE, KEPT, KNOWN, RUNNING, Batch
from service.store.reports import Store
from service.workflows.batching import Asked
from tests.findings import make_body
from tests.unit.workflows.peers import until

ROOT = Path(__file__).parents[3]
SENDERS = ("hospital a", "hospital b")
LINES, SIZE = 40, 10
AT_LINE = 7
"""The so manieth line of a worker at which it is killed: in the middle of a part."""
WORKER = """
import sys, time
from pathlib import Path
import service.workflows.worker as w
from benchmarks.faults.boundaries import Boundary
from service.cli import main

w.BEAT_S, w.SILENT_S, w.SWEEP_S = 0.2, 3.0, 0.5
if sys.argv[1] == "beside":
    while not Path("begun").exists():
        time.sleep(0.01)
elif sys.argv[1] != "alone":
    Boundary("", "worker", sys.argv[1], after=sys.argv[2] == "after").arm(int(sys.argv[3]))
main(["worker"])
"""
"""A worker that soon finds a dead one: alone, beside one that has begun, or one that kills itself at a call."""
KILLED = {
    "before the report of a line is kept": ("service.store.reports:Store.keep", "before", AT_LINE),
    "after it is kept, before its outcome is": ("service.store.reports:Store.keep", "after", AT_LINE),
    "after its outcome is": ("service.store.batches:BatchStore.told", "after", AT_LINE),
    "after the last line, before the part has ended": ("service.store.batches:BatchStore.ended", "before", 1),
}


def batches(store: Store) -> dict[str, str]:
    """A batch of each sender, ready to be worked on; they are named alike in both."""
    made = {}
    for sender in SENDERS:
        made[sender] = store.batches.begin(sender, Asked(Options()).row())
        for number, first in enumerate(range(0, LINES, SIZE)):
            lines = [make_body(report__id=f"r{at}").replace(b"\n", b"") for at in range(first, first + SIZE)]
            store.batches.add(made[sender], number, first + 1, lines)
        store.batches.ready(made[sender], LINES)
    return made


@contextmanager
def working(url: str, folder: Path, *arguments: str | int) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of `lesionbridge worker`; ends with the block."""
    environment = {name: said for name, said in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
    environment |= {"LESIONBRIDGE_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WORKER, *map(str, arguments)]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(180)


def all_done(store: Store, names: dict[str, str]) -> bool:
    """Whether nothing is left of any."""
    return all(store.batches.get(name).state == DONE for name in names.values())


def found(store: Store, names: dict[str, str]) -> list[Batch]:
    """The batches, once it is sure that of each line there is one report, of its sender, and one outcome."""
    for sender, name in names.items():
        told = store.batches.outcomes(name, limit=1000)
        assert [one.line for one in told] == list(range(1, LINES + 1))
        assert {one.outcome for one in told} <= {KEPT, KNOWN}
        kept = [store.get(str(one.report)) for one in told]
        assert [(one.sender, one.report_id, one.version) for one in kept] == [
            (sender, f"r{at}", 1) for at in range(LINES)
        ]
    with store._engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM versions")).scalar() == LINES * len(SENDERS)
        assert connection.execute(text("SELECT count(*) FROM batch_lines")).scalar() == LINES * len(SENDERS)
    return [store.batches.get(name) for name in names.values()]


@pytest.mark.parametrize("moment", KILLED)
def test_a_worker_killed_in_mid_part_costs_no_line_and_doubles_none(
    store: Store, database_url: str, tmp_path: Path, moment: str
) -> None:
    """On PostgreSQL another process works beside it, on SQLite another one comes after it."""
    names = batches(store)
    with working(database_url, tmp_path, *KILLED[moment]) as victim:
        if database_url.startswith("sqlite"):
            assert victim.wait(120) == -signal.SIGKILL
            assert RUNNING in {store.batches.get(name).state for name in names.values()}
        with working(database_url, tmp_path, "beside"):
            # Were it the first, it might leave nothing to the other one, which then is never killed.
            assert until(lambda: sum(store.batches.get(name).done for name in names.values()) > 0)
            (tmp_path / "begun").touch()
            assert victim.wait(120) == -signal.SIGKILL
            assert until(lambda: all_done(store, names)), (tmp_path / "log").read_text()
    known = sum(one.known for one in found(store, names))
    assert known == (1 if "after it is kept" in moment else 0), "only what was kept in that very moment is met again"


def test_a_batch_goes_on_once_the_disk_that_was_full_has_room(tmp_path: Path) -> None:
    """No file of the worker may grow, its records of workflows neither."""
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    store = Store(url)
    store.migrate()
    names = batches(store)
    with working(url, tmp_path, "alone") as worker:
        assert until(lambda: sum(store.batches.get(name).done for name in names.values()) >= AT_LINE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        time.sleep(1)
        stood = [store.batches.get(name).done for name in names.values()]
        time.sleep(3)
        assert [store.batches.get(name).done for name in names.values()] == stood
        assert sum(stood) < LINES * len(SENDERS), "it was over before the disk was full"
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert until(lambda: all_done(store, names)), (tmp_path / "log").read_text()
        assert worker.poll() is None
    found(store, names)
    store.close()
