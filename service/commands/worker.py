"""`lesionbridge worker`: a process that delivers, and publishes the lines of batches."""

import os
import signal
from contextlib import closing, suppress
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import click

from service.commands.mounted import doubt_destinations, hold_mounted
from service.commands.speaking import NO_DATABASE, PORT, mention, received, refusing, settings, site, stop, store
from service.config import origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.config import Settings
    from service.workflows.batching import Opening
    from service.workflows.worker import Worker

LOOK_S = 1.0
"""Until the next look for a first batch."""
GRACE_S = 25
"""Seconds that deliveries under way may still take once the worker is told to stop."""


@click.command("worker")
@click.option(
    "--metrics-port",
    type=PORT,
    help="Counters for Prometheus on this port of the loopback interface.",
)
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Where those are served.")
@refusing
def command(metrics_port: int | None, metrics_host: str) -> None:
    """Deliver what is due and publish batches until stopped.

    As many as you like on PostgreSQL; one on SQLite, which `serve` has inside.
    """
    from service.api.observe import configure_logging, time_stages
    from service.api.strays import confine

    here = settings()
    hold_mounted(here)
    configure_logging(here.log_level)
    confine()
    _hold_rules(here)
    time_stages()
    doubt_destinations(here)
    worker = made(here, mention)
    with closing(store(here, as_it_is=True)) as kept:
        for fault in (NO_DATABASE,) if not kept.is_there() else kept.faults():
            mention(f"{fault}; waiting for that (setting database_url, {origin('database_url', os.environ)})")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.request_stop())
    if metrics_port is not None:
        from prometheus_client import start_http_server

        try:
            start_http_server(metrics_port, metrics_host)
        except OSError as error:
            stop(f"--metrics-port: {error.strerror or type(error).__name__}")
    worker.run(GRACE_S)


def _hold_rules(here: "Settings") -> None:
    """Doubt aloud what may keep rules from ever taking effect, as `serve` does: the lines of batches go by them.

    Raises ReceivingError for what surely does.
    """
    from service.api.observe import doubt
    from service.destinations import load
    from service.pipeline import tables
    from service.receiving.settings import load as load_receiving
    from service.receiving.wording import doubts

    receiving = load_receiving(here.receiving_file, load(here.destinations_file, os.environ))
    for problem in doubts(receiving, tables(here.issuers_file), here.default_sender):
        doubt(problem)


def made(here: "Settings", tell: "Callable[[str], None]" = lambda _text: None) -> "Worker":
    """A worker for a deployment, which tells whether it delivers or waits.

    Raises TableError for destinations or a receiving file in error.
    """
    from service.delivery.opening import open_destination
    from service.destinations import load
    from service.receiving.routing import Routed
    from service.receiving.settings import load as load_receiving
    from service.store.holds import Holds
    from service.workflows.courier import Peer
    from service.workflows.tracing import tracer
    from service.workflows.watching import Watching
    from service.workflows.worker import Worker

    destinations = load(here.destinations_file, os.environ)
    receiving = load_receiving(here.receiving_file, destinations)
    holds = Holds(here.database_url)
    peers = {name: Peer(one, open_destination(one, holds)) for name, one in destinations.items()}

    def opened() -> "Opening":
        """What the deployment adds to each line of a batch: as to a request (`service.api.deployment`)."""
        from service.delivery.study_context import archive
        from service.pipeline import Format
        from service.workflows.batching import Opening

        asked = archive(destinations, here.study_context)
        source = replace(received(b"", Format.FINDINGS, here, site(here)), archive=asked)
        if not (receiving.routes or destinations):
            return Opening(source)
        return Opening(source, lambda origin, rank: Routed(receiving.routes, destinations, "rest", origin, rank))

    watching = Watching(tracer(os.environ))
    return Worker(here.database_url, peers, watching, keep_days=here.keep_days, opened=opened, say=tell)


class Inside:
    """The worker of a process of `serve`; where there is nothing to deliver, it begins with the first batch."""

    def __init__(self, here: "Settings") -> None:
        """Take the settings; nothing is started."""
        self._here = here
        self._worker: Worker | None = None
        self._ending = Event()
        self._looking: Thread | None = None

    def start(self, _worker: Any) -> None:
        """Start it, once the process was forked."""
        if not self._here.deliver_inside:
            return
        from service.destinations import load

        if load(self._here.destinations_file, os.environ):
            self._begin()
        else:
            self._looking = Thread(target=self._look, name="lesionbridge-batches", daemon=True)
            self._looking.start()

    def stop(self, _server: Any, _worker: Any) -> None:
        """End it in good order."""
        self._ending.set()
        if self._looking is not None:
            self._looking.join()
        if self._worker is not None:
            self._worker.stop(GRACE_S)

    def _begin(self) -> None:
        self._worker = made(self._here)
        self._worker.start()

    def _look(self) -> None:
        """Look for a batch now and then: what works on it is dear to import, and most deployments have none."""
        from service.domain.errors import Unavailable
        from service.store.reports import Store

        store = Store(self._here.database_url, ping=False)
        try:
            while not self._ending.wait(LOOK_S):
                with suppress(Unavailable):
                    if store.batches.is_waiting():
                        self._begin()
                        return
        finally:
            store.close()
