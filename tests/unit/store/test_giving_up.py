"""What waits is given up by a person, one by one and all of a destination, and what was begun is not."""

import pytest

from service.domain.errors import Conflict, Invalid, NotFound
from service.store.delivery_rows import State
from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.store.turn_rows import LOST
from tests.runs import hand_out
from tests.unit.store.kept import ANYTHING, ID, Clock, begin, due, end, keep, planned

WHY = "the archive was replaced"


def test_what_waits_is_a_dead_letter_with_its_reason_and_is_never_due(kept: Store, clock: Clock) -> None:
    keep(kept)
    clock.move(60)
    made = kept.deliveries.give_up("pacs-1", f" {WHY} ")
    assert (made.state, made.is_open, made.is_dead) == (State.DEAD, False, True)
    assert (made.reason, made.status) == (f"given up by an operator: {WHY}", "")
    assert (made.settled, made.changed, made.fed, made.run) == (kept.now(), kept.now(), None, 2)
    assert due(kept) == []
    assert kept.deliveries.counts() == {("pacs", State.DEAD): 1}


def test_who_was_handed_one_that_is_given_up_finds_nothing_to_do(kept: Store) -> None:
    keep(kept)
    assert hand_out(kept, Due("pacs-1", 1, 0))
    kept.deliveries.give_up("pacs-1", WHY)
    assert kept.runs.begin("pacs-1", 1, "worker-0", ANYTHING) is None
    assert kept.deliveries.get("pacs-1").state is State.DEAD


def test_what_is_given_up_is_sent_again_as_other_dead_letters_are(kept: Store) -> None:
    keep(kept)
    kept.deliveries.give_up("pacs-1", WHY)
    again = kept.deliveries.retry("pacs-1")
    assert (again.state, again.run) == (State.QUEUED, 3)
    assert kept.runs.begin("pacs-1", 1, "worker-0", ANYTHING) is None
    assert begin(kept, run=3).attempt == 1
    kept.deliveries.give_up_all("pacs", WHY)
    assert kept.deliveries.retry_all({}) == 0, "it is being sent"


def test_a_later_version_that_waited_behind_it_goes_on_and_the_older_one_goes_no_more(kept: Store) -> None:
    keep(kept, 1, planned(1, format="fhir-r4"))
    keep(kept, 2, planned(2, format="fhir-r4"))
    assert due(kept) == ["pacs-1"]
    kept.deliveries.give_up("pacs-1", WHY)
    assert due(kept) == ["pacs-2"]
    end(kept, begin(kept, "pacs-2"), state=State.VERIFIED)
    kept.deliveries.retry("pacs-1")
    assert kept.runs.begin("pacs-1", 3, "worker-0", ANYTHING) is None
    assert "superseded" in kept.deliveries.get("pacs-1").reason


def test_all_that_waits_for_a_destination_is_given_up_and_nothing_else(kept: Store) -> None:
    for number in range(1, 5):
        keep(kept, number, planned(number), planned(number, "ehr"), report=f"R{number}")
    begin(kept, "pacs-1")
    end(kept, begin(kept, "pacs-2"), state=State.VERIFIED)
    hand_out(kept, Due("pacs-3", 1, 0))
    assert kept.deliveries.give_up_all("pacs", WHY) == 2
    states = [kept.deliveries.get(f"pacs-{number}").state for number in range(1, 5)]
    assert states == [State.SENDING, State.VERIFIED, State.DEAD, State.DEAD]
    assert len(due(kept, "ehr")) == 4
    assert kept.deliveries.give_up_all("pacs", WHY) == 0


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (State.SENDING, "being sent: ask again once the attempt has ended"),
        (State.STORED, "the destination has it; withdraw"),
        (State.VERIFIED, "the destination has it; withdraw"),
        (State.DEAD, "nothing sends it unless it is sent again"),
        (State.REFUSED, "nothing sends it unless it is sent again"),
    ],
)
def test_what_does_not_wait_is_not_given_up_and_what_to_do_is_said(kept: Store, state: State, says: str) -> None:
    keep(kept)
    turn = begin(kept)
    if state is not State.SENDING:
        end(kept, turn, state=state)
    before = kept.deliveries.get("pacs-1")
    with pytest.raises(Conflict, match=says):
        kept.deliveries.give_up("pacs-1", WHY)
    assert kept.deliveries.give_up_all("pacs", WHY) == 0
    assert kept.deliveries.get("pacs-1") == before


def test_what_is_stored_and_waits_to_be_verified_is_not_given_up(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.STORED)
    assert kept.deliveries.get("pacs-1").is_open
    turn = kept.runs.begin("pacs-1", 1, "worker-0", May())
    assert turn is not None
    end(kept, turn, state=State.STORED, again_s=30.0)
    with pytest.raises(Conflict, match="the destination has it"):
        kept.deliveries.give_up("pacs-1", WHY)


def test_what_is_kept_dry_or_not_there_is_not_given_up(kept: Store) -> None:
    keep(kept, 1, planned(dry_run=True))
    with pytest.raises(Conflict, match="never sent"):
        kept.deliveries.give_up("pacs-1", WHY)
    with pytest.raises(NotFound):
        kept.deliveries.give_up("nothing", WHY)


def test_an_attempt_whose_worker_was_lost_is_no_longer_under_way(kept: Store) -> None:
    keep(kept, 1, planned(1), planned(2, "ehr"))
    begin(kept, "ehr-2")
    turn = begin(kept)
    kept.runs.freed([Due("pacs-1", 1, 0)])
    kept.deliveries.give_up("pacs-1", WHY)
    tries = kept.deliveries.attempts(["pacs-1", "ehr-2"])
    assert [(one.outcome, one.reason, one.ended) for one in tries["pacs-1"]] == [("unknown", LOST, kept.now())]
    assert [one.ended for one in tries["ehr-2"]] == [None]
    assert not end(kept, turn, status="201"), "the worker that comes back records its answer and changes no state"
    [told] = kept.deliveries.attempts(["pacs-1"])["pacs-1"]
    assert (told.status, kept.deliveries.get("pacs-1").state) == ("201", State.DEAD)


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "a\tb", "\x00", "x" * 201, "\udcff", "a\u2028b"])
def test_a_reason_is_one_line_of_text(kept: Store, reason: str) -> None:
    keep(kept)
    for refused in (
        lambda: kept.deliveries.give_up("pacs-1", reason),
        lambda: kept.deliveries.give_up_all("pacs", reason),
    ):
        with pytest.raises(Invalid) as raised:
            refused()
        assert (raised.value.problems[0].pointer, raised.value.problems[0].rule) == ("/reason", "reason")
    [made] = kept.deliveries.of(ID.format(1))
    assert made.state is State.QUEUED
    assert kept.deliveries.give_up("pacs-1", "é" * 200).reason.endswith("é" * 200)
