"""A delivery as it is told of: its state, its attempts, what is planned, who asked; and how it is made of its row."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import orjson
from sqlalchemy import RowMapping

from service.domain.emitted import SrReference

BACKFILL: Final = 10
"""The priority of what runs only in a destination's window; what has a lower number goes first."""


class State(StrEnum):
    """What a user is told of a delivery."""

    QUEUED = "queued"
    SENDING = "sending"
    STORED = "stored"  # the peer says that it has it
    VERIFIED = "verified"  # and that was proven
    REFUSED = "refused"  # the peer said no, and would again
    DEAD = "dead"  # given up
    DRY_RUN = "dry-run"  # kept, and not sent by the destination's own setting


DEAD_LETTERS: Final = (State.REFUSED, State.DEAD)
"""What a person has to look at, until it is written again."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to make: which output goes where. ``dry_run``: it is kept and never sent."""

    id: str
    destination: str
    format: str
    role: str
    identifiers: tuple[tuple[str, str], ...] = ()
    sr: SrReference | None = None
    parent: str | None = None
    dry_run: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """The request that a delivery comes from: its id, and its W3C trace context (``traceparent``)."""

    request: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one step; ``ended`` is None while it is under way or when its worker was lost."""

    number: int
    step: str
    run: int
    worker: str
    started: str
    ended: str | None
    outcome: str
    status: str
    reason: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it stands; ``is_open`` while something is still to be done."""

    position: int
    id: str
    version: str
    report: int
    number: int
    destination: str
    format: str
    role: str
    identifiers: tuple[tuple[str, str], ...]
    sr: SrReference | None
    parent: str | None
    state: State
    is_open: bool
    attempts: int
    counted: int
    run: int
    fed: str | None
    priority: int
    created: str
    changed: str
    next_at: str
    settled: str | None
    status: str
    reason: str
    origin: Origin = field(default_factory=Origin)

    @property
    def is_dead(self) -> bool:
        """Whether it is a dead letter."""
        return not self.is_open and self.state in DEAD_LETTERS


def delivery_of(row: RowMapping) -> Delivery:
    """A delivery of its row."""
    members = {name: row[name] for name in Delivery.__slots__ if name not in {"is_open", "origin"}}
    sr = orjson.loads(row["sr"]) if row["sr"] else None
    return Delivery(
        **(
            members
            | {
                "identifiers": _pairs(row["identifiers"]),
                "sr": SrReference(**sr) if sr else None,
                "state": State(row["state"]),
                "is_open": bool(row["open"]),
                "origin": Origin(row["request"], row["trace"]),
            }
        )
    )


def attempt_of(row: RowMapping) -> Attempt:
    """An attempt of its row."""
    members = {name: row[name] for name in Attempt.__slots__}
    return Attempt(**(members | {"detail": _pairs(members["detail"])}))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(one), str(other)) for one, other in orjson.loads(text))


def rank(backfill: bool | None) -> int | None:
    """The priority that somebody asks for; None: the one that there is."""
    return None if backfill is None else BACKFILL if backfill else 0
