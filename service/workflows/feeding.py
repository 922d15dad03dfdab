"""Starting what is due: runs of deliveries at the pace of each destination, and parts of batches."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from service.store.queues import Due, Pace
from service.store.reports import Store
from service.workflows.batching import Clerk
from service.workflows.courier import Courier, Peer

PARTS_S: Final = 0.25
"""Between two looks for a part of a batch."""
STALLED_S: Final = 60.0
"""A destination of which something is due, with no thread at work for it and nothing begun for so long, is stalled."""


class Feeder:
    """Starts what is due in one worker process."""

    def __init__(self, store: Store, engine: Any, courier: Courier, clerk: Clerk, clock: Callable[[], float]) -> None:
        """Take what a term of a worker has; the clock never goes back."""
        self._store = store
        self._engine = engine
        self._courier = courier
        self._clerk = clerk
        self._clock = clock
        self._peers: Mapping[str, Peer] = courier.peers
        self._began: dict[str, float] = {}
        self._idle_since: dict[str, float] = {}
        self._looked = -math.inf
        self._owed: deque[tuple[str, Due]] = deque()

    def feed(self, workers: int) -> bool:
        """Start what is due, in the order and at the pace of each destination; False when another hands out just now.

        What is handed out is noted before it is started: a worker that stops in between keeps nobody from the next.
        """
        self._start_what_is_owed()
        if not self._store.runs.waits(tuple(self._peers)):
            return True
        now = datetime.now(UTC)
        taken: list[tuple[str, Due]] = []
        with self._store.runs.feeding() as feed:
            if feed is None:
                return False
            for name, peer in self._peers.items():
                share = -(-peer.settings.concurrency // workers) - self._courier.under_way(name)
                runs = feed.due(name, _pace(peer, share, now)) if share > 0 else ()
                taken += [(name, one) for one in feed.take(runs)]
        here = self._courier.known()  # One that runs here and was due: a crash of the database took back the note.
        for name, one in taken:
            if (one.id, one.run) not in here:
                self._courier.took(name, one)
                self._owed.append((name, one))
        self._start_what_is_owed()
        return True

    def feed_part(self) -> float:
        """Start the next part of a batch where none is under way here; seconds until the next look for one.

        It is looked for every `PARTS_S`, however often somebody asks, and at once where one has ended here.
        """
        if not self._clerk.is_idle:
            self._looked = -math.inf
            return PARTS_S
        until_s = self._looked + PARTS_S - self._clock()
        if until_s > 0:
            return until_s
        self._looked = self._clock()
        for one in self._store.batches.claim(1):
            self._looked = -math.inf
            self._clerk.took(one)
            try:
                mine = self._engine.start_part(one)
            except BaseException:
                self._clerk.left(one)
                raise
            if not mine:
                self._clerk.left(one)
                self._store.batches.freed(self._engine.missing_parts([one]))
        return PARTS_S

    def stalled(self) -> tuple[str, ...]:
        """Destinations of which something has been due for a while although no thread is at work for them here."""
        now, instant = self._clock(), datetime.now(UTC)
        with self._store.runs.feeding() as feed:
            if feed is None:
                return ()
            for name, peer in self._peers.items():
                if self._courier.is_at_work(name) or not feed.due(name, _pace(peer, 1, instant)):
                    self._idle_since.pop(name, None)
                else:
                    self._idle_since[name] = max(self._idle_since.get(name, now), self._began.get(name, 0.0))
        return tuple(name for name, since in self._idle_since.items() if now - since >= STALLED_S)

    def _start_what_is_owed(self) -> None:
        """Start what was handed out to this worker; where the database goes away, the rest once it is back."""
        elsewhere = []
        while self._owed:
            destination, run = self._owed[0]
            if self._engine.start(run):
                self._began[destination] = self._clock()
            else:
                self._courier.left(run)
                elsewhere.append(run)
            self._owed.popleft()
        if elsewhere:
            # Its workflow ended, or was dropped, and the delivery does not know: the next run is due at once.
            self._store.runs.freed(self._engine.missing(elsewhere))


def _pace(peer: Peer, share: int, now: datetime) -> Pace:
    """How a destination is fed at an instant."""
    here = peer.settings
    return Pace(
        limit=here.concurrency,
        share=share,
        rate=here.rate.deliveries,
        per_s=here.rate.per_s,
        backfill=here.window is None or here.window.is_open(now),
        backfill_rate=here.backfill.deliveries,
        backfill_per_s=here.backfill.per_s,
    )
