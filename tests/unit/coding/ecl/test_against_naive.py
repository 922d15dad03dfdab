"""Whatever release and expression are generated: the evaluator and the definitions select the same concepts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from service.coding.ecl import EclLimits, Evaluator, parse
from service.coding.ecl.relations import Relation
from tests.unit.coding.ecl.naive import SmallRelease, selects

CODES = tuple(str(100_000 + number) for number in range(9))
OPERATORS = ("<", "<<", "<!", "<<!", ">", ">>", ">!", ">>!")
codes = st.sampled_from(CODES)


@st.composite
def releases(draw: st.DrawFn) -> SmallRelease:
    """A concept's parents come before it, so there is no cycle; any concept may be a type, a value or a set."""
    above = {
        code: draw(st.frozensets(st.sampled_from(CODES[:place]), max_size=2)) if place else frozenset()
        for place, code in enumerate(CODES)
    }
    relation = st.builds(Relation, st.sampled_from(CODES[5:]), codes, st.integers(0, 2))
    related = draw(st.dictionaries(codes, st.lists(relation, max_size=4).map(tuple), max_size=6))
    refsets = draw(st.dictionaries(codes, st.frozensets(codes, max_size=4), max_size=3))
    return SmallRelease(above, related, refsets)


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part)


focus = st.one_of(codes, codes.map(lambda code: f"{code} |a term|"), st.just("*"))
simple = st.one_of(focus, st.builds(_spaced, st.sampled_from(OPERATORS), focus), st.builds("^ {}".format, codes))
cardinalities = st.sampled_from(("", "", "[0..0]", "[0..1]", "[1..1]", "[2..*]", "[0..*]"))


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=3)
    comparison = st.sampled_from(("=", "!="))
    bare = st.builds(_spaced, cardinalities, inner, comparison, inner)
    attribute = st.one_of(bare, st.builds(_spaced, cardinalities, st.just("R"), inner, comparison, inner))
    joined = st.one_of(bare, st.lists(bare, min_size=2, max_size=2).map(", ".join))
    group = st.builds("{} {{ {} }}".format, cardinalities, joined)
    part = st.one_of(attribute, group)
    refinement = st.one_of(
        part,
        st.lists(part, min_size=2, max_size=2).map(", ".join),
        st.lists(part, min_size=2, max_size=2).map(" OR ".join),
        st.builds("({} AND {}), {}".format, bare, bare, part),
    )
    return st.one_of(
        several.map(lambda parts: f"({' AND '.join(parts)})"),
        several.map(lambda parts: f"({' or '.join(parts)})"),
        st.builds("({} MINUS {})".format, inner, inner),
        st.builds("{} ({} OR {})".format, st.sampled_from(OPERATORS), inner, inner),
        st.builds("^ ({} OR {})".format, codes, codes),
        st.builds("({} . {})".format, inner, inner),
        st.builds("({} : {})".format, inner, refinement),
    )


expressions = st.recursive(simple, _compound, max_leaves=8)


@settings(max_examples=400, deadline=None)
@given(releases(), expressions)
def test_selects_what_the_definitions_select(release: SmallRelease, text: str) -> None:
    expression = parse(text)

    selected = Evaluator(release, EclLimits(concepts=10**9)).select(expression)

    assert selected == {code for code in CODES if selects(release, expression, code)}, text


@settings(max_examples=200, deadline=None)
@given(releases(), expressions, codes)
def test_one_concept_is_judged_as_the_whole_set_is(release: SmallRelease, text: str, code: str) -> None:
    expression = parse(text)

    contains = Evaluator(release, EclLimits(concepts=10**9)).contains(expression, code)

    assert contains is selects(release, expression, code), text
