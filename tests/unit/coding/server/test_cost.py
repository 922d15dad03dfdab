"""What the operations cost in process, counted in function calls and bytecode instructions: the size of a system adds
nothing to a look-up or to subsumption, and each code of an expansion costs the same.
"""

from __future__ import annotations

from importlib.resources import files

import pytest

from benchmarks.cost import Cost, cost
from service.coding import vocabulary
from service.coding.server import Terminology
from service.coding.server.answers import Coding
from service.coding.server.compose import Composition, Part
from service.coding.server.expanding import Wish
from service.coding.server.maps import table_maps
from service.coding.server.tables import table_sources
from service.coding.server.valuesets import table_value_sets
from service.formats.fhir.terminology import answers
from service.formats.fhir.terminology.release import Release
from tests.terminology import LIVER, LOCAL, SNOMED, VIRAL, many, small_terminology, snomed

FEW, MANY = 10, 1_000
CALLS = 100
"""At most so many function calls for what takes one code; look-up and subsumption make a third of that [ran]."""


def looked_up(here: Terminology, coding: Coding) -> Cost:
    return cost(lambda: answers.looked_up(here.lookup(coding), (), Release.R4))


def expanded(codes: int) -> Cost:
    """The expansion of a whole system of so many codes, with their designations."""
    here, whole, wish = small_terminology(many(codes)), Composition("", "", "", (Part(LOCAL),)), Wish(designations=True)
    return cost(lambda: answers.expanded(whole, here.expand(whole, wish), wish, "2026-01-01T00:00:00Z"))


def test_a_look_up_in_the_tables_takes_few_steps() -> None:
    known = vocabulary()
    sources = table_sources(known, files("terminology"), "1")
    here = Terminology(sources, table_value_sets(known, "1").values(), table_maps(known))
    assert looked_up(here, Coding(SNOMED, "12738006")).calls < CALLS


def test_a_look_up_costs_the_same_however_many_codes_there_are() -> None:
    few, many_more = (looked_up(small_terminology(many(codes)), Coding(LOCAL, "c5")) for codes in (FEW, MANY))
    assert many_more == few


def test_subsumption_takes_few_steps() -> None:
    here = small_terminology(snomed())
    assert cost(lambda: here.subsumes(Coding(SNOMED, VIRAL), Coding(SNOMED, LIVER))).calls < CALLS


@pytest.mark.parametrize("counted", Cost._fields)
def test_each_code_of_an_expansion_costs_the_same(counted: str) -> None:
    few, many_more = (getattr(expanded(codes), counted) for codes in (FEW, MANY))
    assert many_more <= few * MANY / FEW


def test_a_code_of_an_expansion_takes_few_steps() -> None:
    assert expanded(MANY).calls / MANY < 20
