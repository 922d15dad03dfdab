"""What is left of workers, of versions before, and of workflows whose end nobody could record."""

import threading
from collections.abc import Iterable

import pytest
from sqlalchemy import create_engine, make_url, text

from service.delivery.destination import Answer, Outgoing
from service.domain.errors import Problem, Unavailable
from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.store.workers import Slot, Watch, Workers
from service.workflows import engine
from service.workflows.courier import Courier
from service.workflows.watching import STALLS, Watching
from service.workflows.worker import Worker
from tests.destinations import RecordingDestination
from tests.runs import hand_out
from tests.unit.store.test_workers import Clock
from tests.unit.workflows.peers import PATIENCE_S, accept, peer, states, until, working


def run_for_nothing(store: Store, database_url: str, run: Due, *, revision: str, executor: str) -> None:
    """A workflow of a run that ended and did nothing: its worker knew no destination."""
    running = engine.Engine(database_url, executor, Courier(store, {}, executor, Watching()), revision)
    try:
        assert running.start(run)
        assert until(lambda: running.missing([run]) == (run,))
    finally:
        running.stop(5)


def left_pending(database_url: str, run: Due) -> None:
    """The workflow is as one whose executor went away before the step ended."""
    url = make_url(engine.system_url(database_url))
    schema = "" if url.get_backend_name() == "sqlite" else "dbos."
    if schema:
        url = url.set(drivername="postgresql+psycopg")
    made = create_engine(url)
    of = {"id": engine.workflow_id(run)}
    with made.begin() as connection:
        connection.execute(text(f"DELETE FROM {schema}operation_outputs WHERE workflow_uuid = :id"), of)
        pending = (
            f"UPDATE {schema}workflow_status SET status = 'PENDING', completed_at = NULL WHERE workflow_uuid = :id"
        )
        assert connection.execute(text(pending), of).rowcount == 1
    made.dispose()


def sweeping(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What each sweep takes over; it grows with every sweep of an engine."""
    sweeps: list[tuple[int, int]] = []
    take_over = engine.Engine.take_over

    def remembered(self: engine.Engine, living: set[str], revisions: set[str]) -> tuple[int, int]:
        """Remember what was taken over."""
        sweeps.append(take_over(self, living, revisions))
        return sweeps[-1]

    monkeypatch.setattr(engine.Engine, "take_over", remembered)
    return sweeps


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweep often, and look soon whether a run has its workflow."""
    monkeypatch.setattr("service.workflows.worker.SWEEP_S", 0.3)
    monkeypatch.setattr("service.store.runs._FED_LATE_S", 1.0)


@pytest.mark.parametrize("revision", [engine.REVISION, "deliver-0"], ids=["the same version", "the version before"])
def test_what_a_lost_worker_had_begun_is_sent_once(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    quick(monkeypatch)
    remembers = RecordingDestination("pacs")
    pacs = peer(remembers)
    version, other = accept(store, pacs), accept(store, pacs, report__id="R2")
    [waiting] = store.deliveries.of(version)
    run = Due(waiting.id, waiting.run, 0)
    run_for_nothing(store, database_url, run, revision=revision, executor="worker-9")
    left_pending(database_url, run)
    hand_out(store, run)
    assert store.runs.begin(run.id, run.run, "worker-9", May(overtake={"sr", "fhir-r4"})) is not None
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == states(store, other) == {"pacs": "verified"})
    assert [one.delivery for one in remembers.sent].count(waiting.id) == 1
    assert len(remembers.sent) == 2
    lost, *_ = store.deliveries.attempts([waiting.id])[waiting.id]
    assert (lost.worker, lost.outcome) == ("worker-9", "unknown")


def test_what_a_living_worker_of_the_version_before_works_on_is_left_to_it(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    remembers = RecordingDestination("pacs")
    pacs = peer(remembers)
    version = accept(store, pacs)
    [waiting] = store.deliveries.of(version)
    run = Due(waiting.id, waiting.run, 0)
    run_for_nothing(store, database_url, run, revision="deliver-0", executor="worker-1")
    left_pending(database_url, run)
    hand_out(store, run)
    running = engine.Engine(database_url, "worker-0", Courier(store, {"pacs": pacs}, "worker-0", Watching()))
    try:
        assert running.take_over({"worker-0", "worker-1"}, {engine.REVISION, "deliver-0"}) == (0, 0)
        assert running.missing([run]) == ()
        assert running.take_over({"worker-0"}, {engine.REVISION}) == (0, 1)
        assert running.missing([run]) == (run,)
    finally:
        running.stop(5)
    assert remembers.sent == []


def test_a_run_whose_workflow_ended_and_did_not_say_so_is_begun_anew(store: Store, database_url: str) -> None:
    pacs = peer(RecordingDestination("pacs"), concurrency=1)
    version, other = accept(store, pacs), accept(store, pacs, report__id="R2")
    [waiting] = store.deliveries.of(version)
    run = Due(waiting.id, waiting.run, 0)
    run_for_nothing(store, database_url, run, revision=engine.REVISION, executor="worker-0")
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == states(store, other) == {"pacs": "verified"})
    assert store.deliveries.get(waiting.id).run == 2


def test_a_workflow_that_is_said_to_run_here_and_does_not_is_resumed(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    monkeypatch.setattr("service.store.runs._FED_LATE_S", 3600.0)
    pacs = peer(RecordingDestination("pacs"))
    version = accept(store, pacs)
    [waiting] = store.deliveries.of(version)
    run = Due(waiting.id, waiting.run, 0)
    run_for_nothing(store, database_url, run, revision=engine.REVISION, executor="worker-0")
    hand_out(store, run)
    sweeps = sweeping(monkeypatch)
    with working(database_url, pacs):
        assert until(lambda: len(sweeps) > 0)  # what stands there at the launch is resumed then
        left_pending(database_url, run)
        assert until(lambda: states(store, version) == {"pacs": "verified"})
    assert store.deliveries.get(waiting.id).run == 1


def test_a_workflow_that_a_thread_works_on_is_not_resumed(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    goes_on = threading.Event()

    class Slow(RecordingDestination):
        """Waits before it answers."""

        def send(self, outgoing: Outgoing) -> Answer:
            """Wait, and remember."""
            goes_on.wait(PATIENCE_S)
            return super().send(outgoing)

    slow = Slow("pacs")
    pacs = peer(slow)
    sweeps = sweeping(monkeypatch)
    version = accept(store, pacs)
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == {"pacs": "sending"})
        begun = len(sweeps)
        assert until(lambda: len(sweeps) >= begun + 4)
        goes_on.set()
        assert until(lambda: states(store, version) == {"pacs": "verified"})
    assert len(slow.sent) == 1
    assert set(sweeps) == {(0, 0)}


def test_a_worker_that_could_not_beat_for_long_is_not_its_own_undertaker(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, away = Clock(), threading.Event()
    unheard, buried = [0], []
    beat = Workers.beat

    def beats(self: Workers, slot: Slot) -> bool:
        """Fail while the disk is full."""
        if away.is_set():
            unheard[0] += 1
            raise Unavailable(Problem("", "database", "full"))
        return beat(self, slot)

    monkeypatch.setattr(Workers, "beat", beats)
    monkeypatch.setattr(Workers, "bury", lambda _self, number, *_: buried.append(number))
    sweeps = sweeping(monkeypatch)

    def swept() -> bool:
        """Wait for another sweep."""
        before = len(sweeps)
        return until(lambda: len(sweeps) > before)

    with working(database_url, clock=clock):
        assert until(lambda: len(sweeps) == 1)
        other = store.workers.take("another", "elsewhere", engine.REVISION)
        clock.now = 10.0
        assert swept()
        away.set()
        clock.now = 16.0
        assert until(lambda: unheard[0] == 1)
        clock.now = 20.0
        assert swept()
        clock.now = 30.0  # beats are due again, and fail: nobody can be heard
        assert until(lambda: unheard[0] == 2)
        assert swept()
        away.clear()
        clock.now = 46.0
        assert swept()
        assert buried == []
        clock.now = 90.0
        assert swept()
        assert until(lambda: buried == [other.number])


class Swept:
    """An engine that only hears who lives."""

    revision = engine.REVISION

    def __init__(self) -> None:
        self.heard: list[tuple[set[str], set[str]]] = []

    def take_over(self, living: set[str], revisions: set[str]) -> tuple[int, int]:
        """Remember it."""
        self.heard.append((living, revisions))
        return 0, 0

    def missing(self, runs: Iterable[Due]) -> tuple[Due, ...]:
        """All that one asks for; there are none."""
        return tuple(runs)

    missing_parts = missing


def test_a_sweep_buries_who_is_silent_and_counts_itself_among_the_living(store: Store, database_url: str) -> None:
    mine, silent = (store.workers.take(name, name, engine.REVISION) for name in ("mine", "silent"))
    swept = Swept()
    worker = Worker(database_url, {}, Watching())
    worker._sweep(store, mine, swept, Watch(0.0, Clock()))
    assert set(store.workers.present()) == {mine.number}
    assert not store.workers.beat(silent)
    store.workers.leave(mine)  # another took it for dead
    worker._sweep(store, mine, swept, Watch(0.0, Clock()))
    assert swept.heard == [({mine.executor}, {engine.REVISION})] * 2


def test_a_worker_that_begins_nothing_although_it_could_begins_its_term_anew(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    monkeypatch.setattr("service.workflows.feeding.STALLED_S", 0.5)
    begins = engine.Engine.start
    started: list[Due] = []

    def started_by_nobody(self: engine.Engine, run: Due) -> bool:
        """The first run gets no thread, and nobody says so."""
        started.append(run)
        return True if len(started) == 1 else begins(self, run)

    monkeypatch.setattr(engine.Engine, "start", started_by_nobody)
    pacs = peer(RecordingDestination("stuck"), concurrency=1)
    version, other = accept(store, pacs), accept(store, pacs, report__id="R2")
    stalls = STALLS.labels("stuck")._value.get()
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == states(store, other) == {"stuck": "verified"})
    assert STALLS.labels("stuck")._value.get() == stalls + 1


def test_the_records_of_workflows_wait_for_no_disk_and_what_is_accepted_does(store: Store, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one file for both")
    with store.deliveries.engine.connect() as ours:
        assert ours.execute(text("SHOW synchronous_commit")).scalar() == "on"
    theirs = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"), **engine.ON_SERVER)
    with theirs.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "off"
    theirs.dispose()
