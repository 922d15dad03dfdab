"""What no overlay may do without a word: invent or turn a side, a denial or a doubt, or change a unit."""

import pytest

from service.coding import vocabulary
from service.coding.negation import LACKING
from service.domain.errors import Invalid
from tests.unit.coding.overlays.lines import behind, coded, line, made, rules
from tests.unit.coding.reports import make_lesion, make_report, number

LEG = {"target_system": "SCT", "target_code": "61685007"}
WIDER = "source-is-narrower-than-target"
REFUSED = {
    "both sides made one": ({"field": "laterality", "term": "beide", "concept": "left"}, "overlay-side"),
    "one side made both": ({"field": "laterality", "term": "links", "concept": "bilateral"}, "overlay-side"),
    "both kidneys made one": ({"field": "site", "term": "both kidneys", "concept": "left-kidney"}, "overlay-side"),
    "a side invented": ({"field": "site", "term": "kidney", "concept": "left-kidney"}, "overlay-side"),
    "a letter turned": ({"field": "site", "term": "R Niere", "concept": "left-kidney"}, "overlay-side"),
    "a display turned": (
        {"field": "site", "term": "rechtes Bein", **LEG, "target_display": "Left leg"},
        "overlay-side",
    ),
    "a word for absent turned": ({"field": "edema", "term": "none", "concept": "present"}, "overlay-negation"),
    "words for absent turned": ({"field": "edema", "term": "kein Ödem", "concept": "present"}, "overlay-negation"),
    "present made absent": ({"field": "certainty", "term": "present", "concept": "absent"}, "overlay-negation"),
    "benign made malignant": ({"field": "malignancy", "term": "benign", "concept": "malignant"}, "overlay-negation"),
    "a doubt dropped": ({"field": "finding", "term": "? met", "concept": "metastasis"}, "overlay-negation"),
    "a history made present": (
        {"field": "finding", "term": "history of metastasis", "concept": "metastasis", "relationship": WIDER},
        "overlay-negation",
    ),
    "a unit changed": ({"field": "unit", "term": "mm", "concept": "unit-cm"}, "overlay-standard"),
    "a unit changed by case": ({"field": "unit", "term": "MM", "concept": "unit-cm"}, "overlay-standard"),
    "gram made gray": ({"field": "unit", "term": "G", "concept": "unit-gy"}, "overlay-standard"),
    "a unit that says less": (
        {"field": "unit", "term": "SUV/bw", "concept": "unit-no-units", "relationship": WIDER},
        "overlay-name",
    ),
}
TAKEN = {
    "a side in German": {"field": "site", "term": "li. Niere", "concept": "left-kidney"},
    "a side of a code": {"field": "site", "term": "rechtes Bein", **LEG, "target_display": "Right leg"},
    "one of a pair": {"field": "laterality", "term": "linksseitig", "concept": "unilateral", "relationship": WIDER},
    "both": {"field": "laterality", "term": "bds", "concept": "bilateral"},
    "a doubt in the differential": {"field": "differential", "term": "? met", "concept": "metastasis"},
    "another finding": {"field": "finding", "term": "met", "concept": "liver-metastasis"},
    "absent in German": {"field": "edema", "term": "kein Ödem", "concept": "absent"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str) -> None:
    cells, rule = REFUSED[name]
    assert rules(vocabulary(), line(**cells)) == [("local-1.csv:2", rule)]


@pytest.mark.parametrize("name", TAKEN)
def test_takes(name: str) -> None:
    assert rules(vocabulary(), line(**TAKEN[name])) == []


def test_what_is_lacking_is_in_the_tables() -> None:
    assert vocabulary().concepts.keys() >= LACKING


def test_a_unit_of_the_site_is_used() -> None:
    # It was accepted, and never asked for.
    report = make_report(make_lesion(measurements=(number("long-axis", "12", "Milimeter"),)))
    with pytest.raises(Invalid):
        coded(report, vocabulary())

    view = behind(vocabulary(), line(field="unit", term="Milimeter", concept="unit-mm"))

    assert coded(report, view).lesions[0].measurements[0].unit.text == "mm"


def test_a_new_spelling_of_a_unit_is_not_said_to_be_known() -> None:
    found = made(vocabulary(), line(field="unit", term="MM", concept="unit-mm"))

    assert (found.held().applied, found.notices) == (1, ())
