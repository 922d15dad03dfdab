"""ECL on a generated SNOMED CT release in the real store, against sets computed from what the generator wrote."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.coding.releases import layouts
from service.coding.server import ServerLimits, Terminology
from service.coding.server.answers import Coding, Subsumption
from service.coding.server.expanding import Wish
from service.coding.server.released import Sources
from service.domain.errors import Invalid
from tests.releases import SHAPE, Generated, Site
from tests.terminology import SNOMED

Below = dict[str, set[str]]


@pytest.fixture
def here(loaded: Site) -> Terminology:
    return Terminology(Sources({}, loaded.releases), [], [])


@pytest.fixture(scope="module")
def below(rf2: Generated) -> Below:
    """By concept: the active ones under it, without itself; parents stand before their children."""
    made = rf2.made
    found: Below = {code: set() for code in made.codes}
    above: list[set[str]] = []
    for code, parents, active in zip(made.codes, made.parents, made.active, strict=True):
        mine = {made.codes[parent] for parent in parents} | {one for parent in parents for one in above[parent]}
        above.append(mine)
        for one in mine if active else ():
            found[one].add(code)
    return found


def _ask(here: Terminology, ecl: str) -> set[str]:
    items = here.expand(here.value_set(f"{SNOMED}?fhir_vs=ecl/{ecl}"), Wish()).items
    return {item.code for item in items}


def _picked(below: Below) -> tuple[str, str]:
    """Two concepts with something under both."""
    wide = sorted((code for code in below if code != layouts.ROOT), key=lambda code: (-len(below[code]), code))
    return wide[0], next((code for code in wide[1:] if below[code] & below[wide[0]]), wide[1])


CASES: dict[str, tuple[str, Callable[[Below, str, str], set[str]]]] = {
    "below": ("< {a}", lambda below, a, _: below[a]),
    "below or itself": ("<< {a}", lambda below, a, _: below[a] | {a}),
    "both": ("< {a} AND << {b}", lambda below, a, b: below[a] & (below[b] | {b})),
    "either": ("<< {a} OR < {b}", lambda below, a, b: below[a] | {a} | below[b]),
    "without": ("< {a} MINUS << {b}", lambda below, a, b: below[a] - below[b] - {b}),
    "above": ("> {b}", lambda below, _, b: {code for code, under in below.items() if b in under}),
}


@pytest.mark.parametrize("case", CASES)
def test_selects_what_the_package_says(case: str, here: Terminology, below: Below) -> None:
    text, expected = CASES[case]
    a, b = _picked(below)
    assert _ask(here, text.format(a=a, b=b)) == expected(below, a, b)


def test_the_members_of_a_reference_set_are_those_of_the_package(here: Terminology, rf2: Generated) -> None:
    active = {code for code, state in zip(rf2.made.codes, rf2.made.active, strict=True) if state}
    for refset, members in rf2.made.refsets.items():
        if here.source(SNOMED).active(refset):
            assert _ask(here, f"^ {refset}") == set(members) & active


def test_a_refinement_selects_those_that_have_the_attribute(here: Terminology, rf2: Generated, below: Below) -> None:
    source = here.source(SNOMED)
    a, _ = _picked(below)
    type_, value = next((one.type, one.target) for code in sorted(below[a]) for one in source.relations(code))
    having = {
        code
        for code in below[a]
        if any(
            one.type == type_ and (one.target == value or one.target in below[value]) for one in source.relations(code)
        )
    }
    if source.active(type_):
        assert _ask(here, f"< {a} : {type_} = << {value}") == having
    assert _ask(here, f"< {a} : * = << {value}") >= having


def test_subsumption_is_that_of_the_package(here: Terminology, below: Below) -> None:
    a, _ = _picked(below)
    for code in sorted(below[a])[:20]:
        assert here.subsumes(Coding(SNOMED, a), Coding(SNOMED, code)) is Subsumption.SUBSUMES
        assert here.subsumes(Coding(SNOMED, code), Coding(SNOMED, a)) is Subsumption.SUBSUMED_BY


def test_an_edition_is_known_by_its_date(here: Terminology) -> None:
    edition = "http://snomed.info/sct/900000000000207008"
    assert here.source(SNOMED, f"{edition}/version/{SHAPE.date}").complete


@pytest.mark.parametrize("operator", ["<", "<<"])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_of_all_below_a_concept_fit_together(operator: str, size: int, here: Terminology, below: Below) -> None:
    a, _ = _picked({code: under for code, under in below.items() if len(under) < 60})
    wanted = below[a] | ({a} if operator == "<<" else set())
    value_set = here.value_set(f"{SNOMED}?fhir_vs=ecl/{operator} {a}")
    found: list[str] = []
    for offset in range(0, len(wanted) + size, size):
        page = here.expand(value_set, Wish(offset=offset, count=size))
        assert page.total == len(wanted)
        assert len(page.items) <= size
        found += [item.code for item in page.items]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    whole = [item.code for item in here.expand(value_set, Wish()).items]
    assert whole == found
    assert here.expand(value_set, Wish(count=0)).items == ()


def test_all_below_the_root_is_told_by_its_number_and_refused_as_a_whole(loaded: Site, below: Below) -> None:
    few = Terminology(Sources({}, loaded.releases), [], [], ServerLimits(expansion=50))
    everything = few.value_set(f"{SNOMED}?fhir_vs=isa/{layouts.ROOT}")
    assert few.expand(everything, Wish(count=3)).total == len(below[layouts.ROOT]) + 1
    with pytest.raises(Invalid, match="more than the 50"):
        few.expand(everything, Wish())
    with pytest.raises(Invalid, match="more than the 50"):
        few.expand(everything, Wish(count=51))


def test_pages_of_a_whole_system_fit_together(loaded: Site, rf2: Generated) -> None:
    few = Terminology(Sources({}, loaded.releases), [], [], ServerLimits(expansion=200))
    everything = few.value_set(f"{SNOMED}?fhir_vs")
    active = {code for code, state in zip(rf2.made.codes, rf2.made.active, strict=True) if state}
    found: list[str] = []
    for offset in range(0, SHAPE.concepts, 200):
        page = few.expand(everything, Wish(offset=offset, count=200))
        assert page.total == len(active)
        found += [item.code for item in page.items]
    assert (len(found), set(found)) == (len(active), active)
    with pytest.raises(Invalid, match="more than the 200"):
        few.expand(everything, Wish())
