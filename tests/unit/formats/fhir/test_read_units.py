"""Units of quantities: nothing of their words or code goes without a word."""

from typing import Any

import pytest

from service.domain.codes import Term
from service.domain.received import Received
from tests.unit.formats.fhir.test_read import SIZE, UCUM, of_rule, reading, with_results

QUANTITY = "DiagnosticReport.contained[2].valueQuantity"


def with_unit(**members: Any) -> tuple[Term, Received]:
    """What is read of the unit of a long axis."""
    received = reading(with_results(SIZE | {"valueQuantity": {"value": 12, **members}}))
    return received.report.lesions[0].measurements[0].unit, received


@pytest.mark.parametrize("code", [{}, {"system": UCUM, "code": "mm"}])
def test_a_unit_of_more_words_than_a_report_takes_is_cut_and_flagged(code: dict[str, str]) -> None:
    unit, received = with_unit(unit="m" * 257, **code)
    assert unit.text == "m" * 256
    assert [(loss.kind, loss.where) for loss in of_rule(received, "fhir-length")] == [("flagged", f"{QUANTITY}.unit")]


def test_a_unit_of_256_characters_is_whole() -> None:
    unit, received = with_unit(unit="m" * 256)
    assert unit.text == "m" * 256
    assert of_rule(received, "fhir-length") == []


def test_a_line_break_in_a_unit_is_a_space_and_is_flagged() -> None:
    unit, received = with_unit(unit="Hounsfield\nunits")
    assert unit.text == "Hounsfield units"
    assert [loss.where for loss in of_rule(received, "fhir-one-line")] == [f"{QUANTITY}.unit"]


@pytest.mark.parametrize("members", [{"code": "mm"}, {"system": UCUM, "code": "m" * 257}, {"system": "", "code": "mm"}])
def test_the_code_of_a_unit_that_can_not_be_kept_is_listed(members: dict[str, str]) -> None:
    unit, received = with_unit(unit="millimetres", **members)
    assert (unit.text, unit.code) == ("millimetres", None)
    assert [(loss.kind, loss.where) for loss in of_rule(received, "fhir-type")] == [("skipped", f"{QUANTITY}.code")]


@pytest.mark.parametrize("members", [{"unit": "mm"}, {"code": "mm"}, {"unit": "mm", "code": "mm"}])
def test_a_code_that_stands_for_the_words_is_not_lost(members: dict[str, str]) -> None:
    unit, received = with_unit(**members)
    assert unit.text == "mm"
    assert of_rule(received, "fhir-type") == []
