"""A unit whose code says one thing and its display another: nobody can tell how large a lesion is."""

from decimal import Decimal

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.coding.measuring import resolve_unit
from service.domain.codes import Code, Term
from service.domain.errors import Contradiction
from service.domain.limits import Limits
from service.formats.findings.read import read as read_findings
from tests.documents import EXAMPLE, as_bytes
from tests.unit.formats.fhir.test_read import SIZE, UCUM, reading, with_results
from tests.unit.formats.hl7v2.test_lesions import AXIS, FINDING
from tests.unit.formats.hl7v2.test_read import received


@pytest.mark.parametrize(
    ("code", "display"),
    [
        ("mm", "cm"),
        ("cm", "millimeters"),
        ("mm", "mm2"),
        ("1", "%"),
        ("mm3", "ml"),
        ("mm", "1"),
    ],
)
def test_another_unit_in_the_display_is_a_contradiction(code: str, display: str) -> None:
    found = resolve_unit(vocabulary(), Term(display, Code("UCUM", code, display)), None)
    assert found.term is None
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (Contradiction, "unit-contradicts-code")


@pytest.mark.parametrize(
    ("code", "display"),
    [
        ("mm", "mm"),
        ("mm", "Millimeters"),
        ("mm", "millimetre"),
        ("mm", "anything"),
        ("mL", "ml"),
        ("mL", "cm3"),
        ("1", "{ratio}"),
        ("g/ml{SUVbw}", "g/ml"),
        ("{pixels}", "1"),
    ],
)
def test_another_word_for_the_same_unit_is_none(code: str, display: str) -> None:
    found = resolve_unit(vocabulary(), Term(display, Code("UCUM", code, display)), None)
    assert found.verdict is None


def test_it_is_refused_in_findings() -> None:
    size = {"value": 12, "unit": {"system": "UCUM", "code": "mm", "display": "cm"}}
    lesion = EXAMPLE["lesions"][0] | {"measurements": {"long axis": size}, "images": []}
    report = read_findings(as_bytes(EXAMPLE | {"lesions": [lesion]}), default_sender="x", limits=Limits())
    with pytest.raises(Contradiction) as raised:
        code_report(report, vocabulary())
    assert [problem.pointer for problem in raised.value.problems] == ["/lesions/0/measurements/long axis/unit"]


def test_in_documents_of_others_both_stand_as_words() -> None:
    quantity = {"value": 12, "unit": "cm", "system": UCUM, "code": "mm"}
    of_fhir = reading(with_results(SIZE | {"valueQuantity": quantity})).report
    of_v2 = received(FINDING, f"OBX|2|NM|{AXIS}|1|12|mm^cm^UCUM|||||F").report
    for report in (of_fhir, of_v2):
        coded = code_report(report, vocabulary())
        (item,) = coded.lesions[0].measurements
        assert (item.value, item.unit.codes, item.unit.text) == (Decimal(12), (), "cm (UCUM mm)")
        assert "unit-contradicts-code" in {loss.rule for loss in coded.losses}
