"""What a reader of the field fails on, and so is not written where the standard leaves a choice."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from typing import Any

import highdicom
import pydicom
import pytest
from pydicom.dataset import Dataset

from service.domain.codes import CodedTerm
from service.domain.errors import Invalid
from service.domain.geometry import Graphic, ImageReference, LesionImage, Region2D
from service.domain.report import CodedReport, Measurement, TimePoint
from service.formats.sr.write import write
from tests.report_set import ohif_report
from tests.report_terms import ENHANCED_MR_IMAGE, LENGTH, MM, SERIES_UID
from tests.reports import make_coded_report, make_lesion

MEASUREMENTS, EVALUATIONS, GROUP = "126010", "C0034375", "125007"


def _sections(report: CodedReport, dialect: str = "strict") -> set[str]:
    root = pydicom.dcmread(BytesIO(write(report, dialect=dialect).content))
    return {item.ConceptNameCodeSequence[0].CodeValue for item in root.ContentSequence} & {MEASUREMENTS, EVALUATIONS}


def test_a_report_without_lesions_has_no_empty_section_of_measurements() -> None:
    """highdicom 0.28 raises AttributeError on one."""
    report = replace(make_coded_report(lesions=()), observers=(), impression="No lesion.")
    assert _sections(report) == {EVALUATIONS}
    content: Any = highdicom.sr.srread(BytesIO(write(report).content)).content
    assert content.get_image_measurement_groups() == []


def test_a_section_of_measurements_is_there_when_a_viewer_or_the_template_wants_it() -> None:
    report = replace(make_coded_report(lesions=()), observers=(), impression="No lesion.")
    assert MEASUREMENTS in _sections(report, "ohif")
    nothing = replace(report, impression=None, findings=None, conclusions=(), differential=(), negatives=())
    silent = replace(nothing, evaluations=(), study=replace(nothing.study, technique=(), comparisons=()))
    assert _sections(silent) == {MEASUREMENTS}


def _numbers(report: CodedReport, dialect: str) -> list[Dataset]:
    root = pydicom.dcmread(BytesIO(write(report, dialect=dialect).content))
    section = next(i for i in root.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == MEASUREMENTS)
    group = next(i for i in section.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == GROUP)
    return [item for item in group.ContentSequence if item.ValueType == "NUM"]


@pytest.mark.parametrize(("dialect", "place"), [("strict", 0), ("ohif", -1)])
def test_the_first_number_of_the_dialect_ohif_is_the_one_with_the_shape(dialect: str, place: int) -> None:
    """OHIF takes it as what its tool drew, and fails without a shape below it."""
    report = ohif_report()
    lesion = replace(report.lesions[0], time_point=TimePoint("baseline", order=2), count=None)
    numbers = _numbers(replace(report, lesions=(lesion,)), dialect)
    assert numbers[place].ConceptNameCodeSequence[0].CodeValue == "126073"


def _drawn(*images: LesionImage[CodedTerm]) -> CodedReport:
    lesion = make_lesion("L1", measurements=(Measurement(LENGTH, Decimal(9), MM),), images=images)
    return make_coded_report(lesions=(lesion,))


LINE = Region2D(Graphic.LINE, ((1.0, 1.0), (9.0, 1.0)), LENGTH)
POINT = Region2D(Graphic.POINT, ((5.0, 5.0),), LENGTH)
ONE, OTHER = (
    ImageReference(ENHANCED_MR_IMAGE, f"{SERIES_UID}.{number}", SERIES_UID, frames=(number,)) for number in (3, 4)
)


def test_the_shape_of_the_tool_comes_before_the_others_of_its_number() -> None:
    report = _drawn(LesionImage(OTHER, (POINT,)), LesionImage(ONE, (POINT, LINE)))
    (number,) = _numbers(report, "ohif")
    shapes = [item for item in number.ContentSequence if item.ValueType == "SCOORD"]
    assert [shape.GraphicType for shape in shapes] == ["POLYLINE", "POINT", "POINT"]


def test_a_shape_on_several_frames_is_no_tools() -> None:
    """OHIF looks the image up by its one frame."""
    several = replace(ONE, frames=(3, 4))
    with pytest.raises(Invalid) as refused:
        write(_drawn(LesionImage(several, (LINE,))), dialect="ohif")
    assert refused.value.problems[0].rule == "sr-nothing-remains"
