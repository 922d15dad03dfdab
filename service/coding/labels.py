"""What a concept is called in other languages than English, and a coded report said in one of them.

``terminology/labels/<language>.csv`` holds the project's labels. A draft was translated by a machine and reviewed by
nobody: it may be shown to people beside the English one, marked; it is never a term's text, since that leaves in FHIR
and SR, and it is no word to look a concept up by. The look-up's tables know nothing of this module.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from service.coding.lookup import Vocabulary
from service.coding.tables import LABELS
from service.domain.codes import CodedTerm
from service.domain.report import CodedReport

VERIFIED: Final = "verified"
STATUSES: Final = (VERIFIED, "draft")
Say = Callable[[CodedTerm], CodedTerm]
_NONE: Final[Mapping[str, "Label"]] = MappingProxyType({})


class Label(NamedTuple):
    """A concept's name in one language; ``verified``: a person who reads that language has reviewed it."""

    text: str
    verified: bool


def primary(language: str) -> str:
    """The primary subtag of a language tag in lower case (RFC 5646, 2.2.1): ``de`` of ``de-CH``."""
    return language.partition("-")[0].lower()


@cache
def languages() -> tuple[str, ...]:
    """The languages that the project has labels in, as the tags of their files."""
    folder = files("terminology").joinpath(LABELS)
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(name.removesuffix(".csv") for name in names if name.endswith(".csv")))


def labels(language: str) -> Mapping[str, Label]:
    """The labels of the language that a tag names, by concept; its region and script are passed over."""
    own = primary(language)
    return _table(own) if own in languages() else _NONE


@cache
def _table(language: str) -> Mapping[str, Label]:
    """One file; read when the first report of its language is shown."""
    text = files("terminology").joinpath(LABELS, f"{language}.csv").read_text(encoding="utf-8")
    lines = csv.DictReader(io.StringIO(text), strict=True)
    made = {line["concept"]: Label(line["label"], line["status"] == VERIFIED) for line in lines}
    return MappingProxyType(made)


def reviewed(vocabulary: Vocabulary, language: str) -> Mapping[str, str]:
    """The labels that may be a term's text in a language, by concept: the project's verified ones, over them a site's.

    A site's are found under the tag as written, then under its primary subtag.
    """
    own = {key: label.text for key, label in labels(language).items() if label.verified}
    official = vocabulary.official
    return own | dict(official.get(primary(language), {})) | dict(official.get(language, {}))


def in_language(report: CodedReport, vocabulary: Vocabulary) -> CodedReport:
    """The report with the reviewed labels of its language as the texts of its terms; codes and displays stay."""
    words = reviewed(vocabulary, report.language)
    if not words:
        return report

    def say(term: CodedTerm) -> CodedTerm:
        if term.concept is None or term.concept not in words:
            return term
        return replace(term, text=words[term.concept], said=term.said or term.text)

    return reworded(report, say)


def reworded(report: CodedReport, say: Say) -> CodedReport:
    """The report with each of its coded terms said anew."""
    made: CodedReport = _reworded(report, say)
    return made


def _reworded(value: Any, say: Say) -> Any:
    """A part of a report said anew; itself where no term is in it. Points and numbers are not looked into."""
    if isinstance(value, CodedTerm):
        return say(value)
    if type(value) is tuple:
        made = tuple([_reworded(item, say) for item in value]) if value and is_dataclass(value[0]) else value
        return value if all(new is old for new, old in zip(made, value, strict=True)) else made
    if not is_dataclass(value) or isinstance(value, type):
        return value
    parts = [(field.name, getattr(value, field.name)) for field in fields(value)]
    changed = {name: new for name, old in parts if (new := _reworded(old, say)) is not old}
    return replace(value, **changed) if changed else value
