"""A response is that of a target lesion or of another one: where role and response differ it is flagged."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from tests.unit.coding.reports import answer, make_lesion, make_report


def flagged(role: str, response: str) -> list[str]:
    lesion = make_lesion(evaluations=(answer("lesion-role", role), answer("response", response)))
    losses = code_report(make_report(lesion), vocabulary()).losses
    return [loss.where for loss in losses if loss.rule == "response-of-other-role"]


@pytest.mark.parametrize("response", ["PD", "SD", "partial response", "CR"])
def test_a_response_of_a_target_is_flagged_for_a_lesion_that_is_none(response: str) -> None:
    # "PD" is written as 112043, Target Lesion Progressive Disease.
    assert flagged("non-target", response) == ["/lesions/0/descriptors/response"]


def test_a_response_of_another_lesion_is_flagged_for_a_target() -> None:
    assert flagged("target", "non-target lesion progressive disease")


@pytest.mark.parametrize(
    ("role", "response"),
    [("target", "PD"), ("non-target", "non-target lesion progressive disease"), ("target", "something")],
)
def test_what_fits_is_not(role: str, response: str) -> None:
    assert flagged(role, response) == []
