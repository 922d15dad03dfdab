"""Runs as a worker hands them out."""

from service.store.queues import Due
from service.store.reports import Store


def hand_out(store: Store, *runs: Due) -> tuple[Due, ...]:
    """Note that workflows have these runs; those that still waited."""
    with store.runs.feeding() as feed:
        assert feed is not None
        return feed.take(runs)
