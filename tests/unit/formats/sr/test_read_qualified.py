"""A number with a Numeric Value Qualifier (PS3.3 C.18.1) is no plain number: as one it would be believed."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from service.domain.geometry import Graphic
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, only, received, rules

FAILURE = ("114006", "DCM", "Measurement failure")
OUT_OF_RANGE = ("114009", "DCM", "Value out of range")
DERIVATION = ("121401", "DCM", "Derivation")
MAXIMUM = ("56851009", "SCT", "Maximum")
TITLE = ("18748-4", "LN", "Diagnostic imaging report")
RULE = "sr-value-qualifier"


def doubted(reason: sr.Code, *children: Dataset, value: str | None = "0.0") -> Dataset:
    number = long_axis(*children, value=value, unit=sr.MM if value is not None else None)
    number.NumericValueQualifierCodeSequence = Sequence([sr.coded(reason)])
    return number


@pytest.mark.parametrize("reason", [FAILURE, OUT_OF_RANGE])
def test_it_is_kept_in_words_with_its_qualifier(reason: sr.Code) -> None:
    found = received(sr.measured(doubted(reason)))

    lesion = only(found)
    assert lesion.measurements == ()
    assert [(one.name.code, one.value.text) for one in lesion.evaluations] == [
        (only(received(sr.measured(long_axis()))).measurements[0].concept.code, f"0.0 mm ({reason[2]})")
    ]
    assert rules(found, "1.1.1.3") == {RULE}


def test_what_modifies_it_is_said_with_it() -> None:
    found = received(sr.measured(doubted(OUT_OF_RANGE, sr.answer(DERIVATION, MAXIMUM, relation="HAS CONCEPT MOD"))))

    assert [one.value.text for one in only(found).evaluations] == ["0.0 mm (Value out of range) (Derivation: Maximum)"]


def test_its_shape_stays_and_shows_no_number() -> None:
    found = received(sr.measured(doubted(FAILURE, sr.shape("POLYLINE", [1, 2, 3, 4]))))

    ((region,),) = [shown.regions for shown in only(found).images]
    assert (region.graphic, region.measurement) == (Graphic.LINE, None)


def test_without_a_value_its_reason_is_listed() -> None:
    found = received(sr.measured(doubted(FAILURE, value=None)))

    assert (only(found).measurements, only(found).evaluations) == ((), ())
    assert [loss.why for loss in found.losses if loss.where == "1.1.1.3"] == ["there is no number: Measurement failure"]


def test_a_narrative_tells_the_qualifier_too() -> None:
    found = received(sr.document(sr.container(("121070", "DCM", "Findings"), doubted(FAILURE)), root=TITLE))

    assert found.report.findings == "Findings:\nLong Axis: 0.0 mm (Measurement failure)"
