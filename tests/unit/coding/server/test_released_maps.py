"""The concept maps of loaded releases, asked both ways; on both kinds of store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.coding import vocabulary
from service.coding.server import Terminology
from service.coding.server.answers import Coding, Relationship
from service.coding.server.released import Sources
from service.coding.server.released_maps import release_maps
from service.domain.errors import Invalid
from tests.releases import Site

OLD, NEW, SNOMED = "http://example.org/old", "http://example.org/new", "http://snomed.info/sct"
TO_NEW, TO_SNOMED = "http://example.org/fhir/ConceptMap/new", "http://example.org/fhir/ConceptMap/snomed"


def _map(url: str, target: str, rows: dict[str, tuple[str, str]]) -> dict[str, object]:
    elements = [{"code": code, "target": [{"code": to, "equivalence": how}]} for code, (to, how) in rows.items()]
    return {
        "resourceType": "ConceptMap",
        "url": url,
        "group": [{"source": OLD, "target": target, "element": elements}],
    }


@pytest.fixture
def site(any_site: Site, tmp_path: Path) -> Site:
    """A site with two maps and one of the systems."""
    documents = {
        "new.json": _map(TO_NEW, NEW, {"a": ("1", "equivalent"), "b": ("2", "wider"), "c": ("2", "narrower")}),
        "snomed.json": _map(TO_SNOMED, SNOMED, {"a": ("12738006", "equal"), "d": ("12738006", "relatedto")}),
        "codes.json": {
            "resourceType": "CodeSystem",
            "url": NEW,
            "concept": [{"code": "1", "display": "One"}, {"code": "2", "display": "Two"}],
        },
    }
    for name, content in documents.items():
        path = tmp_path / name
        path.write_text(json.dumps(content))
        any_site.load(path)
    return any_site


def _here(site: Site, most: int = 100) -> Terminology:
    releases = site.releases
    known = vocabulary()
    return Terminology(Sources({}, releases), (), (), more_maps=release_maps(releases, known, most))


def _asked(here: Terminology, system: str, code: str, *, backward: bool = False) -> set[tuple[str, str, str]]:
    unnamed = [one for one in here.maps if not one.only_named]
    found = here.translate([Coding(system, code)], unnamed, backward=backward)
    return {(match.code, match.relationship.value, match.display) for match in found.matches}


def test_all_maps_answer_a_question_that_names_none(site: Site) -> None:
    here = _here(site)
    assert _asked(here, OLD, "a") == {("1", "equivalent", "One"), ("12738006", "equivalent", "Brain")}
    assert _asked(here, OLD, "b") == {("2", "broader", "Two")}
    assert _asked(here, OLD, "none") == set()


def test_each_map_is_read_backward(site: Site) -> None:
    here = _here(site)
    assert _asked(here, NEW, "2", backward=True) == {("b", "broader", ""), ("c", "narrower", "")}
    assert {code for code, *_ in _asked(here, SNOMED, "12738006", backward=True)} == {"a", "d"}


def test_a_named_map_answers_alone_and_every_match_says_its_map(site: Site) -> None:
    here = _here(site)
    (one,) = (one for one in here.maps if one.url == TO_NEW)
    found = here.translate([Coding(OLD, "a")], [one])
    assert [(match.code, match.origin) for match in found.matches] == [("1", TO_NEW)]


def test_a_map_is_a_resource_with_its_rows(site: Site) -> None:
    here = _here(site)
    listed = {one.url: one for one in here.maps if one.listed}
    assert set(listed) == {TO_NEW, TO_SNOMED}
    (group,) = listed[TO_NEW].groups
    assert (group.source, group.target) == (OLD, NEW)
    assert [(row.source, row.target, row.relationship) for row in group.rows] == [
        ("a", "1", Relationship.EQUIVALENT),
        ("b", "2", Relationship.BROADER),
        ("c", "2", Relationship.NARROWER),
    ]


def test_a_map_that_is_too_large_for_one_answer_is_refused(site: Site) -> None:
    here = _here(site, most=2)
    with pytest.raises(Invalid, match="more than 2 rows"):
        _ = next(one for one in here.maps if one.url == TO_NEW).groups
