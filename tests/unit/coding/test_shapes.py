"""Check digits and forms of codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coding.shapes import SHAPES, is_loinc, is_sctid, meaning_fault, shape_fault

GOOD = {
    "SCT": ("94225005", "12738006", "363698007", "6411000179107", "1163375002"),
    "LN": ("21889-1", "33728-7", "24590-2", "LP29684-5", "LA4720-4"),
    "RADLEX": ("RID5231", "RPID480"),
    "DCM": ("126000", "MR", "CT"),
    "UMLS": ("C0034375",),
    "NCIt": ("C114879", "C39750"),
    "I10C": ("C79.31", "M84.521A", "C73"),
    "ICDO3": ("9440/3", "C71.9"),
    "UCUM": ("mm", "[hnsf'U]", "10*-6.mm2/s"),
}
BAD = {
    "SCT": ("94225004", "9422500", "", "T-A0100", "942250051234567890123"),
    "LN": ("21889-2", "21889", "XX123-1"),
    "RADLEX": ("5231", "RID", "RID 5231", "rid5231"),
    "DCM": ("12600", "mr"),
    "UMLS": ("C003437",),
    "NCIt": ("114879",),
    "I10C": ("79.31", "C79.31111"),
    "ICDO3": ("9440",),
    "UCUM": ("",),
}


@pytest.mark.parametrize("system", SHAPES)
def test_takes_codes_of_the_right_form(system: str) -> None:
    assert [code for code in GOOD[system] if shape_fault(system, code)] == []


@pytest.mark.parametrize("system", SHAPES)
def test_refuses_codes_of_another_form(system: str) -> None:
    assert [code for code in BAD[system] if not shape_fault(system, code)] == []


@pytest.mark.parametrize("code", ["a\x00b", " a", "a ", "a\\b", "", "a  b", "a\nb"])
def test_refuses_blanks_at_the_ends_and_controls_in_any_system(code: str) -> None:
    assert shape_fault("99ANY", code)


@given(st.sampled_from(GOOD["SCT"]), st.data())
def test_one_wrong_digit_of_an_sctid_is_found(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(code) - 1))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != code[place]]))

    assert not is_sctid(code[:place] + digit + code[place + 1 :])


@given(st.sampled_from(GOOD["SCT"]), st.data())
def test_two_neighbouring_digits_swapped_in_an_sctid_are_found(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(code) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    assert swapped == code or not is_sctid(swapped)


@given(st.integers(1, 9_999_999))
def test_one_check_digit_of_ten_makes_a_loinc_number(number: int) -> None:
    assert sum(is_loinc(f"{number}-{digit}") for digit in range(10)) == 1


def test_a_code_meaning_has_at_most_64_characters() -> None:
    assert meaning_fault("x" * 64) is None
    assert meaning_fault("x" * 65)
    assert meaning_fault(" ")
    assert meaning_fault("a\\b")
    assert meaning_fault("a\tb")
