"""Words of the shipped tables that must not be taken for more than they say."""

import pytest

from service.coding import vocabulary
from service.coding.resolve import resolve
from service.domain.codes import Resolution, Term


@pytest.mark.parametrize("word", ["avid", "increased", "hot", "decreased", "variable"])
def test_uptake_of_an_unnamed_tracer_is_not_taken_for_metabolism(word: str) -> None:
    tables = vocabulary()
    found = resolve(tables, Term(word), tables.evaluations["pet-uptake"]).term
    assert found is not None
    assert (found.resolution, found.codes) == (Resolution.TEXT, ())


@pytest.mark.parametrize("word", ["hypermetabolic", "FDG-avid", "increased FDG uptake"])
def test_uptake_of_glucose_is_metabolism(word: str) -> None:
    tables = vocabulary()
    found = resolve(tables, Term(word), tables.evaluations["pet-uptake"]).term
    assert found is not None
    assert found.concept == "hypermetabolic"
