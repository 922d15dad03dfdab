"""Words resolved in their field, by every kind of hit."""

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coding import Vocabulary, vocabulary
from service.coding.index import EVERYWHERE
from service.coding.resolve import ANYWHERE, resolve
from service.coding.rows import Field
from service.domain.codes import Resolution, Term
from service.domain.errors import AmbiguousTerm, UnknownTerm
from service.domain.loss import LossKind
from tests.unit.coding.small import load

WORDS = "terminology/designations.csv"
SPELLINGS = files("terminology").joinpath("spellings.csv")


def field_of(vocabulary: Vocabulary, key: str) -> Field:
    field = vocabulary.field(key)
    assert field is not None
    return field


@pytest.mark.parametrize(
    ("text", "field", "concept", "how"),
    [
        ("frontal-lobe", "site", "frontal-lobe", Resolution.KEY),
        ("frontal lobe", "site", "frontal-lobe", Resolution.EXACT),
        ("Frontal  LOBE", "site", "frontal-lobe", Resolution.EXACT),
        ("left", "laterality", "left", Resolution.EXACT),
        ("cerebral metastasis", "finding", "brain-metastasis", Resolution.SYNONYM),
        ("BM", "finding", "brain-metastasis", Resolution.SYNONYM),
        ("Cerebral-Metastases", "finding", "brain-metastasis", Resolution.VARIANT),
        ("secondary malignant tumor of brain", "finding", "brain-metastasis", Resolution.VARIANT),
        ("secondary malignant tumours of brain", "finding", "brain-metastasis", Resolution.VARIANT),
        ("hemorrhage", "finding", "haemorrhage", Resolution.VARIANT),
        ("haemorrhages", "finding", "haemorrhage", Resolution.VARIANT),
        ("gray white matter junctions", "topography", "junction", Resolution.VARIANT),
        ("grey-white matter junction", "topography", "junction", Resolution.EXACT),
        ("gray/white matter junction", "topography", "junction", Resolution.SYNONYM),
        ("Ewing lysis", "finding", "lytic", Resolution.VARIANT),
        ("hypointense", "t1-signal", "t1-hypointense", Resolution.SYNONYM),
        ("T1 hypointense", "t1-signal", "t1-hypointense", Resolution.EXACT),
        ("T1", "site", "t1-vertebra", Resolution.SYNONYM),
        ("T1", "technique", "t1-sequence", Resolution.SYNONYM),
    ],
)
def test_resolves_a_word_in_its_field(small: Vocabulary, text: str, field: str, concept: str, how: Resolution) -> None:
    found = resolve(small, Term(text), field_of(small, field))

    assert found.verdict is None
    assert found.term is not None
    assert (found.term.concept, found.term.resolution) == (concept, how)
    assert found.term.text == small.concept(concept).label
    assert found.term.said == ("" if text == found.term.text else text)


@pytest.mark.parametrize("text", ["bm", "Bm", "BMs", "B M"])
def test_an_abbreviation_is_only_known_as_it_is_written(small: Vocabulary, text: str) -> None:
    found = resolve(small, Term(text), field_of(small, "finding"))

    assert found.term is not None
    assert found.term.concept is None


def test_an_unknown_word_stays_as_text_and_is_flagged(small: Vocabulary) -> None:
    found = resolve(small, Term("watershed cluster"), field_of(small, "site"))

    assert found.term is not None
    assert (found.term.text, found.term.codes, found.term.resolution) == ("watershed cluster", (), Resolution.TEXT)
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (LossKind.UNCODED, "unknown-term")


def test_an_unknown_word_is_refused_where_the_field_must_be_coded(small: Vocabulary) -> None:
    found = resolve(small, Term("lhs"), field_of(small, "laterality"))

    assert found.term is None
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (UnknownTerm, "unknown-term")


def test_a_word_of_another_field_is_unknown_and_sent_there(small: Vocabulary) -> None:
    found = resolve(small, Term("left"), field_of(small, "site"))

    assert found.term is not None
    assert found.term.codes == ()
    assert found.verdict is not None
    assert found.verdict.why == "'left' (left) is no value of site; it belongs in laterality. Kept as text."


def test_a_word_of_two_concepts_is_ambiguous_and_names_them(small: Vocabulary) -> None:
    found = resolve(small, Term("T1"), ANYWHERE)

    assert found.term is None
    assert found.verdict is not None
    assert found.verdict.kind is AmbiguousTerm
    assert found.verdict.candidates == ("T1 vertebra", "T1-weighted sequence")


def test_spellings_that_meet_in_one_form_are_ambiguous_only_when_neither_is_written(tmp_path: Path) -> None:
    vocabulary = load(tmp_path, add={WORDS: "glioma,en,synonym,,wet tumour\nlytic,en,synonym,,wet-tumours\n"})
    finding = field_of(vocabulary, "finding")

    exact, variant = resolve(vocabulary, Term("Wet tumour"), finding), resolve(vocabulary, Term("wet tumor"), finding)

    assert exact.term is not None
    assert exact.term.concept == "glioma"
    assert variant.verdict is not None
    assert variant.verdict.kind is AmbiguousTerm


def test_a_word_of_the_field_comes_before_a_key_and_a_word_for_everywhere(tmp_path: Path) -> None:
    vocabulary = load(tmp_path, add={WORDS: "severe,en,synonym,edema-degree,mild\n"})

    found = resolve(vocabulary, Term("mild"), field_of(vocabulary, "edema-degree"))

    assert found.term is not None
    assert found.term.concept == "severe"


def test_what_is_known_is_looked_up_once_and_what_is_not_is_not_kept(small: Vocabulary) -> None:
    site = field_of(small, "site")

    first, second = resolve(small, Term("frontal lobe"), site), resolve(small, Term("frontal lobe"), site)
    resolve(small, Term("Jane Doe's lobe"), site)

    assert first is second
    assert not [key for key in small.cache if key[1] == "Jane Doe's lobe"]


def test_the_memory_of_terms_is_bounded(small: Vocabulary) -> None:
    site = field_of(small, "site")
    for blanks in range(5000):
        resolve(small, Term("frontal" + " " * blanks + "lobe"), site)

    assert len(small.cache) <= 4096


SHIPPED = [
    (term, field, concept)
    for field, terms in vocabulary().designations.terms.items()
    for term, concept in terms.items()
    if field == EVERYWHERE or vocabulary().field(field) is not None
]


def fields_for(field: str, concept: str) -> list[Field]:
    """The fields in which a designation must lead to its concept."""
    if field != EVERYWHERE:
        found = vocabulary().field(field)
        return [found] if found is not None else []
    rows: list[Field] = [*vocabulary().members.values(), *vocabulary().evaluations.values()]
    return [row for row in rows if row.values is not None and concept in row.values and row.key != "unit"]


def misled(written: str, field: str, concept: str, term: str) -> list[str]:
    """The fields in which a designation, so written, does not lead to its concept."""
    wrong = []
    for row in fields_for(field, concept):
        found = resolve(vocabulary(), Term(written), row)
        # A word of the field itself may give the term another meaning there.
        own = {key for key, _ in vocabulary().designations.as_spelled(term, row.key)}
        if found.term is None or found.term.concept not in {concept, *own}:
            wrong.append(f"{written!r} in {row.key} is {found.term.concept if found.term else found.verdict}")
    return wrong


def test_every_shipped_designation_leads_to_its_concept() -> None:
    assert [wrong for term, field, concept in SHIPPED for wrong in misled(term, field, concept, term)] == []


def is_abbreviation(term: str, field: str) -> bool:
    return term in vocabulary().designations.abbreviations.get(field, {})


WRITTEN = [item for item in SHIPPED if not is_abbreviation(item[0], item[1]) and item[1] != "unit"]


@pytest.mark.parametrize(
    "write",
    [
        str.upper,
        str.lower,
        lambda term: re.sub(r"(?<=\w) (?=\w)", "-", term),
        lambda term: re.sub(r"(?<=\w)-(?=\w)", " ", term),
        lambda term: term.replace("-", "\u2013"),
        lambda term: f"  {term.replace(' ', '   ')} ",
    ],
    ids=["capitals", "small letters", "hyphens for blanks", "blanks for hyphens", "dashes", "more blanks"],
)
def test_every_shipped_designation_may_be_written_otherwise(write: Callable[[str], str]) -> None:
    assert [wrong for term, field, concept in WRITTEN for wrong in misled(write(term), field, concept, term)] == []


@given(st.sampled_from(WRITTEN), st.randoms())
def test_any_mix_of_case_leads_to_the_concept(item: tuple[str, str, str], random: Random) -> None:
    term, field, concept = item
    written = "".join(random.choice((char.upper(), char.lower())) for char in term)

    assert misled(written, field, concept, term) == []


@pytest.mark.parametrize("direction", ["american", "british"])
def test_every_shipped_designation_may_be_spelled_both_ways(direction: str) -> None:
    pairs = [line.split(",")[:2] for line in SPELLINGS.read_text(encoding="utf-8").splitlines()[1:]]
    other = dict(pairs) if direction == "american" else {american: british for british, american in pairs}

    def respelled(term: str) -> str:
        return re.sub(r"[a-z]+", lambda word: other.get(word[0], word[0]), term)

    changed = [item for item in WRITTEN if respelled(item[0]) != item[0]]
    assert len(changed) > 10
    assert [wrong for term, field, concept in changed for wrong in misled(respelled(term), field, concept, term)] == []
