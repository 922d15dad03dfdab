"""Whose a SEG is, and which lesions its segments are: what it says itself, to be held against a report.

Patient and study as of every object; tracking ids and the side of the anatomic region stand in the Segment Sequence
(PS3.3 C.8.20.2). Who writes a SEG may leave out all but the UIDs of study and series.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Whose:
    """UIDs of study and series, and the Patient ID; empty where it is not said."""

    study: str
    series: str
    patient: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a segment is tracked by, and the codes beside its anatomic region as designator and value."""

    identifier: str
    uid: str
    modifiers: tuple[tuple[str, str], ...]


def whose(seg: Any) -> Whose:
    """Whose a SEG is."""
    return Whose(*(str(seg.get(name) or "").strip() for name in ("StudyInstanceUID", "SeriesInstanceUID", "PatientID")))


def tracked(seg: Any, number: int) -> Tracked:
    """Which lesion the segment of a number is; nothing is said of one that is not there."""
    for item in seg.get("SegmentSequence") or ():
        if item.get("SegmentNumber") == number:
            return Tracked(
                str(item.get("TrackingID") or "").strip(),
                str(item.get("TrackingUID") or "").strip(),
                tuple(
                    (str(code.get("CodingSchemeDesignator") or ""), str(code.get("CodeValue") or ""))
                    for region in item.get("AnatomicRegionSequence") or ()
                    for code in region.get("AnatomicRegionModifierSequence") or ()
                ),
            )
    return Tracked("", "", ())
