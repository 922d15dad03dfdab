"""A step of a run as it was begun, what a peer answered, and what follows of that for the row of its delivery. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping

from service.store.circuits import Heard
from service.store.delivery_rows import Delivery, State
from service.store.times import later

Before = RowMapping | Mapping[str, Any]
"""Columns of a delivery as they are before a change."""
MOST_PAUSE_S: Final = 86_400.0
"""No pause is longer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A step that was begun: number of the attempt, and whether it only tries whether the destination is back.

    ``again``: the peer said before that it has it, and did not.
    """

    delivery: Delivery
    step: str
    attempt: int
    content: bytes
    media_type: str
    probing: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a peer answered, and what follows: the state, and the pause when there is to be another run."""

    outcome: str
    status: str
    reason: str
    detail: tuple[tuple[str, str], ...]
    heard: Heard | None
    state: State
    again_s: float | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """A turn that has ended: what it was told, who took it and since when, and the present instant."""

    turn: Turn
    told: Told
    worker: str
    started: str
    now: str

    @property
    def step(self) -> str:
        """The step of the turn."""
        return self.turn.step

    def follows(self, row: Before) -> dict[str, Any]:
        """The columns of the delivery that change; ``row`` is what it was before."""
        told, now = self.told, self.now
        sent = told.state is State.STORED and self.step == "send"
        values = {
            "attempts": row["attempts"] + (self.step != "send"),
            "counted": 0 if sent and not self.turn.again else row["counted"] + told.counts,
            "status": told.status,
            "reason": told.reason,
        }
        if told.again_s is not None:
            return put_off(row, now, told.again_s) | values | {"state": told.state}
        if sent:
            return {"state": State.STORED, "changed": now, **values}
        return settled(told.state, now) | values

    def attempt(self, row: Before) -> dict[str, Any]:
        """The columns of the attempt: of sending, which began before, its key and what its end says; of proof, all."""
        turn, at = self.turn, self.turn.delivery
        if turn.step == "send":
            key = {"delivery": at.id, "number": turn.attempt}
        else:
            key = begun(at, turn.step, row["attempts"] + 1, self.worker, self.started)
        said = {"outcome": self.told.outcome, "status": self.told.status, "reason": self.told.reason}
        return key | said | {"ended": self.now, "detail": orjson.dumps(self.told.detail).decode()}


def left_by(turn: Turn) -> dict[str, Any]:
    """What a delivery is while nobody but its turn has changed it, as far as what follows is made of that."""
    at = turn.delivery
    sends = turn.step == "send"
    return {
        "id": at.id,
        "run": at.run,
        "state": State.SENDING if sends else State.STORED,
        "attempts": turn.attempt if sends else turn.attempt - 1,
        "counted": at.counted,
    }


def put_off(row: Before, now: str, pause_s: float) -> dict[str, Any]:
    """What gives a run back; the next one is due after a pause."""
    return {
        "run": row["run"] + 1,
        "fed": None,
        "changed": now,
        "next_at": later(now, min(pause_s, MOST_PAUSE_S)),
        "state": State.STORED if row["state"] == State.STORED else State.QUEUED,
    }


def settled(state: State, now: str) -> dict[str, Any]:
    """What closes a delivery."""
    return {"state": state, "open": 0, "fed": None, "changed": now, "settled": now}


def begun(at: Delivery, step: str, number: int, worker: str, started: str) -> dict[str, Any]:
    """The row of an attempt that begins."""
    return {
        "delivery": at.id,
        "number": number,
        "destination": at.destination,
        "step": step,
        "run": at.run,
        "worker": worker,
        "started": started,
        "ended": None,
        "outcome": "",
        "status": "",
        "reason": "",
        "detail": "[]",
    }
