"""`lesionbridge check`: is an input right, and do its outputs say the same?"""

from pathlib import Path
from typing import Any

import click

from service.commands.answering import answer, answering
from service.commands.inputs import Document, documents, mapping_text
from service.commands.speaking import REFUSED, counted, received, refusal, say, settings, site
from service.commands.writing import BUNDLE, DIALECT, LANGUAGE, PROFILE
from service.domain.errors import LesionBridgeError, Problem
from service.doors import READERS, detect
from service.pipeline import CHECKED, IODS, Format, Options, Outcome, Source, convert, held

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--from", "from_", type=click.Choice([str(form) for form in READERS]), help="Found out when absent.")
@click.option("--sr", type=EXISTING, help="Hold this SR to FILE instead of one written now.")
@click.option("--fhir", type=EXISTING, help="Hold this FHIR bundle to FILE instead of one written now.")
@click.option("--mapping", type=EXISTING, help="The mapping file of a table: which column is what.")
@DIALECT
@BUNDLE
@PROFILE
@LANGUAGE
@click.option("--iod", type=click.Choice(IODS), help="Of the SR; by need when absent.")
@answering
def command(
    files: tuple[str, ...], from_: str | None, sr: Path | None, fhir: Path | None, mapping: Path | None, **writing: Any
) -> None:
    """Read FILE, write it as SR and FHIR, read both back, compare. Exit 0: all say the same; 2: not, and where."""
    here, options = settings(), Options(**writing)
    overlays = site(here)
    text = mapping_text(mapping)
    failed = False
    for document in (one for path in files for one in documents(path, here.limits.body_bytes)):
        if isinstance(document.received, LesionBridgeError):
            refusal(document.name, document.received)
            failed = True
            continue
        source = received(document.body, _form(document, from_), here, overlays, text)
        failed |= not _holds(document, source, options, (sr, fhir))
    raise SystemExit(REFUSED if failed else 0)


def _form(document: Document, named: str | None) -> Format:
    return Format(named) if named else detect(document.body)


def _holds(document: Document, source: Source, options: Options, given: tuple[Path | None, Path | None]) -> bool:
    """Whether a document is right, with all that is to say about it on standard error."""
    try:
        made = convert(source, (Format.SR, Format.FHIR_R4), options)
    except LesionBridgeError as error:
        refusal(document.name, error)
        return False
    for lost in made.losses:
        say(f"{document.name}: {lost.kind}: {lost.where or '(whole document)'}: {lost.what}: {lost.why}")
    problems = _compare(made, given)
    for problem in problems:
        say(f"{document.name}: {problem.pointer or '(whole output)'}: {problem.detail} [{problem.rule}]")
    if not problems:
        answer(f"{document.name}: {counted(len(made.report.lesions), 'lesion')}, {CHECKED}")
    return not problems


def _compare(made: Outcome, given: tuple[Path | None, Path | None]) -> tuple[Problem, ...]:
    if given == (None, None):
        document = made.outputs[Format.SR]
        return held(made.report, document.content, made.outputs[Format.FHIR_R4].content, document.losses)
    sr, fhir = (path.read_bytes() if path is not None else None for path in given)
    return held(made.report, sr, fhir)
