"""`lesionbridge convert`: one document, or a folder or NDJSON file of them, into another format."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from service.commands.inputs import Document, count, documents, is_many, is_table, of_table, read
from service.commands.speaking import REFUSED, counted, received, refusal, refusing, say, settings, site, stop
from service.config import Settings
from service.domain.errors import LesionBridgeError
from service.domain.loss import Loss
from service.domain.received import Intake
from service.doors import READERS, WRITERS, detect, suffix
from service.pipeline import BUNDLES, DIALECTS, ENCODINGS, IODS, PROFILES, Format, Options, convert
from service.store.receipt import loss_row

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("convert")
@click.argument("input_path", metavar="INPUT")
@click.option("--from", "from_", type=click.Choice([str(form) for form in READERS]), help="Found out when absent.")
@click.option("--to", required=True, type=click.Choice([str(form) for form in WRITERS]))
@click.option(
    "-o", "--out", default="-", help="A file, or a folder where INPUT is one or NDJSON. Default: standard output."
)
@click.option("--dialect", type=click.Choice(DIALECTS), default="strict", show_default=True, help="Of the SR.")
@click.option("--bundle", type=click.Choice(BUNDLES), default="transaction", show_default=True, help="Of FHIR.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="json", show_default=True, help="Of FHIR.")
@click.option("--profile", type=click.Choice(PROFILES), help="Whose FHIR profiles the bundle is shaped for.")
@click.option("--iod", type=click.Choice(IODS), help="Of the SR; by need when absent.")
@click.option("--reference", is_flag=True, help="An HL7 v2 message points to the SR.")
@click.option("--mapping", type=EXISTING, help="The mapping file of a table: which column is what.")
@click.option("--check", is_flag=True, help="Read SR and FHIR back and compare them with the report first.")
@click.option("--validate", is_flag=True, help="Hold a FHIR document to FHIR's definitions (fhir.resources) first.")
@click.option("--loss", help="Write the list of what was skipped, lost, left uncoded or flagged to this file, as JSON.")
@click.option("--seg", multiple=True, help="A SEG file, or a folder of them: segments are measured by their masks.")
@refusing
def command(input_path: str, from_: str | None, to: str, out: str, loss: str | None, **more: Any) -> None:
    """Convert INPUT (a file, `-`, a folder, an NDJSON file or a table). Exit 0: converted, 2: refused."""
    named: Path | None = more.pop("mapping")
    seg: tuple[str, ...] = more.pop("seg")
    validate: bool = more.pop("validate")
    try:
        mapping = named.read_text(encoding="utf-8") if named is not None else ""
        run = _Run(Format(from_) if from_ else None, Format(to), Options(**more), settings(), mapping)
        run.validate = validate
        run.masks = tuple(read(file, run.deployment.limits.body_bytes) for one in seg for file in _files(Path(one)))
        refused = _all(run, input_path, out)
    except OSError as error:
        stop(f"{error.filename}: {error.strerror}")
    if loss is not None:
        Path(loss).write_text(json.dumps(run.losses, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    sys.exit(REFUSED if refused else 0)


def _files(path: Path) -> list[Path]:
    """The file itself, or all files of a folder."""
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


class _Run:
    """The conversions of one call, with the losses of all of them."""

    def __init__(self, form: Format | None, to: Format, options: Options, deployment: Settings, mapping: str) -> None:
        self.form, self.to, self.options, self.deployment, self.mapping = form, to, options, deployment, mapping
        self.overlays = site(deployment)
        self.masks: tuple[bytes, ...] = ()
        self.validate = False
        self.losses: list[dict[str, Any]] = []

    def __call__(self, document: Document, *, source: bool) -> tuple[bytes, Sequence[Loss]]:
        """The output's bytes; ``source`` puts the document's name into each loss."""
        here = self.deployment
        found = document.received
        if isinstance(found, LesionBridgeError):
            raise found
        form = Format.CSV if found is not None else self.form or detect(document.body)
        said = received(document.body, form, here, self.overlays)
        said = replace(said, mapping=self.mapping, received=found, masks=self.masks, validate=self.validate)
        outcome = convert(said, (self.to,), self.options)
        for lost in outcome.losses:
            self.losses.append({**({"source": document.name} if source else {}), **loss_row(lost)})
        return outcome.outputs[self.to].content, outcome.losses


def _all(run: _Run, path: str, out: str) -> int:
    """Everything that a path stands for; the number of documents refused."""
    limit = run.deployment.limits.body_bytes
    if is_table(path, run.form):
        found = of_table(
            path, Intake(run.deployment.default_sender, run.deployment.default_zone, run.deployment.limits, run.mapping)
        )
        return _many(run, found, len(found), out) if len(found) > 1 else _one(run, found, out)
    if is_many(path):
        return _many(run, documents(path, limit), count(path), out)
    return _one(run, documents(path, limit), out)


def _one(run: _Run, found: Iterable[Document], out: str) -> int:
    """One document to a file or to standard output."""
    for document in found:
        try:
            content, losses = run(document, source=False)
        except LesionBridgeError as error:
            refusal(document.name, error)
            return 1
        for lost in losses:
            also = f" (did you mean: {', '.join(lost.suggestions)}?)" if lost.suggestions else ""
            say(f"{lost.kind}: {lost.where or '(whole document)'}: {lost.what}: {lost.why}{also}")
        if out == "-":
            if run.to is Format.SR and sys.stdout.isatty():
                stop("a DICOM file is no text for a terminal: give -o FILE")
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            Path(out).write_bytes(content)
    return 0


def _many(run: _Run, found: Iterable[Document], total: int, out: str) -> int:
    """Many documents into a folder, with a progress bar and a summary; the number of those refused."""
    from rich.console import Console
    from rich.progress import Progress

    if out == "-":
        stop("many documents need a folder: give -o FOLDER")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    made = refused = 0
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("converting", total=total)
        for document in found:
            try:
                content, _ = run(document, source=True)
                (folder / f"{document.stem}{suffix(run.to, run.options)}").write_bytes(content)
                made += 1
            except LesionBridgeError as error:
                refusal(document.name, error)
                refused += 1
            progress.advance(bar)
    say(f"{made} converted, {refused} refused, {counted(len(run.losses), 'loss', 'losses')}; in {folder}")
    return refused
