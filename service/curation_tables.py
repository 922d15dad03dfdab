"""The table of unmapped terms that a terminologist edits in a spreadsheet and sends back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from service.coding.overlays.reading import plain, read_cells, write_cells
from service.coding.overlays.rows import KINDS, Faults
from service.curation import Decided
from service.domain.errors import Invalid

if TYPE_CHECKING:
    from service.store.unmapped import Counted

NAME: Final = "unmapped.csv"
COLUMNS: Final = (
    "id",
    "sender",
    "field",
    "term",
    "system",
    "code",
    "language",
    "count",
    "first_seen",
    "last_seen",
    "suggestions",
    "state",
    "decision",
    "relationship",
    "target_display",
    "comment",
)
"""``decision``: a concept's key or label, ``SYSTEM|CODE``, ``ignore``; empty: none yet."""
_NEEDED: Final = ("id", "term", "decision")
_MAX_DIGITS: Final = 18


def write(terms: Sequence["Counted"]) -> bytes:
    """The table of terms."""
    lines = [
        (
            str(one.id),
            one.sender,
            one.field,
            one.term,
            one.system,
            one.code,
            one.language,
            str(one.count),
            one.first_seen,
            one.last_seen,
            " | ".join(one.suggestions),
            one.state,
            one.decision,
            "",
            "",
            "",
        )
        for one in terms
    ]
    return write_cells(COLUMNS, lines)


def read(content: bytes, author: str) -> tuple[Decided, ...]:
    """The decisions of an edited table, those that are decided already aside; raises Invalid with each line."""
    faults = Faults(NAME)
    made = []
    for number, line in read_cells(content, COLUMNS, _NEEDED, faults):
        cells = {column: plain(cell) for column, cell in line.items()}
        where = faults.line(number)
        if not cells["decision"] or cells.get("state", "open") not in ("", "open"):
            continue
        if not (cells["id"].isascii() and cells["id"].isdecimal() and len(cells["id"]) <= _MAX_DIGITS):
            faults.refuse(where, "unmapped-term", "the id is no number")
            continue
        relationship = cells.get("relationship", "")
        if relationship and relationship not in KINDS:
            faults.refuse(where, "overlay-row", f"relationship is one of {', '.join(KINDS)}")
            continue
        made.append(
            Decided(
                int(cells["id"]),
                cells["decision"],
                author,
                relationship,
                cells.get("target_display", ""),
                cells.get("comment", ""),
                where,
                cells["term"],
            )
        )
    if faults.problems:
        raise Invalid(*faults.problems)
    return tuple(made)
