"""What highdicom's reader finds in an SR: every measurement group with its numbers and coded answers."""

from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import highdicom

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A measurement group: its finding, its numbers (name, value, unit) and answers (name, value)."""

    finding: Pair | None
    numbers: Counter[tuple[Pair, float, Pair]]
    answers: Counter[tuple[Pair, Pair]]


def groups(content: bytes) -> dict[str, Group]:
    """The groups of a document by tracking UID."""
    report: Any = highdicom.sr.srread(BytesIO(content)).content
    found = (
        *report.get_image_measurement_groups(),
        *report.get_planar_roi_measurement_groups(),
        *report.get_volumetric_roi_measurement_groups(),
    )
    return {str(group.tracking_uid): _group(group) for group in found}


def _pair(code: Any) -> Pair:
    return (str(code.scheme_designator), str(code.value))


def _group(group: Any) -> Group:
    return Group(
        _pair(group.finding_type) if group.finding_type is not None else None,
        Counter((_pair(one.name), float(one.value), _pair(one.unit)) for one in group.get_measurements()),
        Counter((_pair(one.name), _pair(one.value)) for one in group.get_qualitative_evaluations()),
    )
