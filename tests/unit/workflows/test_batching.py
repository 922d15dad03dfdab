"""Batches on both databases: each line kept once, whatever becomes of its worker."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from service.domain.errors import Conflict, NotFound
from service.doors import Options
from service.store.batches import CANCELLED, DONE, KEPT, KNOWN, REFUSED, RUNNING, Outcome, PartDue
from service.store.delivery_rows import BACKFILL
from service.store.reports import Store
from service.workflows.batching import Asked
from tests.destinations import RecordingDestination
from tests.findings import make_body
from tests.unit.workflows.peers import peer, until, working

ROOT = Path(__file__).parents[3]
AT_LINE = 5
WORKER = f"""
import time
from pathlib import Path
import service.workflows.worker as w
from service.cli import main
from service.store.batches import BatchStore

w.BEAT_S, w.SILENT_S, w.SWEEP_S = 0.2, 3.0, 0.5
tell, told = BatchStore.told, []

def held(*given):
    told.append(given)
    while len(told) > {AT_LINE} and not Path("killed").exists():
        time.sleep(0.01)
    return tell(*given)

BatchStore.told = held
main(["worker"])
"""


def line(name: str) -> bytes:
    """A report in one line."""
    return make_body(report__id=name).replace(b"\n", b"")


def batch(store: Store, lines: list[bytes], size: int = 5, deliver: str = "") -> str:
    """A batch in parts of some lines, ready to be worked on."""
    made = store.batches.begin("", Asked(Options(), deliver=deliver).row())
    for number, first in enumerate(range(0, len(lines), size)):
        store.batches.add(made, number, first + 1, lines[first : first + size])
    store.batches.ready(made, sum(1 for one in lines if one.strip()))
    return made


def is_done(store: Store, name: str) -> bool:
    """Whether nothing is left of it."""
    return store.batches.get(name).state == DONE


def test_each_line_is_kept_known_or_refused(store: Store, database_url: str) -> None:
    made = batch(store, [line("a"), b"", b'{"no": 1}', line("b"), line("a"), b"nonsense", line("c")], size=2)
    with working(database_url):
        assert until(lambda: is_done(store, made))
    told = store.batches.outcomes(made, limit=100)
    assert [(one.line, one.outcome) for one in told] == [
        (1, KEPT),
        (3, REFUSED),
        (4, KEPT),
        (5, KNOWN),
        (6, REFUSED),
        (7, KEPT),
    ]
    assert told[0].report == told[3].report
    assert all(one.problems for one in told if one.outcome == REFUSED)
    found = store.batches.get(made)
    assert (found.lines, found.done, found.kept, found.known, found.refused) == (6, 6, 3, 1, 2)
    assert store.get(str(told[0].report)).report_id == "a"
    with store._engine.connect() as connection:
        assert set(connection.execute(text("SELECT content FROM batch_parts")).scalars()) == {b""}


def test_lines_are_delivered_behind_everything_else(store: Store, database_url: str) -> None:
    pacs = peer(RecordingDestination("pacs"))
    made = batch(store, [line("a"), line("b")], deliver="pacs")
    with working(database_url, pacs):
        assert until(lambda: is_done(store, made))
        versions = [str(one.report) for one in store.batches.outcomes(made, limit=10)]
        deliveries = [one for version in versions for one in store.deliveries.of(version)]
        assert [one.priority for one in deliveries] == [BACKFILL, BACKFILL]
        assert until(lambda: len(pacs.destination.sent) == 2)  # type: ignore[attr-defined]  # a RecordingDestination


def test_a_batch_of_a_sender_keeps_no_report_of_another(store: Store, database_url: str) -> None:
    made = store.batches.begin("somebody", Asked(Options()).row())
    store.batches.add(made, 0, 1, [make_body(report__sender="else").replace(b"\n", b"")])
    store.batches.ready(made, 1)
    with working(database_url):
        assert until(lambda: is_done(store, made))
    [told] = store.batches.outcomes(made, limit=10)
    assert told.outcome == REFUSED


def test_a_cancelled_batch_is_left_as_it_is(store: Store, database_url: str) -> None:
    made = batch(store, [line("a")])
    assert store.batches.cancel(made).state == CANCELLED
    assert store.batches.cancel(made).state == CANCELLED
    other = batch(store, [line("b")])
    with working(database_url):
        assert until(lambda: is_done(store, other))
    assert store.batches.outcomes(made, limit=10) == ()
    with pytest.raises(Conflict):
        store.batches.cancel(other)


def test_a_cancelled_run_records_nothing_more(store: Store) -> None:
    made = batch(store, [line("a"), line("b")])
    [run] = store.batches.claim(1)
    assert store.batches.told(run, Outcome(1, KEPT, "x"))
    store.batches.cancel(made)
    assert not store.batches.told(run, Outcome(2, KEPT, "y"))
    store.batches.ended(run)
    assert store.batches.get(made).state == CANCELLED


def test_a_part_is_claimed_once_and_the_oldest_batch_has_the_first_turn(store: Store) -> None:
    first, second = batch(store, [line("a")] * 10), batch(store, [line("b")])
    claimed = [store.batches.claim(1) for _ in range(4)]
    assert [(one[0].batch, one[0].number) for one in claimed[:3]] == [(first, 0), (second, 0), (first, 1)]
    assert claimed[3] == ()


def test_who_works_on_a_run_that_was_taken_over_writes_nothing(store: Store) -> None:
    made = batch(store, [line("a"), line("b")])
    [old] = store.batches.claim(1)
    assert store.batches.told(old, Outcome(1, KEPT, "x"))
    store.batches.freed([old])
    [new] = store.batches.claim(1)
    assert new == PartDue(made, 0, 2)
    assert not store.batches.told(old, Outcome(2, KEPT, "y"))
    assert store.batches.part(old) is None
    left = store.batches.part(new)
    assert left is not None
    assert [number for number, _ in left.lines] == [2]


def test_what_is_still_received_is_neither_shown_nor_worked_on(store: Store) -> None:
    made = store.batches.begin("", Asked(Options()).row())
    store.batches.add(made, 0, 1, [line("a")])
    assert store.batches.claim(1) == ()
    assert not store.batches.is_waiting()
    with pytest.raises(NotFound):
        store.batches.get(made)
    store.batches.drop(made)
    store.batches.ready(made, 1)
    with pytest.raises(NotFound):
        store.batches.get(made)


def test_old_batches_are_forgotten(store: Store, database_url: str) -> None:
    made = batch(store, [line("a")])
    store.batches.cancel(made)
    assert store.batches.forget(0) == 0
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE batches SET settled = '2020-01-01T00:00:00.000000Z'"))
    assert store.batches.forget(0) == 0
    assert store.batches.forget(30) == 1
    with pytest.raises(NotFound):
        store.batches.get(made)


def test_killed_workers_cost_no_line_and_double_none(store: Store, database_url: str, tmp_path: Path) -> None:
    """Several processes on PostgreSQL, one on SQLite; the first one is killed (kill -9) while it is at a part."""
    names = [f"r{number}" for number in range(120)]
    made = batch(store, [line(name) for name in names], size=20)
    many = 1 if database_url.startswith("sqlite") else 3
    with workers(database_url, tmp_path, many) as running:
        assert until(lambda: store.batches.get(made).done >= AT_LINE)
        for process in running if many == 1 else running[:2]:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert store.batches.get(made).state == RUNNING
        (tmp_path / "killed").touch()
        if many == 1:
            with workers(database_url, tmp_path, 1):
                assert until(lambda: is_done(store, made))
        else:
            assert until(lambda: is_done(store, made))
    told = store.batches.outcomes(made, limit=1000)
    assert [one.line for one in told] == list(range(1, 121))
    assert {one.outcome for one in told} <= {KEPT, KNOWN}
    assert [store.get(str(one.report)).report_id for one in told] == names
    with store._engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM versions")).scalar() == 120
    assert store.batches.get(made).done == 120


@contextmanager
def workers(database_url: str, folder: Path, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes of `lesionbridge worker` that soon find a dead one, and stand still in a part until some are killed."""
    environment = {name: said for name, said in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
    environment |= {"LESIONBRIDGE_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen([sys.executable, "-c", WORKER], env=environment, cwd=folder, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(180)
