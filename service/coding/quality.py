"""The quality gate of the tables: every row held, beyond what the loader asks before the service may start.

The loader (`service.coding.loading`) holds forms, check digits, equivalences, value sets and ambiguous words, and
refuses to start. Here are the checks that need more than the tables (DICOM's dictionary, a loaded release) or that a
report does not depend on (labels in other languages).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import Any, Final, Protocol

from service.coding.labels import STATUSES
from service.coding.loading import SIDED_SITES
from service.coding.lookup import Vocabulary
from service.coding.rows import Field
from service.coding.shapes import meaning_fault
from service.coding.side_words import LEFT, RIGHT
from service.coding.tables import LABELS, Defects, Line, read_csv, read_value_sets
from service.domain.codes import Concept
from service.domain.errors import Problem, TableError

DICOM: Final = "DCM"
SIDE_WORDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "de": {LEFT: ("link",), RIGHT: ("recht",)},
    "fr": {LEFT: ("gauche",), RIGHT: ("droit",)},
    "es": {LEFT: ("izquierd",), RIGHT: ("derech",)},
    "pl": {LEFT: ("lewo", "lewa", "lewe", "lewy"), RIGHT: ("prawo", "prawa", "prawe", "prawy")},
    "ja": {LEFT: ("左",), RIGHT: ("右",)},
}
"""How a word for a side begins in each language (Japanese: what it holds): a left site is left in all of them."""
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class Known(Protocol):
    """A concept of a release, as far as it is held against our rows."""

    @property
    def active(self) -> bool:
        """Whether it is in use."""


class Word(Protocol):
    """A designation of a release."""

    @property
    def term(self) -> str:
        """Its text."""


class System(Protocol):
    """A code system of a release."""

    @property
    def designator(self) -> str:
        """Its DICOM designator."""


class Release(Protocol):
    """Loaded releases, as `service.coding.releases.store.ReleaseStore` has them."""

    def systems(self) -> Sequence[System]:
        """The code systems that are loaded."""

    def lookup(self, system: str, code: str) -> Known | None:
        """The concept of a code."""

    def designations(self, system: str, code: str) -> Sequence[Word]:
        """All words for it."""


def defects(terminology: Traversable, mappings: Traversable, release: Release | None = None) -> tuple[Problem, ...]:
    """What is wrong with the tables, each defect at its file and line; ``release``: what the codes must be known in."""
    try:
        vocabulary = Vocabulary.load(terminology, mappings)
    except TableError as error:
        return error.problems
    found = Defects()
    codings = list(read_csv(terminology.joinpath("codings.csv"), found))
    words = list(read_csv(terminology.joinpath("designations.csv"), found))
    _check_dicom(codings, found)
    _check_spelled(words, vocabulary, found)
    _check_sets(terminology, found)
    for table in _tables(terminology):
        _check_labels(read_csv(table, found, columns=LABELS), table.name, vocabulary, found)
    if release is not None:
        _check_release(codings, release, found)
    return tuple(found.found)


def _tables(terminology: Traversable) -> list[Traversable]:
    """The files of labels in order of their languages."""
    folder = terminology.joinpath(LABELS)
    entries = list(folder.iterdir()) if folder.is_dir() else []
    return sorted((entry for entry in entries if entry.name.endswith(".csv")), key=lambda entry: entry.name)


def _check_dicom(codings: Iterable[Line], found: Defects) -> None:
    """A DCM code is one of the standard's, with a meaning that the standard gives it (PS3.16, by pydicom)."""
    from pydicom.sr import _concepts_dict  # 21 MB: only this gate asks for it

    meanings: dict[str, set[str]] = {}
    dictionary: Any = _concepts_dict.concepts
    for codes in dictionary[DICOM].values():
        for code, (meaning, _) in codes.items():
            meanings.setdefault(code, set()).add(meaning)
    for line in codings:
        concept, system, code, display, *_ = line.cells
        if system != DICOM:
            continue
        if code not in meanings:
            found.add(line.file, line.number, f"{concept}: DICOM has no code {code}")
        elif display not in meanings[code]:
            found.add(line.file, line.number, f"{concept}: {code} is {min(meanings[code])!r}, not {display!r}")


def _check_spelled(words: Iterable[Line], vocabulary: Vocabulary, found: Defects) -> None:
    """No two concepts of one field answer to one spelling: the loader compares words as written, this as looked up."""
    designations = vocabulary.designations
    fields: dict[str, Field] = {**vocabulary.members, **vocabulary.evaluations}
    named: dict[tuple[str, str], dict[str, Line]] = {}
    for line in words:
        concept, _, use, scope, term = line.cells
        if use != "abbreviation":
            named.setdefault((scope, designations.words.normal(term)), {}).setdefault(concept, line)
    for (scope, form), lines in named.items():
        for key, field in fields.items() if len(lines) > 1 else ():
            here = lines if field.values is None else {one: lines[one] for one in lines if one in field.values}
            applies = scope == key or (not scope and (key, form) not in named and field.values is not None)
            if applies and len(here) > 1:
                last = max(here.values(), key=lambda line: line.number)
                found.add(last.file, last.number, f"{form!r} names {' and '.join(sorted(here))} in the field {key}")
                break


def _check_sets(terminology: Traversable, found: Defects) -> None:
    """A site whose key names a side is in its side's value set, and its mirror image in the other."""
    sets = read_value_sets(terminology, found)
    sided = {side: {line.cells[0]: line for line in sets[name]} for side, name in SIDED_SITES.items()}
    for side, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        for key, line in sided[side].items():
            if side in key.split("-") and key.replace(f"{side}-", f"{other}-", 1) not in sided[other]:
                found.add(line.file, line.number, f"{key} has no counterpart on the {other}")
    for line in sets.get("sites", ()):
        key = line.cells[0]
        for side in SIDED_SITES:
            if side in key.split("-") and key not in sided[side]:
                found.add(line.file, line.number, f"{key} is not in {SIDED_SITES[side]}")


def _check_labels(lines: Iterable[Line], file: str, vocabulary: Vocabulary, found: Defects) -> None:
    """Labels of one language: of known concepts, once each, fit to be shown, no side and no number lost or turned."""
    sides = SIDE_WORDS.get(file.removesuffix(".csv"), {})
    keys: set[str] = set()
    said: dict[str, list[Line]] = {}
    for line in lines:
        key, label, status, source = line.cells
        concept = vocabulary.concepts.get(key)
        faults = [
            None if concept is not None else "no such concept",
            f"{key} is there twice" if key in keys else None,
            meaning_fault(label),
            None if status in STATUSES else f"status is one of {', '.join(STATUSES)}",
            None if source else "no source",
            *(_label_faults(concept, label, sides) if concept is not None else ()),
        ]
        keys.add(key)
        for fault in faults:
            if fault:
                found.add(line.file, line.number, f"{key}: {fault}")
        said.setdefault(label.casefold(), []).append(line)
    for same in said.values():
        for line in same[1:]:
            if _together(same[0].cells[0], line.cells[0], vocabulary):
                found.add(line.file, line.number, f"{line.cells[1]!r} is said of {same[0].cells[0]}, too")


def _label_faults(concept: Concept, label: str, sides: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """A label that says another side or number than the English one."""
    words = set(re.findall(r"[a-z]+", concept.label.lower()))
    lower = label.lower()
    said = re.findall(r"\w+", lower)
    for side, beginnings in sides.items():
        says = any(word.startswith(beginnings) for word in said) or any(
            not sign.isascii() and sign in lower for sign in beginnings
        )
        if says != (side in words):
            yield f"{label!r} {'says' if says else 'does not say'} {side}"
    missing = set(_NUMBER.findall(concept.label)) - set(_NUMBER.findall(label))
    if missing:
        yield f"{label!r} lacks {', '.join(sorted(missing))}"


def _together(one: str, other: str, vocabulary: Vocabulary) -> bool:
    """Whether two concepts may answer one field, so that a reader must be able to tell them apart."""
    return any({one, other} <= values for values in vocabulary.value_sets.values())


def _check_release(codings: Iterable[Line], release: Release, found: Defects) -> None:
    """A verified code is known and active in its loaded release, its display one of its words, or our own."""
    loaded = {system.designator for system in release.systems()}
    for line in codings:
        concept, system, code, display, _, _, status, _ = line.cells
        if system not in loaded or status != "verified":
            continue
        known = release.lookup(system, code)
        if known is None:
            found.add(line.file, line.number, f"{concept}: {system} {code} is not in the loaded release")
            continue
        if not known.active:
            found.add(line.file, line.number, f"{concept}: {system} {code} is retired")
        # SNOMED CT's words are licensed: beyond DICOM's subset the tables have our own (PS3.16 8.1.1).
        if system != "SCT":
            words = {word.term.casefold() for word in release.designations(system, code)}
            if display.casefold() not in words:
                found.add(line.file, line.number, f"{concept}: {display!r} is no word of {system} {code}")
