"""`lesionbridge audit`: export the trail, and hold its chain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

import click

from service.commands.answering import answer, answering, give
from service.commands.speaking import REFUSED, settings, store

if TYPE_CHECKING:
    from service.store.trail import End

_MARK: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@click.group("audit")
def command() -> None:
    """The audit trail."""


@command.command("export")
@click.option("--after", default=0, type=click.IntRange(0, 2**31 - 1), help="Only what stands after this position.")
@answering
def export(after: int) -> None:
    """Write the events as NDJSON."""
    from service.api.audit import line

    trail = store(settings()).audit
    while page := trail.after(after):
        give(b"".join(map(line, page)))
        after = page[-1].position


@command.command("verify")
@click.option("--known", metavar="MARK", help="What an earlier run printed: the trail still has to hold it.")
@answering
def verify(known: str | None) -> None:
    """Say whether the chain holds and is whole, and print a mark of its end. Exit 0: it is, 2: an event was changed,
    moved or taken out, at the end too. A mark that is kept elsewhere shows it even where somebody could write
    whatever they liked into this database.
    """
    trail = store(settings()).audit
    broken = trail.broken()
    if broken is not None:
        _fails(f"the chain is broken at position {broken}")
    last, noted = trail.last(), trail.end()
    if noted is None:
        _fails("the row that says where the trail ends is gone (table audit_end)")
    if not trail.holds(noted):
        _fails(f"the trail was cut off, or its end written anew: it ended at {noted.position}:{noted.hash}")
    if known is not None and not trail.holds(_end(known.strip())):
        _fails(f"the trail does not hold what is known of it: {known.strip()}")
    click.echo("the chain holds", err=True)
    if last is None:
        return
    if last.position > noted.position:
        click.echo(
            f"what stands after {noted.position} was added by an older program, and may be cut off unseen", err=True
        )
    answer(f"{last.position}:{last.hash}")


def _fails(why: str) -> NoReturn:
    click.echo(why, err=True)
    raise SystemExit(REFUSED)


def _end(mark: str) -> End:
    """The end that a mark names."""
    from service.store.trail import End

    found = _MARK.fullmatch(mark)
    if found is None:
        raise click.UsageError("--known: a mark is POSITION:HASH, as verify prints it")
    return End(int(found[1]), found[2])
