"""Whether a segment is the lesion that refers to it, by what the mask says itself: patient, study, tracking, side."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from service.coding import Vocabulary
from service.coding.retired import SRT, snomed_of_srt
from service.domain.codes import CodedTerm
from service.domain.report import CodedReport, Lesion
from service.imaging.segments import SegmentSize
from service.imaging.whose import Tracked, Whose

_SIDES: Final = frozenset({"left", "right"})
Segment = tuple[str, int]
"""A segment by the SOP Instance UID of its SEG and its number."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a mask says of itself, and of each segment that lesions refer to: which lesion it is, and its size."""

    whose: Whose
    tracked: Mapping[int, Tracked]
    sizes: Mapping[int, SegmentSize | str]


def shared(report: CodedReport) -> frozenset[Segment]:
    """The segments that several lesions refer to, each as if it were that lesion."""
    lesions = {
        (lesion.segment.sop_instance, lesion.segment.number, lesion.tracking_uid)
        for lesion in report.lesions
        if lesion.segment is not None
    }
    times = Counter((sop, number) for sop, number, _ in lesions)
    return frozenset(segment for segment, count in times.items() if count > 1)


def not_its(lesion: Lesion[CodedTerm], report: CodedReport, looked: Looked, tables: Vocabulary) -> str:
    """Why the segment that a lesion refers to is not that lesion; empty where nothing speaks against it."""
    segment = lesion.segment
    assert segment is not None  # noqa: S101 - only such a lesion is asked for
    said, tracked = looked.whose, looked.tracked[segment.number]
    if said.series != segment.series:
        return "The segmentation is of another series than the lesion says"
    if said.study != report.study.uid:
        return "The segmentation is of another study than the report"
    if said.patient and said.patient != report.patient.id:
        return "The segmentation is of another patient than the report"
    others = [one for one in report.lesions if one.tracking_uid != lesion.tracking_uid]
    if tracked.uid != lesion.tracking_uid and tracked.uid in {one.tracking_uid for one in others}:
        return "The segment is tracked as another lesion of the report (Tracking UID)"
    if tracked.identifier != lesion.id and tracked.identifier in {one.id for one in others}:
        return "The segment is tracked as another lesion of the report (Tracking ID)"
    side = lesion.laterality.concept if lesion.laterality is not None else None
    sides = _SIDES.intersection(_meant(tracked.modifiers, tables))
    if side in _SIDES and sides and side not in sides:
        return "The segment is of the other side by its anatomic region"
    return ""


def _meant(codes: Iterable[tuple[str, str]], tables: Vocabulary) -> Iterable[str]:
    """The concepts that codes mean."""
    for designator, code in codes:
        value = snomed_of_srt().get(code, "") if designator == SRT else code
        yield from tables.meant_by("SCT" if designator == SRT else tables.designator(designator) or "", value)
