"""Runs: who may begin which step, what an answer leads to, and what is kept of each attempt."""

from service.store.delivery_rows import State
from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.store.turn_rows import LOST
from tests.unit.store.kept import Clock, begin, end, keep


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
