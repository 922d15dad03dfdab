"""What a destination is: it sends stored bytes, proves that they arrived, and says what is wrong when asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from service.domain.emitted import SrReference

REASON_CHARACTERS: Final = 2_000
"""The most that is kept of what a peer said."""
STATUS_CHARACTERS: Final = 64
"""The same of its status."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Stored bytes on their way; they are delivered unchanged.

    ``delivery`` is the same over all attempts. ``name`` is a file name without patient data. ``sr`` is the identity of
    the SR that is sent or spoken of. ``identifiers`` are (system, value) pairs by which a FHIR server finds it again.
    """

    delivery: str
    media_type: str
    content: bytes
    name: str
    sr: SrReference | None = None
    identifiers: tuple[tuple[str, str], ...] = ()


class Outcome(StrEnum):
    """What an attempt came to, named for what to do next."""

    STORED = "stored"  # the peer says that it has it
    VERIFIED = "verified"  # and that was proven
    NOT_SENT = "not-sent"  # nothing reached the peer: repeat
    UNKNOWN = "unknown"  # sent, and the answer was lost or was none: repeat, identities are stable
    BUSY = "busy"  # the peer asks to wait: repeat after `retry_after_s`
    REFUSED = "refused"  # final: a repetition would be refused too
    MISMATCH = "mismatch"  # final: the peer holds other content under this identity

    @property
    def is_final(self) -> bool:
        """Whether a repetition would change nothing."""
        return self in (Outcome.REFUSED, Outcome.MISMATCH)

    @property
    def is_kept(self) -> bool:
        """Whether the peer has it."""
        return self in (Outcome.STORED, Outcome.VERIFIED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer answered, and what that means.

    ``status`` is the peer's own (HTTP or DIMSE status, MSA-1), ``reason`` what it said, verbatim and bounded. It may
    hold what the peer knows of a patient: it is for the receipt, never for a log. ``detail`` are named facts beside it.
    """

    outcome: Outcome
    reason: str = ""
    status: str = ""
    retry_after_s: float | None = None
    detail: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        """Bound what a peer can make us keep, without what steers a terminal or what no database takes."""
        for member, most in (("reason", REASON_CHARACTERS), ("status", STATUS_CHARACTERS)):
            said = getattr(self, member)
            if len(said) > most or not said.isprintable():
                object.__setattr__(self, member, plain(said, most))


@dataclass(frozen=True, slots=True)
class Echo:
    """One thing that was tried on a destination: ``said`` explains in plain words how it went.

    ``passed`` is None where only a report that is sent can show it. What did not pass and is not ``needed`` is for a
    notice: nothing that this destination is set up for fails by it, unless somebody asks for it.
    """

    tried: str
    passed: bool | None
    said: str
    needed: bool = True


class Failed(Exception):
    """There was no answer that can be read; ``answer`` says what that means."""

    def __init__(self, outcome: Outcome, reason: str, retry_after_s: float | None = None) -> None:
        """Keep what it means."""
        super().__init__(plain(reason, REASON_CHARACTERS))
        self.answer = Answer(outcome, reason, retry_after_s=retry_after_s)


def plain(said: str, most: int) -> str:
    """What a peer said, on one line of printable signs, and bounded."""
    cut = said if len(said) <= most else f"{said[: most - 1]}…"
    return "".join(sign if sign.isprintable() else " " for sign in cut)


def tried(what: str, attempt: Callable[[], str]) -> Echo:
    """A probe's step: what ``attempt`` says, or why it failed."""
    try:
        return Echo(what, True, attempt())
    except Failed as failed:
        return Echo(what, False, str(failed))


def not_asked(answer: Answer) -> Answer:
    """What can't be verified now is asked again: a failed question is no verdict on what was stored."""
    return Answer(Outcome.UNKNOWN, f"it can't be asked: {answer.reason}", answer.status, answer.retry_after_s)


class Destination(Protocol):
    """A peer that reports are delivered to. It may be called from several threads; it keeps nothing between calls."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    def send(self, outgoing: Outgoing) -> Answer:
        """Make one attempt. VERIFIED where the peer's answer is the proof itself, so that nothing is left to verify."""
        ...

    def verify(self, outgoing: Outgoing) -> Answer:
        """Prove that it is there: VERIFIED; STORED where this peer can't be asked; UNKNOWN to ask again later."""
        ...

    def probe(self) -> tuple[Echo, ...]:
        """Try everything that needs no report, and say what is wrong."""
        ...
