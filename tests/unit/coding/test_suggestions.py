"""Suggestions look like the term, come from its field first, and are never applied."""

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.suggestions import MOST, suggest_names


@pytest.mark.parametrize(
    ("text", "row", "first"),
    [
        ("fronatl lobe", "site", "frontal lobe"),
        ("hypointens", "t1-signal", "T1 hypointense"),
        ("cerebral metastsis", "finding", "brain metastasis"),
        ("long axs", "long-axis", "long axis"),
        ("brain metastasiss", "", "brain metastasis"),
    ],
)
def test_suggests_what_looks_like_the_term(small: Vocabulary, text: str, row: str, first: str) -> None:
    assert small.suggest(text, row)[0] == first


def test_suggests_only_what_the_field_takes(small: Vocabulary) -> None:
    field = small.field("laterality")
    assert field is not None
    labels = {small.concept(key).label for key in field.values or ()}

    assert set(small.suggest("left cerebral hemisphere", "laterality")) <= labels


def test_suggests_nothing_for_another_word_altogether(small: Vocabulary) -> None:
    assert small.suggest("qqqqqqqq", "site") == ()


def test_suggests_at_most_five_and_none_twice() -> None:
    found = vocabulary().suggest("metastasis", "finding")

    assert len(found) == MOST
    assert len(set(found)) == MOST


@pytest.mark.parametrize("table", ["measurements", "evaluations"])
def test_every_suggested_name_of_a_row_is_one_that_a_sender_can_write(table: str) -> None:
    rows = vocabulary().measurements if table == "measurements" else vocabulary().evaluations
    for row in rows:
        for name in suggest_names(vocabulary(), table, row):
            assert len(vocabulary().names(table).find(name)[0]) == 1, name
