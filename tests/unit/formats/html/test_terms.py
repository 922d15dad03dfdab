"""Measurements and sites in words."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from service.domain.codes import Code, CodedTerm
from service.domain.report import CountKind, ReferenceRange
from service.formats.html.terms import count, measurement, other_measurements, reference_range, site, sizes
from tests.report_terms import LONG_AXIS, MEAN, MM, MM2, MM3, NO_UNITS, SHORT_AXIS, SUV, SUV_UNIT, VOLUME
from tests.reports import make_lesion, number


def words(markup: str) -> str:
    """Markup without its tags."""
    return re.sub(r"<[^>]*>", "", markup.replace("<br/>", " | "))


def test_joins_the_two_axes_with_the_digits_as_written() -> None:
    lesion = make_lesion(measurements=(number(LONG_AXIS, "14.20", MM), number(SHORT_AXIS, "11.0", MM)))
    assert words(sizes(lesion)) == "14.20 × 11.0 mm"


def test_takes_the_axes_by_what_they_are_not_by_their_order() -> None:
    lesion = make_lesion(measurements=(number(SHORT_AXIS, "11.0", MM), number(LONG_AXIS, "14.2", MM)))
    assert words(sizes(lesion)) == "14.2 × 11.0 mm"


@pytest.mark.parametrize(
    "second",
    [
        number(SHORT_AXIS, "1.1", replace(MM, text="cm")),
        number(SHORT_AXIS, "11.0", MM, derivation=MEAN),
        number(SHORT_AXIS, "11.0", MM, range=ReferenceRange(Decimal(1))),
    ],
)
def test_does_not_join_axes_that_say_more_or_differ_in_unit(second: object) -> None:
    lesion = make_lesion(measurements=(number(LONG_AXIS, "14.2", MM), second))
    assert "×" not in sizes(lesion)
    assert words(sizes(lesion)).startswith("long axis 14.2 mm | short axis 1")


def test_shows_two_long_axes_apart() -> None:
    twice = (number(LONG_AXIS, "14", MM), number(LONG_AXIS, "15", MM), number(SHORT_AXIS, "11", MM))
    assert words(sizes(make_lesion(measurements=twice))) == "long axis 14 mm | long axis 15 mm | short axis 11 mm"


def test_keeps_the_size_apart_from_what_else_was_measured() -> None:
    lesion = make_lesion(measurements=(number(SUV, "7.1", SUV_UNIT), number(VOLUME, "1450", MM3)))
    assert words(sizes(lesion)) == "volume 1450 mm3"
    assert words(other_measurements(lesion)) == "SUVbw 7.1 g/ml{SUVbw}"


def test_raises_the_power_of_a_unit_and_keeps_its_letters() -> None:
    assert "122 mm<sup>2</sup>" in measurement(number(VOLUME, "122", MM2))


def test_shows_the_unit_in_the_senders_own_spelling() -> None:
    hounsfield = CodedTerm("[hnsf'U]", (Code("UCUM", "[hnsf'U]", "Hounsfield unit"),), said="HU")
    assert words(measurement(number(VOLUME, "62", hounsfield))) == "volume 62 HU"


def test_shows_no_unit_for_a_number_without_one() -> None:
    assert words(measurement(number(VOLUME, "0.40", NO_UNITS))) == "volume 0.40"


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ReferenceRange(Decimal("0.5"), Decimal("1.50")), "reference 0.5 to 1.50"),
        (ReferenceRange(low=Decimal(3)), "reference 3 or more"),
        (ReferenceRange(high=Decimal(3)), "reference 3 or less"),
        (ReferenceRange(text="none"), "reference none"),
        (ReferenceRange(high=Decimal(3), text="adults"), "reference 3 or less, adults"),
    ],
)
def test_says_a_reference_range(limits: ReferenceRange, said: str) -> None:
    assert reference_range(limits) == said


def test_says_the_side_first() -> None:
    assert words(site(make_lesion())) == "left frontal lobe"


def test_invents_no_side() -> None:
    assert words(site(make_lesion(laterality=None))) == "frontal lobe"
    assert site(make_lesion(laterality=None, site=None)) == ""


@pytest.mark.parametrize(
    ("many", "said"),
    [
        (1, "1 lesion"),
        (3, "3 lesions"),
        (CountKind.MULTIPLE, "multiple lesions"),
        (CountKind.INNUMERABLE, "innumerable lesions"),
    ],
)
def test_says_how_many(many: int | CountKind, said: str) -> None:
    assert count(make_lesion(count=many)) == said
