"""Destinations that remember, as a worker takes them, and a worker that ends with the block."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from service.delivery.policy import RetryPolicy
from service.delivery.settings import DestinationSettings, Folder
from service.doors import Options
from service.pipeline import Source
from service.publishing import publish
from service.store.reports import Store
from service.workflows.accepting import Plan
from service.workflows.courier import Peer
from service.workflows.watching import Watching
from service.workflows.worker import Worker
from tests.destinations import RecordingDestination
from tests.findings import make_body

QUICK = RetryPolicy(attempts=4, first_s=0.05, most_s=0.2)


def settings(name: str = "pacs", takes: str = "sr", **changes: Any) -> DestinationSettings:
    """Settings of a destination; the kind does not matter, since a `RecordingDestination` stands for it."""
    return replace(Folder(name=name, takes=takes, path="/nonexistent", retry=QUICK), **changes)


def peer(destination: RecordingDestination, **changes: Any) -> Peer:
    """A destination that remembers, with its settings."""
    return Peer(settings(destination.name, **changes), destination)


def accept(store: Store, *peers: Peer, **members: Any) -> str:
    """Publish a report to the destinations; our id of it."""
    plan = Plan(tuple(one.settings for one in peers))
    return str(publish(Source(make_body(**members)), Options(), store, planner=plan).id)


@contextmanager
def working(database_url: str, *peers: Peer, clock: Callable[[], float] = time.monotonic) -> Iterator[Worker]:
    """A worker in a thread."""
    named: Mapping[str, Peer] = {one.settings.name: one for one in peers}
    worker = Worker(database_url, named, Watching(), clock=clock)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(20)


PATIENCE_S = 120.0
"""How long something is waited for: it ends when it came, and a machine with other work takes its time."""


def until(true: Callable[[], bool]) -> bool:
    """Wait for something; whether it came."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def states(store: Store, version: str) -> dict[str, str]:
    """The state of each destination's delivery."""
    return {one.destination: str(one.state) for one in store.deliveries.of(version)}
