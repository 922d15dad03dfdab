"""A code with a display, and words of the sender's beside both (original text, CWE.9): no word is lost or turned."""

from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.coding.given import resolve_code
from service.coding.lookup import Resolved
from service.domain.codes import Code, Term
from service.domain.errors import Contradiction
from tests.unit.coding.reports import make_lesion, make_report

BRAIN = Code("SCT", "94225005", "Secondary malignant neoplasm of brain")
RIGHT = Code("SCT", "722739008", "Right femur")
FEMUR = Code("SCT", "71341001", "Femur")


def coded(field: str, text: str, code: Code) -> Resolved:
    row = vocabulary().field(field)
    assert row is not None
    return resolve_code(vocabulary(), Term(text, code, "/x"), row)


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("site", "left femur", RIGHT),
        ("site", "linker Femur", RIGHT),
        ("laterality", "links", Code("SCT", "24028007", "Right")),
        ("finding", "no brain metastasis", BRAIN),
        ("finding", "keine Hirnmetastase", BRAIN),
    ],
)
def test_refuses_a_code_against_the_words_beside_its_display(field: str, text: str, code: Code) -> None:
    found = coded(field, text, code)

    assert found.term is None
    assert found.verdict is not None
    assert found.verdict.rule == "display-contradicts-code"


@pytest.mark.parametrize("text", ["? brain metastasis", "abscess", "history of brain metastasis"])
def test_flags_words_that_say_less_or_another_thing_than_the_code(text: str) -> None:
    found = coded("finding", text, BRAIN)

    assert found.term is not None
    assert found.verdict is not None
    assert (found.term.concept, found.term.said) == ("brain-metastasis", text)
    assert found.verdict.rule == "display-contradicts-code"


def test_the_words_beside_a_code_are_what_was_said() -> None:
    found = coded("site", "left femoral shaft", FEMUR)

    assert found.term is not None
    assert (found.term.concept, found.term.said) == ("femur", "left femoral shaft")


def test_the_words_beside_a_code_that_nobody_knows_are_kept() -> None:
    found = coded("site", "right somewhere", Code("99ACME", "X-1", "Somewhere"))

    assert found.term is not None
    assert "right somewhere" in (found.term.text, found.term.said)


@pytest.mark.parametrize("code", [FEMUR, Code("99ACME", "X-1", "Somewhere")])
def test_refuses_a_laterality_against_the_words_beside_a_code(code: Code) -> None:
    changes: dict[str, Any] = {"site": Term("left femoral shaft", code, "/s"), "laterality": "right"}

    with pytest.raises(Contradiction) as caught:
        code_report(make_report(make_lesion(**changes)), vocabulary())

    assert [problem.rule for problem in caught.value.problems] == ["laterality-contradicts-site"]


def test_a_display_that_names_another_thing_is_flagged_whatever_the_words_say() -> None:
    found = coded("finding", "brain metastasis", Code("SCT", "94225005", "abscess"))

    assert found.verdict is not None
    assert found.verdict.rule == "display-contradicts-code"
