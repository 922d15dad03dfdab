"""`lesionbridge key`: make, list and revoke API keys."""

from datetime import UTC, datetime, timedelta

import click

from service.access.events import Arrival
from service.access.principal import OF_ALL_SENDERS, Scope, name_fault
from service.coding.overlays.rows import EVERYONE
from service.commands.answering import answer, answering, done
from service.commands.speaking import DAYS, refusing, settings, stop, store
from service.commands.trail import Act, acting

_BOUND = click.IntRange(0, 2**31 - 1)


@click.group("key")
def command() -> None:
    """API keys of senders and operators."""


@command.command("create")
@click.argument("name")
@click.option("--sender", default="", help="The sender that it speaks for; absent: any.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice([str(scope) for scope in Scope]))
@click.option("--days", type=DAYS, help="Good for so many days.")
@click.option("--rate", default=0, type=_BOUND, help="Requests a minute; 0: as the deployment says.")
@click.option("--bytes", "size", default=0, type=_BOUND, help="Most bytes of a body; 0: as it says.")
@answering
def create(name: str, sender: str, scopes: tuple[str, ...], days: int | None, **bounds: int) -> None:
    """Make a key and show it, this once."""
    from service.access.keys import new_key
    from service.store.access import KeptKey
    from service.store.times import instant

    here = settings()
    kept = store(here)
    keys = kept.keys
    with acting(here, kept, Act(Arrival.KEY, "key create")) as act:
        if not name.isprintable() or not name.strip() or len(name) > 128:
            stop("a name is 1 to 128 printable characters")
        if sender and (fault := name_fault(sender)):
            stop(f"a sender is {fault}")
        if sender == EVERYONE:
            stop(f"{EVERYONE} is the overlay of all senders: a key for all of them has no --sender")
        shown, identity, digest = new_key()
        ends = instant((datetime.now(UTC) + timedelta(days=days)).isoformat()) if days else None
        said = " ".join(sorted(scopes))
        keys.add(KeptKey(identity, name, sender, said, digest, bounds["rate"], bounds["size"], keys.now(), ends))
        act.command = f"key create: {identity}"
    with done("the key is made, and can't be shown again: revoke it"):
        answer(shown)
    click.echo("this is the only time that it is shown", err=True)
    idle = sorted(OF_ALL_SENDERS.intersection(scopes))
    if sender and idle:
        click.echo(f"it can't use {', '.join(idle)}: that needs a key without --sender", err=True)


@command.command("list")
@answering
def listed() -> None:
    """All keys, without their secrets."""
    keys = store(settings()).keys
    now = keys.now()
    for key in keys.all():
        state = "good" if key.is_good(now) else "revoked" if key.revoked else "ended"
        sender = key.sender.encode("unicode_escape").decode() if not key.sender.isprintable() else key.sender
        answer(f"{key.name}\t{key.id}\t{sender or 'any sender'}\t{key.scopes}\t{state}")
        if key.sender and (fault := name_fault(key.sender)) and state == "good":
            why = f"{key.name}: its sender can't be one: a sender is {fault}"
            click.echo(f"{why}. Make another key, then revoke it", err=True)


@command.command("revoke")
@click.argument("name")
@refusing
def revoke(name: str) -> None:
    """Take a key back for ever."""
    here = settings()
    kept = store(here)
    with acting(here, kept, Act(Arrival.KEY, "key revoke")):
        kept.keys.revoke(name)
    click.echo(f"{name} is revoked", err=True)
