"""Words for a side, in each language and at each end of a text: no swapped one may pass."""

from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.coding.given import resolve_code
from service.coding.labels import labels, languages
from service.coding.side_words import is_of_both, side_in, side_of_finding, side_of_place
from service.domain.codes import Code, Term
from service.domain.errors import Contradiction
from tests.unit.coding.reports import make_lesion, make_report

WORDS = {
    "left": ("Left kidney", "linke Niere", "linksfrontal", "rein gauche", "riñón izquierdo", "lewa nerka", "左腎臓",
             "lobus frontalis sinister, pars sinistra", "leftward", "left-sided"),
    "right": ("Right kidney", "rechte Niere", "rechtshirnig", "rein droit", "riñón derecho", "prawa nerka", "右腎臓",
              "femur dexter", "right-sided"),
    None: ("cleft", "brightness", "left of the right", "sinus droit", "muscle droit", "sinister lesion", "linked",
           "Rechteck", "左右の腎臓", "kidney", ""),
}  # fmt: skip
ENDS = {
    "left": ("L femur", "(L) femur", "lt. kidney", "LT kidney", "femur, L", "femur (lt)", "li. Femur", "7th rib L"),
    "right": ("R femur", "Rt kidney", "rib 7 R", "T10 R", "kidney (R)", "Femur re."),
    None: ("L5 vertebra", "L 5 vertebra", "L spine", "L-spine", "L vertebral bodies", "re femur", "rectum", "RL", "L R",
           "L > R", "femur", "lt rt"),
}  # fmt: skip


def refused(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(Contradiction) as caught:
        code_report(make_report(make_lesion(**changes)), vocabulary())
    return [(problem.rule, problem.pointer) for problem in caught.value.problems]


def passes(**changes: Any) -> bool:
    return bool(code_report(make_report(make_lesion(**changes)), vocabulary()).lesions)


@pytest.mark.parametrize(("side", "text"), [(side, text) for side, texts in WORDS.items() for text in texts])
def test_words_name_a_side_in_every_language(side: str | None, text: str) -> None:
    assert side_in(text) == side


@pytest.mark.parametrize(("side", "text"), [(side, text) for side, texts in ENDS.items() for text in texts])
def test_a_letter_at_either_end_names_a_side(side: str | None, text: str) -> None:
    assert side_of_place(text) == side


def test_the_side_of_every_label_is_read_in_its_language() -> None:
    sides = vocabulary().sides
    said = [(language, key, labels(language)[key].text, side) for language in languages()
            for key, side in sides.items() if key in labels(language)]  # fmt: skip

    assert len(said) > 100
    assert [one for one in said if side_in(one[2]) != one[3]] == []


def test_rt_in_a_finding_may_be_radiotherapy() -> None:
    assert side_of_finding("RT necrosis") is None
    assert side_of_finding("R hip met") == "right"


@pytest.mark.parametrize("text", ["bilateral femora", "both kidneys", "beide Nieren", "poumons, bilatéraux", "両側"])
def test_words_for_both_sides(text: str) -> None:
    assert is_of_both(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"site": "linke Niere", "laterality": "right"},
        {"site": "R femur", "laterality": "left"},
        {"site": "kidney (LT)", "laterality": "right"},
        {"site": "riñón derecho", "laterality": "bilateral"},
        {"site": "both frontal lobes", "laterality": "left"},
        {"finding": "métastase fémorale gauche", "laterality": "right"},
        {"finding": "R hip met", "site": "femur", "laterality": "left"},
    ],
)
def test_refuses_a_laterality_against_words_of_any_language(changes: dict[str, str]) -> None:
    assert refused(**changes) == [("laterality-contradicts-site", "/lesions/0/laterality")]


@pytest.mark.parametrize(
    "changes",
    [
        {"site": "both frontal lobes", "laterality": "bilateral"},
        {"site": "both frontal lobes", "laterality": "midline"},
        {"site": "rechte Niere", "laterality": "right"},
        {"finding": "RT necrosis", "site": "frontal lobe", "laterality": "left"},
        {"site": "L 5", "laterality": "right"},
    ],
)
def test_takes_a_laterality_that_the_words_allow(changes: dict[str, str]) -> None:
    assert passes(**changes)


def test_the_letter_of_a_local_code_is_no_side() -> None:
    assert passes(site=Term("L", Code("99ACME", "L", ""), "/s"), laterality="right")


@pytest.mark.parametrize(
    ("field", "code", "display"),
    [
        ("laterality", "24028007", "links"),
        ("laterality", "24028007", "gauche"),
        ("laterality", "51440002", "linksseitig"),
        ("laterality", "24028007", "左"),
        ("site", "18639004", "rechte Niere"),
        ("site", "18639004", "R kidney"),
        ("site", "18639004", "RT kidney"),
    ],
)
def test_refuses_a_code_whose_display_says_the_other_side(field: str, code: str, display: str) -> None:
    row = vocabulary().field(field)
    assert row is not None

    found = resolve_code(vocabulary(), Term(display, Code("SCT", code, display), "/x"), row)

    assert found.term is None
    assert found.verdict is not None
    assert found.verdict.rule == "display-contradicts-code"


def test_takes_a_code_whose_display_says_its_side_in_another_language() -> None:
    row = vocabulary().members["laterality"]

    found = resolve_code(vocabulary(), Term("rechts", Code("SCT", "24028007", "rechts"), "/x"), row)

    assert found.term is not None
    assert found.term.concept == "right"
