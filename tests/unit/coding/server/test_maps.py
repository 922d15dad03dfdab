"""What the tables say of two codes, and what they do not."""

from __future__ import annotations

import pytest

from service.coding import vocabulary
from service.coding.server.answers import Relationship
from service.coding.server.maps import Map, between, table_maps
from service.domain.codes import Equivalence

E, B, N, R = Relationship.EQUIVALENT, Relationship.BROADER, Relationship.NARROWER, Relationship.RELATED
MAPS = {one.key: one for one in table_maps(vocabulary())}
SNOMED, RADLEX, LOCAL = (vocabulary().systems[name].uri for name in ("SCT", "RADLEX", "99LESIONBRIDGE"))


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (E, E, E),
        (E, B, B),
        (E, N, N),
        (E, R, R),
        (B, E, N),
        (N, E, B),
        (R, E, R),
        (B, N, N),
        (N, B, B),
        (B, B, None),
        (N, N, None),
        (R, R, None),
        (R, B, None),
        (B, R, None),
        (N, R, None),
    ],
)
def test_says_of_two_codes_of_a_concept_only_what_follows(
    source: Relationship, target: Relationship, expected: Relationship | None
) -> None:
    assert between(source, target) is expected


def test_every_verified_whole_coding_is_in_the_map_of_the_concepts() -> None:
    mapped = {(row.source, group.target, row.target) for group in MAPS["concepts"].groups for row in group.rows}
    known = vocabulary()
    for concept in known.concepts.values():
        for coding in concept.codings:
            if coding.verified and not coding.part:
                assert (concept.key, known.systems[coding.code.system].uri, coding.code.code) in mapped


def test_nothing_is_equivalent_that_the_tables_do_not_call_exact() -> None:
    known = vocabulary()
    for group in MAPS["concepts"].groups:
        designator = known.designator(group.target)
        for row in group.rows:
            codings = [
                one
                for one in known.concepts[row.source].codings
                if (one.code.system, one.code.code) == (designator, row.target)
            ]
            if row.relationship is E:
                assert [one.equivalence for one in codings] == [Equivalence.EXACT]


def test_a_code_that_is_exact_for_several_concepts_means_none_of_them() -> None:
    known = vocabulary()
    for (system, code), uses in known.by_code.items():
        exact = [key for key, one in uses if one.equivalence is Equivalence.EXACT and not one.part]
        if len(exact) > 1:
            found = MAPS["concepts"].translate(known.systems[system].uri, code, backward=True)
            assert E not in {match.relationship for match in found if match.code in exact}


def test_parts_of_a_code_are_no_translation() -> None:
    known = vocabulary()
    for concept in known.concepts.values():
        for coding in concept.codings:
            if coding.part:
                uri = known.systems[coding.code.system].uri
                found = MAPS["concepts"].translate(LOCAL, concept.key)
                assert (uri, coding.code.code) not in {(match.system, match.code) for match in found}


def test_two_codes_are_mapped_once() -> None:
    for one in MAPS.values():
        for group in one.groups:
            pairs = [(row.source, row.target) for row in group.rows if row.target]
            assert len(pairs) == len(set(pairs)), one.key


def test_every_narrower_target_says_in_which_sense() -> None:
    for one in MAPS.values():
        for group in one.groups:
            assert all(row.comment for row in group.rows if row.relationship is N)


def test_brain_is_brain() -> None:
    (match,) = MAPS["radlex-snomed"].translate(RADLEX, "RID6434")
    assert (match.system, match.code, match.relationship) == (SNOMED, "12738006", E)
    srt = vocabulary().systems["SRT"].uri
    assert [one.code for one in MAPS["srt-snomed"].translate(srt, "T-A0100")] == ["12738006"]


def test_a_map_is_made_when_it_is_first_asked() -> None:
    made: list[int] = []
    lazy = Map("x", "X", lambda: made.append(1) or ())  # type: ignore[func-returns-value]  # notes the call
    assert made == []
    assert lazy.translate("a", "b") == ()
    assert made == [1]
