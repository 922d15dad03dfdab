"""The reference vocabulary as the tests expect it in our tables: what its files say, and where we deviate on purpose.

``deviations.csv`` holds each code of the reference that is no plain ``verified``, ``near-broader`` ... of its term: the
reference says that a code exists with its display, we say what it means for the concept (a code for the lumbar spine is
narrower than "disc protrusion"). ``own_concepts.csv`` holds synonyms that say more than their term.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
DESIGNATORS: Final = {"ICD10CM": "I10C"}
"""Designators of the reference that DICOM spells otherwise (PS3.16 table 8-1)."""
UNREGISTERED: Final = "OIFM"
"""A system without a registered designator or URI: known, but never written."""
_EQUIVALENCE: Final = {
    "verified": ("exact", "verified"),
    "near-broader": ("broader", "verified"),
    "near-narrower": ("narrower", "verified"),
    "near-related": ("related", "verified"),
    "near-related(DOID xref only: active status unconfirmed)": ("related", "verified"),
    "near-weak(one non-authoritative source)": ("related", "draft"),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What one code of a term should be: ``part`` counts from 1 where codes mean the concept only together."""

    system: str
    code: str
    equivalence: str
    part: int
    status: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the reference with the codes its concept should have."""

    group: str
    term: str
    synonyms: tuple[str, ...]
    codes: tuple[Expected, ...]

    def whole(self, equivalence: str) -> tuple[Expected, ...]:
        """The verified codes of one equivalence that stand alone."""
        return tuple(
            code
            for code in self.codes
            if code.equivalence == equivalence and not code.part and code.status == "verified"
        )


def _csv(path: Path, *, tabs: bool = False) -> list[dict[str, str]]:
    """The lines of a table by column."""
    with path.open(encoding="utf-8", newline="") as file:
        if tabs:
            return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return list(csv.DictReader(file))


def deviations() -> dict[tuple[str, str], Expected]:
    """Where our tables say other than the reference, by term and code."""
    made = {}
    for line in _csv(HERE / "deviations.csv"):
        system, _, code = line["code"].partition("#")
        made[line["term"], line["code"]] = Expected(
            DESIGNATORS.get(system, system), code, line["equivalence"], int(line["part"] or 0), line["status"]
        )
    return made


def own_concepts() -> dict[str, str]:
    """Synonyms of the reference that are concepts of their own here, by synonym."""
    return {line["synonym"]: line["concept"] for line in _csv(HERE / "own_concepts.csv")}


def rows(reference: Path) -> list[Row]:
    """Every row of the reference."""
    status: dict[str, dict[str, str]] = {}
    for line in _csv(reference / "data" / "code_status.tsv", tabs=True):
        status.setdefault(line["term"], {})[line["code"]] = line["status"]
    changed = deviations()
    return [
        Row(
            line["group"],
            line["term"],
            tuple(filter(None, line["synonyms"].split("|"))),
            tuple(_codes(line["term"], status.get(line["term"], {}), changed)),
        )
        for line in _csv(reference / "seed_concepts.tsv", tabs=True)
    ]


def _codes(term: str, status: dict[str, str], changed: dict[tuple[str, str], Expected]) -> Iterator[Expected]:
    """The codes of one term; units are no codes of a concept, the degrees of edema are concepts of their own."""
    if term == "oedema severity":
        return
    for name, said in status.items():
        system, _, code = name.partition("#")
        if system == "UCUM":
            continue
        if (term, name) in changed:
            yield changed[term, name]
            continue
        equivalence, state = _EQUIVALENCE[said]
        state = "draft" if system == UNREGISTERED else state
        yield Expected(DESIGNATORS.get(system, system), code, equivalence, 0, state)
    for (other, name), expected in changed.items():
        if other == term and name not in status:
            yield expected
