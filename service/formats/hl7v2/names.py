"""What an OBX is, by the concept of its name (OBX-3)."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from service.coding import vocabulary
from service.domain.codes import LOCAL_SCHEME, Term
from service.formats.hl7v2.observations import DEVICE, MEMBERS, TIME_POINT

CODED: Final = ("CE", "CWE", "CNE", "CF")
"""Value types that are codes (table 0125)."""
TEXTS: Final = ("TX", "FT", "ST", "")
"""Value types that are words."""
TERMS: Final = {"technique": "technique", "conclusion": "conclusions", "differential": "differential"}
"""Lists of coded answers of the whole report, by their rows."""
_REPORT: Final = {
    "findings": "findings",
    "findings-section": "findings",
    "impression": "impression",
    "impressions": "impression",
    "impression-section": "impression",
    "study-instance-uid": "study_uid",
    "procedure-study-instance-uid": "study_uid",
    "modality": "modality",
    "procedure-reported": "procedure",
}
"""What an OBX of the whole report is."""


@cache
def _roles() -> Mapping[str, str]:
    members = vocabulary().members
    made = dict(_REPORT)
    made |= {members[row].concept: member for row, member in TERMS.items()}
    made |= {members[row].concept: row for row in MEMBERS}
    made |= dict(TIME_POINT)
    made |= {
        "tracking-identifier": "id",
        "tracking-unique-identifier": "tracking_uid",
        members["count"].concept: "count",
        "time-point-type": "type",
        "time-point-order": "order",
        "comment": "text",
        "derivation": "derivation",
    }
    return made


def concepts_of(name: Term | None) -> tuple[str, ...]:
    """The concepts that a code stands for."""
    if name is None or name.code is None:
        return ()
    if name.code.code in vocabulary().concepts and name.code.system == LOCAL_SCHEME:
        return (name.code.code,)
    return vocabulary().meant_by(name.code.system, name.code.code)


def role_of(concepts: Iterable[str]) -> str:
    """What an OBX of a name is in a report or a lesion; empty for any other."""
    return next((_roles()[key] for key in concepts if key in _roles()), "")


def device_member(concepts: Iterable[str]) -> str:
    """The member of a device that an OBX of a name is; empty for any other."""
    known = dict(DEVICE)
    return next((known[key] for key in concepts if key in known), "")
