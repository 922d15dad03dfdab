"""hypothesis strategies for documents that the coder takes: terms, units and numbers of the shipped tables."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from service.coding import Vocabulary, vocabulary
from service.coding.loading import MIDLINE_SITES, SIDED_SITES
from service.coding.rows import EvaluationRow
from service.domain.codes import Equivalence
from tests.strategies import Lexicon, documents


def codable_documents(most_lesions: int = 3) -> st.SearchStrategy[Any]:
    """Documents whose terms, units and numbers the shipped vocabulary takes."""
    return documents(codable(), most_lesions=most_lesions)


@cache
def codable() -> Lexicon:
    """The terms of the shipped tables, each in the forms that mean it alone."""
    known = vocabulary()
    rows = known.members
    named = {"negatives": "negative", "timePoint.type": "time-point-type"}
    names = [*rows, *named]
    evaluations = known.evaluations.values()
    return Lexicon(
        members={name: _terms_of(known, rows[named.get(name, name)].values) for name in names},
        place=_places(known),
        measurement=st.sampled_from(sorted(known.measurements)).flatmap(
            lambda key: st.tuples(
                st.just(key), st.sampled_from(known.measurements[key].units), _sizes(known.measurements[key].integer)
            )
        ),
        descriptors=_answers(known, [row for row in evaluations if "lesion" in row.levels]),
        report_descriptors=_answers(known, [row for row in evaluations if "report" in row.levels]),
        linked=True,
    )


def _terms_of(known: Vocabulary, values: frozenset[str] | None) -> st.SearchStrategy[Any]:
    """The concepts of a value set by key, and by a code where that code is theirs alone."""
    keys = sorted(known.concepts if values is None else values)
    return st.sampled_from([form for key in keys for form in (key, *_codes(known, key))])


def _codes(known: Vocabulary, key: str) -> list[dict[str, Any]]:
    codes = [
        coding.code
        for coding in known.concepts[key].codings
        if coding.equivalence is Equivalence.EXACT and not coding.part
    ]
    alone = [code for code in codes if len(known.by_code.get((code.system, code.code), ())) == 1]
    return [{"system": code.system, "code": code.code} for code in alone]


def _places(known: Vocabulary) -> st.SearchStrategy[Any]:
    """Finding, site and side; a side only where neither names one, and none in the midline."""
    sided = set(known.value_sets[MIDLINE_SITES]).union(*(known.value_sets[name] for name in SIDED_SITES.values()))
    sides = st.sampled_from(["left", "right", "bilateral"])
    sites = sorted(known.members["site"].values or ())
    either = [
        key for key in sites if key not in sided and not {"left", "right"} & set(known.concept(key).label.split())
    ]
    finding = _terms_of(known, frozenset({"brain-metastasis", "bone-metastasis"}))
    every = _terms_of(known, known.members["finding"].values)
    unsided = _terms_of(known, frozenset(either))
    return (
        # A left hip metastasis is not of the right femur, so no sided site stands beside every finding.
        st.fixed_dictionaries({"finding": every}, optional={"site": unsided})
        | st.fixed_dictionaries({"finding": finding, "site": _terms_of(known, frozenset(sites))})
        | st.fixed_dictionaries({"finding": finding, "site": unsided, "laterality": sides})
    )


def _sizes(integer: bool) -> st.SearchStrategy[Any]:
    numbers = st.integers(1, 80).map(str)
    return numbers if integer else numbers | st.integers(1, 8_000).map(lambda number: f"{number / 100:.2f}")


def _answers(known: Vocabulary, rows: list[EvaluationRow]) -> st.SearchStrategy[Any]:
    return st.sampled_from(sorted(rows, key=lambda row: row.key)).flatmap(
        lambda row: st.tuples(st.just(row.key), _terms_of(known, row.values))
    )
