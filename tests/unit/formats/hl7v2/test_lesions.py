"""Lesions of others' messages: no answer is taken for another one, and none goes without a word."""

from decimal import Decimal

import pytest

from tests.unit.formats.hl7v2.test_no_results import of_rule
from tests.unit.formats.hl7v2.test_read import ORDER, TEXT, received

FINDING = "OBX|1|CWE|121071^Finding^DCM|1|27925004^Nodule^SCT||||||F"
AXIS = "103339001^Long Axis^SCT"


@pytest.mark.parametrize("value", [">^10", "<=^10", "^5^-^10", "^1^:^3", "~"])
def test_a_structured_number_that_is_a_bound_or_several_is_no_answer(value: str) -> None:
    made = received(FINDING, f"OBX|2|SN|{AXIS}|1|{value}|mm^^UCUM|||||F")
    (lesion,) = made.report.lesions
    assert (lesion.measurements, lesion.evaluations, lesion.text) == ((), (), None)
    assert of_rule(made, "v2-observation") == ["OBX[2]"]


@pytest.mark.parametrize("value", ["^12.50", "=^12.50"])
def test_a_structured_number_that_is_one_is_read(value: str) -> None:
    (lesion,) = received(FINDING, f"OBX|2|SN|{AXIS}|1|{value}|mm^^UCUM|||||F").report.lesions
    assert [(str(one.value), one.unit.text) for one in lesion.measurements] == [("12.50", "mm")]


def test_two_numbers_in_one_field_are_none() -> None:
    made = received(FINDING, f"OBX|2|NM|{AXIS}|1|12~15|mm^^UCUM|||||F")
    assert made.report.lesions[0].measurements == ()
    assert of_rule(made, "v2-observation") == ["OBX[2]"]


@pytest.mark.parametrize("kind", ["DT", "RP", "ED", "CX"])
def test_a_value_of_another_type_is_no_answer(kind: str) -> None:
    made = received(FINDING, f"OBX|2|{kind}|1^x^L|1|20260101^a||||||F")
    assert made.report.lesions[0].evaluations == ()
    assert of_rule(made, "v2-observation") == ["OBX[2]"]


@pytest.mark.parametrize(
    "second", ["~24028007^Right^SCT", "||||||F\rOBX|3|CWE|272741003^Laterality^SCT|1|24028007^Right^SCT"]
)
def test_a_second_side_is_listed_and_the_first_stays(second: str) -> None:
    made = received(FINDING, f"OBX|2|CWE|272741003^Laterality^SCT|1|7771000^Left^SCT{second}||||||F")
    (lesion,) = made.report.lesions
    assert lesion.laterality is not None
    assert lesion.laterality.text == "Left"
    assert len(of_rule(made, "v2-further")) == 1


def test_several_answers_to_a_question_are_all_read() -> None:
    made = received(FINDING, "OBX|2|CWE|1^Contents^L|1|2^Fat^L~3^Calcium^L||||||F")
    assert [one.value.text for one in made.report.lesions[0].evaluations] == ["Fat", "Calcium"]


def test_a_side_in_words_is_a_word() -> None:
    (lesion,) = received(FINDING, "OBX|2|ST|272741003^Laterality^SCT|1|left||||||F").report.lesions
    assert lesion.laterality is not None
    assert (lesion.laterality.text, lesion.laterality.code) == ("left", None)


def test_words_about_a_lesion_keep_their_question_and_their_unit() -> None:
    (lesion,) = received(
        FINDING, f"OBX|2|ST|{AXIS}|1|about 12|mm|||||F", "OBX|3|TX|121106^Comment^DCM|1|seen twice||||||F"
    ).report.lesions
    assert lesion.text == "Long Axis: about 12 mm\nseen twice"


def test_a_sub_id_that_stands_for_two_lesions_is_two() -> None:
    made = received(
        FINDING,
        f"OBX|2|NM|{AXIS}|1|12|mm^^UCUM|||||F",
        FINDING.replace("27925004^Nodule", "128462008^Metastasis"),
        f"OBX|4|NM|{AXIS}|1|40|mm^^UCUM|||||F",
    )
    assert [[one.value for one in lesion.measurements] for lesion in made.report.lesions] == [
        [Decimal(12)],
        [Decimal(40)],
    ]
    assert of_rule(made, "v2-further") == ["OBX[3]"]


def test_a_sub_id_is_one_within_its_order() -> None:
    site = "OBX|2|CWE|363698007^Finding Site^SCT|1|{}||||||F"
    made = received(FINDING, site.format("39607008^Lung^SCT"), ORDER, FINDING, site.format("10200004^Liver^SCT"))
    assert [lesion.site.text if lesion.site else "" for lesion in made.report.lesions] == ["Lung", "Liver"]


def test_a_time_point_without_a_label_is_listed() -> None:
    made = received(FINDING, "OBX|2|NM|126073^Time Point Order^DCM|1|2||||||F")
    assert made.report.lesions[0].time_point is None
    assert of_rule(made, "v2-value") == ["OBX[1]"]


@pytest.mark.parametrize(("flag", "found"), [("NEG", 0), ("ND^Not Detected^HL70078", 0), ("POS", 1), ("A", 1)])
def test_a_finding_that_is_interpreted_as_negative_is_none_nor_is_its_lesion(flag: str, found: int) -> None:
    finding = FINDING.replace("||||||F", f"|||{flag}|||F")
    made = received(TEXT, finding.replace("OBX|1", "OBX|2"), f"OBX|3|NM|{AXIS}|1|12|mm^^UCUM|||||F")
    assert len(made.report.lesions) == found
    assert of_rule(made, "v2-denied") == ([] if found else ["OBX[2]", "OBX[3]"])
    assert of_rule(made, "v2-no-place") == (["OBX[2]-8"] if found else [])


@pytest.mark.parametrize(("flag", "numbers"), [(">", 0), ("<", 0), ("H~>", 0), ("H", 1), ("", 1)])
def test_a_number_off_the_scale_is_a_bound(flag: str, numbers: int) -> None:
    made = received(FINDING, f"OBX|2|NM|{AXIS}|1|12|mm^^UCUM||{flag}|||F")
    assert len(made.report.lesions[0].measurements) == numbers
    assert len(of_rule(made, "v2-observation")) == 1 - numbers
    assert of_rule(made, "v2-no-place") == (["OBX[2]-8"] if flag == "H" else [])
