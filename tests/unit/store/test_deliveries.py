"""Deliveries as they are kept, on both databases: who may start what, and what an answer leads to."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.domain.emitted import SrReference
from service.domain.errors import Conflict, NotFound
from service.store import database
from service.store.circuits import Circuit, Heard, Verdict, open_circuits
from service.store.deliveries import BACKFILL, Origin, Planned, State
from service.store.queues import Due, Pace
from service.store.reports import Store, Taken
from service.store.runs import LOST, May, Runs, Told, Turn
from service.store.versions import Consignment, output
from tests.unit.store.test_reports import ID, make_draft

ANYTHING = May()
PACE = Pace(limit=10, share=10)
WORKS, AWAY = Heard(Verdict.WORKS), Heard(Verdict.AWAY, why="connection refused")


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        """Move it, back with a negative number."""
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """The clock of the store."""
    return Clock()


@pytest.fixture
def kept(database_url: str, clock: Clock) -> Any:
    """A store with its tables and a clock of the test's."""
    made = Store(database_url, clock)
    made.migrate()
    yield made
    made.close()


def planned(number: int = 1, destination: str = "pacs", **changes: Any) -> Planned:
    """A delivery of the SR; what differs by default is only its number."""
    sr = SrReference("1.2.840.10008.5.1.4.1.1.88.34", f"2.25.{number}", "2.25.7", "1.2.3")
    return replace(Planned(f"{destination}-{number}", destination, "sr", "sr", (), sr), **changes)


def keep(store: Store, number: int = 1, *deliveries: Planned, report: str = "R1", **changes: Any) -> None:
    """A version with its deliveries."""
    draft = make_draft(number, report_id=report, **changes)
    before = store.newest_before("local", report, draft.stored.version)
    consignment = Consignment(planned=deliveries or (planned(number),), origin=Origin("request-1", "00-trace"))
    store.keep(replace(draft, consignment=consignment, predecessor=before.id if before else None))


def due(store: Store, destination: str = "pacs", pace: Pace = PACE) -> list[str]:
    """The ids that may start."""
    with store.runs.feeding() as feed:
        assert feed is not None
        return [one.id for one in feed.due(destination, pace)]


def told(state: State = State.STORED, **changes: Any) -> Told:
    """What follows an answer; stored by default."""
    made = Told("stored", "200", "", (), WORKS, state, again_s=None, counts=False)
    return replace(made, **changes)


def begin(store: Store, name: str = "pacs-1", run: int = 1, may: May = ANYTHING) -> Turn:
    """A step that could begin."""
    turn = store.runs.begin(name, run, "worker-0", may)
    assert turn is not None
    return turn


def end(store: Store, turn: Turn, **changes: Any) -> bool:
    """Its end."""
    return store.runs.told(turn, store.now(), "worker-0", told(**changes))


def test_a_delivery_is_kept_with_its_report(kept: Store) -> None:
    keep(kept)
    [made] = kept.deliveries.of(ID.format(1))
    assert (made.state, made.is_open, made.destination, made.number) == (State.QUEUED, True, "pacs", 1)
    assert (made.sr, made.origin) == (planned().sr, Origin("request-1", "00-trace"))
    assert kept.deliveries.get(made.id) == made


def test_nothing_of_a_report_that_is_not_kept_is_delivered(kept: Store) -> None:
    keep(kept)
    with pytest.raises(Taken):
        kept.keep(replace(make_draft(2, version=1), consignment=Consignment(planned=(planned(2),))))
    with pytest.raises(NotFound):
        kept.deliveries.get("pacs-2")


def test_an_output_for_one_destination_is_kept_with_it(kept: Store) -> None:
    own = output("sr@pacs", "application/dicom", b"own")
    draft = replace(make_draft(), consignment=Consignment((own,), (planned(role="sr@pacs"),)))
    kept.keep(draft)
    assert begin(kept).content == b"own"


def test_what_a_destination_takes_dry_is_never_due(kept: Store) -> None:
    keep(kept, 1, planned(dry_run=True))
    assert due(kept) == []
    [made] = kept.deliveries.of(ID.format(1))
    assert (made.state, made.is_open) == (State.DRY_RUN, False)


def test_deliveries_are_due_in_the_order_they_came(kept: Store) -> None:
    for number in (1, 2, 3):
        keep(kept, number, report=f"R{number}")
    assert due(kept) == ["pacs-1", "pacs-2", "pacs-3"]
    assert due(kept, pace=replace(PACE, share=2)) == ["pacs-1", "pacs-2"]
    assert due(kept, "ehr") == []


def test_no_more_are_started_than_the_destination_takes_at_a_time(kept: Store) -> None:
    for number in (1, 2, 3):
        keep(kept, number, report=f"R{number}")
    kept.runs.fed([Due("pacs-1", 1, 0)])
    assert due(kept, pace=replace(PACE, limit=2)) == ["pacs-2"]


def test_a_rate_is_held_over_any_span_of_its_length(kept: Store, clock: Clock) -> None:
    for number in range(1, 5):
        keep(kept, number, report=f"R{number}")
    pace = replace(PACE, rate=2, per_s=10.0)
    assert due(kept, pace=pace) == ["pacs-1", "pacs-2"]
    for name in ("pacs-1", "pacs-2"):
        end(kept, begin(kept, name), state=State.VERIFIED)
        clock.move(4)
    assert due(kept, pace=pace) == []
    clock.move(3)
    assert due(kept, pace=pace) == ["pacs-3"]


def test_a_backfill_waits_for_all_others_and_for_its_window(kept: Store) -> None:
    keep(kept, 1, planned(priority=BACKFILL))
    keep(kept, 2, report="R2")
    assert due(kept) == ["pacs-2", "pacs-1"]
    assert due(kept, pace=replace(PACE, backfill=False)) == ["pacs-2"]


def test_a_backfill_has_a_rate_of_its_own(kept: Store) -> None:
    for number in range(1, 4):
        keep(kept, number, planned(number, priority=BACKFILL), report=f"R{number}")
    for number in range(4, 7):
        keep(kept, number, report=f"R{number}")
    pace = replace(PACE, backfill_rate=1, backfill_per_s=60.0)
    assert due(kept, pace=pace) == ["pacs-4", "pacs-5", "pacs-6", "pacs-1"]
    end(kept, begin(kept, "pacs-1"), state=State.VERIFIED)
    assert due(kept, pace=pace) == ["pacs-4", "pacs-5", "pacs-6"]


def test_a_version_waits_for_the_one_before_it_at_each_destination(kept: Store) -> None:
    keep(kept, 1, planned(1), planned(1, "ehr"))
    keep(kept, 2, planned(2), planned(2, "ehr"))
    assert (due(kept), due(kept, "ehr")) == (["pacs-1"], ["ehr-1"])
    end(kept, begin(kept), state=State.VERIFIED)
    assert (due(kept), due(kept, "ehr")) == (["pacs-2"], ["ehr-1"])
    assert kept.runs.begin("ehr-2", 1, "worker-0", May()) is None
    assert kept.deliveries.get("ehr-2").run == 2  # it was put back


@pytest.mark.parametrize("last", [State.REFUSED, State.DEAD])
def test_a_version_goes_on_when_the_one_before_it_will_never_arrive(kept: Store, last: State) -> None:
    keep(kept, 1)
    keep(kept, 2)
    end(kept, begin(kept), state=last)
    assert due(kept) == ["pacs-2"]


def test_an_older_version_never_replaces_a_newer_one(kept: Store) -> None:
    keep(kept, 3, planned(3, "ehr"))
    end(kept, begin(kept, "ehr-3"), state=State.VERIFIED)
    keep(kept, 2, planned(2, "ehr"))
    assert kept.runs.begin("ehr-2", 1, "worker-0", May()) is None
    late = kept.deliveries.get("ehr-2")
    assert (late.state, late.reason) == (State.DEAD, "superseded: version 3 went there already")


def test_an_older_version_that_is_an_object_of_its_own_may_come_late(kept: Store) -> None:
    keep(kept, 3)
    end(kept, begin(kept, "pacs-3"), state=State.VERIFIED)
    keep(kept, 2)
    assert begin(kept, "pacs-2", may=May(overtake={"sr"})).step == "send"


def test_sent_then_verified_with_each_attempt_kept(kept: Store, clock: Clock) -> None:
    keep(kept)
    turn = begin(kept)
    assert (turn.step, turn.content, kept.deliveries.get("pacs-1").state) == ("send", bytes(range(256)), State.SENDING)
    clock.move(2)
    assert end(kept, turn, reason="thank you", detail=(("a", "b"),))
    again = begin(kept)
    assert (again.step, kept.deliveries.get("pacs-1").state) == ("verify", State.STORED)
    end(kept, again, state=State.VERIFIED, outcome="verified")
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.is_open, made.attempts) == (State.VERIFIED, False, 2)
    tries = kept.deliveries.attempts(["pacs-1"])["pacs-1"]
    assert [(one.number, one.step, one.outcome) for one in tries] == [(1, "send", "stored"), (2, "verify", "verified")]
    assert (tries[0].started, tries[0].ended) == ("2026-03-02T12:00:00.000000Z", "2026-03-02T12:00:02.000000Z")
    assert (tries[0].reason, tries[0].detail) == ("thank you", (("a", "b"),))


def test_another_run_is_due_after_its_pause(kept: Store, clock: Clock) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.QUEUED, outcome="busy", again_s=30.0, counts=True)
    made = kept.deliveries.get("pacs-1")
    assert (made.state, made.run, made.counted, made.fed) == (State.QUEUED, 2, 1, None)
    clock.move(29)
    assert due(kept) == []
    clock.move(1)
    assert due(kept) == ["pacs-1"]


def test_what_a_clock_has_put_off_is_due_when_the_clock_goes_back(kept: Store, clock: Clock) -> None:
    keep(kept)
    clock.move(400 * 86_400)
    end(kept, begin(kept), state=State.QUEUED, again_s=30.0)
    clock.move(-400 * 86_400)
    assert due(kept) == ["pacs-1"]


def test_a_worker_that_comes_back_changes_nothing_but_says_what_it_was_answered(kept: Store) -> None:
    keep(kept)
    slow = begin(kept)
    kept.runs.freed([Due("pacs-1", 1, 0)])
    end(kept, begin(kept, run=2), state=State.VERIFIED)
    assert not end(kept, slow, state=State.REFUSED, outcome="refused")
    assert kept.deliveries.get("pacs-1").state is State.VERIFIED
    first, second = kept.deliveries.attempts(["pacs-1"])["pacs-1"]
    assert (first.outcome, second.outcome) == ("refused", "stored")


def test_an_attempt_whose_worker_was_lost_is_said_to_be_unknown(kept: Store) -> None:
    keep(kept)
    begin(kept)
    kept.runs.freed([Due("pacs-1", 1, 0)])
    begin(kept, run=2)
    lost, present = kept.deliveries.attempts(["pacs-1"])["pacs-1"]
    assert (lost.outcome, lost.reason, lost.ended is not None) == ("unknown", LOST, True)
    assert (present.number, present.ended) == (2, None)


def test_a_run_that_was_begun_again_by_the_same_workflow_goes_on(kept: Store) -> None:
    keep(kept)
    begin(kept)
    assert begin(kept).attempt == 2


def test_verifying_goes_on_where_it_was_left(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept))
    kept.runs.freed([Due("pacs-1", 1, 0)])
    assert begin(kept, run=2).step == "verify"


def test_a_run_that_is_over_does_nothing(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.VERIFIED)
    for run in (0, 1, 2):
        assert kept.runs.begin("pacs-1", run, "worker-0", May()) is None
    assert kept.runs.begin("nothing", 1, "worker-0", May()) is None


def fail(store: Store, number: int, **changes: Any) -> None:
    """Deliver one report to a destination that is away."""
    keep(store, number, report=f"R{number}")
    end(store, begin(store, f"pacs-{number}"), state=State.QUEUED, again_s=1.0, heard=AWAY, **changes)


def test_a_destination_is_left_alone_after_some_failures_in_a_row(kept: Store, clock: Clock) -> None:
    for number in range(1, 6):
        fail(kept, number)
    [state] = open_circuits(kept.deliveries.engine)
    assert (state.destination, state.failures, state.reason) == ("pacs", 5, "connection refused")
    keep(kept, 6, report="R6")
    assert due(kept) == []
    assert kept.runs.begin("pacs-6", 1, "worker-0", May()) is None
    clock.move(5)
    assert due(kept) == ["pacs-1"]  # one, to see whether it is back


def test_one_tries_and_the_others_wait_for_how_it_goes(kept: Store, clock: Clock) -> None:
    for number in range(1, 6):
        fail(kept, number)
    clock.move(5)
    trying = begin(kept, "pacs-1", 2)
    assert trying.probing
    assert kept.runs.begin("pacs-2", 2, "worker-0", May()) is None
    end(kept, trying, state=State.VERIFIED)
    assert open_circuits(kept.deliveries.engine) == ()
    assert not begin(kept, "pacs-3", 2).probing


def test_a_destination_that_stays_away_is_tried_ever_more_seldom(kept: Store, clock: Clock) -> None:
    for number in range(1, 6):
        fail(kept, number)
    clock.move(5)
    end(kept, begin(kept, "pacs-1", 2), state=State.QUEUED, again_s=1.0, heard=AWAY)
    clock.move(9)
    assert due(kept) == []
    clock.move(1)
    assert due(kept) != []


def test_a_busy_destination_gets_the_pause_it_asks_for(kept: Store, clock: Clock) -> None:
    keep(kept, 1)
    keep(kept, 2, report="R2")
    busy = Heard(Verdict.BUSY, 100.0, "busy 503")
    end(kept, begin(kept), state=State.QUEUED, again_s=100.0, heard=busy)
    clock.move(99)
    assert due(kept) == []
    clock.move(1)
    assert due(kept) == ["pacs-1"]


def test_a_circuit_of_a_clock_that_went_back_is_tried(kept: Store, clock: Clock) -> None:
    clock.move(400 * 86_400)
    for number in range(1, 6):
        fail(kept, number)
    clock.move(-400 * 86_400)
    assert len(due(kept)) == 1


def test_a_dead_letter_is_sent_again_from_the_start(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.DEAD, outcome="mismatch")
    made = kept.deliveries.retry("pacs-1")
    assert (made.state, made.is_open, made.counted, made.run) == (State.QUEUED, True, 0, 2)
    assert begin(kept, run=2).attempt == 2


@pytest.mark.parametrize("state", [State.VERIFIED, State.STORED])
def test_what_is_no_dead_letter_is_not_sent_again(kept: Store, state: State) -> None:
    keep(kept)
    end(kept, begin(kept), state=state)
    with pytest.raises(Conflict):
        kept.deliveries.retry("pacs-1")
    with pytest.raises(NotFound):
        kept.deliveries.retry("nothing")


def test_dead_letters_are_sent_again_in_bulk(kept: Store) -> None:
    for number, state in ((1, State.DEAD), (2, State.REFUSED), (3, State.DEAD), (4, State.VERIFIED)):
        keep(kept, number, planned(number, "ehr" if number == 3 else "pacs"), report=f"R{number}")
        end(kept, begin(kept, f"{'ehr' if number == 3 else 'pacs'}-{number}"), state=state)
    assert kept.deliveries.retry_all({"state": "dead", "destination": "pacs"}, priority=BACKFILL) == 1
    assert kept.deliveries.get("pacs-1").priority == BACKFILL
    assert kept.deliveries.retry_all({}) == 2


def test_what_was_written_again_is_not_sent_again(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.REFUSED)
    kept.deliveries.add(ID.format(1), [planned(2, parent="pacs-1")], (), Origin())
    assert kept.deliveries.retry_all({}) == 0
    with pytest.raises(Conflict) as raised:
        kept.deliveries.retry("pacs-1")
    assert raised.value.problems[0].candidates == ("pacs-2",)
    end(kept, begin(kept, "pacs-2"), state=State.DEAD)
    assert kept.deliveries.retry_all({}) == 1  # the one that follows
    assert kept.deliveries.get("pacs-2").state is State.QUEUED


def test_of_two_that_were_written_again_of_one_the_older_is_not_sent_again(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.DEAD)
    for number in (2, 3):  # as they were made before each was written again once
        kept.deliveries.add(ID.format(1), [planned(number, parent="pacs-1")], (), Origin())
    end(kept, begin(kept, "pacs-2"), state=State.DEAD)
    end(kept, begin(kept, "pacs-3"), state=State.STORED)
    assert kept.deliveries.retry_all({}) == 0
    with pytest.raises(Conflict) as raised:
        kept.deliveries.retry("pacs-2")
    assert raised.value.problems[0].candidates == ("pacs-3",)
    assert kept.deliveries.counts() == {}


def test_a_rejection_note_is_sent_again_beside_an_sr_that_was_written_again(kept: Store) -> None:
    note = output("rejection@pacs", "application/dicom", b"note")
    both = Consignment((note,), (planned(1), planned(2, role=note.role)))
    kept.keep(replace(make_draft(), consignment=both))
    for one in ("pacs-1", "pacs-2"):
        end(kept, begin(kept, one), state=State.DEAD)
    kept.deliveries.add(ID.format(1), [planned(3, parent="pacs-1")], (), Origin())
    assert kept.deliveries.counts() == {("pacs", State.QUEUED): 1, ("pacs", State.DEAD): 1}
    assert kept.deliveries.retry("pacs-2").state is State.QUEUED


def test_what_was_written_again_for_another_destination_may_be_sent_again_and_waits_for_nobody(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.REFUSED)
    assert kept.deliveries.counts() == {("pacs", State.REFUSED): 1}
    kept.deliveries.add(ID.format(1), [planned(2, "ehr", parent="pacs-1")], (), Origin())
    assert kept.deliveries.counts() == {("ehr", State.QUEUED): 1}
    assert kept.deliveries.retry("pacs-1").state is State.QUEUED


def test_a_backfill_waits_on_purpose_and_has_no_age(kept: Store) -> None:
    keep(kept, 1, planned(1, priority=BACKFILL), planned(2, "ehr"), planned(3, "ehr", priority=BACKFILL))
    assert {name: (number, bool(at)) for name, (number, at) in kept.deliveries.queues().items()} == {
        "pacs": (1, False),
        "ehr": (2, True),
    }


def test_lists_what_meets_the_conditions_page_by_page(kept: Store) -> None:
    for number in range(1, 6):
        keep(kept, number, report=f"R{number}")
    first = kept.deliveries.list({"state": "queued", "destination": "pacs"}, limit=2)
    second = kept.deliveries.list({"state": "queued"}, limit=2, before=first[-1].position)
    assert [one.id for one in first + second] == ["pacs-5", "pacs-4", "pacs-3", "pacs-2"]
    assert kept.deliveries.list({"state": "dead"}, limit=2) == ()
    assert [one.id for one in kept.deliveries.list({"report": ID.format(1)}, limit=9)] == ["pacs-1"]
    assert kept.deliveries.counts() == {("pacs", "queued"): 5}
    assert kept.deliveries.queues() == {"pacs": (5, "2026-03-02T09:42:00.000000Z")}


def test_more_destinations_are_added_once(kept: Store) -> None:
    keep(kept)
    own = [{"role": "fhir@ehr", "media_type": "application/fhir+json", "sha256": "x", "content": b"{}"}]
    for _ in range(2):
        made = kept.deliveries.add(ID.format(1), [planned(1, "ehr", role="fhir@ehr")], own, Origin())
    assert [one.destination for one in made] == ["pacs", "ehr"]
    with pytest.raises(NotFound):
        kept.deliveries.add("nothing", [], [], Origin())


def test_runs_that_a_workflow_has_had_for_long_are_looked_at(kept: Store, clock: Clock) -> None:
    keep(kept)
    kept.runs.fed([Due("pacs-1", 1, 0)])
    assert kept.runs.stale() == ()
    clock.move(31)
    assert [one.id for one in kept.runs.stale()] == ["pacs-1"]
    clock.move(-400)
    assert [one.id for one in kept.runs.stale()] == ["pacs-1"]


def test_an_order_that_was_decided_while_a_run_waited_for_its_report_counts(kept: Store, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")
    keep(kept, 3, planned(3, "ehr"))
    keep(kept, 2, planned(2, "ehr"))
    begun: list[Turn | None] = []
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    older = threading.Thread(target=lambda: begun.append(kept.runs.begin("ehr-2", 1, "worker-0", ANYTHING)))
    with kept.deliveries.engine.begin() as newer:
        newer.execute(text("SELECT id FROM reports FOR UPDATE"))
        older.start()
        with kept.deliveries.engine.connect() as beside:
            while not beside.execute(text(waiting)).scalar():
                time.sleep(0.01)
        newer.execute(text("UPDATE deliveries SET state = 'sending' WHERE id = 'ehr-3'"))
    older.join()
    assert begun == [None]
    assert kept.deliveries.get("ehr-2").reason == "superseded: version 3 went there already"


def test_whether_anything_waits_is_asked_without_starting_it(kept: Store, clock: Clock) -> None:
    assert not kept.runs.waits(("pacs", "ehr"))
    keep(kept, 1)
    assert kept.runs.waits(("ehr", "pacs"))
    assert not kept.runs.waits(("ehr",))
    assert not kept.runs.waits(())
    kept.runs.fed([Due("pacs-1", 1, 0)])
    assert not kept.runs.waits(("pacs",))
    kept.runs.freed([Due("pacs-1", 1, 0)])
    clock.move(-60)
    assert kept.runs.waits(("pacs",)), "the clock has gone back since it was put off"


def test_only_the_runs_that_are_named_are_noted(kept: Store) -> None:
    keep(kept, 1, planned(1), planned(1, "ehr"))
    kept.runs.fed([Due("pacs-1", 1, 0), Due("ehr-1", 2, 0)])
    assert (due(kept), due(kept, "ehr")) == ([], ["ehr-1"])


def test_only_one_process_starts_runs_at_a_time(kept: Store, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        return  # one worker, held by a lock of the file: tests/unit/workflows
    other = Store(database_url)
    with kept.runs.feeding() as first, other.runs.feeding() as second:
        assert (first is not None, second) == (True, None)
    other.close()


@pytest.mark.parametrize("circuit", [Circuit(failures=1, first_s=1.0)])
def test_a_circuit_opens_when_it_is_told_to(kept: Store, circuit: Circuit) -> None:
    kept.runs = Runs(kept.deliveries.engine, kept.now, circuit)
    fail(kept, 1)
    assert len(open_circuits(kept.deliveries.engine)) == 1


def test_migrates_back_and_forth_with_data(database_url: str) -> None:
    store = Store(database_url)
    store.migrate()
    own = output("sr@pacs", "application/dicom", b"own")
    store.keep(replace(make_draft(), consignment=Consignment((own,), (planned(role="sr@pacs"),))))
    for step in ("0002", "0003"):
        store.migrate(step)
        with database.transaction(store.deliveries.engine) as connection:
            roles = connection.execute(text("SELECT role FROM outputs ORDER BY role")).scalars().all()
        assert roles == ["fhir", "sr"]
    assert store.get(ID.format(1)) == make_draft().stored
    assert store.deliveries.of(ID.format(1)) == ()
    store.deliveries.add(ID.format(1), [planned()], [], Origin())
    assert begin(store).content == bytes(range(256))
    store.close()
