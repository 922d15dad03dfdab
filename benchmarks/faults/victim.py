"""A process that publishes or delivers, to be killed: ``python -m benchmarks.faults.victim ROLE [options]``."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import work
from benchmarks.faults.boundaries import BOUNDARIES
from service.config import Settings, load

REPORTS = 3
"""Reports of one victim, the first of them in two versions."""
SILENT_S = 3.0
"""The walk does not wait as long as a deployment does until a worker is taken for dead."""


def body(report: str, version: int = 1) -> bytes:
    """A report of one lesion."""
    return work.document_bytes(1).replace(b'"id": "', f'"version": {version}, "id": "{report}-'.encode(), 1)


def main() -> None:
    """Arm the boundary, then do the work of the role."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["api", "worker"])
    parser.add_argument("--at", type=int, default=-1, help="which boundary; none when negative")
    parser.add_argument("--hits", type=int, default=1)
    parser.add_argument("--reports", type=int, default=REPORTS)
    parser.add_argument("--until-settled", type=float, default=0.0, help="seconds; 0 works until it is stopped")
    parser.add_argument("--revision", default="", help="the worker is of another version: this one of its workflows")
    parser.add_argument("--clock-back", type=float, default=0.0, help="the clock goes back so many seconds, after two")
    options = parser.parse_args()
    if options.at >= 0:
        BOUNDARIES[options.at].arm(options.hits)
    if options.clock_back:
        _set_back(options.clock_back)
    if options.revision:
        from service.workflows import engine

        engine.REVISION = options.revision  # type: ignore[misc]  # a final, for this walk only
    if options.role == "api":
        publish(load(os.environ), options.reports)
    else:
        deliver(load(os.environ), options.until_settled)


def publish(here: Settings, reports: int) -> None:
    """Send each report with a key of its own to all destinations, as a client that repeats what was not answered."""
    from service.app import create_app
    from service.delivery.settings_file import load as load_destinations

    client = create_app(here).test_client()
    names = ",".join(load_destinations(here.destinations_file, os.environ))
    for number in range(reports):
        for version in (1, 2) if number == 0 else (1,):
            headers = {"Content-Type": "application/json", "Idempotency-Key": f"k-{number}-{version}"}
            answer = client.post(f"/v1/reports?deliver={names}", data=body(f"R{number}", version), headers=headers)
            while answer.status_code == 503:
                time.sleep(0.2)
                answer = client.post(f"/v1/reports?deliver={names}", data=body(f"R{number}", version), headers=headers)
            if answer.status_code != 201:
                sys.exit(f"status {answer.status_code}: {answer.text}")


@contextmanager
def impatient() -> Iterator[None]:
    """Workers that beat, sweep and bury sooner, so that a walk does not take hours."""
    from service.store import runs
    from service.workflows import worker as room

    kept = (room.SILENT_S, room.SWEEP_S, room.BEAT_S, runs._FED_LATE_S)
    room.SILENT_S, room.SWEEP_S, room.BEAT_S = SILENT_S, 1.0, 0.5  # type: ignore[misc]  # finals, for this walk only
    runs._FED_LATE_S = SILENT_S  # type: ignore[misc]  # the same
    try:
        yield
    finally:
        room.SILENT_S, room.SWEEP_S, room.BEAT_S, runs._FED_LATE_S = kept  # type: ignore[misc]  # as they were


@impatient()
def deliver(here: Settings, until_settled: float) -> None:
    """A worker; with a limit it ends once nothing is open."""
    from service.api.observe import configure_logging
    from service.commands.worker import made
    from service.domain.errors import Unavailable
    from service.store.reports import Store

    configure_logging(here.log_level)
    worker = made(here)
    assert worker is not None
    if not until_settled:
        signal.signal(signal.SIGTERM, lambda *_: worker.request_stop())
        worker.run(5)
        return
    worker.start()
    store = Store(here.database_url)
    end = time.monotonic() + until_settled
    while time.monotonic() < end:
        try:
            if not store.deliveries.queues():
                break
        except Unavailable:
            pass
        time.sleep(0.1)
    worker.stop(5)


def _set_back(seconds: float) -> None:
    """Let the clock of this process go back once, two seconds from now."""
    from service.store.reports import Store

    true_time, true_now = time.time, Store.now
    at = time.monotonic() + 2

    def set_back() -> float:
        return true_time() - (seconds if time.monotonic() > at else 0.0)

    def now(self: Store) -> str:
        from service.store.times import later

        return later(true_now(self), -seconds if time.monotonic() > at else 0.0)

    time.time = set_back
    Store.now = now  # type: ignore[method-assign]  # the clock of every store of this process


def destinations(folder: Path | None = None, hook: str = "", archive: str = "", concurrency: int = 1) -> str:
    """The TOML of a folder, a webhook and an archive, of each where it is given."""
    wait = f"""concurrency = {concurrency}
retry.first_s = 0.2
retry.most_s = 1.0
"""
    quick = """timeouts.connect_s = 1
timeouts.read_s = 1
timeouts.total_s = 3
"""
    made = ""
    if folder:
        made += f'\n[destinations.folder]\nkind = "folder"\npath = "{folder}"\ntakes = "sr"\n{wait}'
    if hook:
        made += f'\n[destinations.hook]\nkind = "webhook"\nurl = "{hook}"\ntakes = "fhir-r4"\n{quick}{wait}'
    if archive:
        made += f'\n[destinations.archive]\nkind = "stow"\nurl = "{archive}"\n{quick}{wait}'
    return made


if __name__ == "__main__":
    main()
