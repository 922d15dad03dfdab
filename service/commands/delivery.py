"""`lesionbridge delivery show|compare|edit`: one delivery, what was sent with it, and writing it again."""

from __future__ import annotations

import click
import orjson

from service.access.events import Arrival
from service.commands.answering import answer, answering, done, give
from service.commands.speaking import ready, say, settings, store
from service.commands.trail import Act, acting
from service.pipeline import BUNDLES, DIALECTS, LANGUAGES, Format


@click.group("delivery")
def command() -> None:
    """One delivery: see it, compare it, write it again."""


@command.command("show")
@click.argument("id", metavar="ID")
@click.option("--content", is_flag=True, help="The bytes that are sent, the same over all attempts.")
@click.option("-o", "--out", default="-", help="A file. Default: standard output.")
@answering
def show(id: str, out: str, *, content: bool) -> None:  # noqa: A002 - the contract's word
    """Print a delivery with each attempt, as JSON; of one to a destination in dry-run, what would be sent."""
    from service.api.deliveries import row

    here = store(settings())
    found = here.deliveries.get(id)
    if content:
        made = here.output(found.version, found.role).content
    else:
        made = _json(row(found, here.deliveries.attempts([found.id])[found.id]))
    give(made, out)


@command.command("compare")
@click.argument("id", metavar="ID")
@click.argument("other", metavar="OTHER")
@answering
def compare(id: str, other: str) -> None:  # noqa: A002 - the contract's word
    """Print each place in which what was sent with ID and with OTHER differs, as JSON. Exit 1: they differ."""
    from service.workflows.comparing import compare as compared

    here = store(settings())
    pair = [here.deliveries.get(one) for one in (id, other)]
    outputs = [here.output(one.version, one.role) for one in pair]
    found = compared(outputs[0], outputs[1])
    give(_json(found))
    if not found["same"]:
        raise SystemExit(1)


@command.command("edit")
@click.argument("id", metavar="ID")
@click.option("--destination", metavar="NAME", help="For this one. Default: the one it failed at.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="An SR in this dialect.")
@click.option("--bundle", type=click.Choice(BUNDLES), help="A FHIR bundle of this kind.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Headings and labels in this one.")
@answering
def edit(id: str, **said: str | None) -> None:  # noqa: A002 - the contract's word
    """Write a dead letter again: a new delivery that follows it. Its id goes to standard output."""
    from service.api.deployment import Deployment
    from service.workflows.again import edit as written_again

    here = Deployment(settings())
    ready(here.store)
    wanted = {name: value for name, value in said.items() if value is not None}
    with acting(here.settings, here.store, Act(Arrival.SENT_AGAIN, "delivery edit")) as act:
        made = written_again(here.store, id, here.source(b"", Format.FINDINGS), here.destinations, wanted)
        act.about(("report", made.version), ("delivery", made.id))
    with done(f"the delivery is written again, as {made.id}"):
        answer(made.id)
    say(f"to {made.destination}, after {made.parent}")


def _json(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
