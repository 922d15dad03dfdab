"""One trial: a database, two destinations and processes that do the work; then everything is counted."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.faults.archive import Archive
from benchmarks.faults.peer import Receiver, receiver
from benchmarks.faults.victim import REPORTS, deliver, destinations, publish
from service.config import Settings
from service.store.delivery_rows import Delivery, State
from service.store.reports import Store

ROOT = Path(__file__).parents[2]
SETTLE_S = 240
"""So long the deliveries of a trial may take, on a machine with other work."""
STOPS_S = 180
"""So long a process may take to begin, or to end."""


@dataclass(frozen=True, slots=True)
class Count:
    """What is left after a trial; ``again`` are sendings beyond the first of each delivery."""

    deliveries: int
    arrived: int
    dead: int
    lost: int
    doubled: int
    disordered: int
    again: int

    @property
    def holds(self) -> bool:
        """Whether all is there once in effect or a dead letter with a reason."""
        return self.arrived + self.dead == self.deliveries and not self.lost + self.doubled + self.disordered


class Trial:
    """The database, the destinations, and the processes that were started."""

    def __init__(self, folder: Path, database_url: str, receiver: Receiver) -> None:
        """Make the tables and the destinations."""
        self.folder, self.receiver, self.database_url = folder, receiver, database_url
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.file = folder / "destinations.toml"
        self.archive: Archive | None = None
        self.aim()
        self.store = Store(database_url)
        self.store.migrate()
        self._running: list[subprocess.Popen[str]] = []

    def aim(self, archive: Archive | None = None, *, alone: bool = False, concurrency: int = 1) -> None:
        """Say where the receiver is, or the archive in its place; ``alone``: without the folder.

        ``concurrency`` is how many deliveries each destination takes at a time.
        """
        self.archive = archive
        places = {"archive": archive.url} if archive else {"hook": self.receiver.url}
        self.file.write_text(destinations(None if alone else self.inbox, concurrency=concurrency, **places))
        self.aims = len(places) + (not alone)

    def process(self, role: str, *options: str) -> "subprocess.Popen[str]":
        """Start a victim."""
        environment = {name: text for name, text in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
        environment |= {
            "LESIONBRIDGE_DATABASE_URL": self.database_url,
            "LESIONBRIDGE_DESTINATIONS_FILE": str(self.file),
            "LESIONBRIDGE_LOG_LEVEL": "error",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "benchmarks.faults.victim", role, *options]
        with (self.folder / "log").open("a") as log:
            made = subprocess.Popen(
                command, env=environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self._running.append(made)
        return made

    def run(self, role: str, *options: str, wait_s: float = SETTLE_S + STOPS_S) -> int:
        """Run a victim to its end; its exit code, negative for the signal that killed it."""
        process = self.process(role, *options)
        try:
            process.communicate(timeout=wait_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return 1
        return int(process.returncode)

    def publish(self, reports: int = REPORTS) -> None:
        """Publish all reports in this process, as a client that sends again what was not answered."""
        publish(self.settings, reports)

    def deliver(self, seconds: float = SETTLE_S) -> None:
        """Let a worker in this process work until nothing is open."""
        deliver(self.settings, seconds)

    @property
    def settings(self) -> Settings:
        """Those of the processes."""
        return Settings(database_url=self.database_url, destinations_file=str(self.file), log_level="error")

    def log(self) -> str:
        """What the processes said on standard error."""
        return (self.folder / "log").read_text()

    def settled(self, seconds: float) -> bool:
        """Wait until nothing is open; whether it came to that."""
        end = time.monotonic() + seconds
        while self.store.deliveries.queues():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def count(self, reports: int = REPORTS) -> Count:
        """Look at what the destinations have, and hold it to what is said of it."""
        found: list[Delivery] = []
        while page := self.store.deliveries.list({}, limit=500, before=found[-1].position if found else None):
            found += page
        dead = [one for one in found if one.state in (State.DEAD, State.REFUSED) and one.reason]
        said = [one for one in found if not one.is_open and one.state in (State.STORED, State.VERIFIED)]
        there = [one for one in said if self._has(one)]
        known = {one.id for one in found}
        files = [path for path in self.inbox.iterdir() if path.suffix != ".part"]
        strangers = len([path for path in files if path.name.partition(".")[0] not in known])
        expected = self.aims * (reports + 1)
        return Count(
            deliveries=expected,
            arrived=len(there),
            dead=len(dead),
            lost=expected - len(there) - len(dead),
            doubled=strangers
            + len(set(self.receiver.held) - known)
            + self.receiver.doubled
            + self._doubled_there(found),
            disordered=self._disordered(found),
            again=sum(self.receiver.requests.values())
            - len(self.receiver.requests)
            + (self.archive.again if self.archive else 0),
        )

    def _has(self, one: Delivery) -> bool:
        """Whether a destination has the stored bytes of a delivery."""
        content = self.store.output(one.version, one.role).content
        if one.destination == "hook":
            return self.receiver.held.get(one.id) == sha256(content).hexdigest()
        if one.destination == "archive":
            assert self.archive is not None
            assert one.sr is not None
            return one.state is State.VERIFIED and self.archive.held.get(one.sr.sop_instance) == content
        path = self.inbox / f"{one.id}.dcm"
        return one.state is State.VERIFIED and path.exists() and path.read_bytes() == content

    def _doubled_there(self, found: list[Delivery]) -> int:
        """Instances of the archive that are two objects, or nobody's."""
        if self.archive is None:
            return 0
        known = {one.sr.sop_instance for one in found if one.sr is not None}
        return self.archive.doubled + len(set(self.archive.held) - known)

    def _disordered(self, found: list[Delivery]) -> int:
        """Reports of which the receiver got a later version first."""
        at = {key: place for place, key in enumerate(self.receiver.order)}
        versions: dict[int, list[Delivery]] = {}
        for one in found:
            if one.destination == "hook" and one.id in at:
                versions.setdefault(one.report, []).append(one)
        orders = [sorted(group, key=lambda one: one.number) for group in versions.values()]
        return sum(1 for order in orders if [at[one.id] for one in order] != sorted(at[one.id] for one in order))

    def close(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.store.close()


@contextmanager
def trial(database_url: str = "") -> Iterator[Trial]:
    """A trial with a receiver that lives as long as it; without a URL on an SQLite file of its own."""
    with TemporaryDirectory(prefix="lb-fault-") as name, receiver() as peer:
        folder = Path(name)
        made = Trial(folder, database_url or f"sqlite:///{folder / 'embedded.sqlite3'}", peer)
        try:
            yield made
        finally:
            made.close()
