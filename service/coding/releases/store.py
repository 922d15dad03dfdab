"""What can be asked of loaded releases, whatever holds them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Use(IntEnum):
    """What a designation is to its concept."""

    PREFERRED = 0
    FULLY_SPECIFIED = 1
    SYNONYM = 2
    DEFINITION = 3
    ABBREVIATION = 4


@dataclass(frozen=True, slots=True)
class ReleaseSystem:
    """A code system in a release: its DICOM designator (or its URI, where it has none), URI and version."""

    designator: str
    uri: str
    name: str
    version: str
    release: str
    concepts: int


@dataclass(frozen=True, slots=True)
class ReleaseConcept:
    """A concept of a release; ``tag`` is the semantic tag of a SNOMED CT name, elsewhere a class or empty."""

    system: str
    code: str
    display: str
    active: bool
    defined: bool = False
    effective: str = ""
    module: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseDesignation:
    """A word for a concept; ``preferred`` and ``acceptable`` name the dialects (en-US) in which it is."""

    term: str
    language: str
    use: Use
    preferred: tuple[str, ...] = ()
    acceptable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A defining relationship that is no is-a: ``target`` is a code, or empty where ``value`` is a number or a text."""

    type: str
    target: str
    value: str
    group: int


@dataclass(frozen=True, slots=True)
class Association:
    """Where a retired code went; only same-as and replaced-by may be followed without asking."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Found:
    """A concept that a search found: the designation that matched, and its place in the release's own order."""

    concept: ReleaseConcept
    term: str
    language: str
    rank: int


@dataclass(frozen=True, slots=True)
class Translation:
    """A row of a concept map; ``relationship`` in FHIR R5's words, seen from the source."""

    map: str
    from_system: str
    from_code: str
    to_system: str
    to_code: str
    relationship: str


@dataclass(frozen=True, slots=True)
class ValueSetMember:
    """A code in a value set."""

    system: str
    code: str
    display: str


class ReleaseStore(Protocol):
    """Loaded releases. A code that is not there is None, or nothing; nothing is ever guessed."""

    def systems(self) -> tuple[ReleaseSystem, ...]:
        """The code systems that are loaded."""

    def lookup(self, system: str, code: str) -> ReleaseConcept | None:
        """The concept of a code."""

    def lookup_all(self, system: str, codes: Iterable[str]) -> Mapping[str, ReleaseConcept]:
        """The concepts of codes, as far as they are there."""

    def designations(self, system: str, code: str) -> tuple[ReleaseDesignation, ...]:
        """All words for it."""

    def designations_all(self, system: str, codes: Iterable[str]) -> Mapping[str, tuple[ReleaseDesignation, ...]]:
        """All words for each of some codes."""

    def parents(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of the concepts right above."""

    def children(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of the concepts right below."""

    def ancestors(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of all concepts above, without itself."""

    def descendants(self, system: str, code: str) -> Iterator[str]:
        """Codes of all concepts below, without itself."""

    def page_below(self, system: str, code: str, offset: int, count: int | None) -> tuple[int, tuple[str, ...]]:
        """How many concepts lie below one, and a page of them in the release's own order; ``count`` None: all."""

    def page_of_all(self, system: str, offset: int, count: int) -> tuple[int, tuple[str, ...]]:
        """How many active concepts a system has, and a page of them in the release's own order."""

    def subsumes(self, system: str, above: str, below: str) -> bool:
        """Whether ``below`` is ``above`` or one of its descendants."""

    def members(self, system: str, refset: str) -> Iterator[str]:
        """Codes of the concepts in a reference set."""

    def attributes(self, system: str, code: str) -> tuple[Attribute, ...]:
        """The relationships other than is-a."""

    def historical(self, system: str, code: str) -> tuple[Association, ...]:
        """Where an inactive code went."""

    def translations(self, system: str, code: str, *, back: bool = False) -> tuple[Translation, ...]:
        """What concept maps say of a code: where it leads, or with ``back`` what leads to it."""

    def maps(self) -> tuple[str, ...]:
        """The URLs of the concept maps that have rows."""

    def map_rows(self, url: str) -> Iterator[Translation]:
        """The rows of one concept map."""

    def value_set(self, url: str) -> tuple[ValueSetMember, ...] | None:
        """The codes that a value set lists or was expanded to; None where there is none of this URL."""

    def value_sets(self) -> tuple[tuple[str, str, str], ...]:
        """URL, version and title of each value set."""

    def value_set_body(self, url: str) -> bytes | None:
        """A value set as it came, JSON; None where there is none of this URL."""

    def all_codes(self, system: str) -> Iterator[str]:
        """The active codes of a system, in the release's own order."""

    def named(self, text: str) -> tuple[ReleaseConcept, ...]:
        """The active concepts that have a designation equal to the text, spelling variants included."""

    def search(self, words: Sequence[str], limit: int) -> tuple[Found, ...]:
        """At most ``limit`` concepts, each with a designation that has all words, the last ones as beginnings."""
