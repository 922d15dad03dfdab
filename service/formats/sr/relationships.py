"""Which content item may stand where: tables A.35.2-2, A.35.3-2 and A.35.13-2 of PS3.3, by-value relationships only.

Read from DCMTK's constraint checkers (dcmsr: dsrenhcc, dsrcomcc, dsrc3dcc) for the value types that are written here.
"""

from enum import StrEnum
from typing import Literal

ValueType = Literal[
    "CONTAINER",
    "TEXT",
    "CODE",
    "NUM",
    "UIDREF",
    "PNAME",
    "DATE",
    "TIME",
    "DATETIME",
    "IMAGE",
    "COMPOSITE",
    "SCOORD",
    "SCOORD3D",
]
Relationship = Literal[
    "CONTAINS",
    "HAS OBS CONTEXT",
    "HAS ACQ CONTEXT",
    "HAS CONCEPT MOD",
    "HAS PROPERTIES",
    "INFERRED FROM",
    "SELECTED FROM",
]
Link = tuple[str, str, str]
"""Source value type, relationship, target value type."""


class Iod(StrEnum):
    """The IODs that are written, by the name a caller asks with."""

    ENHANCED = "enhanced"
    COMPREHENSIVE = "comprehensive"
    COMPREHENSIVE_3D = "comprehensive-3d"

    @property
    def sop_class(self) -> str:
        """SOP Class UID (PS3.6 table A-1)."""
        return SOP_CLASSES[self]


SOP_CLASSES = {
    Iod.ENHANCED: "1.2.840.10008.5.1.4.1.1.88.22",
    Iod.COMPREHENSIVE: "1.2.840.10008.5.1.4.1.1.88.33",
    Iod.COMPREHENSIVE_3D: "1.2.840.10008.5.1.4.1.1.88.34",
}

_SAID = frozenset({"TEXT", "CODE", "NUM", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME"})
_ASSERTED = ("TEXT", "CODE", "NUM")
_PLACED_2D = frozenset({"IMAGE", "COMPOSITE", "SCOORD"})
_ACQUIRED = ("CONTAINER", "IMAGE", "COMPOSITE", "NUM")
_ANY = (*sorted(_SAID), *sorted(_PLACED_2D), "SCOORD3D", "CONTAINER")
_OF_A_NAME = frozenset({"TEXT", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME"})


def _links(source: tuple[str, ...], relationship: str, targets: frozenset[str]) -> frozenset[Link]:
    return frozenset((one, relationship, target) for one in source for target in targets)


_ENHANCED = (
    _links(("CONTAINER",), "CONTAINS", _SAID | _PLACED_2D | {"CONTAINER"})
    | _links(("CONTAINER",), "HAS OBS CONTEXT", _SAID | {"COMPOSITE", "CONTAINER"})
    | _links(_ACQUIRED, "HAS ACQ CONTEXT", _SAID)
    | _links(_ANY, "HAS CONCEPT MOD", frozenset({"TEXT", "CODE"}))
    | _links(_ASSERTED, "HAS PROPERTIES", _SAID | _PLACED_2D)
    | _links(("PNAME",), "HAS PROPERTIES", _OF_A_NAME)
    | _links(_ASSERTED, "INFERRED FROM", _SAID | _PLACED_2D)
    | _links(("SCOORD",), "SELECTED FROM", frozenset({"IMAGE"}))
)
_COMPREHENSIVE = (
    _ENHANCED
    | _links(_ASSERTED, "HAS OBS CONTEXT", _SAID | {"COMPOSITE"})
    | _links(_ACQUIRED, "HAS ACQ CONTEXT", frozenset({"CONTAINER"}))
    | _links(_ASSERTED, "HAS PROPERTIES", frozenset({"CONTAINER"}))
    | _links(_ASSERTED, "INFERRED FROM", frozenset({"CONTAINER"}))
)
_COMPREHENSIVE_3D = (
    _COMPREHENSIVE
    | _links(("CONTAINER",), "CONTAINS", frozenset({"SCOORD3D"}))
    | _links(_ASSERTED, "HAS PROPERTIES", frozenset({"SCOORD3D"}))
    | _links(_ASSERTED, "INFERRED FROM", frozenset({"SCOORD3D"}))
)
ALLOWED: dict[Iod, frozenset[Link]] = {
    Iod.ENHANCED: _ENHANCED,
    Iod.COMPREHENSIVE: _COMPREHENSIVE,
    Iod.COMPREHENSIVE_3D: _COMPREHENSIVE_3D,
}
"""By IOD, which links a tree may have; each includes the one before."""


WIDTHS = tuple(Iod)
"""The IODs from the narrowest to the widest."""


def widths_below(value_type: ValueType) -> dict[tuple[str, str], int]:
    """What may stand below an item: relationship and value type, to the first IOD of ``WIDTHS`` that has it."""
    made: dict[tuple[str, str], int] = {}
    for width, iod in enumerate(WIDTHS):
        for source, relationship, target in ALLOWED[iod]:
            if source == value_type:
                made.setdefault((relationship, target), width)
    return made
