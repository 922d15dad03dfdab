"""Accepted, sent, verified: with a worker, on both databases."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import CapturingLogger

from service.delivery.destination import Answer, Outcome, Outgoing
from service.domain.errors import Problem, Unavailable
from service.pipeline import Source
from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.workflows import engine, worker
from service.workflows.batching import Clerk, Opening
from service.workflows.courier import Courier, Peer
from service.workflows.feeding import Feeder
from service.workflows.watching import Watching
from service.workflows.worker import Busy, Worker
from tests.destinations import RecordingDestination
from tests.runs import hand_out
from tests.unit.workflows.peers import accept, peer, states, until, working


def test_delivers_the_stored_bytes_and_proves_it(store: Store, database_url: str) -> None:
    pacs, ehr = peer(RecordingDestination("pacs")), peer(RecordingDestination("ehr"), takes="fhir-r4")
    version = accept(store, pacs, ehr)
    with working(database_url, pacs, ehr):
        assert until(lambda: states(store, version) == {"pacs": "verified", "ehr": "verified"})
    [sent] = pacs.destination.sent  # type: ignore[attr-defined]  # a RecordingDestination
    assert sent.content == store.output(version, "sr").content
    assert sent.sr == store.get(version).sr
    [sent] = ehr.destination.sent  # type: ignore[attr-defined]  # a RecordingDestination
    assert sent.content == store.output(version, "fhir").content
    assert sent.identifiers
    assert "PID" not in sent.name


def test_repeats_what_may_pass_and_gives_up_on_what_may_not(store: Store, database_url: str) -> None:
    lost, full = Answer(Outcome.UNKNOWN, "reset"), Answer(Outcome.REFUSED, "no such patient", "0xC000")
    pacs, ehr = peer(RecordingDestination("pacs", [lost, lost])), peer(RecordingDestination("ehr", [full]))
    version = accept(store, pacs, ehr)
    with working(database_url, pacs, ehr):
        assert until(lambda: states(store, version) == {"pacs": "verified", "ehr": "refused"})
    found = {one.destination: one for one in store.deliveries.of(version)}
    assert (found["ehr"].reason, found["ehr"].status) == ("no such patient", "0xC000")
    tries = store.deliveries.attempts([found["pacs"].id])[found["pacs"].id]
    assert [one.outcome for one in tries] == ["unknown", "unknown", "stored", "verified"]


def test_an_outage_kills_no_delivery(store: Store, database_url: str) -> None:
    away = RecordingDestination("pacs")
    away.away = True
    pacs = peer(away)
    versions = [accept(store, pacs, report__id=f"R{number}") for number in range(8)]
    with working(database_url, pacs):
        assert until(lambda: len(away.sent) >= 5)
        away.away = False
        assert until(lambda: all(states(store, one) == {"pacs": "verified"} for one in versions))


class Forgetful(RecordingDestination):
    """Says that it has it, and has nothing."""

    def send(self, outgoing: Outgoing) -> Answer:
        """Remember only that it was asked."""
        self.sent.append(outgoing)
        return Answer(Outcome.STORED)


def test_what_a_peer_calls_stored_and_never_has_is_given_up(store: Store, database_url: str) -> None:
    pacs = peer(Forgetful("pacs"))
    version = accept(store, pacs)
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == {"pacs": "dead"})
    [given_up] = store.deliveries.of(version)
    assert given_up.reason == "given up after 4 attempts: the peer does not have it"
    tries = store.deliveries.attempts([given_up.id])[given_up.id]
    assert [(one.step, one.outcome) for one in tries] == [("send", "stored"), ("verify", "not-sent")] * 4


class Unsure(RecordingDestination):
    """Has what it calls stored, and can't be asked at first."""

    def verify(self, outgoing: Outgoing) -> Answer:
        """Tell nothing the first time."""
        found = super().verify(outgoing)
        return found if len(self.verified) > 1 else Answer(Outcome.UNKNOWN, "reset")


def test_attempts_at_sending_are_none_at_asking_for_proof(store: Store, database_url: str) -> None:
    pacs = peer(Unsure("pacs", [Answer(Outcome.UNKNOWN, "reset")] * 3))
    version = accept(store, pacs)
    with working(database_url, pacs):
        assert until(lambda: states(store, version)["pacs"] in ("verified", "dead"))
    assert states(store, version) == {"pacs": "verified"}


def test_what_was_queued_waits_while_its_destination_is_set_to_dry_run(store: Store, database_url: str) -> None:
    pacs, ehr = peer(RecordingDestination("pacs")), peer(RecordingDestination("ehr"), takes="fhir-r4")
    version = accept(store, pacs, ehr)
    trial = peer(RecordingDestination("pacs"), dry_run=True)
    with working(database_url, trial, ehr):
        assert until(lambda: states(store, version) == {"pacs": "queued", "ehr": "verified"})
    assert trial.destination.sent == []  # type: ignore[attr-defined]  # a RecordingDestination
    with working(database_url, pacs, ehr):
        assert until(lambda: states(store, version) == {"pacs": "verified", "ehr": "verified"})


def test_a_report_waits_for_a_worker(store: Store, database_url: str) -> None:
    pacs = peer(RecordingDestination("pacs"))
    version = accept(store, pacs)
    assert states(store, version) == {"pacs": "queued"}
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == {"pacs": "verified"})


def test_versions_arrive_in_their_order(store: Store, database_url: str) -> None:
    remembers = RecordingDestination("ehr")
    ehr = peer(remembers, takes="fhir-r4")
    versions = [accept(store, ehr, report__version=number) for number in range(1, 6)]
    with working(database_url, ehr):
        assert until(lambda: all(states(store, one) == {"ehr": "verified"} for one in versions))
    order = [one.id for version in versions for one in store.deliveries.of(version)]
    assert [one.delivery for one in remembers.sent] == order


def test_what_was_begun_by_a_lost_worker_is_taken_up_once_it_is_found_missing(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.runs._FED_LATE_S", 1.0)
    monkeypatch.setattr("service.workflows.worker.SWEEP_S", 0.5)
    pacs = peer(RecordingDestination("pacs"))
    version = accept(store, pacs)
    [waiting] = store.deliveries.of(version)
    hand_out(store, Due(waiting.id, 1, 0))
    assert store.runs.begin(waiting.id, 1, "worker-9", May(overtake={"sr", "fhir-r4"})) is not None
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == {"pacs": "verified"})
    assert store.deliveries.get(waiting.id).attempts == 3


def test_a_run_that_is_started_by_many_is_one(store: Store, database_url: str) -> None:
    remembers = RecordingDestination("pacs")
    pacs = peer(remembers)
    version = accept(store, pacs)
    [waiting] = store.deliveries.of(version)
    courier = Courier(store, {"pacs": pacs}, "worker-7", Watching())
    running = engine.Engine(database_url, "worker-7", courier)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: running.start(Due(waiting.id, 1, 0)), range(16)))
        assert until(lambda: states(store, version) == {"pacs": "verified"})
    finally:
        running.stop(5)
    assert len(remembers.sent) == 1


def feeder_of(store: Store, database_url: str, peer_of: Peer) -> tuple[engine.Engine, Feeder]:
    """A worker's engine and what starts its runs."""
    name = peer_of.settings.name
    courier = Courier(store, {name: peer_of}, "worker-7", Watching())
    running = engine.Engine(database_url, "worker-7", courier)
    clerk = Clerk(store, {}, lambda: Opening(Source(b"")), threading.Event())
    return running, Feeder(store, running, courier, clerk, time.monotonic)


def test_while_a_run_is_started_another_process_may_hand_out_the_next(store: Store, database_url: str) -> None:
    pacs = peer(RecordingDestination("pacs"))
    version = accept(store, pacs)
    running, feeder = feeder_of(store, database_url, pacs)
    other = Store(database_url)
    met: list[bool] = []
    begins = running.start

    def looked_at(run: Due) -> bool:
        """Hand out from another process meanwhile."""
        with other.runs.feeding() as feed:
            met.append(feed is not None and feed.take([run]) == ())
        return begins(run)

    running.start = looked_at  # type: ignore[method-assign]
    try:
        assert feeder.feed(1)
        assert until(lambda: states(store, version) == {"pacs": "verified"})
    finally:
        running.stop(5)
        other.close()
    assert met == [True]


def test_what_was_handed_out_when_the_database_went_away_is_started_once_it_is_back(
    store: Store, database_url: str
) -> None:
    remembers = RecordingDestination("pacs")
    pacs = peer(remembers, concurrency=2)
    versions = [accept(store, pacs, report__id=f"R{number}") for number in range(2)]
    running, feeder = feeder_of(store, database_url, pacs)
    begins, asked = running.start, []

    def away(run: Due) -> bool:
        """Not there the first time."""
        asked.append(run)
        if len(asked) == 1:
            raise Unavailable(Problem("", "database", "away"))
        return begins(run)

    running.start = away  # type: ignore[method-assign]
    try:
        with pytest.raises(Unavailable):
            feeder.feed(1)
        assert not store.runs.waits(["pacs"])
        assert feeder.feed(1)
        assert until(lambda: all(states(store, one) == {"pacs": "verified"} for one in versions))
    finally:
        running.stop(5)
    assert len(remembers.sent) == 2
    assert len(asked) == 3


def test_another_process_does_not_work_on_the_same_file(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("on PostgreSQL it may")
    refused: list[Worker] = []
    hold = Worker._hold_alone

    def held(self: Worker) -> None:
        """Remember who was refused."""
        try:
            hold(self)
        except Busy:
            refused.append(self)
            raise

    monkeypatch.setattr(Worker, "_hold_alone", held)
    pacs = peer(RecordingDestination("pacs"))
    with working(database_url, pacs):
        assert until(lambda: len(store.workers.present()) == 1)
        there = {number: token for number, (token, _, _) in store.workers.present().items()}
        with working(database_url, pacs) as second:
            assert until(lambda: refused == [second])
        assert {number: token for number, (token, _, _) in store.workers.present().items()} == there


def test_a_worker_that_has_to_wait_says_so_once_with_what_to_do_and_again_when_it_delivers(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("on PostgreSQL none waits")
    monkeypatch.setattr(worker, "BEAT_S", 0.05)
    tries: list[Worker] = []
    hold = Worker._hold_alone

    def held(self: Worker) -> None:
        """Count who asks for the file."""
        tries.append(self)
        hold(self)

    monkeypatch.setattr(Worker, "_hold_alone", held)
    said: list[str] = []
    second = Worker(database_url, {}, Watching(), say=said.append)
    log = CapturingLogger()
    monkeypatch.setattr(worker, "_log", log)
    with working(database_url):
        assert until(lambda: len(store.workers.present()) == 1)
        second.start()
        assert until(lambda: tries.count(second) >= 4)
        assert said == [worker.WAITS]
        assert store.workers.present() != {}
    assert until(lambda: said == [worker.WAITS, worker.DELIVERS])
    second.stop(5)
    assert "Stop this one, or that one" in said[0]
    assert ("warning", ("worker_waits",)) in [(one.method_name, one.args) for one in log.calls]


def test_a_defect_of_a_destination_is_an_outcome_that_nobody_knows(store: Store, database_url: str) -> None:
    class Broken(RecordingDestination):
        """Fails in its own code."""

        def send(self, outgoing: Outgoing) -> Answer:
            """Fail."""
            raise KeyError("Doe^Jane", outgoing.name)

    pacs = peer(Broken("pacs"))
    version = accept(store, pacs)
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == {"pacs": "dead"})
    [dead] = store.deliveries.of(version)
    assert dead.reason == "given up after 4 attempts: the service failed while it asked the peer (KeyError)"
