"""How long the operations take in process, on the tables and on a system of 1,000 codes; the median, not the worst."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files

import pytest

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


@pytest.fixture(scope="module")
def tables() -> Terminology:
    known = vocabulary()
    sources = table_sources(known, files("terminology"), "1")
    return Terminology(sources, table_value_sets(known, "1").values(), table_maps(known))


def median_ms(act: Callable[[], object], times: int = 31) -> float:
    act()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1_000)
    return sorted(took)[times // 2]


def test_a_look_up_takes_less_than_a_millisecond(tables: Terminology) -> None:
    brain = Coding(SNOMED, "12738006")
    assert median_ms(lambda: answers.looked_up(tables.lookup(brain), (), Release.R4)) < 1


def test_subsumption_takes_less_than_a_millisecond() -> None:
    here = small_terminology(snomed())
    assert median_ms(lambda: here.subsumes(Coding(SNOMED, VIRAL), Coding(SNOMED, LIVER))) < 1


def test_an_expansion_of_1000_takes_less_than_30_milliseconds() -> None:
    here = small_terminology(many(1_000))
    whole = Composition("", "", "", (Part(LOCAL),))

    def expand() -> object:
        wish = Wish(designations=True)
        return answers.expanded(whole, here.expand(whole, wish), wish, "2026-01-01T00:00:00Z")

    assert median_ms(expand) < 30
