"""`lesionbridge unmapped`: terms that were kept as text, and what a person decides of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.access.events import Arrival
from service.commands.answering import answer, answering, done, give
from service.commands.speaking import COUNT, counted, settings, site, store
from service.commands.trail import Act, acting

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.store.unmapped import Counted

_PAGE = 1000


def _filters(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """The conditions that list and export share."""
    for option in (
        click.option("--min", "least", type=COUNT, help="Only terms met as often as this."),
        click.option("--field", help="Only of this row of mappings/."),
        click.option("--sender", help="Only of this sender."),
    ):
        function = option(function)
    return function


@click.group("unmapped")
def command() -> None:
    """Look after the terms that no concept answered to (docs/overlays.md)."""


@command.command("list")
@_filters
@answering
def list_(sender: str | None, field: str | None, least: int | None) -> None:
    """Print the open terms, most frequent first."""
    terms = _open(sender, field, least)
    for one in terms:
        near = f"  did you mean: {', '.join(one.suggestions)}" if one.suggestions else ""
        code = f" [{one.system} {one.code}]" if one.system else ""
        answer(f"{one.id}\t{one.count}\t{one.sender}\t{one.field or '(any)'}\t{one.term}{code}{near}")
    click.echo(counted(len(terms), "open term"), err=True)


@command.command("export")
@_filters
@click.option("-o", "--out", default="-", help="A file. Default: standard output.")
@answering
def export(sender: str | None, field: str | None, least: int | None, out: str) -> None:
    """Write the open terms as a table; its column `decision` is for a person to fill in."""
    from service import curation_tables

    content = curation_tables.write(_open(sender, field, least))
    give(content, out)


@command.command("resolve")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--id", "id_", type=COUNT, help="One term instead of a table.")
@click.option("--as", "what", help="What it is: a concept's key or label, SYSTEM|CODE, or ignore.")
@click.option("--author", required=True, help="Who decides it.")
@answering
def resolve(file: Path | None, id_: int | None, what: str | None, author: str) -> None:
    """Take the decisions of an edited table FILE, or of one term; the senders' overlays grow by a version."""
    from service import curation_tables
    from service.curation import Decided, decide

    if (file is None) is not (id_ is not None and what is not None):
        raise click.UsageError("give a FILE, or --id with --as")
    here = settings()
    everything = store(here)
    with acting(here, everything, Act(Arrival.DECIDED, "unmapped resolve")) as act:
        if file is not None:
            decisions = curation_tables.read(file.read_bytes(), author)
        else:
            decisions = (Decided(id_ or 0, what or "", author),)
        act.about(*(("term", str(one.id)) for one in decisions))
        used = site(here).layers()
        made = decide(decisions, everything, used.vocabulary.with_site(None, used.releases)) if decisions else ()
        act.about(*(("overlay", f"{one.sender}/{one.version}") for one in made))
        act.changes = bool(made)
    with done(f"{counted(len(decisions), 'term')} decided"):
        for kept in made:
            answer(f"{kept.sender}: version {kept.version}, {counted(kept.rows, 'row')}")
    click.echo(f"{counted(len(decisions), 'term')} decided", err=True)


def _open(sender: str | None, field: str | None, least: int | None) -> "tuple[Counted, ...]":
    """All open terms that meet the conditions."""
    said = {"sender": sender, "field": field, "min": least}
    wanted = {"state": "open"} | {name: value for name, value in said.items() if value is not None}
    terms: tuple[Counted, ...] = ()
    kept = store(settings()).unmapped
    while True:
        found, total = kept.list(wanted, limit=_PAGE, offset=len(terms))
        terms += found
        if not found or len(terms) >= total:
            return terms
