"""`lesionbridge terminology search`: what `GET /v1/terms` finds, in a terminal."""

import click
from rich.table import Table

from service.coding.search import Asked, Match
from service.commands.answering import answering, show
from service.commands.speaking import REFUSED, say, settings, site, stop


@click.command("search")
@click.argument("text", metavar="TEXT")
@click.option("--field", default="", help="A row of mappings/ such as finding, site or t1: its values come first.")
@click.option("--lang", default="", help="A language tag; terms of that language are shown where a release has them.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@answering
def search(text: str, field: str, lang: str, limit: int) -> None:
    """Search the tables and the loaded releases: words in any order, their beginnings, abbreviations, typing errors.

    Exit 0: something was found, 2: nothing.
    """
    here = settings()
    vocabulary, _ = site(here).of(here.default_sender)
    if field and vocabulary.field(field) is None:
        stop(f"{field}: there is no such field")
    found = vocabulary.search().find(Asked(text, field, lang, limit))
    if not found:
        say(f"nothing is called {text!r}")
        raise SystemExit(REFUSED)
    show(_table(found))


def _table(found: tuple[Match, ...]) -> Table:
    table = Table()
    for name in ("label", "concept", "codes", "found as", "how", "in field", "source"):
        table.add_column(name)
    for one in found:
        codes = ", ".join(f"{code.system} {code.code}" for code in one.codes)
        how = one.how if one.active else f"{one.how}, retired"
        table.add_row(one.label, one.concept or "", codes, one.term, how, "yes" if one.in_field else "", one.source)
    return table
