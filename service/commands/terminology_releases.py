"""`lesionbridge terminology import`, `list` and `remove`: the releases of code systems that a site has loaded."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.access.events import Arrival
from service.coding.releases.build import Progress as Heard
from service.coding.releases.importing import Asked, import_release
from service.coding.releases.shelf import Placed
from service.coding.releases.shelves import open_shelf
from service.commands.answering import answer, answering, done, show
from service.commands.speaking import refusing, say, settings, stop, store
from service.commands.trail import Act, acting
from service.config import Settings
from service.pipeline import tables

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SHOWN = 48


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--name", default="", help="The slot it takes; a release in the same slot is replaced. By kind if absent."
)
@answering
def import_(files: tuple[Path, ...], name: str) -> None:
    """Load a release of a code system: SNOMED CT RF2, RadLex, LOINC, ICD-10-CM, ICD-O-3 or FHIR resources.

    FILEs that belong together (an edition and its extensions, Loinc.csv and the playbook) go into one call. The running
    release stays in use until the new one is whole; an import that was killed goes on where it was. Exit 2: refused.
    """
    here = settings()
    with acting(here, store(here, as_it_is=True), Act(Arrival.IMPORTED, "terminology import")) as act:
        if name and not _NAME.fullmatch(name):
            stop("--name: lower-case letters, digits, points, hyphens, at most 64")
        asked = Asked(files, name, datetime.now(UTC).isoformat(timespec="seconds"))
        vocabulary, shelf = tables(here.issuers_file), open_shelf(here.terminology, here.terminology_database)
        with _bar() as heard:
            placed = import_release(shelf, asked, here.limits, vocabulary, heard)
        act.about(("release", placed.name), *(("release", f"{one} {of}".strip()) for one, of, _ in placed.systems))
    with done(f"in use as {placed.name}"):
        for designator, version, concepts in placed.systems:
            answer(f"{designator} {version or '(no version)'}: {concepts} concepts")
    say(f"in use as {placed.name} ({placed.bytes / 1e6:.0f} MB in {_place(here)})")


@click.command("list")
@answering
def list_() -> None:
    """Print the releases in use: slot, code systems with version and size, when and from what."""
    here = settings()
    found = open_shelf(here.terminology, here.terminology_database).current()
    if not found:
        say(f"no release is loaded in {_place(here)}: lesionbridge terminology import FILE...")
        return
    show(_table(found))


@click.command("remove")
@click.argument("name")
@refusing
def remove(name: str) -> None:
    """Take the release in the slot NAME out of use and delete it. Exit 2: there is none."""
    here = settings()
    with acting(here, store(here, as_it_is=True), Act(Arrival.REMOVED, "terminology remove")) as act:
        open_shelf(here.terminology, here.terminology_database).remove(name)
        act.about(("release", name))
    say(f"removed {name} from {_place(here)}")


def _place(here: Settings) -> str:
    """Where the releases are, for people; a database's URL may hold a password."""
    return "the database" if here.terminology_database else str(here.terminology)


def _table(found: tuple[Placed, ...]) -> Table:
    table = Table(title="Releases in use")
    for name in ("slot", "kind", "code system", "version", "imported", "from"):
        table.add_column(name)
    table.add_column("concepts", justify="right")
    table.add_column("MB", justify="right")
    for placed in found:
        sources = ", ".join(placed.sources)
        size = f"{placed.bytes / 1e6:.1f}"
        for designator, version, concepts in placed.systems or (("", "", 0),):
            row = (placed.name, placed.kind, designator, version, placed.imported, sources[:_SHOWN])
            table.add_row(*row, str(concepts), size)
    return table


@contextmanager
def _bar() -> Iterator[Heard]:
    """A progress bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        known: dict[str, TaskID] = {}

        def heard(step: str, done: int, total: int) -> None:
            if step not in known:
                known[step] = progress.add_task(step[:_SHOWN], total=total or None)
            progress.update(known[step], completed=done)

        yield heard
