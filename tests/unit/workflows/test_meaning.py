"""What each answer leads to."""

from dataclasses import replace
from typing import Any

import pytest

from service.delivery.destination import Answer, Outcome
from service.delivery.policy import RetryPolicy
from service.store.circuits import Verdict
from service.store.delivery_rows import Delivery, State
from service.store.turns import Turn
from service.workflows.meaning import MEANINGS, meaning

POLICY = RetryPolicy(attempts=3, first_s=10.0, jitter=0.0)


def turn(step: str = "send", counted: int = 0, **changes: Any) -> Turn:
    """A step of a delivery that was counted so many times."""
    members = dict.fromkeys(Delivery.__slots__, "")
    made = Delivery(**(members | {"counted": counted}))  # type: ignore[arg-type]  # only `counted` is looked at
    return replace(Turn(made, step, 1, b"", "application/dicom"), **changes)


def test_every_outcome_of_every_step_has_a_meaning() -> None:
    assert set(MEANINGS) == {(step, outcome) for step in ("send", "verify") for outcome in Outcome}


@pytest.mark.parametrize("outcome", [one for one in Outcome if one.is_final])
@pytest.mark.parametrize("step", ["send", "verify"])
def test_what_is_final_is_a_dead_letter_at_once(step: str, outcome: Outcome) -> None:
    told = meaning(turn(step), Answer(outcome, "no"), POLICY, 0.0)
    assert (told.state in (State.DEAD, State.REFUSED), told.again_s, told.reason) == (True, None, "no")


@pytest.mark.parametrize("outcome", [Outcome.NOT_SENT, Outcome.UNKNOWN, Outcome.BUSY])
def test_what_may_pass_is_repeated_with_a_growing_pause(outcome: Outcome) -> None:
    first, second = (meaning(turn(counted=counted), Answer(outcome), POLICY, 0.0) for counted in (0, 1))
    assert (first.state, first.again_s, second.again_s, first.counts) == (State.QUEUED, 10.0, 20.0, True)


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NOT_SENT])  # itself, and by its token server
def test_a_peer_gets_the_pause_it_asks_for(outcome: Outcome) -> None:
    told = meaning(turn(), Answer(outcome, retry_after_s=120.0), POLICY, 0.0)
    assert told.heard is not None
    assert (told.again_s, told.heard.verdict, told.heard.pause_s) == (120.0, Verdict.BUSY, 120.0)


def test_gives_up_when_the_attempts_are_spent_and_says_why() -> None:
    told = meaning(turn(counted=2), Answer(Outcome.UNKNOWN, "no answer"), POLICY, 0.0)
    assert (told.state, told.again_s, told.reason) == (State.DEAD, None, "given up after 3 attempts: no answer")


def test_a_try_of_a_destination_that_is_left_alone_counts_for_no_delivery() -> None:
    told = meaning(turn(counted=2, probing=True), Answer(Outcome.NOT_SENT), POLICY, 0.0)
    assert (told.state, told.counts) == (State.QUEUED, False)


def test_what_the_peer_does_not_have_is_sent_again() -> None:
    assert meaning(turn("verify"), Answer(Outcome.NOT_SENT), POLICY, 0.0).state is State.QUEUED


def test_what_can_not_be_verified_yet_stays_stored_and_is_asked_for_again() -> None:
    told = meaning(turn("verify"), Answer(Outcome.UNKNOWN), POLICY, 0.0)
    assert (told.state, told.again_s) == (State.STORED, 10.0)


def test_what_a_peer_said_of_a_report_is_no_news_of_the_destination() -> None:
    for outcome in Outcome:
        told = meaning(turn(), Answer(outcome, "Doe^Jane is unknown", "500"), POLICY, 0.0)
        said = told.heard.why if told.heard else ""
        assert "Doe" not in said
    assert told.heard is None or told.heard.why


def test_why_nothing_reached_a_peer_is_told_of_the_destination() -> None:
    told = meaning(turn(), Answer(Outcome.NOT_SENT, "no connection: nobody listens there"), POLICY, 0.0)
    assert told.heard is not None
    assert told.heard.why == "no connection: nobody listens there"
