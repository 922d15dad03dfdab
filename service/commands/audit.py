"""`lesionbridge audit`: export the trail, and hold its chain."""

import click

from service.commands.speaking import REFUSED, refusing, settings, store


@click.group("audit")
def command() -> None:
    """The audit trail."""


@command.command("export")
@click.option("--after", default=0, type=click.IntRange(0), help="Only what stands after this position.")
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
@refusing
def verify() -> None:
    """Say whether the chain holds. Exit 0: it does, 2: an event was changed, moved or taken out."""
    broken = store(settings()).audit.broken()
    if broken is not None:
        click.echo(f"the chain is broken at position {broken}", err=True)
        raise SystemExit(REFUSED)
    click.echo("the chain holds", err=True)
