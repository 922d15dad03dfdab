"""A worker process: has a slot, starts what is due, looks after what others left, and ends in good order."""

import fcntl
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final
from uuid import uuid4

import structlog
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from service.domain.errors import Unavailable
from service.pipeline import Source
from service.store.reports import Store
from service.store.workers import Slot, Watch
from service.workflows.batching import Clerk, Opening
from service.workflows.courier import Courier, Peer
from service.workflows.feeding import Feeder
from service.workflows.watching import STALLS, Watching

TICK_S: Final = 0.25
TURN_S: Final = 0.02
"""Until the next look where another worker starts runs at this moment."""
BEAT_S: Final = 5.0
SWEEP_S: Final = 10.0
SILENT_S: Final = 25.0
"""A worker that was not heard of for so long is taken for dead: with a sweep on top, well within a minute."""
FORGET_S: Final = 600.0
MOST_PURGED: Final = 5_000
"""Reports that a worker removes at a time, every `FORGET_S`."""
KEPT_H: Final = 1
"""Hours that DBOS keeps the records of workflows that ended; what became of a delivery stands in our own tables."""

_log = structlog.get_logger()


WAITS: Final = (
    "another process delivers from this SQLite database, as serve does by itself: nothing is delivered here until that "
    "one ends. Stop this one, or that one; several workers need PostgreSQL (docs/operations.md)"
)
"""What a worker says that has to wait for the embedded database."""
DELIVERS: Final = "delivering (stop with Ctrl-C)"


class Busy(Exception):
    """Another worker has this embedded database."""


class Worker:
    """Starts runs of deliveries in this process until it is stopped."""

    def __init__(
        self,
        database_url: str,
        peers: Mapping[str, Peer],
        watching: Watching,
        *,
        keep_days: int = 0,
        opened: Callable[[], Opening] = lambda: Opening(Source(b"")),
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Take the database and the destinations; nothing is opened yet.

        ``opened`` gives what the deployment adds to the lines of batches; ``say`` tells the console whether it delivers
        or waits, each time that this changes.
        """
        self._say = say
        self._said = ""
        self._opened = opened
        self._url = database_url
        self._peers = peers
        self._watching = watching
        self._keep_days = keep_days
        self._clock = clock
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock_file: IO[bytes] | None = None

    def start(self) -> None:
        """Work in a thread of its own."""
        # DBOS needs it. While another thread imports it, a statement with a list of values can't be put together.
        import sqlalchemy.orm  # noqa: F401

        self._thread = threading.Thread(target=self.run, name="lesionbridge-worker", daemon=True)
        self._thread.start()

    def stop(self, grace_s: float) -> None:
        """Begin nothing more, let what is under way end, and wait for that."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=grace_s + 10)

    def request_stop(self) -> None:
        """Ask it to end; for signal handlers."""
        self._stop.set()
        self._wake.set()

    def run(self, grace_s: int = 20) -> None:
        """Work until stopped; a worker that was taken for dead begins anew under another slot."""
        while not self._stop.is_set():
            try:
                self._term(grace_s)
            except Busy:
                if self._tell(WAITS):
                    _log.warning("worker_waits", why="another process delivers from this SQLite database")
                self._stop.wait(BEAT_S)
            except Exception as error:  # noqa: BLE001 - a worker must outlive whatever its database does to it
                _log.error("worker_failed", error=type(error).__name__)
                self._stop.wait(BEAT_S)

    def _tell(self, text: str) -> bool:
        """Say how it stands, unless that was the last that was said; whether it is new."""
        is_new = text != self._said
        if is_new:
            self._said = text
            self._say(text)
        return is_new

    def _term(self, grace_s: int) -> None:
        """From taking a slot to giving it back."""
        from service.workflows.engine import REVISION, Engine

        self._hold_alone()
        store = Store(self._url, ping=False)
        try:
            name = f"{socket.gethostname()}:{os.getpid()}"
            token = str(uuid4())
            take = store.workers.take_only if self._lock_file else store.workers.take
            slot = take(token, name, REVISION)
            # Where the settings say that nothing is sent, what was accepted before is not sent either.
            served = {name: one for name, one in self._peers.items() if not one.settings.dry_run}
            courier = Courier(store, served, slot.executor, self._watching, wake=self._wake)
            named = {name: one.settings for name, one in self._peers.items()}
            clerk = Clerk(store, named, self._opened, self._wake, self._watching)
            engine = Engine(self._url, slot.executor, courier, REVISION, clerk)
            try:
                self._tell(DELIVERS)
                _log.info("worker_started", executor=slot.executor, destinations=sorted(served))
                self._work(store, slot, engine, Feeder(store, engine, courier, clerk, self._clock))
            finally:
                courier.stopping.set()
                clerk.stopping.set()
                engine.stop(grace_s)
                _quietly(lambda: store.workers.leave(slot))
                _log.info("worker_stopped", executor=slot.executor)
        finally:
            store.close()
            self._release()

    def _work(self, store: Store, slot: Slot, engine: Any, feeder: Feeder) -> None:
        """Feed, beat and sweep, until stopped, taken for dead, or found to start nothing."""
        watch = Watch(SILENT_S, self._clock)
        chores = _Chores(self._clock)
        workers = 1
        while not self._stop.is_set():
            pause_s = TICK_S
            try:
                if chores.due("beat", BEAT_S):
                    if not store.workers.beat(slot):
                        _log.warning("worker_was_taken_for_dead", executor=slot.executor)
                        return
                    workers = len(store.workers.present())
                if chores.due("sweep", SWEEP_S):
                    self._sweep(store, slot, engine, watch)
                    if stalled := feeder.stalled():
                        for name in stalled:
                            STALLS.labels(name).inc()
                        _log.error("worker_stalled", executor=slot.executor, destinations=stalled)
                        return
                if chores.due("forget", FORGET_S):
                    engine.forget((datetime.now(UTC) - timedelta(hours=KEPT_H)).isoformat())
                    store.batches.forget(self._keep_days)
                    if self._keep_days:
                        store.retention.purge(self._keep_days, most=MOST_PURGED)
                pause_s = TICK_S if feeder.feed(workers) else TURN_S
                pause_s = min(pause_s, feeder.feed_part())
            except (Unavailable, DBAPIError) as error:
                _log.warning("database_away", error=type(error).__name__)
                watch.restart()
            self._wake.wait(pause_s)
            self._wake.clear()

    def _sweep(self, store: Store, slot: Slot, engine: Any, watch: Watch) -> None:
        """Bury silent workers, resume what they had begun, free what no workflow is at."""
        others = {number: one for number, one in store.workers.present().items() if number != slot.number}
        for number, token, heartbeat in watch.silent(others):
            if store.workers.bury(number, token, heartbeat):
                _log.warning("worker_lost", executor=Slot(number, token).executor)
        present = store.workers.present()
        living = {Slot(number, token).executor for number, (token, _, _) in present.items()} | {slot.executor}
        lost, older = engine.take_over(living, {revision for _, _, revision in present.values()} | {engine.revision})
        freed = engine.missing(store.runs.stale())
        if freed:
            store.runs.freed(freed)
        store.batches.freed(engine.missing_parts(store.batches.stale()))
        if lost or older or freed:
            _log.warning("taken_over", resumed=lost, begun_anew=older, freed=len(freed))

    def _hold_alone(self) -> None:
        """On SQLite be the only worker: a lock on a file beside the database, gone with the process; raises Busy."""
        url = make_url(self._url)
        if url.get_backend_name() != "sqlite":
            return
        file = Path(f"{url.database}.worker").open("ab")  # noqa: SIM115 - held for as long as the worker lives
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise Busy from None
        self._lock_file = file

    def _release(self) -> None:
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None


class _Chores:
    """What is done every so often, by a clock that never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def due(self, name: str, every_s: float) -> bool:
        """Whether it is time; the first time is now."""
        now = self._clock()
        if name in self._last and now - self._last[name] < every_s:
            return False
        self._last[name] = now
        return True


def _quietly(action: Callable[[], None]) -> None:
    """Do it if the database lets us; who finds the slot silent does it otherwise."""
    try:
        action()
    except Unavailable:
        _log.warning("slot_not_given_back")
