"""`lesionbridge convert`: one document, or a folder or NDJSON file of them, into another format."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from service.commands.answering import STANDARD_OUTPUT, give, hold_open, keep
from service.commands.conversion import Conversion, Wish
from service.commands.inputs import (
    Document,
    are_inputs,
    count,
    documents,
    into,
    is_lines,
    is_many,
    is_table,
    mapping_text,
    of_table,
    read,
    real,
)
from service.commands.ndjson import Ask
from service.commands.ndjson import run as run_lines
from service.commands.speaking import REFUSED, counted, refusal, refusing, say, settings, stop
from service.commands.writing import BUNDLE, DIALECT, LANGUAGE, PROFILE
from service.domain.errors import Invalid, LesionBridgeError, Problem
from service.domain.loss import Loss
from service.domain.received import Intake
from service.doors import READERS, WRITERS, suffix
from service.pipeline import ENCODINGS, IODS, Format, Options
from service.store.receipt import loss_row

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("convert")
@click.argument("input_path", metavar="INPUT")
@click.option("--from", "from_", type=click.Choice([str(form) for form in READERS]), help="Found out when absent.")
@click.option("--to", required=True, type=click.Choice([str(form) for form in WRITERS]))
@click.option(
    "-o",
    "--out",
    default="-",
    help="A file; a folder where INPUT is one or NDJSON; of NDJSON also an .ndjson file. Default: standard output, "
    "not for a file of NDJSON.",
)
@DIALECT
@BUNDLE
@click.option("--encoding", type=click.Choice(ENCODINGS), default="json", show_default=True, help="Of FHIR.")
@PROFILE
@LANGUAGE
@click.option("--iod", type=click.Choice(IODS), help="Of the SR; by need when absent.")
@click.option("--reference", is_flag=True, help="An HL7 v2 message points to the SR.")
@click.option("--pdf", is_flag=True, help="An HL7 v2 message holds the page of the report as PDF.")
@click.option("--mapping", type=EXISTING, help="The mapping file of a table: which column is what.")
@click.option("--check", is_flag=True, help="Read SR and FHIR back and compare them with the report first.")
@click.option("--validate", is_flag=True, help="Hold a FHIR document to FHIR's definitions (fhir.resources) first.")
@click.option("--loss", help="Write the list of what was skipped, lost, left uncoded or flagged to this file, as JSON.")
@click.option("--seg", multiple=True, help="A SEG file, or a folder of them: segments are measured by their masks.")
@click.option("--ndjson", is_flag=True, help="INPUT is NDJSON, whatever its name; `-`: standard input is.")
@click.option("--jobs", type=click.IntRange(min=0), default=0, help="Processes for NDJSON; 0: one a processor.")
@click.option("--errors", type=FILE, help="Of NDJSON: write why lines were refused to this file, as NDJSON.")
@click.option("--resume", is_flag=True, help="Of NDJSON: go on where an interrupted conversion stood.")
@refusing
def command(input_path: str, from_: str | None, to: str, out: str, loss: str | None, **more: Any) -> None:
    """Convert INPUT (a file, `-`, a folder, an NDJSON file or a table). Exit 0: converted, 2: refused."""
    named: Path | None = more.pop("mapping")
    seg: tuple[str, ...] = more.pop("seg")
    validate: bool = more.pop("validate")
    has_lines: bool = more.pop("ndjson")
    form, here = Format(from_) if from_ else None, settings()
    files = [file for one in seg for file in _files(Path(one))]
    named_masks = tuple(str(file) for file in files)
    ask = Ask(out, more.pop("errors"), Path(loss) if loss else None, more.pop("jobs"), more.pop("resume"), named_masks)
    masks = tuple(read(file, here.limits.body_bytes) for file in files)
    wish = Wish(form, Format(to), Options(**more), here, mapping_text(named), masks, validate)
    if has_lines and (form is Format.CSV or is_many(input_path)):
        stop("--ndjson is a document a line: no folder, and no table")
    if has_lines or (is_lines(input_path) and form is not Format.CSV):
        sys.exit(REFUSED if run_lines(wish, input_path, ask) else 0)
    if ask.errors or ask.resume:
        stop("--errors and --resume are for an NDJSON file (by its name, or with --ndjson)")
    run = _Run(wish)
    refused = _all(run, input_path, out)
    if loss is not None:
        keep(f"{json.dumps(run.losses, ensure_ascii=False, indent=2)}\n".encode(), Path(loss))
    sys.exit(REFUSED if refused else 0)


def _files(path: Path) -> list[Path]:
    """The file itself, or all files of a folder."""
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


class _Run:
    """The conversions of one call, with the losses of all of them."""

    def __init__(self, wish: Wish) -> None:
        self.wish, self._conversion = wish, Conversion(wish)
        self.losses: list[dict[str, Any]] = []

    def __call__(self, document: Document, *, source: bool) -> tuple[bytes, Sequence[Loss]]:
        """The output's bytes; ``source`` puts the document's name into each loss."""
        outcome = self._conversion(document)
        for lost in outcome.losses:
            self.losses.append({**({"source": document.name} if source else {}), **loss_row(lost)})
        return outcome.outputs[self.wish.to].content, outcome.losses


def _all(run: _Run, path: str, out: str) -> int:
    """Everything that a path stands for; the number of documents refused."""
    limit = run.wish.deployment.limits.body_bytes
    if is_table(path, run.wish.form):
        here = run.wish.deployment
        found = of_table(path, Intake(here.default_sender, here.default_zone, here.limits, run.wish.mapping))
        return _many(run, found, len(found), path, out) if len(found) > 1 else _one(run, found, out)
    if is_many(path):
        return _many(run, documents(path, limit), count(path), path, out)
    return _one(run, documents(path, limit), out)


def _one(run: _Run, found: Iterable[Document], out: str) -> int:
    """One document to a file or to standard output."""
    if out == STANDARD_OUTPUT:
        hold_open(has_out=True)
    for document in found:
        try:
            content, losses = run(document, source=False)
        except LesionBridgeError as error:
            refusal(document.name, error)
            return 1
        for lost in losses:
            also = f" (did you mean: {', '.join(lost.suggestions)}?)" if lost.suggestions else ""
            say(f"{lost.kind}: {lost.where or '(whole document)'}: {lost.what}: {lost.why}{also}")
        if out == STANDARD_OUTPUT and run.wish.to in (Format.SR, Format.PDF) and sys.stdout.isatty():
            stop("it is no text for a terminal: give -o FILE")
        give(content, out)
    return 0


def _many(run: _Run, found: Iterable[Document], total: int, path: str, out: str) -> int:
    """Many documents into a folder, with a progress bar and a summary; the number of those refused."""
    from rich.console import Console
    from rich.progress import Progress

    if out == STANDARD_OUTPUT:
        stop("many documents need a folder: give -o FOLDER")
    folder, inputs = into(out), are_inputs(path)
    made = refused = 0
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("converting", total=total)
        for document in found:
            try:
                target = folder / f"{document.stem}{suffix(run.wish.to, run.wish.options)}"
                if real(target) in inputs:
                    raise Invalid(Problem("", "output", f"{target.name} is an input: give another folder"))
                content, _ = run(document, source=True)
                keep(content, target)
                made += 1
            except LesionBridgeError as error:
                refusal(document.name, error)
                refused += 1
            progress.advance(bar)
    say(f"{made} converted, {refused} refused, {counted(len(run.losses), 'loss', 'losses')}; in {folder}")
    return refused
