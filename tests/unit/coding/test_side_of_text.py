"""The free text of a lesion may show that its side was swapped: it is flagged, and a text of both sides is not."""

from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from tests.unit.coding.reports import make_lesion, make_report


def flagged(text: str, **changes: Any) -> list[tuple[str, str]]:
    lesion = make_lesion(text=text, **changes)
    losses = code_report(make_report(lesion), vocabulary()).losses
    return [(loss.rule, loss.where) for loss in losses if loss.rule == "text-of-other-side"]


@pytest.mark.parametrize("text", ["Right frontal metastasis, 12 mm", "Metastase rechts frontal.", "右前頭葉"])
def test_a_text_that_begins_with_the_other_side_is_flagged(text: str) -> None:
    assert flagged(text, site="frontal lobe", laterality="left") == [("text-of-other-side", "/lesions/0/text")]


def test_it_is_held_against_the_side_of_the_site_too() -> None:
    assert flagged("Right frontal", site="left frontal lobe", laterality=None)


@pytest.mark.parametrize(
    "text",
    [
        "Left frontal metastasis, right of it an old infarct",
        "Shift to the right",
        "Larger than the right one",
        "Crosses to the right side",
        "Left and right frontal",
        "12 mm, right of the midline",
        "Abuts the falx",
    ],
)
def test_a_text_of_the_same_side_or_of_another_thing_is_not(text: str) -> None:
    assert flagged(text, site="frontal lobe", laterality="left") == []


@pytest.mark.parametrize("laterality", [None, "bilateral", "midline", "unilateral"])
def test_without_one_side_nothing_is_held_against_the_text(laterality: str | None) -> None:
    assert flagged("Right frontal metastasis", site="frontal lobe", laterality=laterality) == []
