"""Zones of the body: what is flagged as lying elsewhere is never where the finding is in its own words."""

import csv
from itertools import product
from pathlib import Path

import pytest

from service.coding import vocabulary
from service.coding.zones import ZONES

VOCABULARY = vocabulary()
FOUND = VOCABULARY.zones
FINDINGS = sorted(VOCABULARY.value_sets["findings"] & FOUND.keys())
SITES = sorted(VOCABULARY.value_sets["sites"] & FOUND.keys())
ELSEWHERE = {(finding, site) for finding, site in product(FINDINGS, SITES) if FOUND[finding].isdisjoint(FOUND[site])}
PLAIN = str.maketrans("-", " ")
OF_NO_PLACE = {"skin", "soft-tissue", "bone", "bone-marrow", "lymph-node", "meninges", "dura-mater", "vagus-nerve"}


def plain(key: str) -> str:
    return f" {key.translate(PLAIN)} "


def test_every_zone_is_used_and_no_concept_is_in_all() -> None:
    assert {zone for zones in FOUND.values() for zone in zones} == set(ZONES)
    assert not [concept for concept, zones in FOUND.items() if len(zones) == len(ZONES)]


def test_both_sides_of_a_site_lie_where_the_site_does() -> None:
    sides = [(site, side + site) for site in SITES for side in ("left-", "right-")]
    known = VOCABULARY.value_sets["sites"]
    assert not [sided for site, sided in sides if sided in known and FOUND.get(sided) != FOUND[site]]


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_may_lie_at_every_site_that_its_name_holds(finding: str) -> None:
    places = [site for site in SITES if plain(site) in plain(finding)]
    within = [site for site in SITES if any(plain(place) in plain(site) for place in places)]
    assert not [(finding, site) for site in within if (finding, site) in ELSEWHERE]


def test_what_may_be_anywhere_has_no_zone() -> None:
    assert not OF_NO_PLACE & FOUND.keys()
    assert not {"metastasis", "bone-metastasis", "lesion", "dural-metastasis", "lung-cancer"} & FOUND.keys()


def test_a_part_lies_where_the_whole_does(reference: Path) -> None:
    """RadLex's parts of anatomy, as the open list of anatomic locations has them."""
    with (reference / "data" / "anatomiclocations.tsv").open(encoding="utf-8", newline="") as file:
        rows = {row["radlexId"]: row for row in csv.DictReader(file, delimiter="\t")}
    concept = {
        coding.code.code: key
        for key in SITES
        for coding in VOCABULARY.concepts[key].codings
        if coding.code.system == "SCT" and coding.verified
    }
    pairs = [
        (concept.get(row["snomed"]), concept.get(rows[row["partOf"]]["snomed"]))
        for row in rows.values()
        if row["partOf"] in rows
    ]
    known = [(part, whole) for part, whole in pairs if part is not None and whole is not None]
    assert len(known) > 20
    assert not [(part, whole) for part, whole in known if FOUND[part].isdisjoint(FOUND[whole])]
