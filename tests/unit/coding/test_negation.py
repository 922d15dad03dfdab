"""Words that deny or doubt: what may turn a finding round, and what only looks so."""

import pytest

from service.coding import vocabulary
from service.coding.negation import DENYING, denies, doubts, turned


@pytest.mark.parametrize(
    "text",
    [
        "no metastasis",
        "No Metastasis",
        "no evidence of metastasis",
        "metastasis absent",
        "metastasis: not seen",
        "keine Metastase",
        "kein Hydrozephalus",
        "Metastase ausgeschlossen",
        "pas d'hémorragie",
        "pas de métastase",
        "sans œdème",
        "sin hemorragia",
        "brak krwotoku",
        "出血なし",
    ],
)
def test_a_text_that_says_that_something_is_not_there_denies(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize(
    "text",
    [
        "metastasis",
        "non-small cell lung cancer",
        "nodule",
        "nothing but a scar",
        "no longer seen",
        "no significant change",
        "metastasis, not otherwise specified",
        "disc disorder without myelopathy",
        "triple negative breast cancer",
        "Bezirk",
        "sinus",
    ],
)
def test_a_text_that_denies_something_else_or_nothing_does_not(text: str) -> None:
    assert not denies(text)


def test_only_what_says_that_a_finding_is_there_is_turned() -> None:
    tables = vocabulary()

    assert turned(tables, "metastasis", "no metastasis", "finding")
    assert turned(tables, "pathological-fracture", "keine Fraktur", "complication")
    assert not turned(tables, "metastasis", "no metastasis", "negative")
    assert not turned(tables, "no-enhancement", "no contrast uptake", "finding")
    assert not turned(tables, "normal-finding", "no abnormality", "finding")
    assert not turned(tables, "stable", "not changed", "change")


def test_a_certainty_that_affirms_is_turned_by_a_word_that_denies() -> None:
    assert turned(vocabulary(), "present", "ausgeschlossen", "certainty")
    assert not turned(vocabulary(), "absent", "ausgeschlossen", "certainty")
    assert not turned(vocabulary(), "possibly", "not excluded", "certainty")


@pytest.mark.parametrize("text", ["possible metastasis", "history of breast cancer", "metastasis?", "? metastasis"])
def test_a_text_that_says_less_doubts(text: str) -> None:
    assert doubts(text)
    assert not doubts(text.removeprefix("possible ").removeprefix("history of ").strip("? "))


def test_the_certainties_that_deny_are_in_the_tables() -> None:
    assert vocabulary().value_sets["certainties"] > DENYING
