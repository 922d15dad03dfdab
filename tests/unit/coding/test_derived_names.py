"""Names that say a derivation, too: SUVmax is the standardized uptake value, derivation maximum."""

import json
from decimal import Decimal
from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Contradiction, Invalid
from service.domain.limits import Limits
from service.domain.report import CodedReport
from service.formats.findings.read import read

NAMES = [(row.key, name, derivation) for row in vocabulary().measurements.values() for name, derivation in row.derived]


def coded(measurements: Any) -> CodedReport:
    """A report of one lesion with these measurements."""
    body = {
        "report": {"id": "R1", "status": "final", "issued": "2026-03-02T10:41:00Z"},
        "patient": {"id": "P1"},
        "study": {"uid": "1.2.3", "modality": "PT", "procedure": "PET-CT"},
        "lesions": [{"id": "L1", "finding": "lesion", "measurements": measurements}],
    }
    return code_report(read(json.dumps(body).encode(), default_sender="local", limits=Limits()), vocabulary())


@pytest.mark.parametrize(("row", "name", "derivation"), NAMES)
def test_a_name_with_a_derivation_is_the_row_and_that_derivation(row: str, name: str, derivation: str) -> None:
    unit = vocabulary().measurements[row].units[0]
    (item,) = coded({name: f"0.001 {unit}"}).lesions[0].measurements
    assert item.concept.concept == vocabulary().measurements[row].concept
    assert item.value == Decimal("0.001")
    assert item.derivation is not None
    assert item.derivation.concept == derivation


def test_suv_alone_has_no_derivation() -> None:
    (item,) = coded({"SUV": "8.4 g/ml{SUVbw}"}).lesions[0].measurements
    assert item.derivation is None


def test_the_maximum_and_the_mean_may_stand_side_by_side() -> None:
    items = coded({"SUVmax": "8.4 g/ml{SUVbw}", "SUVmean": "5.1 g/ml{SUVbw}"}).lesions[0].measurements
    assert [item.derivation.text for item in items if item.derivation is not None] == ["maximum", "mean"]


def test_refuses_two_names_of_the_maximum() -> None:
    with pytest.raises(Invalid) as refused:
        coded({"SUVmax": "8.4 g/ml{SUVbw}", "maximum SUV": "8.5 g/ml{SUVbw}"})
    assert [problem.rule for problem in refused.value.problems] == ["duplicate-measurement"]


def test_refuses_a_derivation_that_contradicts_the_name() -> None:
    with pytest.raises(Contradiction):
        coded({"SUVmax": {"value": "8.4", "unit": "g/ml{SUVbw}", "derivation": "mean"}})
