"""`lesionbridge report`: what is stored of a report."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from service.commands.answering import answering, give
from service.commands.speaking import settings, store
from service.domain.errors import NotFound, Problem

if TYPE_CHECKING:
    from service.store.reports import Store

ROLES = ("fhir", "sr", "html", "findings", "source", "amendment", "unmeasured", "rejection")


@click.command("report")
@click.argument("id", metavar="ID")
@click.option("--sender", help="Whose id it is, when ID is the sender's own [setting default_sender].")
@click.option("--get", "role", type=click.Choice(ROLES), help="One of the outputs instead of the receipt.")
@click.option("-o", "--out", default="-", help="A file. Default: standard output.")
@answering
def command(id: str, sender: str | None, role: str | None, out: str) -> None:  # noqa: A002 - the contract's word
    """Print the receipt of a stored report. ID is ours, or the sender's own (then its newest version is meant)."""
    here = settings()
    kept = store(here)
    found = identify(kept, id, sender or here.default_sender)
    content = kept.output(found, role).content if role else kept.get(found).receipt
    give(content, out)


def identify(kept: "Store", name: str, sender: str) -> str:
    """Our id of what was named."""
    try:
        return str(UUID(name))
    except ValueError:
        found = kept.search({"report_id": name, "sender": sender}, limit=500)
        if not found:
            why = "no report of this sender has this id; --sender names another one"
            raise NotFound(Problem("", "stored", why)) from None
        return max(found, key=lambda one: one.version).id
