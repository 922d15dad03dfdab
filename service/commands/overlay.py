"""`lesionbridge overlay`: a site's own words and codes, checked, loaded and tried."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.access.events import Arrival
from service.coding.overlays.rows import CONCEPT_MAP, CSV
from service.commands.answering import answer, answering, done
from service.commands.speaking import COUNT, counted, say, settings, shown, site, stop, store
from service.commands.trail import Act, acting
from service.domain.codes import CodedTerm
from service.domain.errors import Problem

if TYPE_CHECKING:
    from service.coding.overlays.layers import Layer
    from service.config import Settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SENDER = "Whose overlay it is. Default: the file's name; `all` is everyone's."
_MEDIA = {".csv": CSV, ".json": CONCEPT_MAP}


@click.group("overlay")
def command() -> None:
    """Look after the site's own words and codes (docs/overlays.md)."""


@command.command("check")
@click.argument("file", type=FILE)
@click.option("--sender", help=_SENDER)
@answering
def check(file: Path, sender: str | None) -> None:
    """Hold FILE against the tables. Exit 0: it stands; 2: not, and in which lines."""
    new = _read(settings(), file, sender)
    answer(f"{shown(file)}: {counted(len(new.rows), 'row')}, {new.applied} applied")


@command.command("load")
@click.argument("file", type=FILE)
@click.option("--sender", help=_SENDER)
@click.option("--author", default="", help="Who decided it.")
@click.option(
    "--after",
    type=click.IntRange(0, 2**31 - 1),
    help="The version that FILE was made from; refused when another one is current.",
)
@answering
def load(file: Path, sender: str | None, author: str, after: int | None) -> None:
    """Put FILE into use as a new version; running services take it up by themselves."""
    from service.store.overlays import NewOverlay

    here = settings()
    everything = store(here)
    with acting(here, everything, Act(Arrival.DECIDED, "overlay load")) as act:
        new = _read(here, file, sender)
        text = new.text
        made = NewOverlay(text.sender, text.media_type, text.content, len(new.rows), author, "upload", after)
        kept = everything.overlays.keep(made)
        act.about(("overlay", f"{kept.sender}/{kept.version}"))
    with done(f"in use as version {kept.version}"):
        answer(f"{kept.sender}: version {kept.version}, {counted(kept.rows, 'row')}, {new.applied} applied")


@command.command("preview")
@click.argument("file", type=FILE)
@click.option("--sender", help=_SENDER)
@click.option("--last", type=COUNT, default=100, show_default=True, help="How many stored reports.")
@answering
def preview(file: Path, sender: str | None, last: int) -> None:
    """Say which of the reports stored last would be coded otherwise with FILE. Nothing is kept."""
    from service.curation import preview as look

    here = settings()
    new = _read(here, file, sender)
    kept = store(here)
    found = look(site(here).layers(kept.overlays, now=True), new, kept, last=last, limits=here.limits)
    for report in found.changed:
        for change in report.changes:
            answer(f"{report.stored.id}: {change.where}: {_shown(change.old)} -> {_shown(change.new)}")
        for problem in report.problems:
            answer(f"{report.stored.id}: would be refused: {problem.pointer}: {problem.detail} [{problem.rule}]")
    answer(f"{counted(found.examined, 'report')}, {len(found.changed)} otherwise, {found.skipped} skipped")


def _read(here: "Settings", file: Path, sender: str | None) -> "Layer":
    """The overlay of a file, with all that is to be said of it; ends the command where it does not stand."""
    from service.coding.overlays.layers import OverlayText, layer

    form = _MEDIA.get(file.suffix.lower())
    if form is None:
        stop(f"{shown(file)}: an overlay is a .csv table or a .json ConceptMap")
    if file.stat().st_size > here.limits.body_bytes:
        stop(f"{shown(file)}: is larger than {here.limits.body_bytes} bytes (setting limits.body_bytes)")
    used = site(here).layers()
    text = OverlayText(sender or file.stem, 0, form, file.read_bytes())
    made = layer(text, used.vocabulary.with_site(None, used.releases))
    for notice in made.notices:
        say(_said(notice))
    for problem in made.problems:
        say(_said(problem))
    if made.problems:
        stop(f"{shown(file)}: {counted(len(made.problems), 'row')} can not stand")
    return made


def _said(problem: Problem) -> str:
    near = f" (candidates: {', '.join(problem.candidates)})" if problem.candidates else ""
    return f"{problem.pointer}: {problem.detail}{near} [{problem.rule}]"


def _shown(term: CodedTerm) -> str:
    code = term.code
    return f"{term.text} ({code.system} {code.code})" if code is not None else f"{term.text} (text)"
