"""Limits, unknown and retired concepts, and what the definitions leave open."""

from __future__ import annotations

import pytest

from service.coding.ecl import EclLimits, Evaluator, Relation, parse
from service.domain.errors import Invalid
from tests.unit.coding.ecl.naive import SmallRelease

ROOT, LEFT, RIGHT, LEAF, SITE, OLD = "138875005", "200001", "200002", "200003", "363698007", "200009"


@pytest.fixture
def release() -> SmallRelease:
    above = {ROOT: (), LEFT: (ROOT,), RIGHT: (ROOT,), LEAF: (LEFT, RIGHT), SITE: (ROOT,)}
    return SmallRelease(
        {code: frozenset(parents) for code, parents in above.items()},
        {LEAF: (Relation(SITE, LEFT, 1), Relation(SITE, LEFT, 2), Relation(SITE, RIGHT, 0))},
        {SITE: frozenset({LEAF, LEFT})},
        frozenset({OLD}),
    )


def test_what_would_look_at_everything_is_too_costly(release: SmallRelease) -> None:
    with pytest.raises(Invalid) as raised:
        Evaluator(release, EclLimits(concepts=4)).select(parse("*"))
    assert raised.value.problems[0].rule == "too-costly"
    assert "narrow the expression" in raised.value.problems[0].detail


@pytest.mark.parametrize("text", ["<< 138875005", "* MINUS 200001", "*: 363698007 = *", "< *"])
def test_a_walk_is_stopped_at_the_limit(release: SmallRelease, text: str) -> None:
    with pytest.raises(Invalid) as raised:
        Evaluator(release, EclLimits(concepts=3)).select(parse(text))
    assert raised.value.problems[0].rule == "too-costly"


def test_a_wildcard_that_is_narrowed_costs_nothing(release: SmallRelease) -> None:
    assert Evaluator(release, EclLimits(concepts=2)).select(parse("* AND < 200001")) == {LEAF}


def test_one_concept_is_judged_without_selecting_the_others(release: SmallRelease) -> None:
    evaluator = Evaluator(release, EclLimits(concepts=1))
    assert evaluator.contains(parse("<< 138875005"), LEAF)
    assert not evaluator.contains(parse("<! 138875005"), LEAF)


@pytest.mark.parametrize("text", ["<< 999999", "200001 OR 999999", "*: 999999 = *", "200001: 363698007 = 999999"])
def test_refuses_a_concept_that_the_release_has_not(release: SmallRelease, text: str) -> None:
    for ask in (Evaluator(release).select, lambda e: Evaluator(release).contains(e, LEFT)):
        with pytest.raises(Invalid, match="999999 is no concept") as raised:
            ask(parse(text))
        assert raised.value.problems[0].rule == "code-invalid"


def test_a_retired_concept_selects_nothing_and_is_named(release: SmallRelease) -> None:
    evaluator = Evaluator(release)
    assert evaluator.select(parse("200009 OR 200001")) == {LEFT}
    assert list(evaluator.retired) == [OLD]
    assert not evaluator.contains(parse("*"), OLD)


def test_the_same_value_in_two_groups_counts_once(release: SmallRelease) -> None:
    assert Evaluator(release).select(parse("*: [2..2] 363698007 = *")) == {LEAF}


def test_what_stands_in_no_group_is_a_group_by_itself(release: SmallRelease) -> None:
    assert Evaluator(release).select(parse("*: {363698007 = 200002}")) == {LEAF}
    assert Evaluator(release).select(parse("*: {363698007 = 200001, 363698007 = 200002}")) == frozenset()


@pytest.mark.parametrize("text", ["^ *", "*: {R 363698007 = *}"])
def test_what_is_not_evaluated_is_refused_by_name(release: SmallRelease, text: str) -> None:
    with pytest.raises(Invalid) as raised:
        Evaluator(release).select(parse(text))
    assert raised.value.problems[0].rule == "not-supported"
