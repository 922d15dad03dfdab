"""`lesionbridge deliveries`, `replay` and `give-up`: where reports went, sending them again, and no longer waiting."""

import click

from service.access.events import Arrival
from service.commands.answering import answer, answering
from service.commands.speaking import COUNT, counted, refusing, settings, store
from service.commands.trail import Act, acting

_STATES = click.Choice(["queued", "sending", "stored", "verified", "refused", "dead", "dry-run"])
_DEAD = click.Choice(["dead", "refused"])


@click.command("deliveries")
@click.option("--state", type=_STATES, help="Only in this state.")
@click.option("--destination", metavar="NAME", help="Only to this destination.")
@click.option("--report", metavar="ID", help="Only of this version of a report (our id).")
@click.option("--limit", type=COUNT, default=100, show_default=True, help="The newest so many.")
@click.option("--tries", is_flag=True, help="Each attempt too, with what the destination answered.")
@answering
def command(state: str | None, destination: str | None, report: str | None, limit: int, *, tries: bool) -> None:
    """List deliveries, the newest first."""
    said = {"state": state, "destination": destination, "report": report}
    kept = store(settings()).deliveries
    found = kept.list({name: value for name, value in said.items() if value is not None}, limit=limit)
    attempts = kept.attempts([one.id for one in found]) if tries else {}
    for one in found:
        answer(f"{one.id}\t{one.state}\t{one.destination}\t{one.attempts}\t{one.changed}\t{one.reason}")
        for each in attempts.get(one.id, ()):
            outcome = each.outcome or "under way"
            answer(f"  {each.number}\t{each.step}\t{each.started}\t{outcome}\t{each.status}\t{each.reason}")
    click.echo(counted(len(found), "delivery", "deliveries"), err=True)


@click.command("replay")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--state", type=_DEAD, help="Only dead letters in this state. Default: both.")
@click.option("--destination", metavar="NAME", help="Only to this destination.")
@click.option(
    "--backfill/--now",
    default=None,
    help="Behind everything else, in the destination's window; or at once, also what was a backfill.",
)
@click.option("--all", "every", is_flag=True, help="All dead letters that meet the conditions.")
@refusing
def replay(
    ids: tuple[str, ...], state: str | None, destination: str | None, *, backfill: bool | None, every: bool
) -> None:
    """Send dead letters again, the same bytes: those named by ID, or all that meet the conditions."""
    from service.store.delivery_rows import rank

    said = {"state": state, "destination": destination}
    wanted = {name: value for name, value in said.items() if value is not None}
    if bool(ids) == bool(wanted or every):
        raise click.UsageError("name deliveries by ID, or say --state, --destination or --all")
    here = settings()
    everything = store(here)
    kept = everything.deliveries
    priority = rank(backfill)
    with acting(here, everything, Act(Arrival.SENT_AGAIN, "replay")) as act:
        if ids:
            for place, one in enumerate(ids, 1):
                kept.retry(one, priority=priority)
                act.about(("delivery", one))
                act.command = f"replay ({place} of {len(ids)})"
            number = len(ids)
        else:
            number = kept.retry_all(wanted, priority=priority)
        act.command = f"replay: {number}"
    click.echo(f"{counted(number, 'delivery', 'deliveries')} to be sent again", err=True)


@click.command("give-up")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--destination", metavar="NAME", help="All that is queued for it; it need not be set up any more.")
@click.option("--reason", metavar="TEXT", required=True, help="For who looks at it later; nothing of the patient.")
@refusing
def give_up(ids: tuple[str, ...], destination: str | None, reason: str) -> None:
    """Make queued deliveries dead letters: those named by ID, or all for a destination. `replay` sends them again."""
    if bool(ids) == (destination is not None):
        raise click.UsageError("name deliveries by ID, or say --destination")
    here = settings()
    everything = store(here)
    kept = everything.deliveries
    with acting(here, everything, Act(Arrival.GIVEN_UP, "give-up")) as act:
        if destination is not None:
            number = kept.give_up_all(destination, reason)
            act.about(*[("destination", destination)] * bool(number))
        else:
            number = len(ids)
            for place, one in enumerate(ids, 1):
                kept.give_up(one, reason)
                act.about(("delivery", one))
                act.command = f"give-up ({place} of {number})"
        act.command = f"give-up: {number}"
    click.echo(f"{counted(number, 'delivery', 'deliveries')} given up", err=True)
