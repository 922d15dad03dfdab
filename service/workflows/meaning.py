"""What a peer's answer leads to: the next state, another run after a pause, or the end. Pure."""

from dataclasses import dataclass
from typing import Final

from service.delivery.destination import Answer, Outcome
from service.delivery.policy import RetryPolicy
from service.store.circuits import Heard, Verdict
from service.store.delivery_rows import State
from service.store.turns import Told, Turn


@dataclass(frozen=True, slots=True)
class _Row:
    """``state`` follows; ``again``: with another run. ``verdict`` is what it says of the destination itself."""

    state: State
    again: bool = False
    verdict: Verdict | None = None


MEANINGS: Final = {
    ("send", Outcome.STORED): _Row(State.STORED, verdict=Verdict.WORKS),
    ("send", Outcome.VERIFIED): _Row(State.VERIFIED, verdict=Verdict.WORKS),
    ("send", Outcome.NOT_SENT): _Row(State.QUEUED, again=True, verdict=Verdict.AWAY),
    ("send", Outcome.UNKNOWN): _Row(State.QUEUED, again=True, verdict=Verdict.AWAY),
    ("send", Outcome.BUSY): _Row(State.QUEUED, again=True, verdict=Verdict.BUSY),
    ("send", Outcome.REFUSED): _Row(State.REFUSED, verdict=Verdict.WORKS),
    ("send", Outcome.MISMATCH): _Row(State.DEAD, verdict=Verdict.WORKS),
    ("verify", Outcome.STORED): _Row(State.STORED),
    ("verify", Outcome.VERIFIED): _Row(State.VERIFIED, verdict=Verdict.WORKS),
    ("verify", Outcome.NOT_SENT): _Row(State.QUEUED, again=True),  # the peer does not have it: it is sent again
    ("verify", Outcome.UNKNOWN): _Row(State.STORED, again=True),
    ("verify", Outcome.BUSY): _Row(State.STORED, again=True, verdict=Verdict.BUSY),
    ("verify", Outcome.REFUSED): _Row(State.DEAD),
    ("verify", Outcome.MISMATCH): _Row(State.DEAD),
}
"""Step and outcome to what follows; a test holds that none is missing."""


def meaning(turn: Turn, answer: Answer, policy: RetryPolicy, luck: float) -> Told:
    """What follows from an answer; ``luck`` (0 to 1) is the jitter of the pause.

    A try of a destination that is left alone counts for no delivery: an outage kills none.
    """
    row = MEANINGS[turn.step, answer.outcome]
    counts = row.again and not turn.probing
    state, reason, again_s = row.state, answer.reason, None
    if row.again:
        tries = turn.delivery.counted + 1
        if counts and tries >= policy.attempts:
            state, reason = State.DEAD, f"given up after {tries} attempts: {answer.reason}".rstrip(": ")
        else:
            again_s = policy.pause_s(tries, luck, answer.retry_after_s)
    return Told(
        outcome=str(answer.outcome),
        status=answer.status,
        reason=reason,
        detail=answer.detail,
        heard=_heard(row.verdict, answer),
        state=state,
        again_s=again_s,
        counts=counts,
    )


def _heard(verdict: Verdict | None, answer: Answer) -> Heard | None:
    """What a destination is known for after an answer; a peer's own words stay with the delivery."""
    if verdict is None:
        return None
    if verdict is Verdict.AWAY and answer.retry_after_s:  # it, or its token server, said when to come back
        verdict = Verdict.BUSY
    # Where nothing reached the peer the reason is our own finding, so it can't hold a patient. A status of HTTP is an
    # answer (401: it does not know us), and its words are the peer's.
    is_ours = answer.outcome is Outcome.NOT_SENT and not answer.status.isdecimal()
    why = answer.reason if is_ours else f"{answer.outcome} {answer.status}".strip()
    return Heard(verdict, answer.retry_after_s or 0.0, why)
