"""``python -m benchmarks.faults``: make every fault on both databases, count what is left, and write docs/faults.md."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.faults import trials
from benchmarks.faults.boundaries import BOUNDARIES
from benchmarks.faults.peer import WAYS
from benchmarks.faults.trial import Count

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """# Faults

Written by `python -m benchmarks.faults`, which makes each of these faults with real processes and databases, and then
looks at what the destinations have. {date}: {trials} trials, {deliveries} deliveries, lost {lost}, doubled in effect
{doubled}, out of order {disordered}. {cores} cores; load average {before:.1f} when it began, {after:.1f} when it ended.

Each trial publishes reports, one of them in two versions, to two destinations: a folder (read back and compared) and
an HTTP receiver that knows a delivery again by its key, or in its place an archive (STOW-RS; read back and compared),
which alone gets what is queued in an outage. A process is killed with `SIGKILL`; a client sends again what it was not
answered, and another worker goes on (that a worker is lost is noticed within 4 seconds here, within 35 in a
deployment). *Arrived* is what a destination has, byte for byte. *Again* is how often a destination was sent what it
had been sent before, which the key or the UID makes harmless.

| fault | database | deliveries | arrived | dead letters | lost | doubled | out of order | again | s |
|---|---|---|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Walk, print each line, and write the page unless told otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--outage", type=int, default=10_000, help="reports queued while the archive is away")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--dry", action="store_true", help="do not write docs/faults.md")
    options = parser.parse_args()
    rows: list[tuple[str, str, Count, float]] = []
    before = os.getloadavg()[0]

    def row(name: str, database: str, count: Count, seconds: float) -> None:
        rows.append((name, database, count, seconds))
        print(_line(rows[-1]), flush=True)

    for database in options.databases:
        with trials.on(database) as url:
            for number, boundary in enumerate(BOUNDARIES):
                began = time.monotonic()
                count = trials.killed(number, url)
                name = f"kill -9 of the {boundary.role} process {boundary.name}"
                row(name, database, count, time.monotonic() - began)
            others: list[tuple[str, Callable[[str], Count]]] = [
                (f"the receiver {what}, three times", partial(trials.peer_fails, ways=[way] * 3))
                for way, what in WAYS.items()
            ]
            others.append(("the receiver does all of this, one after the other", trials.peer_fails))
            others.append(("the archive answers 200 with a failed instance", trials.instance_fails))
            others.append(("the clock goes back by an hour", trials.clock_back))
            others.append(("an upgrade: the worker of the version before was killed", trials.upgraded))
            if url:
                others.append(("an upgrade: the worker of the version before still works", trials.upgraded_in_flight))
                others.append(("two workers on the same deliveries", trials.two_workers))
                others.append(("kill -9 of one of two workers", trials.worker_lost))
                others.append(("PostgreSQL restarted in mid-flight", trials.restarted))
            for name, fault in others:
                began = time.monotonic()
                row(name, database, fault(url), time.monotonic() - began)
            if not url:
                began = time.monotonic()
                row("the disk is full for five seconds", database, trials.disk_full(), time.monotonic() - began)
    with trials.on(options.databases[-1]) as url:
        count, seconds = trials.outage(url, options.outage)
        row(
            f"{options.outage} reports queued while the archive is away, then drained",
            options.databases[-1],
            count,
            seconds,
        )
    if not options.dry:
        PAGE.write_text(_page(rows, before))
    sys.exit(not all(count.holds for _, _, count, _ in rows))


def _page(rows: list[tuple[str, str, Count, float]], before: float) -> str:
    counts = [count for _, _, count, _ in rows]
    head = HEAD.format(
        date=time.strftime("%Y-%m-%d"),
        trials=len(rows),
        deliveries=sum(one.deliveries for one in counts),
        lost=sum(one.lost for one in counts),
        doubled=sum(one.doubled for one in counts),
        disordered=sum(one.disordered for one in counts),
        cores=os.cpu_count(),
        before=before,
        after=os.getloadavg()[0],
    )
    return head + "".join(f"{_line(one)}\n" for one in rows)


def _line(row: tuple[str, str, Count, float]) -> str:
    name, database, c, seconds = row
    figures = (c.deliveries, c.arrived, c.dead, c.lost, c.doubled, c.disordered, c.again, f"{seconds:.0f}")
    return f"| {name} | {database} | {' | '.join(str(one) for one in figures)} |"


if __name__ == "__main__":
    main()
