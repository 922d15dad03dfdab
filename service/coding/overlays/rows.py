"""One line of an overlay: what a sender says, and what it is here."""

from dataclasses import dataclass
from dataclasses import field as member
from typing import Final

from service.coding.checks import EQUIVALENT, RELATIONSHIPS
from service.domain.errors import Problem

EVERYONE: Final = "all"
"""The overlay that holds for every sender."""
BROADER: Final = "source-is-narrower-than-target"
"""The target says less than the term: it is written with the term's own words beside it."""
NO_MAP: Final = "no-map"
"""Decided: the term stays text, and nobody is asked about it again."""
APPLIED: Final = (EQUIVALENT, BROADER)
"""What a term may be replaced by; a target that says more than the term, or something else, is never written."""
KINDS: Final = (*RELATIONSHIPS, NO_MAP)
CSV: Final = "text/csv"
CONCEPT_MAP: Final = "application/fhir+json"
MEDIA_TYPES: Final = (CSV, CONCEPT_MAP)

COLUMNS: Final = (
    "sender",
    "field",
    "system",
    "code",
    "term",
    "language",
    "concept",
    "target_system",
    "target_code",
    "target_display",
    "relationship",
    "source",
    "comment",
)


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One line; with ``system`` and ``code`` it is a local code and ``term`` its display, without them ``term`` a word.

    ``field``: a row of the mappings, ``measurements`` or ``evaluations`` for the name of one, empty for everywhere.
    ``where`` is the file and line.
    """

    field: str
    term: str
    system: str = ""
    code: str = ""
    concept: str = ""
    target_system: str = ""
    target_code: str = ""
    target_display: str = ""
    relationship: str = EQUIVALENT
    source: str = ""
    comment: str = ""
    language: str = ""
    sender: str = ""
    where: str = member(default="", compare=False)

    @property
    def cells(self) -> tuple[str, ...]:
        """The line as its columns have it."""
        return tuple([str(getattr(self, column)) for column in COLUMNS])

    def holds_for(self, overlay: str, sender: str) -> bool:
        """Whether the line of the overlay of ``overlay`` is for a sender."""
        return sender == (self.sender or overlay) or (self.sender or overlay) == EVERYONE


class Faults:
    """What is wrong with an overlay, and what is only to be said of it."""

    __slots__ = ("name", "notices", "problems")

    def __init__(self, name: str) -> None:
        """Take the name that places begin with."""
        self.name = name
        self.problems: list[Problem] = []
        self.notices: list[Problem] = []

    def line(self, number: int) -> str:
        """The place of a line."""
        return f"{self.name}:{number}"

    def refuse(self, where: str, rule: str, why: str, candidates: tuple[str, ...] = ()) -> None:
        """Note what the overlay is refused for."""
        self.problems.append(Problem(where, rule, why, candidates))

    def note(self, where: str, rule: str, why: str, candidates: tuple[str, ...] = ()) -> None:
        """Note what must be known of it."""
        self.notices.append(Problem(where, rule, why, candidates))
