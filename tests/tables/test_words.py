"""Words of our own, each held to what a reviewer read it as: ``words.csv`` is that list, beside the tables.

The words of the reference are held to the reference; what the tables add to them nothing else would contradict, were
"lt" to become the right side.
"""

import csv
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.naming import EVALUATIONS, MEASUREMENTS
from service.coding.resolve import ANYWHERE, resolve
from service.coding.rows import Field
from service.domain.codes import Term
from tests.tables import test_tables as tables
from tests.tables.reference import rows

Word = tuple[str, str, str]
"""Field (or table of names), what the word means there, the word."""
NAMES = (EVALUATIONS, MEASUREMENTS)
UNIT = "unit"


def reviewed() -> list[Word]:
    """The list, a word a line."""
    with (Path(__file__).parent / "words.csv").open(encoding="utf-8", newline="") as file:
        return [
            (line["field"], line["means"], word) for line in csv.DictReader(file) for word in line["words"].split("|")
        ]


def shipped_words() -> Iterator[Word]:
    """Every synonym of the tables in American English, and every name of a row."""
    labels = {
        line["concept"]: line["term"]
        for line in tables.DESIGNATIONS
        if line["use"] == "preferred" and line["language"] == "en"
    }
    for line in tables.DESIGNATIONS:
        if line["use"] != "preferred" and line["language"] == "en":
            yield line["field"], labels[line["concept"]], line["term"]
    for table, written in ((EVALUATIONS, tables.EVALUATIONS), (MEASUREMENTS, tables.MEASUREMENTS)):
        for key, row in written.items():
            for name in (*row["names"], *row.get("derived", {})):
                yield table, key, name


def meant(shipped: Vocabulary, field: str, word: str) -> str | None:
    """The label of the one concept, or the key of the row, that a sender reaches with the word."""
    if field in NAMES:
        found, _ = shipped.names(field).find(word)
        return found[0] if len(found) == 1 else None
    if field == UNIT:
        key = shipped.units.find(word)
        return shipped.concepts[key].label if key is not None else None
    row: Field | None = shipped.field(field) if field else ANYWHERE
    assert row is not None, field
    term = resolve(shipped, Term(word), row).term
    return shipped.concepts[term.concept].label if term is not None and term.concept is not None else None


def test_every_word_of_our_own_means_what_was_reviewed() -> None:
    shipped = vocabulary()
    words = reviewed()

    assert len(words) > 900
    assert not [(word, found) for word in words if (found := meant(shipped, word[0], word[2])) != word[1]]


def test_every_word_of_our_own_was_reviewed(reference: Path) -> None:
    told = {word.casefold() for row in rows(reference) for word in (row.term, *row.synonyms)}
    ours = {word for word in shipped_words() if word[0] != "language" and (word[0] or word[2].casefold() not in told)}

    assert ours - set(reviewed()) == set()


@pytest.mark.parametrize("letter", ["L", "l", "lt", "LT", "left", "left-sided", "Left side"])
def test_left_is_left_however_it_is_written(letter: str) -> None:
    assert meant(vocabulary(), "laterality", letter) == "left"


@pytest.mark.parametrize("letter", ["R", "r", "rt", "RT", "right", "right-sided", "Right side"])
def test_right_is_right_however_it_is_written(letter: str) -> None:
    assert meant(vocabulary(), "laterality", letter) == "right"


def levels() -> Iterator[tuple[str, str]]:
    """Each vertebra and disc level in its short forms, with its label, counted out."""
    parts = (("C", 7), ("T", 12), ("L", 5), ("S", 5))
    spine = [f"{part}{number}" for part, most in parts for number in range(1, most + 1)]
    for level in spine:
        for form in (level, f"{level[0]} {level[1:]}", f"{level[0]}-{level[1:]}", f"{level[0].lower()} {level[1:]}"):
            yield form, f"{level} vertebra"
        if level.startswith("T"):
            yield f"Th{level[1:]}", f"{level} vertebra"
        if level != "C1" and not level.startswith("S"):
            yield f"{level} vertebral body", f"{level} vertebral body"
    for upper, lower in pairwise(spine[1:]):
        if not upper.startswith("S"):
            for form in (f"{upper}/{lower}", f"{upper}-{lower}", f"{upper}-{lower} disc"):
                yield form, f"{upper}/{lower} disc level"
            if upper[0] == lower[0]:
                yield f"{upper}-{lower[1:]}", f"{upper}/{lower} disc level"


@pytest.mark.parametrize(("said", "label"), list(levels()))
def test_a_level_of_the_spine_is_that_level(said: str, label: str) -> None:
    assert meant(vocabulary(), "site", said) == label


@pytest.mark.parametrize(
    ("name", "answer"),
    [("diffusion", "low"), ("diffusion", "high"), ("DWI", "low"), ("DWI", "high")],
)
def test_low_diffusion_is_no_low_signal(name: str, answer: str) -> None:
    # Low diffusion is bright on diffusion-weighted images: who says neither leaves open which is meant.
    assert vocabulary().names(EVALUATIONS).find(name)[0] == ("dwi",)
    assert meant(vocabulary(), "dwi", answer) is None


@pytest.mark.parametrize("name", ["herniation", "tracer uptake", "DWI/ADC"])
def test_no_field_answers_to_a_name_that_says_less_or_other(name: str) -> None:
    # "herniation: none" denies no mass effect, uptake of a tracer is not that of a bone scan.
    assert vocabulary().names(EVALUATIONS).find(name)[0] == ()


@pytest.mark.parametrize("key", [key for key, row in tables.MEASUREMENTS.items() if row.get("derived")])
def test_a_name_with_a_derivation_says_that_one(key: str) -> None:
    for name, derivation in tables.MEASUREMENTS[key]["derived"].items():
        said = {word for word in ("max", "mean", "min", "peak") if word in name.lower()}
        assert len(said) == 1, name
        assert derivation.startswith(said.pop()), name


@pytest.mark.parametrize(
    ("number", "word"), [("1st", "first"), ("5th", "fifth"), ("10th", "tenth"), ("12th", "twelfth")]
)
def test_a_number_of_a_vertebra_is_its_word(number: str, word: str) -> None:
    part = "lumbar" if number == "5th" else "thoracic"
    assert meant(vocabulary(), "site", f"{number} {part} vertebra") == meant(
        vocabulary(), "site", f"{word} {part} vertebra"
    )
    assert meant(vocabulary(), "site", f"{number} {part} vertebra") is not None
