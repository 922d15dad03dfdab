"""Starting what is due: runs of deliveries at the pace of each destination, and parts of batches."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from service.store.queues import Due, Pace
from service.store.reports import Store
from service.workflows.batching import Clerk
from service.workflows.courier import Courier, Peer

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

    def feed(self, workers: int) -> bool:
        """Start what is due, in the order and at the pace of each destination; False when another does that now."""
        if not self._store.runs.waits(tuple(self._peers)):
            return True
        now = datetime.now(UTC)
        with self._store.runs.feeding() as feed:
            if feed is None:
                return False
            for name, peer in self._peers.items():
                share = -(-peer.settings.concurrency // workers) - self._courier.under_way(name)
                runs = feed.due(name, _pace(peer, share, now)) if share > 0 else ()
                elsewhere = [one for one in runs if not self._start(name, one)]
                if runs:
                    self._store.runs.fed(runs)
                if elsewhere:
                    # Its workflow ended, or was dropped, and the delivery does not know: the next run is due at once.
                    self._store.runs.freed(self._engine.missing(elsewhere))
        return True

    def feed_part(self) -> None:
        """Start the next part of a batch where none is under way here."""
        if not self._clerk.is_idle:
            return
        for one in self._store.batches.claim(1):
            self._clerk.took(one)
            try:
                mine = self._engine.start_part(one)
            except BaseException:
                self._clerk.left(one)
                raise
            if not mine:
                self._clerk.left(one)
                self._store.batches.freed(self._engine.missing_parts([one]))

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

    def _start(self, destination: str, run: Due) -> bool:
        """Start a run; False where its workflow was there before, and was not started here."""
        if (run.id, run.run) in self._courier.known():
            return True  # The database was away when its start was to be noted.
        self._courier.took(destination, run)
        try:
            mine: bool = self._engine.start(run)
        except BaseException:
            self._courier.left(run)
            raise
        if mine:
            self._began[destination] = self._clock()
        else:
            self._courier.left(run)
        return mine


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
