"""Dialects: what some readers want beside the standard, one row each. A dialect changes values, never the content."""

from dataclasses import dataclass
from enum import Enum

from service.formats.sr.relationships import Iod


class Placement(Enum):
    """Where the shapes of a lesion go."""

    GROUP = "group"  # TID 1410 and 1411 where the lesion brings a region
    NUMBER = "number"  # TID 1501 always, each shape below the number that it shows


@dataclass(frozen=True, slots=True)
class Tool:
    """A drawing tool of a viewer: it takes lesions with these shapes, the first measurements being these concepts.

    ``derived`` is the concept of a number that it must have: where nobody measured it, it is computed from the shape,
    in pixels. ``bare``: its shape needs no number, and may have none before it.
    """

    name: str
    shapes: tuple[str, ...]
    concepts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    derived: str | None = None
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """One row.

    ``tracking`` is how a tracking identifier is made of the lesion's id and tool; ``label``: a lesion without text gets
    its id as Comment; ``meanings`` are Code Meanings that the reader compares as text, by concept key; ``iods`` are
    those that it reads; ``needs_shape``: it fails on a whole document over one group without coordinates;
    ``needs_code``: it loses a group over one TEXT where a row has a CODE. ``words``: a Basic Text SR, TID 2000, instead
    of TID 1500. ``equipment_uid``: contributing equipment has its Device UID.
    """

    name: str
    placement: Placement = Placement.GROUP
    equivalents: bool = True
    iods: tuple[Iod, ...] = tuple(Iod)
    tracking: str = "{id}"
    label: bool = False
    needs_shape: bool = False
    needs_code: bool = False
    words: bool = False
    equipment_uid: bool = False
    tools: tuple[Tool, ...] = ()
    meanings: tuple[tuple[str, str], ...] = ()


_ROWS = (
    Dialect("strict"),
    Dialect(
        # OHIF 3 with @cornerstonejs/adapters: the adapter named in the tracking identifier reads the shape of the first
        # number, and finds axes by their meanings (Bidirectional.js, Length.js, PlanarFreehandROI.js). These read the
        # value of that number unguarded; ArrowAnnotate.js takes a shape of the group itself where no number stands.
        "ohif",
        placement=Placement.NUMBER,
        iods=(Iod.ENHANCED, Iod.COMPREHENSIVE),
        tracking="Cornerstone3DTools@^0.1.0:{tool}:{id}",
        label=True,
        needs_shape=True,
        needs_code=True,
        tools=(
            Tool("Bidirectional", ("line", "line"), concepts=("long-axis", "short-axis")),
            # It shows the first number as an area, so only an area may come first.
            Tool("PlanarFreehandROI", ("polygon",), units=("mm2", "cm2"), derived="area"),
            Tool("Length", ("line",), units=("mm", "cm"), derived="length"),
            Tool("ArrowAnnotate", ("point",), bare=True),
        ),
        meanings=(("long-axis", "Long Axis"), ("short-axis", "Short Axis")),
    ),
    # Archives that take no Comprehensive 3D SR: shapes in millimetres are named as lost.
    Dialect("enhanced", iods=(Iod.ENHANCED,)),
    Dialect("text", iods=(), words=True),
    # IHE Radiology, AI Results (AIR) 6.5.3: TID 1500 in a Comprehensive 3D SR, each algorithm as contributing equipment
    # with its Device UID, so that one trained anew can be told apart.
    Dialect("air", iods=(Iod.COMPREHENSIVE_3D,), equipment_uid=True),
)
DIALECTS = {row.name: row for row in _ROWS}
"""By name; ``strict`` is the default."""
