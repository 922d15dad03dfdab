"""ADT^A40: ids of patients that are one (HL7 v2.5.1 3.3.40): PID-3 is the id that stays, MRG-1 the one that goes."""

from typing import Final

from service.domain.errors import Invalid, Problem
from service.domain.limits import Limits
from service.domain.report import PatientId
from service.formats.hl7v2 import values
from service.formats.hl7v2.message import Segment, message, part

TYPE, EVENT = "ADT", "A40"
MOST: Final = 100
"""Pairs in one message."""


def merges(content: bytes, limits: Limits) -> tuple[tuple[PatientId, PatientId], ...]:
    """The pairs of a message: the surviving id, and the one that is merged into it. Raises Unreadable, Invalid."""
    segments, _ = message(content, limits)
    found: list[tuple[PatientId, PatientId]] = []
    survivor: Segment | None = None
    for segment in segments:
        if segment.name == "PID":
            survivor = segment
        elif segment.name == "MRG":
            if survivor is None:
                raise Invalid(Problem(segment.place, "v2-merge", "there is no PID before it"))
            found.append((_id(survivor, 3), _id(segment, 1)))
            survivor = None
    if not found:
        raise Invalid(Problem("MRG", "v2-merge", "the message has no MRG: it merges nothing"))
    if len(found) > MOST:
        raise Invalid(Problem("MRG", "limit", f"there are more than {MOST} merges"))
    return tuple(found)


def _id(segment: Segment, field: int) -> PatientId:
    components = segment.components(field)
    if not part(components, 1):
        raise Invalid(Problem(f"{segment.place}-{field}", "v2-merge", "there is no id of the patient"))
    if len(segment.repetitions(field)) > 1:
        why = "there are several ids: say the one that is merged, each pair in a group of its own"
        raise Invalid(Problem(f"{segment.place}-{field}", "v2-merge", why))
    return PatientId(part(components, 1), values.issuer(components[3]) if len(components) > 3 else None)
