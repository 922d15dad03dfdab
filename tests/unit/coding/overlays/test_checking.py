"""What an overlay is refused for, each with its line, and what is said of it."""

import orjson
import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.overlays.conceptmap import EQUIVALENCES
from service.coding.overlays.layers import Layer, OverlayText, layer
from service.coding.overlays.rows import CONCEPT_MAP, CSV, KINDS
from tests.unit.coding.overlays.lines import line, made, rules, table

X = {"field": "site", "term": "X"}
REFUSED = {
    "a dangling key": ({**X, "concept": "no-such"}, "overlay-target"),
    "a concept of another field": ({**X, "concept": "mild"}, "overlay-target"),
    "a field that is not there": ({"field": "nowhere", "term": "X", "concept": "mild"}, "overlay-field"),
    "no target": (X, "overlay-row"),
    "two targets": ({**X, "concept": "frontal-lobe", "target_system": "SCT", "target_code": "1"}, "overlay-row"),
    "half a target": ({**X, "target_code": "83251001"}, "overlay-row"),
    "no source": ({**X, "concept": "frontal-lobe", "source": ""}, "overlay-row"),
    "no term": ({"field": "site", "concept": "frontal-lobe"}, "overlay-row"),
    "a code without a system": ({"field": "site", "code": "1", "concept": "frontal-lobe"}, "overlay-row"),
    "an unknown relationship": ({**X, "concept": "frontal-lobe", "relationship": "like"}, "overlay-row"),
    "a decision with a target": ({**X, "concept": "frontal-lobe", "relationship": "no-map"}, "overlay-row"),
    "somebody else's row": ({**X, "concept": "frontal-lobe", "sender": "other"}, "overlay-row"),
    "a term too long": ({**X, "term": "x" * 257, "concept": "frontal-lobe"}, "overlay-row"),
    "a code with a wrong check digit": ({**X, "target_system": "SCT", "target_code": "83251002"}, "overlay-target"),
    "an unknown system": ({**X, "target_system": "http://x", "target_code": "1"}, "overlay-target"),
    "a private code that leads nowhere": ({**X, "target_system": "99X", "target_code": "1"}, "overlay-target"),
    "a code without a display": ({**X, "target_system": "SCT", "target_code": "85050009"}, "overlay-target"),
    "a code of another field": ({**X, "target_system": "SCT", "target_code": "255604002"}, "overlay-target"),
    "a code of two concepts": (
        {"field": "finding", "term": "X", "target_system": "I10C", "target_code": "C79.51"},
        "overlay-target",
    ),
    "a code for everywhere": (
        {"term": "X", "target_system": "SCT", "target_code": "85050009", "target_display": "Humerus"},
        "overlay-target",
    ),
    "a retired SRT target": ({**X, "target_system": "SRT", "target_code": "T-A2200"}, "overlay-retired"),
    "a side turned": ({"field": "laterality", "term": "left-sided", "concept": "right"}, "overlay-side"),
    "a side turned by its own word": ({"field": "laterality", "term": "left", "concept": "right"}, "overlay-side"),
    "a site turned": ({**X, "term": "left brain", "concept": "right-hemisphere"}, "overlay-side"),
    "a side turned in German": ({**X, "term": "linke Hemisphäre", "concept": "right-hemisphere"}, "overlay-side"),
    "a side turned in French": ({**X, "term": "hémisphère droit", "concept": "left-hemisphere"}, "overlay-side"),
    "a side turned in Japanese": ({**X, "term": "左大脳半球", "concept": "right-hemisphere"}, "overlay-side"),
    "a side turned for everywhere": ({"field": "", "term": "left", "concept": "right"}, "overlay-side"),
    "a side lost everywhere": ({"field": "", "term": "left", "concept": "midline"}, "overlay-side"),
    "a site with a side, moved": ({**X, "term": "left cerebral hemisphere", "concept": "frontal-lobe"}, "overlay-side"),
    "a side lost": ({**X, "term": "left front", "concept": "frontal-lobe"}, "overlay-side"),
    "a finding turned": ({"field": "finding", "term": "no mets", "concept": "brain-metastasis"}, "overlay-negation"),
    "a finding turned in German": (
        {"field": "finding", "term": "keine Metastase", "concept": "brain-metastasis"},
        "overlay-negation",
    ),
    "a finding turned by a code": (
        {"field": "finding", "term": "no stroke", "target_system": "SCT", "target_code": "230690007"}
        | {"target_display": "Stroke"},
        "overlay-negation",
    ),
    "a standard code changed": (
        {"field": "site", "system": "SCT", "code": "83251001", "concept": "corpus-callosum"},
        "overlay-standard",
    ),
    "a name that is only near": (
        {"field": "measurements", "term": "X", "concept": "volume", "relationship": "source-is-narrower-than-target"},
        "overlay-name",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, small: Vocabulary) -> None:
    cells, rule = REFUSED[name]
    assert rules(small, line(field="site", term="fine", concept="frontal-lobe"), line(**cells)) == [
        ("local-1.csv:3", rule)
    ]


def test_a_key_that_is_none_is_answered_with_keys(small: Vocabulary) -> None:
    (problem,) = made(small, line(field="site", term="X", concept="frontal-lobes")).problems
    assert problem.candidates
    assert problem.candidates[0] == "frontal-lobe"
    assert set(problem.candidates) <= small.concepts.keys()


def test_a_unit_that_is_no_key_is_answered_with_its_key() -> None:
    (problem,) = made(vocabulary(), line(field="unit", term="Millimeter", concept="mm")).problems
    assert vocabulary().concepts[problem.candidates[0]].label == "mm"


def test_a_negation_may_lead_to_what_is_absent_and_to_the_list_of_it() -> None:
    found = made(
        vocabulary(),
        line(field="negative", term="keine Metastase", concept="brain-metastasis"),
        line(field="finding", term="no uptake", concept="no-enhancement"),
    )
    assert found.held().applied == 2


def test_refuses_a_circle(small: Vocabulary) -> None:
    found = rules(
        small,
        line(field="site", system="99A", code="1", target_system="99A", target_code="2"),
        line(field="site", system="99A", code="2", target_system="99A", target_code="1"),
    )
    assert found == [("local-1.csv:2", "overlay-cycle"), ("local-1.csv:3", "overlay-cycle")]


@pytest.mark.parametrize("again", ["X", " x "])
@pytest.mark.parametrize("concept", ["frontal-lobe", "corpus-callosum"])
def test_refuses_a_term_that_is_there_twice_in_a_field(again: str, concept: str, small: Vocabulary) -> None:
    found = made(small, line(**X, concept="frontal-lobe"), line(field="site", term=again, concept=concept))
    assert [(one.pointer, one.rule) for one in found.problems] == [("local-1.csv:3", "overlay-duplicate")]
    assert ("two things" in found.problems[0].detail) is (concept != "frontal-lobe")


def test_a_retired_target_is_refused_with_what_took_its_place(small: Vocabulary) -> None:
    found = made(small, line(**X, target_system="SRT", target_code="T-A2200")).problems[0]
    assert found.candidates[0].startswith("SCT 83251001")


def test_says_what_the_shipped_tables_say_otherwise(small: Vocabulary) -> None:
    found = made(small, line(field="site", term="frontal lobe", concept="corpus-callosum")).held()
    assert [(one.pointer, one.rule, one.candidates) for one in found.notices] == [
        ("local-1.csv:2", "overrides", ("frontal lobe",))
    ]


def test_says_what_the_shipped_tables_know_already(small: Vocabulary) -> None:
    found = made(small, line(field="site", term="Frontal Lobe", concept="frontal-lobe")).held()
    assert [one.rule for one in found.notices] == ["known-already"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_says_no_more_than_the_term_is_applied(kind: str, small: Vocabulary) -> None:
    target = {} if kind == "no-map" else {"concept": "frontal-lobe"}
    found = made(small, line(**X, **target, relationship=kind)).held()
    applied = kind in ("equivalent", "source-is-narrower-than-target")
    assert found.applied == applied
    assert ("not-applied" in [one.rule for one in found.notices]) is (not applied and kind != "no-map")


BROKEN = {
    "not UTF-8": (b"\xff\xfe", 1),
    "other columns": (b"field,term,wrong,source\n", 1),
    "a column missing": (b"field,term\n", 1),
    "a column twice": (b"field,term,source,term\n", 1),
    "semicolons": (b"field;term;source\n", 1),
    "cells missing": (b"field,term,source\nsite,X\n", 2),
    "a quote left open": (b'field,term,source\nsite,"X,y\n', 2),
    "nothing": (b"", 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_refuses_a_table_of_another_form(name: str, small: Vocabulary) -> None:
    content, number = BROKEN[name]
    found = layer(OverlayText("local", 1, CSV, content), small)
    assert [(one.pointer, one.rule) for one in found.problems] == [(f"local-1.csv:{number}", "csv")]


def test_takes_a_byte_order_mark_windows_lines_and_columns_in_any_order(small: Vocabulary) -> None:
    content = b"\xef\xbb\xbfterm,concept,field,source\r\nX,frontal-lobe,site,me\r\n\r\n"
    assert layer(OverlayText("local", 1, CSV, content), small).held().applied == 1


def concept_map(*targets: dict[str, object], small: Vocabulary, **group: object) -> Layer:
    """A ConceptMap with one element of these targets, read."""
    members = {"source": "http://h/codes", "target": "http://snomed.info/sct"} | group
    element = {"code": "FL", "display": "Stirn", "target": list(targets)}
    resource = {"resourceType": "ConceptMap", "status": "active", "group": [{**members, "element": [element]}]}
    return layer(OverlayText("local", 1, CONCEPT_MAP, orjson.dumps(resource)), small)


def target(**members: object) -> dict[str, object]:
    """A target of the field site."""
    field = {"dependsOn": [{"property": "field", "value": "site"}]}
    return {"code": "83251001", "equivalence": "equivalent"} | field | members


def test_a_concept_map_is_an_overlay(small: Vocabulary) -> None:
    found = concept_map(target(), small=small).held()
    assert [(row.field, row.system, row.code, row.term) for row in found.rows] == [
        ("site", "http://h/codes", "FL", "Stirn")
    ]
    assert found.entries[0].meaning is not None
    assert found.entries[0].meaning.concept == "frontal-lobe"


def test_a_concept_map_without_a_source_maps_words_to_keys(small: Vocabulary) -> None:
    resource = {
        "resourceType": "ConceptMap",
        "group": [
            {"target": "urn:oid:2.25.1", "element": [{"code": "Stirn", "target": [target(code="frontal-lobe")]}]}
        ],
    }
    found = layer(OverlayText("local", 1, CONCEPT_MAP, orjson.dumps(resource)), small).held()
    assert [(row.term, row.system, row.concept) for row in found.rows] == [("Stirn", "", "frontal-lobe")]


@pytest.mark.parametrize("equivalence", EQUIVALENCES)
def test_every_equivalence_is_understood(equivalence: str, small: Vocabulary) -> None:
    one = target(equivalence=equivalence)
    if equivalence == "unmatched":
        del one["code"]
    assert concept_map(one, small=small).held().rows[0].relationship == EQUIVALENCES[equivalence]


REFUSED_MAPS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "an unknown equivalence": (target(equivalence="maybe"), {}),
    "a product": (target(product=[{"property": "x", "value": "y"}]), {}),
    "a condition": (target(dependsOn=[{"property": "sex", "value": "F"}]), {}),
    "a code for all that is unknown": (target(), {"unmapped": {"mode": "fixed", "code": "1"}}),
    "a code that is a number": (target(code=83251001), {}),
}


@pytest.mark.parametrize("name", REFUSED_MAPS)
def test_refuses_a_concept_map_with(name: str, small: Vocabulary) -> None:
    one, group = REFUSED_MAPS[name]
    found = concept_map(one, small=small, **group).problems
    assert found
    assert found[0].rule == "conceptmap"
    assert found[0].pointer.startswith("local-1.json#/group/0")


def test_refuses_two_targets_of_one_code(small: Vocabulary) -> None:
    found = concept_map(target(), target(code="88442005"), small=small).problems
    assert [(one.pointer, one.rule) for one in found] == [
        ("local-1.json#/group/0/element/0/target/1", "overlay-duplicate")
    ]


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"resourceType":"Patient"}', b'{"resourceType":"ConceptMap","group":{}}']
)
def test_refuses_what_is_no_concept_map(content: bytes, small: Vocabulary) -> None:
    assert [one.rule for one in layer(OverlayText("a", 1, CONCEPT_MAP, content), small).problems] == ["conceptmap"]


def test_refuses_a_table_that_never_ends(small: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.coding.overlays.reading.MAX_ROWS", 3)
    found = layer(OverlayText("a", 1, CSV, table(*(line(field="site", term=str(n)) for n in range(9)))), small)
    assert ("a-1.csv:5", "limit") in [(one.pointer, one.rule) for one in found.problems]
