"""What the operations answer, as values."""

from dataclasses import dataclass
from enum import StrEnum

from service.coding.server.source import Word


class Relationship(StrEnum):
    """Of a target code, seen from the source code."""

    EQUIVALENT = "equivalent"
    BROADER = "broader"
    NARROWER = "narrower"
    RELATED = "related"
    NONE = "none"


class Subsumption(StrEnum):
    """Of A, seen from B (FHIR: concept-subsumption-outcome)."""

    EQUIVALENT = "equivalent"
    SUBSUMES = "subsumes"
    SUBSUMED_BY = "subsumed-by"
    NOT_SUBSUMED = "not-subsumed"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code as a request says it; ``system`` is a URI, ``version`` and ``display`` may be missing."""

    system: str
    code: str
    display: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """A code found; ``properties`` by name, a code of the same system where ``codes`` says so."""

    system: str
    name: str
    version: str
    code: str
    display: str
    words: tuple[Word, ...] = ()
    properties: tuple[tuple[str, str | bool], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Validated:
    """Whether a code is valid; ``message`` says why not, or what is to be known."""

    result: bool
    message: str = ""
    display: str = ""
    coding: Coding | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One code of an expansion."""

    system: str
    code: str
    display: str
    words: tuple[Word, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True)
class Expansion:
    """A page of a value set: ``total`` codes in all, ``offset`` of the first; ``notes`` are said with it."""

    total: int
    offset: int
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()  # of the systems that were used: URI and version


@dataclass(frozen=True, slots=True)
class Match:
    """One translation, and the map it comes from; without a code: there is none in that system."""

    relationship: Relationship
    system: str
    code: str
    display: str
    origin: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Translated:
    """The translations of a code, best first."""

    matches: tuple[Match, ...]
    message: str = ""

    @property
    def result(self) -> bool:
        """Whether one of them is a translation."""
        return any(match.relationship is not Relationship.NONE for match in self.matches)
