"""Every concept of the reference vocabulary: found by its words, coded as the reference says, sayable in a field.

What is expected comes from the reference files (and the reasoned list of deviations), never from the tables under test.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.resolve import hits, resolve
from service.domain.codes import Term
from tests.tables.groups import FIELDS, MEASURED, NAMED, STRUCTURE, SUPPLIED
from tests.tables.reference import Row, deviations, own_concepts, rows

CONCEPTS = 680


@pytest.fixture
def reference_rows(reference: Path) -> list[Row]:
    """The rows of the reference, all of them."""
    found = rows(reference)
    assert len(found) == CONCEPTS
    return found


@pytest.fixture(scope="module")
def shipped() -> Vocabulary:
    """The shipped tables."""
    return vocabulary()


def concept_of(row: Row, shipped: Vocabulary) -> str | None:
    """The concept that a sender reaches with the term of a row, in the field where it belongs."""
    if row.term in MEASURED:
        return shipped.measurements[MEASURED[row.term]].concept
    if row.term in NAMED:
        field = shipped.field(NAMED[row.term])
        return field.concept if field is not None else None
    if row.term in STRUCTURE:
        return STRUCTURE[row.term]
    found = places(row, row.term, shipped)
    return found[0][1] if found else None


def places(row: Row, word: str, shipped: Vocabulary) -> list[tuple[str, str]]:
    """The fields that take the word, each with the one concept that it names there."""
    made: list[tuple[str, str]] = []
    for name in FIELDS[row.group]:
        field = shipped.field(name)
        assert field is not None, f"no row {name}"
        found = hits(shipped, word, field)
        assert len(found) < 2, f"{word!r} is ambiguous in {name}: {found}"
        made.extend((name, key) for key, _ in found)
    return made


def test_every_group_of_the_reference_has_a_field(reference_rows: list[Row], shipped: Vocabulary) -> None:
    assert {row.group for row in reference_rows} == set(FIELDS)
    for names in FIELDS.values():
        assert all(shipped.field(name) is not None for name in names)


def test_every_term_of_the_reference_is_found_in_a_field(reference_rows: list[Row], shipped: Vocabulary) -> None:
    lost = [row.term for row in reference_rows if concept_of(row, shipped) is None]
    assert not lost


def test_different_terms_of_the_reference_are_different_concepts(
    reference_rows: list[Row], shipped: Vocabulary
) -> None:
    seen: dict[str, str] = {}
    for row in reference_rows:
        key = concept_of(row, shipped) or ""
        assert seen.setdefault(key, row.term) == row.term
    assert len(seen) == len({row.term for row in reference_rows})


def test_every_synonym_of_the_reference_is_found_and_means_its_term(
    reference_rows: list[Row], shipped: Vocabulary
) -> None:
    own = own_concepts()
    wrong = []
    for row in reference_rows:
        for word in row.synonyms:
            wanted = own.get(word) or concept_of(row, shipped)
            if wanted not in set(_named(row, word, shipped)):
                wrong.append((row.term, word, wanted))
    assert not wrong


def _named(row: Row, word: str, shipped: Vocabulary) -> Iterator[str]:
    """The concepts that the word names where the row is said: as an answer, a number or a field."""
    yield from (key for _, key in places(row, word, shipped))
    for table in ("measurements", "evaluations"):
        for name in shipped.names(table).find(word)[0]:
            yield (shipped.measurements if table == "measurements" else shipped.evaluations)[name].concept
    if row.term in STRUCTURE and word.casefold() in _designations(STRUCTURE[row.term], shipped):
        yield STRUCTURE[row.term]


def _designations(key: str, shipped: Vocabulary) -> set[str]:
    """The words of a concept everywhere."""
    return {term.casefold() for term, concept in shipped.designations.terms[""].items() if concept == key}


def test_every_code_of_the_reference_stands_with_its_equivalence(
    reference_rows: list[Row], shipped: Vocabulary
) -> None:
    wrong: list[tuple[object, ...]] = []
    for row in reference_rows:
        concept = shipped.concepts[concept_of(row, shipped) or ""]
        ours = {
            (coding.code.system, coding.code.code): (
                coding.equivalence.value,
                coding.part,
                "verified" if coding.verified else "draft",
            )
            for coding in concept.codings
        }
        wanted = {(code.system, code.code): (code.equivalence, code.part, code.status) for code in row.codes}
        wrong.extend(
            (row.term, code, ours.get(code), wanted.get(code))
            for code in ours.keys() | wanted.keys()
            if ours.get(code) != wanted.get(code)
        )
    assert not wrong


def test_only_verified_exact_codes_are_written_and_a_broader_one_only_without_them(
    reference_rows: list[Row], shipped: Vocabulary
) -> None:
    for row in reference_rows:
        concept = shipped.concepts[concept_of(row, shipped) or ""]
        exact, broader = row.whole("exact"), row.whole("broader")
        written = {(code.system, code.code) for code in concept.codes}
        assert written <= {(code.system, code.code) for code in exact}, row.term
        assert {system for system, _ in written} == {code.system for code in exact}, row.term
        if concept.broader is not None:
            assert not exact, row.term
            assert (concept.broader.system, concept.broader.code) in {(code.system, code.code) for code in broader}
        else:
            assert exact or not broader, row.term


def test_a_term_of_the_reference_without_a_code_has_no_coding(reference_rows: list[Row], shipped: Vocabulary) -> None:
    without = [row for row in reference_rows if not row.codes and row.term != "oedema severity"]
    assert len(without) == 31
    assert all(not shipped.concepts[concept_of(row, shipped) or ""].codings for row in without)


def test_the_reference_finds_no_fault_in_our_codings(reference: Path, tmp_path: Path) -> None:
    # It knows ICD-10-CM by another designator: under ours it would look at none of those rows.
    ours = (Path(__file__).parents[2] / "terminology" / "codings.csv").read_text(encoding="utf-8")
    (tmp_path / "codings.csv").write_text(ours.replace(",I10C,", ",ICD10CM,"), encoding="utf-8")
    judged = subprocess.run(
        [sys.executable, reference / "check-terms", tmp_path], capture_output=True, text=True, check=False
    )
    assert "FAIL" not in judged.stdout
    assert judged.returncode == 0, judged.stderr


def test_every_deviation_from_the_reference_is_of_a_code_it_has(reference_rows: list[Row], reference: Path) -> None:
    terms = {row.term for row in reference_rows}
    assert {term for term, _ in deviations()} <= terms
    assert set(own_concepts()) <= {word for row in reference_rows for word in row.synonyms}
    assert all(concept in vocabulary().concepts for concept in own_concepts().values())


@pytest.mark.parametrize("field", ["t1", "flair", "stir"])
@pytest.mark.parametrize(
    ("said", "intensity"), [("hypointense", "RID35804"), ("dark", "RID35804"), ("isointense", "RID6053"),
                            ("hyperintense", "RID35805"), ("high signal", "RID35805")]
)  # fmt: skip
def test_signal_on_a_sequence_is_its_code_beside_that_of_the_intensity(
    shipped: Vocabulary, field: str, said: str, intensity: str
) -> None:
    row = shipped.evaluations[field]
    made = resolve(shipped, Term(said), row).term

    assert [code.code for code in shipped.name(row.concept).codes if code.system == "RADLEX"] == [
        SUPPLIED[field].partition("#")[2]
    ]
    assert made is not None
    assert [code.code for code in made.codes] == [intensity]


def test_no_side_is_in_a_code_that_is_written_for_a_concept_without_a_side(shipped: Vocabulary) -> None:
    for concept in shipped.concepts.values():
        for code in (*concept.codes, *((concept.broader,) if concept.broader else ())):
            said = {word for word in code.display.lower().replace(",", " ").split() if word in ("left", "right")}
            assert said <= set(concept.label.lower().split()), concept.key


def test_no_code_of_the_brain_is_written_for_a_concept_that_does_not_name_it(shipped: Vocabulary) -> None:
    # A hemorrhagic metastasis may lie in a kidney or a bone.
    for concept in shipped.concepts.values():
        codes = {
            (code.system, code.code) for code in (*concept.codes, *((concept.broader,) if concept.broader else ()))
        }
        if ("SCT", "94225005") in codes:
            assert "brain" in concept.label, concept.key
