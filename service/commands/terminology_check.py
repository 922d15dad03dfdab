"""`lesionbridge terminology check`: are the tables of codes and words right, and how far do they reach?"""

from importlib.resources import files
from pathlib import Path

import click
from rich.table import Table

from service.coding import Vocabulary, vocabulary
from service.coding.coverage import SYSTEMS, Coverage, coverage
from service.coding.labels import languages
from service.coding.quality import defects
from service.coding.releases.shelves import open_shelf
from service.coding.releases.site import SiteReleases
from service.commands.answering import answering, show
from service.commands.speaking import counted, say, settings

DEFECT = 1
_WIDE = 200
"""Columns where no terminal says how many there are."""
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("check")
@click.option("--terminology", type=_FOLDER, help="Tables of terms to hold; those of this distribution when absent.")
@click.option("--mappings", type=_FOLDER, help="Tables of fields to hold; those of this distribution when absent.")
@click.option("--quiet", is_flag=True, help="Say defects only, no table.")
@answering
def check(terminology: Path | None, mappings: Path | None, *, quiet: bool) -> None:
    """Hold every row of the tables, and every code to the releases that are loaded; show what the tables cover.

    Exit 0: no defect; 1: defects, each at its file and line.
    """
    folders = terminology or files("terminology"), mappings or files("mappings")
    here = settings()
    releases = SiteReleases(open_shelf(here.terminology, here.terminology_database), vocabulary().designations.words)
    found = defects(*folders, release=releases if releases.systems() else None)
    for problem in found:
        say(f"{problem.pointer}: {problem.detail}")
    if found:
        say(counted(len(found), "defect"))
        raise SystemExit(DEFECT)
    if not quiet:
        show(_table(list(coverage(Vocabulary.load(*folders)))), _WIDE)


def _table(rows: list[Coverage]) -> Table:
    """One line a group, the last one for all; a label that is only a draft is counted after a plus."""
    table = Table(title="Concepts by group: with an exact code, by system; labels reviewed + drafts, by language")
    table.add_column("group", no_wrap=True)
    for name in ("concepts", "exact", *SYSTEMS, "broader only", "text only", *languages()):
        table.add_column(name, justify="right")
    for row in rows:
        if not row.group:
            table.add_section()
        spoken = [_labels(row.reviewed[tag], row.labels[tag]) for tag in languages()]
        numbers = (row.concepts, row.coded, *(row.exact[name] for name in SYSTEMS), row.broader, row.text)
        table.add_row(row.group or "all", *(str(number or "") for number in numbers), *spoken)
    return table


def _labels(reviewed: int, labels: int) -> str:
    drafts = f"+{labels - reviewed}" if labels > reviewed else ""
    return f"{reviewed or ''}{drafts}"
