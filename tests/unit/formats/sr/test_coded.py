from io import BytesIO

import pytest
from pydicom.filereader import read_dataset

from service.domain.codes import Code
from service.formats.sr.coded import CodedEntry, coded_entry, meaning


def _read(entry: CodedEntry) -> object:
    return read_dataset(BytesIO(entry.item[8:]), is_implicit_VR=False, is_little_endian=True)


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("94225005", "CodeValue"),
        ("x" * 16, "CodeValue"),
        ("x" * 17, "LongCodeValue"),
        ("1234567890123456789", "LongCodeValue"),
        ("urn:oid:1.2.3", "URNCodeValue"),
        ("http://example.org/code", "URNCodeValue"),
    ],
)
def test_a_code_has_exactly_the_one_attribute_that_holds_it(value: str, attribute: str) -> None:
    read = _read(coded_entry((Code("SCT", value, "meaning"),)))
    found = {name for name in ("CodeValue", "LongCodeValue", "URNCodeValue") if name in read}  # type: ignore[operator] # a data set
    assert found == {attribute}
    assert getattr(read, attribute) == value


def test_the_other_codes_are_equivalents_of_the_first() -> None:
    read = _read(coded_entry((Code("SCT", "1", "one"), Code("RADLEX", "RID2", "two"), Code("DCM", "3", "three"))))
    others = [(one.CodingSchemeDesignator, one.CodeValue) for one in read.EquivalentCodeSequence]  # type: ignore[attr-defined] # a data set
    assert others == [("RADLEX", "RID2"), ("DCM", "3")]


def test_without_equivalents_the_first_code_stands_alone() -> None:
    codes = (Code("SCT", "1", "one"), Code("RADLEX", "RID2", "two"))
    assert coded_entry(codes, equivalents=False).codes == codes[:1]
    assert coded_entry(codes).codes == codes


def test_two_codes_that_are_equal_keep_their_own_meanings() -> None:
    first, second = (coded_entry((Code("SCT", "1", display),)) for display in ("Long axis", "Long Axis"))
    assert first == second
    assert first.item != second.item


def test_a_long_meaning_is_cut_so_that_one_sees_it() -> None:
    made = meaning("word " * 30)
    assert len(made) <= 64
    assert made.endswith("…")


def test_a_code_without_a_meaning_is_its_own() -> None:
    assert _read(coded_entry((Code("99X", "key", ""),))).CodeMeaning == "key"  # type: ignore[attr-defined] # a data set


@pytest.mark.parametrize(
    "code", [Code("", "1", "x"), Code("SCT", "", "x"), Code("S" * 17, "1", "x"), Code("S", "a\\b", "x")]
)
def test_refuses_a_code_that_its_attributes_do_not_hold(code: Code) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        CodedEntry((code,))


def test_names_the_private_schemes_but_our_own() -> None:
    entry = coded_entry((Code("99LESIONBRIDGE", "a", "a"), Code("99SITE", "b", "b"), Code("SCT", "c", "c")))
    assert entry.private == ("99SITE",)
