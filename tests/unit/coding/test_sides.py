"""Sides: no swapped one may pass."""

from typing import Any

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.coder import code_report
from service.coding.loading import SETS, SIDED_SITES
from service.domain.codes import Term
from service.domain.errors import Contradiction
from tests.unit.coding.reports import code, make_lesion, make_report


def refused(tables: Vocabulary, **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Contradiction) as caught:
        code_report(make_report(make_lesion(**changes)), tables)
    return [(problem.rule, problem.pointer) for problem in caught.value.problems]


def passes(tables: Vocabulary, **changes: Any) -> bool:
    return code_report(make_report(make_lesion(**changes)), tables).lesions[0].laterality is not None


@pytest.mark.parametrize("side", ["left", "right", "bilateral", "unilateral"])
def test_refuses_laterality_on_a_midline_site(small: Vocabulary, side: str) -> None:
    assert refused(small, site="corpus callosum", laterality=side) == [("laterality-midline", "/lesions/0/laterality")]


def test_a_midline_site_may_be_said_to_be_midline(small: Vocabulary) -> None:
    assert passes(small, site="corpus callosum", laterality="midline")


@pytest.mark.parametrize(
    ("site", "side"),
    [
        ("left cerebral hemisphere", "right"),
        ("left cerebral hemisphere", "bilateral"),
        ("left cerebral hemisphere", "midline"),
        ("right cerebral hemisphere", "left"),
        ("right cerebral hemisphere", "bilateral"),
    ],
)
def test_refuses_a_side_that_contradicts_a_sided_site(small: Vocabulary, site: str, side: str) -> None:
    assert refused(small, site=site, laterality=side)[0][0] == "laterality-contradicts-site"


@pytest.mark.parametrize(
    ("site", "side"),
    [
        ("left cerebral hemisphere", "left"),
        ("right cerebral hemisphere", "right"),
        ("left cerebral hemisphere", "unilateral"),
        ("frontal lobe", "left"),
        ("frontal lobe", "bilateral"),
        ("frontal lobe", "midline"),
    ],
)
def test_takes_a_side_that_a_site_allows(small: Vocabulary, site: str, side: str) -> None:
    assert passes(small, site=site, laterality=side)


@pytest.mark.parametrize(
    "site",
    [
        Term("upper LEFT corner of somewhere", None, "/s"),
        Term("left-sided somewhere", None, "/s"),
        code("99ACME", "X-1", "Left somewhere", "/s"),
        code("http://example.org", "X-1", "somewhere (left)", "/s"),
    ],
)
def test_refuses_a_side_against_the_words_of_a_site_that_is_not_known(small: Vocabulary, site: Term) -> None:
    assert refused(small, site=site, laterality="right")[0][0] == "laterality-contradicts-site"


def test_refuses_a_side_against_that_of_the_finding(small: Vocabulary) -> None:
    found = refused(small, finding=Term("pathological fracture of right humerus"), laterality="left")

    assert found[0][0] == "laterality-contradicts-site"


def test_refuses_a_side_against_the_words_that_a_code_came_with() -> None:
    # The code says no side: the words that came with it are all there is to hold the laterality against.
    site = code("RADLEX", "RID6440", "Left frontal lobe", "/s")

    assert refused(vocabulary(), site=site, laterality="right")[0][0] == "laterality-contradicts-site"


@pytest.mark.parametrize("side", ["left", "bilateral", "unilateral", "midline"])
def test_a_topography_may_name_one_side_of_both(side: str) -> None:
    assert passes(vocabulary(), site="L3 vertebra", topography="left pedicle", laterality=side)


def test_refuses_a_side_against_that_of_the_topography() -> None:
    found = refused(vocabulary(), site="L3 vertebra", topography="left pedicle", laterality="right")

    assert found == [("laterality-contradicts-site", "/lesions/0/laterality")]


@pytest.mark.parametrize(
    "changes",
    [
        {"finding": "left hip met", "site": "right femur"},
        {"finding": "left frontal met", "site": "right frontal lobe"},
        {"finding": "metastasis", "site": "right ilium", "topography": "left crest"},
    ],
)
def test_refuses_two_sides_of_one_lesion_without_a_laterality(changes: dict[str, str]) -> None:
    assert refused(vocabulary(), laterality=None, **changes) == [("sides-contradict", "/lesions/0")]


@pytest.mark.parametrize("text", ["left of the right somewhere", "cleft", "somewhere", "brightness"])
def test_words_that_name_no_single_side_say_nothing(small: Vocabulary, text: str) -> None:
    assert passes(small, site=text, laterality="right")


@pytest.mark.parametrize("name", SETS)
def test_every_value_set_of_sides_is_shipped_with_sites_in_it(name: str) -> None:
    sites = vocabulary().members["site"].values

    assert sites is not None
    assert len(vocabulary().value_sets[name]) > 3
    assert vocabulary().value_sets[name] <= sites


def test_every_shipped_sided_site_refuses_the_other_side() -> None:
    sites = [("right" if side == "left" else "left", site) for side, name in SIDED_SITES.items()
             for site in vocabulary().value_sets[name]]  # fmt: skip
    for other, site in sites:
        assert refused(vocabulary(), site=site, laterality=other)[0][0] == "laterality-contradicts-site"


def test_every_shipped_site_named_by_a_side_is_in_the_set_of_that_side() -> None:
    for key in vocabulary().members["site"].values or ():
        words = set(vocabulary().concept(key).label.split())
        for side, name in SIDED_SITES.items():
            assert (side in words) == (key in vocabulary().value_sets[name]), key


def test_every_shipped_midline_site_refuses_a_side() -> None:
    for site in vocabulary().value_sets["midline-sites"]:
        assert refused(vocabulary(), site=site, laterality="left")[0][0] == "laterality-midline"
