"""One step of a delivery: begin it, ask the destination, record what it said. It knows nothing of workflows."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import structlog

from service.delivery.destination import Answer, Destination, Outcome, Outgoing
from service.delivery.settings import DestinationSettings
from service.domain.errors import Unavailable
from service.doors import Format, kept_suffix
from service.store.delivery_rows import State
from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Turn
from service.workflows.meaning import meaning
from service.workflows.watching import Watching

Kept = TypeVar("Kept")
NOTHING: Final = "nothing"
"""A step that had nothing to do: another worker was sooner, or it is not its turn."""
OBJECTS_OF_THEIR_OWN: Final = frozenset({str(Format.SR)})
"""Formats of which each version is another object at the peer: an older one that comes later replaces nothing."""
_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)

_log = structlog.get_logger()


class Stopping(Exception):
    """The worker ends before the database came back; what was begun is taken up by another."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A destination with its settings."""

    settings: DestinationSettings
    destination: Destination


@dataclass(slots=True)
class Courier:
    """Takes the steps of one worker process."""

    store: Store
    peers: Mapping[str, Peer]
    worker: str
    watching: Watching
    stopping: threading.Event = field(default_factory=threading.Event)
    wake: threading.Event = field(default_factory=threading.Event)
    luck: Callable[[], float] = random.random
    _taken: dict[tuple[str, int], str] = field(default_factory=dict)
    _at_work: set[tuple[str, int]] = field(default_factory=set)

    def took(self, destination: str, run: Due) -> None:
        """Note a run that is started here."""
        self._taken[run.id, run.run] = destination

    def left(self, run: Due) -> None:
        """Note that nobody here is at a run; there is room for the next."""
        self._taken.pop((run.id, run.run), None)
        self.wake.set()

    @contextmanager
    def at_work(self, delivery: str, run: int) -> Iterator[None]:
        """The thread that works on a run, whoever started it: noted until the block ends."""
        self._at_work.add((delivery, run))
        try:
            yield
        finally:
            self._at_work.discard((delivery, run))
            self.left(Due(delivery, run, 0))

    def under_way(self, destination: str) -> int:
        """How many runs of a destination were started here and have not ended."""
        return list(self._taken.values()).count(destination)

    def is_at_work(self, destination: str) -> bool:
        """Whether a thread of this process works on a run of a destination that was started here."""
        return any(self._taken.get(one) == destination for one in tuple(self._at_work))

    def known(self) -> frozenset[tuple[str, int]]:
        """The runs that were started here or are worked on: delivery and number."""
        return frozenset(tuple(self._taken)) | frozenset(tuple(self._at_work))

    def run(self, delivery: str, run: int) -> str:
        """Send, and verify what was stored, or whatever of it is left to do; the state that it led to, or NOTHING."""
        # A destination whose settings were taken out waits, seen in the lists, until they are back or a person decides.
        may = May(self.peers, OBJECTS_OF_THEIR_OWN)
        turn = self.kept(lambda: self.store.runs.begin(delivery, run, self.worker, may))
        if turn is None:
            return NOTHING
        state = self.step(turn)
        if turn.step == "send" and state == State.STORED:
            counted = turn.delivery.counted if turn.again else 0
            at = replace(turn.delivery, attempts=turn.attempt, counted=counted, state=State.STORED)
            state = self.step(replace(turn, delivery=at, step="verify", attempt=turn.attempt + 1, probing=False))
        return state

    def step(self, turn: Turn) -> str:
        """Take a step that was begun; the state that it led to, or NOTHING when the run was taken over meanwhile."""
        peer = self.peers[turn.delivery.destination]
        started, clock = self.store.now(), time.perf_counter()
        with self.watching.step(turn) as span:
            answer = _asked(peer.destination, turn)
            seconds = time.perf_counter() - clock
            told = meaning(turn, answer, peer.settings.retry, self.luck())
            mine = self.kept(lambda: self.store.runs.told(turn, started, self.worker, told))
            self.watching.ended(span, turn, told, seconds)
        return str(told.state) if mine else NOTHING

    def kept(self, write: Callable[[], Kept]) -> Kept:
        """Do something in the database, as often as it takes: what a peer has answered must not be lost."""
        tries = 0
        while True:
            try:
                return write()
            except Unavailable:
                _log.warning("database_away", tries=tries + 1)
                if self.stopping.wait(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)]):
                    raise Stopping from None
                tries += 1


def _asked(destination: Destination, turn: Turn) -> Answer:
    """What the destination makes of a step; a fault of ours is an outcome that nobody knows."""
    at = turn.delivery
    outgoing = Outgoing(
        delivery=at.id,
        media_type=turn.media_type,
        content=turn.content,
        name=f"{at.id}{kept_suffix(Format(at.format), turn.media_type)}",
        sr=at.sr,
        identifiers=at.identifiers,
    )
    try:
        return destination.send(outgoing) if turn.step == "send" else destination.verify(outgoing)
    except Exception as error:  # noqa: BLE001 - a defect of one destination must not lose the delivery
        _log.error("destination_failed", delivery=at.id, destination=at.destination, error=type(error).__name__)
        return Answer(Outcome.UNKNOWN, f"the service failed while it asked the peer ({type(error).__name__})")
