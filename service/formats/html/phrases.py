"""The language of a page: its headings and the words between the facts, and the labels of concepts that are drafts.

``phrases/<language>.csv`` has a line for each phrase of this room by its English words; ``{}`` is where a fact goes.
English needs no table: the words of the code are shown as they stand.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from service.coding import vocabulary
from service.coding.labels import labels, languages, primary, reworded
from service.domain.codes import CodedTerm
from service.domain.report import CodedReport
from service.formats.html.text import inline

COLUMNS: Final = ("english", "phrase", "status")
DRAFT: Final = "*"
"""What stands behind a label that nobody has reviewed."""
_NOTE: Final = "Headings and words with * are machine translations that nobody has reviewed; the English words hold:"
Say = Callable[[str], str]
"""A phrase in the language of the page, by its English words."""


def english(phrase: str) -> str:
    """The phrase as it stands."""
    return phrase


class Shown(NamedTuple):
    """A report as it is shown: terms in the page's language, the phrases around them, the drafts with their English.

    ``language`` is that of the headings and labels.
    """

    report: CodedReport
    say: Say
    language: str
    drafts: Mapping[str, str]


def shown(report: CodedReport, language: str = "") -> Shown:
    """The report in its own language or the one that is asked for, where this project speaks it; else in English.

    Free texts stay in the language that they were written in.
    """
    own = primary(language or report.language)
    if own == "en" or own not in languages():
        return Shown(report, english, "en", {})
    words, concepts = labels(own), vocabulary().concepts
    drafts: dict[str, str] = {}

    def show(term: CodedTerm) -> CodedTerm:
        label, concept = words.get(term.concept or ""), concepts.get(term.concept or "")
        # A text that is not the English label is a reviewed one already: the coder has put it there.
        if label is None or concept is None or term.text != concept.label:
            return term
        if label.verified:
            return replace(term, text=label.text)
        marked = label.text + DRAFT
        drafts[marked] = term.text
        return replace(term, text=marked)

    table = _phrases(own)
    return Shown(reworded(report, show), lambda phrase: table.get(phrase, phrase), own, drafts)


def note(page: Shown) -> str:
    """Which words are drafts and what they are in English; nothing for a page in English."""
    if page.language == "en":
        return ""
    pairs = "; ".join(f"{inline(label)} = {inline(words)}" for label, words in page.drafts.items())
    said = page.say(_NOTE)
    return f"{said} {pairs or '-'}" if said == _NOTE else f"{said} ({_NOTE}) {pairs or '-'}"


@cache
def _phrases(language: str) -> Mapping[str, str]:
    """The phrases of one language by their English words; none where there is no table."""
    table = files("service.formats.html").joinpath("phrases", f"{language}.csv")
    if not table.is_file():
        return {}
    return {line["english"]: line["phrase"] for line in csv.DictReader(io.StringIO(table.read_text(encoding="utf-8")))}
