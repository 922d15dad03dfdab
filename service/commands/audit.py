"""`lesionbridge audit`: export the trail, and hold its chain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from service.commands.speaking import REFUSED, refusing, settings, store

if TYPE_CHECKING:
    from service.store.access import AuditTrail

_MARK: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@click.group("audit")
def command() -> None:
    """The audit trail."""


@command.command("export")
@click.option("--after", default=0, type=click.IntRange(0, 2**31 - 1), help="Only what stands after this position.")
@refusing
def export(after: int) -> None:
    """Write the events as NDJSON."""
    from service.api.audit import line

    trail = store(settings()).audit
    while page := trail.after(after):
        for kept in page:
            click.echo(line(kept), nl=False)
        after = page[-1].position


@command.command("verify")
@click.option("--known", metavar="MARK", help="What an earlier run printed: the trail still has to hold it.")
@refusing
def verify(known: str | None) -> None:
    """Say whether the chain holds, and print a mark of its end. Exit 0: it does, 2: an event was changed, moved or
    taken out. A mark that is kept elsewhere shows a trail that was cut off or written anew as well.
    """
    trail = store(settings()).audit
    broken = trail.broken()
    if broken is not None:
        click.echo(f"the chain is broken at position {broken}", err=True)
        raise SystemExit(REFUSED)
    if known is not None and not _holds(trail, known.strip()):
        click.echo(f"the trail does not hold what is known of it: {known.strip()}", err=True)
        raise SystemExit(REFUSED)
    click.echo("the chain holds", err=True)
    last = trail.last()
    if last is not None:
        click.echo(f"{last.position}:{last.hash}")


def _holds(trail: AuditTrail, mark: str) -> bool:
    """Whether the event of a mark is there, unchanged."""
    found = _MARK.fullmatch(mark)
    if found is None:
        raise click.UsageError("--known: a mark is POSITION:HASH, as verify prints it")
    kept = trail.after(int(found[1]) - 1, 1)
    return bool(kept) and (str(kept[0].position), kept[0].hash) == (found[1], found[2])
