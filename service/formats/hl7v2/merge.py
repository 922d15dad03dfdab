"""ADT^A40: ids of patients that are one (HL7 v2.5.1 3.3.40): PID-3 is the id that stays, MRG-1 the one that goes.

Where either lists several, an id of MRG-1 goes into the one of PID-3 of the same identifier type code (3.3.40) and
assigning authority; what both say alike is merged already.
"""

from collections.abc import Sequence
from typing import Final

from service.domain.errors import Invalid, Problem
from service.domain.limits import Limits
from service.domain.processing import hold
from service.domain.report import PatientId
from service.formats.hl7v2 import values
from service.formats.hl7v2.message import Components, Segment, message, part

TYPE, EVENT = "ADT", "A40"
MOST: Final = 100
"""Pairs in one message."""


def merges(content: bytes, limits: Limits, processing: Sequence[str]) -> tuple[tuple[int, PatientId, PatientId], ...]:
    """The pairs of a message: the number of the group, the surviving id, and the one that is merged into it.

    Raises Unreadable, and Invalid, for a message that is for something else than ``processing`` too.
    """
    segments, _ = message(content, limits)
    hold(segments[0].text(11), processing)
    found: list[tuple[int, PatientId, PatientId]] = []
    survivor: Segment | None = None
    group = 0
    for segment in segments:
        if segment.name == "PID":
            survivor = segment
        elif segment.name == "MRG":
            if survivor is None:
                raise Invalid(Problem(segment.place, "v2-merge", "there is no PID before it"))
            group += 1
            found.extend((group, *pair) for pair in _pairs(survivor, segment))
            survivor = None
    if not found:
        raise Invalid(Problem("MRG", "v2-merge", "the message has no MRG: it merges nothing"))
    if len(found) > MOST:
        raise Invalid(Problem("MRG", "limit", f"there are more than {MOST} merges"))
    return tuple(found)


def _pairs(survivor: Segment, prior: Segment) -> list[tuple[PatientId, PatientId]]:
    """The pairs of one group; raises Invalid where it does not say into which id one goes."""
    stays, goes = _ids(survivor, 3), _ids(prior, 1)
    if len(stays) == len(goes) == 1:
        return [(_id(stays[0]), _id(goes[0]))]
    found = []
    for one in goes:
        there = [other for other in stays if _kind(other) == _kind(one)]
        if len(there) != 1 or [_kind(other) for other in goes].count(_kind(one)) != 1:
            field = f"{survivor.place}-3" if len(stays) > 1 else f"{prior.place}-1"
            why = (
                "there are several ids: each of MRG-1 goes into the one of PID-3 with its identifier type code and "
                "assigning authority, and there is not just one of each"
            )
            raise Invalid(Problem(field, "v2-merge", why))
        if part(there[0], 1) != part(one, 1):
            found.append((_id(there[0]), _id(one)))
    if not found:
        raise Invalid(Problem(f"{prior.place}-1", "v2-merge", "each id is the one of PID-3: it merges nothing"))
    return found


def _ids(segment: Segment, field: int) -> tuple[Components, ...]:
    """The ids of a field; raises Invalid where there is none."""
    listed = segment.repetitions(field)
    if not listed or not all(part(one, 1) for one in listed):
        raise Invalid(Problem(f"{segment.place}-{field}", "v2-merge", "there is no id of the patient"))
    return listed


def _kind(one: Components) -> tuple[object, str]:
    """Who issued an id, and its identifier type code (CX-4, CX-5)."""
    return values.issuer(one[3]) if len(one) > 3 else None, part(one, 5)


def _id(one: Components) -> PatientId:
    return PatientId(part(one, 1), values.issuer(one[3]) if len(one) > 3 else None)
