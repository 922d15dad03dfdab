"""Units by spelling, and how they convert."""

from decimal import Decimal

import pytest

from service.coding import Vocabulary
from service.coding.units import commensurable, factor, is_ucum, quantity


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mm", "mm"),
        (" mm ", "mm"),
        ("millimetre", "mm"),
        ("Millimetres", "mm"),
        ("mm³", "mm3"),
        ("cc", "cm3"),
        ("{SUVbw}g/ml", "g/ml{SUVbw}"),
        ("10-6.mm2/s", "10*-6.mm2/s"),
        ("1", "1"),
    ],
)
def test_finds_a_unit_by_its_spellings(small: Vocabulary, text: str, code: str) -> None:
    assert small.units.code(text) == code


@pytest.mark.parametrize("text", ["MM", "Mm", "CC", "CM3", "furlong", "", "m m"])
def test_case_of_a_unit_counts(small: Vocabulary, text: str) -> None:
    assert small.units.code(text) is None


@pytest.mark.parametrize(
    ("unit", "into", "times"),
    [
        ("cm", "mm", "10"),
        ("mm", "cm", "0.1"),
        ("cm3", "mm3", "1000"),
        ("ml", "mm3", "1000"),
        ("mL", "cm3", "1"),
        ("mm2/s", "10*-6.mm2/s", "1000000"),
        ("%", "1", "0.01"),
        ("{ratio}", "1", "1"),
        ("[hnsf'U]", "[hnsf'U]", "1"),
    ],
)
def test_converts_exactly(unit: str, into: str, times: str) -> None:
    assert factor(unit, into) == Decimal(times)


@pytest.mark.parametrize(("one", "other"), [("mm", "mm2"), ("mm", "s"), ("g/ml{SUVbw}", "[hnsf'U]"), ("kg", "g")])
def test_does_not_convert_what_it_does_not_know(one: str, other: str) -> None:
    assert factor(one, other) is None


def test_annotated_units_measure_one_thing_without_a_factor() -> None:
    assert commensurable("g/ml{SUVbw}", "g/ml{SUVlbm}")
    assert factor("g/ml{SUVbw}", "g/ml{SUVlbm}") is None


def test_powers_of_litres_are_not_known() -> None:
    assert quantity("ml2") is None


def test_ucum_is_ascii_without_blanks_with_brackets_in_pairs() -> None:
    assert [text for text in ("mm", "g/ml{SUVbw}", "[hnsf'U]", "10*-6.mm2/s", "%") if not is_ucum(text)] == []
    assert [text for text in ("m m", "µm", "{SUV", "", "[HU", "mm]") if is_ucum(text)] == []
