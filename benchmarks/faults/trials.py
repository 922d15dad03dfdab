"""The faults: what is broken, and how it goes on after that."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.faults.archive import Archive, archive
from benchmarks.faults.boundaries import BOUNDARIES
from benchmarks.faults.peer import WAYS
from benchmarks.faults.trial import SETTLE_S, STOPS_S, Count, trial
from tests.databases import postgres, postgres_programs

BEFORE = "deliver-0"
"""The revision of workflows that the version before had."""


@contextmanager
def on(database: str) -> Iterator[str]:
    """The URL of a new database: empty for SQLite, which each trial makes for itself."""
    if database == "sqlite":
        yield ""
        return
    with postgres() as url:
        yield url


def emptied(url: str) -> str:
    """A PostgreSQL as it was when it was new."""
    if url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            for schema in ("public", "dbos"):
                connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    return url


def killed(number: int, url: str) -> Count:
    """kill -9 at a boundary; then a client that sends again, and a worker that goes on."""
    boundary = BOUNDARIES[number]
    with trial(emptied(url)) as made:
        if boundary.role == "worker":
            made.publish()
        code = made.run(boundary.role, "--at", str(number), "--until-settled", str(SETTLE_S))
        assert code == -signal.SIGKILL, f"not reached: {boundary.name} (exit {code}) {made.log()}"
        if boundary.role == "api":
            made.publish()
        made.deliver()
        return made.count()


def peer_fails(url: str, ways: Sequence[str] = tuple(WAYS)) -> Count:
    """The receiver fails in these ways, one after the other, and then no more."""
    with trial(emptied(url)) as made:
        made.receiver.ways = list(ways)
        made.publish()
        made.deliver()
        return made.count()


def instance_fails(url: str) -> Count:
    """An archive answers with status 200 that an instance failed: once for want of room, once for good."""
    with trial(emptied(url)) as made, archive() as pacs:
        made.aim(pacs)
        pacs.failures = [0xA700, 0x0122]  # PS3.4 B.2.3: out of resources; PS3.7 C.5: SOP class not supported
        made.publish()
        made.deliver()
        count = made.count()
        assert count.dead == 1, made.log()
        return count


def upgraded(url: str) -> Count:
    """A worker of the version before is killed over deliveries that it has begun; one of this version goes on."""
    at = next(number for number, one in enumerate(BOUNDARIES) if one.name == "after a step is begun")
    with trial(emptied(url)) as made:
        made.publish()
        code = made.run("worker", "--at", str(at), "--revision", BEFORE, "--until-settled", str(SETTLE_S))
        assert code == -signal.SIGKILL, made.log()
        made.deliver()
        return made.count()


def upgraded_in_flight(url: str) -> Count:
    """A worker of this version begins beside one of the version before, which ends in good order."""
    with trial(emptied(url)) as made:
        made.receiver.ways = ["slow"] * 8
        made.publish(8)
        before = made.process("worker", "--revision", BEFORE)
        _until(lambda: sum(made.receiver.requests.values()) >= 2)
        after = made.process("worker")
        _until(lambda: len(made.store.workers.present()) == 2)
        before.send_signal(signal.SIGTERM)
        before.communicate(timeout=STOPS_S)
        assert made.settled(SETTLE_S), made.log()
        after.send_signal(signal.SIGTERM)
        after.communicate(timeout=STOPS_S)
        return made.count(8)


def clock_back(url: str) -> Count:
    """The worker's clock goes back by an hour while it works; the receiver is busy at first, so there are pauses."""
    with trial(emptied(url)) as made:
        made.receiver.ways = ["busy", "error", "error", "error"]
        made.publish()
        made.run("worker", "--until-settled", str(SETTLE_S), "--clock-back", "3600")
        return made.count()


def two_workers(url: str, reports: int = 20) -> Count:
    """Two workers at once on the same deliveries."""
    with trial(emptied(url)) as made:
        made.publish(reports)
        workers = [made.process("worker", "--until-settled", str(SETTLE_S)) for _ in range(2)]
        for worker in workers:
            worker.communicate(timeout=SETTLE_S + STOPS_S)
        return made.count(reports)


def worker_lost(url: str) -> Count:
    """One of two workers is killed in mid-flight, and never comes back."""
    with trial(emptied(url)) as made:
        made.receiver.ways = ["slow"] * 8
        made.publish(8)
        first, second = made.process("worker"), made.process("worker")
        _until(lambda: sum(made.receiver.requests.values()) >= 2)
        first.kill()
        assert made.settled(SETTLE_S), made.log()
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=STOPS_S)
        return made.count(8)


def restarted(url: str) -> Count:
    """PostgreSQL is restarted without warning while reports come in and go out."""
    with trial(emptied(url)) as made:
        worker = made.process("worker")
        api = made.process("api", "--reports", "20")
        _until(lambda: len(made.receiver.held) >= 3)
        _restart(url)
        api.communicate(timeout=STOPS_S)
        made.publish(20)  # what the client was not answered it sends again
        assert made.settled(SETTLE_S), made.log()
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=STOPS_S)
        return made.count(20)


def disk_full() -> Count:
    """No file may grow any more for five seconds, while reports come in and go out on SQLite."""
    with trial() as made:
        worker = made.process("worker")
        api = made.process("api", "--reports", "20")
        _until(lambda: len(made.receiver.held) >= 2)
        largest = max(path.stat().st_size for path in made.folder.glob("*.sqlite3*"))
        processes = (worker, api)
        for process in processes:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        time.sleep(5)
        for process in processes:
            if process.poll() is None:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        api.communicate(timeout=STOPS_S)
        made.publish(20)
        assert made.settled(SETTLE_S), made.log()
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=STOPS_S)
        return made.count(20)


def outage(url: str, reports: int) -> tuple[Count, float]:
    """Many reports are queued while the archive is away; then it is there. The count, and seconds to drain."""
    with trial(emptied(url)) as made:
        away = Archive()
        made.aim(away, alone=True, concurrency=8)
        away.server_close()
        made.publish(reports)
        worker = made.process("worker")
        time.sleep(10)
        with archive(int(away.server_address[1])) as pacs:
            made.archive = pacs
            began = time.monotonic()
            assert made.settled(120 + reports / 5), made.log()
            seconds = time.monotonic() - began
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=STOPS_S)
            return made.count(reports), seconds


def _restart(url: str) -> None:
    """Stop a PostgreSQL as a crash would, and start it."""
    folder = url.rpartition("host=")[2]
    programs = postgres_programs()
    assert programs is not None
    user = "postgres" if os.geteuid() == 0 else None
    command = [str(programs / "pg_ctl"), "-D", str(Path(folder) / "data"), "-m", "immediate", "-w"]
    options = ["-l", f"{folder}/log", "-o", f"-c listen_addresses='' -k {folder} -c fsync=off"]
    for what, pause_s in ((["stop"], 3), ([*options, "start"], 0)):
        subprocess.run([*command, *what], user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120)
        time.sleep(pause_s)


def _until(true: Callable[[], bool], seconds: float = STOPS_S) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
