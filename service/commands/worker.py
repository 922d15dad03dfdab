"""`lesionbridge worker`: a process that delivers."""

import os
import signal
from typing import TYPE_CHECKING, Any

import click

from service.commands.speaking import refusing, say, settings, stop

if TYPE_CHECKING:
    from service.config import Settings
    from service.workflows.worker import Worker

GRACE_S = 25
"""Seconds that deliveries under way may still take once the worker is told to stop."""


@click.command("worker")
@click.option("--metrics-port", type=int, help="Counters for Prometheus on this port of the loopback interface.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Where those are served.")
@refusing
def command(metrics_port: int | None, metrics_host: str) -> None:
    """Deliver what is due until stopped. As many as you like on PostgreSQL; one on SQLite, which `serve` has inside."""
    from service.api.observe import configure_logging

    here = settings()
    configure_logging(here.log_level)
    worker = made(here)
    if worker is None:
        stop("there is no destination: set destinations_file")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.request_stop())
    if metrics_port is not None:
        from prometheus_client import start_http_server

        start_http_server(metrics_port, metrics_host)
    say("delivering (stop with Ctrl-C)")
    worker.run(GRACE_S)


def made(here: "Settings") -> "Worker | None":
    """A worker for a deployment; None where there is no destination. Raises TableError for destinations in error."""
    from service.delivery.opening import open_destination
    from service.delivery.settings import load
    from service.workflows.courier import Peer
    from service.workflows.tracing import tracer
    from service.workflows.watching import Watching
    from service.workflows.worker import Worker

    destinations = load(here.destinations_file, os.environ)
    if not destinations:
        return None
    peers = {name: Peer(one, open_destination(one)) for name, one in destinations.items()}
    return Worker(here.database_url, peers, Watching(tracer(os.environ)), keep_days=here.keep_days)


class Inside:
    """The worker of a process of `serve`."""

    def __init__(self, here: "Settings") -> None:
        """Take the settings; nothing is started."""
        self._here = here
        self._worker: Worker | None = None

    def start(self, _worker: Any) -> None:
        """Start it, once the process was forked."""
        if self._here.deliver_inside:
            self._worker = made(self._here)
            if self._worker is not None:
                self._worker.start()

    def stop(self, _server: Any, _worker: Any) -> None:
        """End it in good order."""
        if self._worker is not None:
            self._worker.stop(GRACE_S)
