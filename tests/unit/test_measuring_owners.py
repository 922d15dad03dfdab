"""A mask measures the lesion that it is of: patient, study, series, tracking and side are held against the report."""

from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from service.pipeline import Format, Options, Outcome, Source, convert
from tests.findings import make_body
from tests.seg_files import box, seg
from tests.unit.test_measuring import MASK, SEG, SEGMENT, body, measurements

TWO = seg([box((8, 30, 30), (3, 12, 20)), box((8, 30, 30), (4, 8, 8))], (2.5, 0.75, 1.25))
SHORT_MM, LONG_MM = 9.0, 25.0  # of the box, 12 rows of 0.75 and 20 columns of 1.25 mm: the axes are a bit longer


def changed(content: bytes = MASK, segment: int = 0, **members: Any) -> bytes:
    """A SEG with members of the file, or of a segment, set."""
    file = pydicom.dcmread(BytesIO(content))
    place = file.SegmentSequence[segment - 1] if segment else file
    for name, value in members.items():
        setattr(place, name, value)
    out = BytesIO()
    file.save_as(out)
    return out.getvalue()


def region(code: str, scheme: str = "SCT") -> list[Dataset]:
    """A frontal lobe with a code beside it."""
    side, site = Dataset(), Dataset()
    side.CodeValue, side.CodingSchemeDesignator, side.CodeMeaning = code, scheme, "side"
    site.CodeValue, site.CodingSchemeDesignator, site.CodeMeaning = "83251001", "SCT", "Frontal lobe"
    site.AnatomicRegionModifierSequence = [side]
    return [site]


def taken(content: bytes, *masks: bytes) -> Outcome:
    return convert(Source(content, masks=masks), (Format.FINDINGS,), Options())


def rules(outcome: Outcome) -> set[str]:
    return {loss.rule for loss in outcome.losses if loss.rule.startswith("mask-")}


def numbers(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return measurements(outcome.outputs[Format.FINDINGS].content)


@pytest.mark.parametrize("member", ["PatientID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_a_mask_of_somebody_or_something_else_is_not_measured(member: str) -> None:
    outcome = taken(body(), changed(MASK, 0, **{member: "1.2.3.9"}))
    assert (rules(outcome), numbers(outcome)) == ({"mask-other"}, {})


def test_a_mask_that_names_no_patient_is_measured() -> None:
    outcome = taken(body(), changed(PatientID=""))
    assert (rules(outcome), set(numbers(outcome))) == (set(), {"long-axis", "short-axis", "volume"})


def two_lesions(**more: Any) -> bytes:
    lesions = [
        {"id": name, "trackingUid": f"1.2.3.{number}", "finding": "mass", "segment": {**SEGMENT, "number": number}}
        for number, name in enumerate(("A", "B"), 1)
    ]
    return make_body(lesions=[{**lesion, **more} for lesion in lesions])


@pytest.mark.parametrize(("member", "said"), [("TrackingUID", "1.2.3.{}"), ("TrackingID", "{}")])
def test_a_segment_that_is_tracked_as_another_lesion_is_not_measured(member: str, said: str) -> None:
    values = "12" if member == "TrackingUID" else "AB"
    right = changed(changed(TWO, 1, **{member: said.format(values[0])}), 2, **{member: said.format(values[1])})
    assert rules(taken(two_lesions(), right)) == set()
    swapped = changed(changed(TWO, 1, **{member: said.format(values[1])}), 2, **{member: said.format(values[0])})
    outcome = taken(two_lesions(), swapped)
    assert (rules(outcome), numbers(outcome)) == ({"mask-other"}, {})


def test_two_lesions_that_are_one_segment_are_not_measured() -> None:
    outcome = taken(two_lesions(segment=SEGMENT), TWO)
    assert (rules(outcome), numbers(outcome)) == ({"mask-shared"}, {})


@pytest.mark.parametrize(("code", "scheme", "is_other"), [
    ("24028007", "SCT", True),
    ("G-A100", "SRT", True),
    ("7771000", "SCT", False),
    ("51440002", "SCT", False),
])  # fmt: skip
def test_a_segment_of_the_other_side_is_not_measured(code: str, scheme: str, *, is_other: bool) -> None:
    mask = changed(MASK, 1, AnatomicRegionSequence=region(code, scheme))
    outcome = taken(body(laterality="left"), mask)
    assert (rules(outcome) == {"mask-other"}, not numbers(outcome)) == (is_other, is_other)


def test_two_files_of_one_uid_are_both_not_measured() -> None:
    other = seg([box((8, 30, 30), (4, 8, 8))], (2.5, 0.75, 1.25))
    outcome = taken(body(), MASK, other)
    assert (rules(outcome), numbers(outcome)) == ({"mask-twice", "mask-missing"}, {})
    assert rules(taken(body(), MASK, MASK)) == set()


def test_a_number_of_the_sender_that_the_mask_contradicts_is_flagged() -> None:
    said = {"long axis": f"{LONG_MM} mm", "short axis": f"{SHORT_MM} mm", "volume": "1.7 cm3"}
    assert rules(taken(body(measurements=said), MASK)) == set()
    slip = taken(body(measurements={**said, "long axis": f"{LONG_MM} cm", "volume": "17 cm3"}), MASK)
    flagged = {loss.what for loss in slip.losses if loss.rule == "mask-differs"}
    assert flagged == {"long axis 25.0 cm", "volume 17 cm3"}
    assert numbers(slip)["volume"]["value"] == 17


def test_an_axis_of_the_mask_goes_with_that_of_the_sender_or_is_left_out() -> None:
    outcome = taken(body(measurements={"long axis": "6 mm"}), MASK)
    assert (set(numbers(outcome)), rules(outcome)) == ({"long-axis", "volume"}, {"mask-unmeasured", "mask-differs"})
    outcome = taken(body(measurements={"short axis": "3 cm"}), MASK)
    assert "long-axis" not in numbers(outcome)


def test_the_mask_of_these_tests_is_the_one_that_the_lesion_names() -> None:
    assert pydicom.dcmread(BytesIO(MASK)).SeriesInstanceUID == SEG
