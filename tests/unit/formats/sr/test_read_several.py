"""Where an item has several values though it has one (PS3.3 C.17.3, C.18), the first is taken, others are said."""

from decimal import Decimal

import pytest
from pydicom.dataset import Dataset

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.geometry import SEGMENTATION
from service.formats.sr.read_notes import SEVERAL
from service.formats.sr.write import write
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, only, received, rules

SITE = ("363698007", "SCT", "Finding Site")
LUNG = ("39607008", "SCT", "Lung")
CT = "1.2.840.10008.5.1.4.1.1.2"
SEG_INSTANCE = f"{sr.STUDY}.5.1"
LIVER = ("10200004", "SCT", "Liver")
CM = ("cm", "UCUM", "centimeter")
ITEM = "1.1.1.3"


def test_a_second_value_of_a_number_is_said() -> None:
    number, other = long_axis(), long_axis(value="99")
    number.MeasuredValueSequence.append(other.MeasuredValueSequence[0])

    found = received(sr.measured(number))

    assert [one.value for one in only(found).measurements] == [Decimal("14.20")]
    assert rules(found, ITEM) == {SEVERAL}


def test_a_second_unit_of_a_number_is_said() -> None:
    number = long_axis()
    number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence.append(sr.coded(CM))

    assert rules(received(sr.measured(number)), ITEM) == {SEVERAL}


def test_a_second_code_of_an_answer_is_said_in_every_document_that_has_it() -> None:
    def found() -> set[str]:
        site = sr.answer(SITE, LUNG, relation="HAS CONCEPT MOD")
        site.ConceptCodeSequence.append(sr.coded(LIVER))
        return rules(received(sr.measured(site)), ITEM)

    assert [found(), found()] == [{SEVERAL}, {SEVERAL}]


def test_a_second_instance_of_a_reference_is_said() -> None:
    image, other = sr.image(relation="CONTAINS"), sr.image(f"{sr.STUDY}.1.2")
    image.ReferencedSOPSequence.append(other.ReferencedSOPSequence[0])

    found = received(sr.measured(image))

    assert [shown.image.sop_instance for shown in only(found).images] == [sr.IMAGE]
    assert rules(found, ITEM) == {SEVERAL}


def test_an_instance_of_two_classes_has_the_first_and_the_document_is_not_lost() -> None:
    found = received(sr.measured(sr.image(relation="CONTAINS"), sr.image(sop_class=CT, relation="CONTAINS")))

    assert {shown.image.sop_class for shown in only(found).images} == {sr.MR}
    assert rules(found, "1.1.1.4") == {"sr-reference"}
    assert write(code_report(found.report, vocabulary())).losses == ()


def test_a_segmentation_of_another_study_is_listed_since_a_lesion_names_none() -> None:
    elsewhere = sr.evidence((SEG_INSTANCE,), SEGMENTATION)
    elsewhere.StudyInstanceUID = f"{sr.STUDY}.8"
    segment = sr.image(SEG_INSTANCE, SEGMENTATION, "CONTAINS", ReferencedSegmentNumber=1)
    segment.ConceptNameCodeSequence = [sr.coded(("121191", "DCM", "Referenced Segment"))]
    library = sr.container(("111028", "DCM", "Image Library"), sr.image(SEG_INSTANCE, SEGMENTATION, "CONTAINS"))
    group = sr.container(sr.MEASUREMENTS, sr.group(segment))

    found = received(sr.document(library, group, PertinentOtherEvidenceSequence=[elsewhere]))

    assert only(found).segment is None
    assert rules(found, "1.2.1.3") == {"sr-segment"}
    assert write(code_report(found.report, vocabulary())).losses == ()


def test_one_of_each_is_nothing_to_say() -> None:
    site = sr.answer(SITE, LUNG, relation="HAS CONCEPT MOD")

    found = received(sr.measured(site, long_axis(sr.shape("POLYLINE", [1, 2, 3, 4]))))

    assert SEVERAL not in rules(found)


def _with_floating(digits: str, floating: float) -> Dataset:
    number = long_axis(value=digits)
    number.MeasuredValueSequence[0].FloatingPointValue = floating
    return number


@pytest.mark.parametrize(
    ("digits", "floating", "value"),
    [
        ("12.5", 12.5, "12.5"),
        ("12.3", 12.345678901234567, "12.345678901234567"),
        ("12", 12.75, "12.75"),
        ("1.2345678901e-7", 1.2345678901234e-7, "1.2345678901234E-7"),
    ],
)
def test_digits_that_are_a_rounding_give_way_to_the_number(digits: str, floating: float, value: str) -> None:
    found = received(sr.measured(_with_floating(digits, floating)))

    assert [str(one.value) for one in only(found).measurements] == [value]
    assert rules(found, ITEM) == set()


@pytest.mark.parametrize(("digits", "floating"), [("12.5", 125.0), ("12.5", 0.0), ("12.5", -12.5), ("12.50", 12.6)])
def test_digits_beside_another_number_are_taken_as_readers_show_them(digits: str, floating: float) -> None:
    found = received(sr.measured(_with_floating(digits, floating)))

    assert [str(one.value) for one in only(found).measurements] == [digits]
    assert rules(found, ITEM) == {"sr-two-numbers"}


def test_a_time_of_observation_that_is_not_the_documents_is_said_once() -> None:
    early, same, again = long_axis(), long_axis(), long_axis()
    early.ObservationDateTime = again.ObservationDateTime = "20250102030405"
    same.ObservationDateTime = "20260302104100.00"

    found = received(sr.measured(early, same, again))

    assert [(loss.where, loss.what) for loss in found.losses if loss.rule == "sr-observed-at"] == [
        ("1.1.1.3", "20250102030405")
    ]
