"""Measurements coded: their names, units and values, and the image or shape that shows them."""

from dataclasses import replace
from decimal import Decimal
from string import ascii_lowercase
from typing import Any

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.coder import code_report
from service.domain.codes import Code, CodedTerm, Resolution, Term
from service.domain.errors import Implausible, Invalid
from service.domain.geometry import Graphic, LesionImage, Region2D
from service.domain.loss import LossKind
from tests.unit.coding.reports import (
    IMAGE,
    changed,
    code,
    coded_lesion,
    make_lesion,
    make_report,
    number,
    refused,
    term,
)


@pytest.mark.parametrize(
    ("change", "takes"), [("resolved", True), ("disappeared", True), ("smaller", False), (None, False)]
)
def test_a_lesion_that_is_gone_may_measure_nothing(change: str | None, takes: bool) -> None:
    changes: dict[str, Any] = {"change": Term(change)} if change is not None else {}
    report = make_report(make_lesion(measurements=(number("long axis", "0", "mm"),), **changes))

    if takes:
        assert code_report(report, vocabulary()).lesions[0].measurements[0].value == 0
        return
    with pytest.raises(Implausible, match="above 0 mm"):
        code_report(report, vocabulary())


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("long-axis", Resolution.KEY),
        ("long axis", Resolution.EXACT),
        ("Long Axis", Resolution.EXACT),
        ("long diameter", Resolution.SYNONYM),
        ("longest diameter", Resolution.SYNONYM),
        ("longest diameters", Resolution.VARIANT),
    ],
)
def test_a_measurement_is_named_by_key_name_or_designation(small: Vocabulary, name: str, how: Resolution) -> None:
    concept = coded_lesion(small, measurements=(number(name, "14.2", "mm"),)).measurements[0].concept

    assert (concept.concept, concept.resolution) == ("long-axis", how)
    assert concept.said == ("" if name == "long axis" else name)


@pytest.mark.parametrize(
    "given", [code("SCT", "103339001"), code("SRT", "G-A185"), code("99LESIONBRIDGE", "long-axis")]
)
def test_a_measurement_is_named_by_code(small: Vocabulary, given: Term) -> None:
    concept = coded_lesion(small, measurements=(number(given, "14.2", "mm", "/m/0"),)).measurements[0].concept

    assert (concept.concept, concept.resolution) == ("long-axis", Resolution.CODE)


def test_a_single_letter_names_no_measurement(small: Vocabulary) -> None:
    assert [name for name in ascii_lowercase if small.names("measurements").find(name)[0]] == []


def test_a_measurement_of_an_unknown_name_is_kept_as_text(small: Vocabulary) -> None:
    coded = code_report(make_report(make_lesion(measurements=(number("longest axs", "3", "mm"),))), small)

    (loss,) = coded.losses
    assert (loss.kind, loss.rule) == (LossKind.UNCODED, "unknown-measurement")
    assert "long axis" in loss.suggestions
    assert coded.lesions[0].measurements[0].concept == CodedTerm("longest axs")


def test_a_measurement_of_a_code_unknown_here_is_passed_on(small: Vocabulary) -> None:
    made = number(code("LN", "21889-1", "Size Tumor"), "3", "mm", "/m/0")

    coded = code_report(make_report(make_lesion(measurements=(made,))), small)

    assert coded.losses == ()
    assert coded.lesions[0].measurements[0].concept.codes == (Code("LN", "21889-1", "Size Tumor"),)


@pytest.mark.parametrize(
    ("unit", "code_", "said"),
    [
        (term("mm"), "mm", ""),
        (term("millimetres"), "mm", "millimetres"),
        (code("UCUM", "cm"), "cm", ""),
        (code("http://unitsofmeasure.org", "cm", "centimeter"), "cm", ""),
    ],
)
def test_a_unit_is_one_of_the_rows_units_in_any_spelling(small: Vocabulary, unit: Term, code_: str, said: str) -> None:
    made = coded_lesion(small, measurements=(number("long axis", "1.4", unit),)).measurements[0].unit

    assert (made.text, made.code, made.said) == (code_, Code("UCUM", code_, ""), said)


@pytest.mark.parametrize("unit", ["mm3", "g/ml{SUVbw}", "1", "um"])
def test_refuses_a_unit_of_another_kind_and_says_which_are_accepted(small: Vocabulary, unit: str) -> None:
    with pytest.raises(Implausible) as caught:
        coded_lesion(small, measurements=(number("long axis", "14", unit),))

    (problem,) = caught.value.problems
    assert (problem.rule, problem.candidates) == ("unit-kind", ("mm", "cm"))


@pytest.mark.parametrize("unit", ["furlong", "MM", "{SUVbw}"])
def test_refuses_an_unknown_unit(small: Vocabulary, unit: str) -> None:
    assert refused(small, Invalid, measurements=(number("long axis", "14", unit),))[0][0] == "unit-unknown"


def test_refuses_a_unit_of_another_system(small: Vocabulary) -> None:
    unit = code("SCT", "258673006", "mm")

    assert refused(small, Invalid, measurements=(number("long axis", "14", unit),))[0][0] == "unit-system"


def test_refuses_a_number_without_unit_except_where_the_unit_is_one(small: Vocabulary) -> None:
    counted = coded_lesion(small, measurements=(number("number of lesions", "3", ""),))

    assert counted.measurements[0].unit.text == "1"
    assert refused(small, Invalid, measurements=(number("long axis", "14", ""),))[0][0] == "unit-missing"


def test_a_measurement_without_a_row_has_any_known_unit_or_ucum(small: Vocabulary) -> None:
    named = code("LN", "21889-1", "Size Tumor")

    known = coded_lesion(small, measurements=(number(named, "3", "cc", "/m/0"),)).measurements[0].unit
    given = coded_lesion(small, measurements=(number(named, "3", code("UCUM", "mol/L"), "/m/0"),)).measurements[0].unit

    assert (known.text, given.text, given.resolution) == ("cm3", "mol/L", Resolution.GIVEN)
    assert refused(small, Invalid, measurements=(number(named, "3", "mol/L", "/m/0"),)) == [("unit-unknown", "")]


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("long axis", "0", "mm"),
        ("long axis", "-3", "mm"),
        ("long axis", "-0.1", "cm"),
        ("long axis", "NaN", "mm"),
        ("long axis", "Infinity", "mm"),
        ("volume", "-396", "mm3"),
        ("suv", "-1", "g/ml{SUVbw}"),
        ("number of lesions", "0", "1"),
    ],
)
def test_refuses_what_nothing_can_measure(small: Vocabulary, name: str, value: str, unit: str) -> None:
    measurement = number(name, value, unit)

    assert refused(small, Implausible, measurements=(measurement,)) == [("value-range", measurement.where)]


def test_refuses_a_fraction_of_a_count(small: Vocabulary) -> None:
    found = refused(small, Implausible, measurements=(number("number of lesions", "2.5", "1"),))

    assert found[0][0] == "value-integer"


@pytest.mark.parametrize(
    ("name", "value", "unit", "flagged"),
    [
        ("long axis", "300", "mm", False),
        ("long axis", "300.1", "mm", True),
        ("long axis", "30", "cm", False),
        ("long axis", "30.1", "cm", True),
        ("volume", "2000", "ml", False),
        ("volume", "2001", "cm3", True),
        ("adc", "0.0051", "mm2/s", True),
        ("adc", "0.005", "mm2/s", False),
        ("volume", "0", "ml", False),
        ("number of lesions", "3.0", "1", False),
    ],
)
def test_flags_what_is_hard_to_believe_in_any_unit(
    small: Vocabulary, name: str, value: str, unit: str, flagged: bool
) -> None:
    coded = code_report(make_report(make_lesion(measurements=(number(name, value, unit),))), small)

    assert [loss.rule for loss in coded.losses] == ["implausible-value"] * flagged
    assert coded.lesions[0].measurements[0].value == Decimal(value)


def test_refuses_two_names_of_one_measurement_in_an_object(small: Vocabulary) -> None:
    twice = (number("long axis", "14", "mm"), number("longest diameter", "15", "mm"))

    assert refused(small, Invalid, measurements=twice) == [
        ("duplicate-measurement", "/lesions/0/measurements/longest diameter")
    ]


@pytest.mark.parametrize("places", [("/lesions/0/measurements/0", "/lesions/0/measurements/1"), ("1.4.2.1", "1.4.2.2")])
def test_a_list_may_give_one_measurement_twice(small: Vocabulary, places: tuple[str, str]) -> None:
    twice = tuple(number("long axis", "14", "mm", place) for place in places)

    assert len(coded_lesion(small, measurements=twice).measurements) == 2


def test_the_image_of_a_measurement_is_the_lesions_or_the_studys(small: Vocabulary) -> None:
    measurement = number("long axis", "14", "mm", image=IMAGE.sop_instance)

    shown = make_report(make_lesion(measurements=(measurement,), images=(LesionImage(IMAGE),)))
    kept = make_report(make_lesion(measurements=(measurement,)))
    kept = changed(kept, study=replace(kept.study, images=(IMAGE,)))

    assert code_report(shown, small).lesions[0].measurements[0].image == IMAGE.sop_instance
    assert code_report(kept, small).lesions[0].measurements[0].image == IMAGE.sop_instance
    assert refused(small, Invalid, measurements=(measurement,)) == [("measurement-image", measurement.where)]


def region(name: str, where: str = "/r") -> LesionImage[Term]:
    return LesionImage(IMAGE, (Region2D(Graphic.LINE, ((1.0, 2.0), (3.0, 4.0)), term(name, where)),))


def test_a_shape_shows_a_measurement_of_the_lesion_by_any_of_its_names(small: Vocabulary) -> None:
    lesion = coded_lesion(small, measurements=(number("long axis", "14", "mm"),), images=(region("longest diameter"),))

    assert lesion.images[0].regions[0].measurement == lesion.measurements[0].concept


def test_a_shape_may_show_a_measurement_kept_as_text(small: Vocabulary) -> None:
    lesion = coded_lesion(small, measurements=(number("odd size", "14", "mm"),), images=(region("odd size"),))

    assert lesion.images[0].regions[0].measurement == CodedTerm("odd size")


@pytest.mark.parametrize("name", ["short axis", "volume", "odd size"])
def test_refuses_a_shape_of_what_was_not_measured(small: Vocabulary, name: str) -> None:
    found = refused(small, Invalid, measurements=(number("long axis", "14", "mm"),), images=(region(name),))

    assert found == [("region-measurement", "/r")]
