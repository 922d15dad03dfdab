"""One code system as a terminology server sees it, whoever holds it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from service.coding.ecl.relations import Hierarchy

PREFERRED = "preferred"


@dataclass(frozen=True, slots=True)
class Word:
    """A designation: ``use`` is preferred, fully-specified, synonym, abbreviation, plural or definition."""

    language: str
    use: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One code; ``properties`` are what else is known of it, by name."""

    code: str
    display: str
    active: bool = True
    properties: tuple[tuple[str, str | bool], ...] = ()


class TerminologySource(Hierarchy, Protocol):
    """A code system or a fragment of one.

    ``complete``: it has every code of the system, so a code it has not does not exist. ``nested``: it knows what is
    above and below each code; a flat system that is complete knows that, too.
    """

    @property
    def designator(self) -> str:
        """The DICOM Coding Scheme Designator."""

    @property
    def uri(self) -> str:
        """What FHIR calls the system."""

    @property
    def name(self) -> str:
        """Its name for people."""

    @property
    def version(self) -> str:
        """The version of what is held."""

    @property
    def complete(self) -> bool:
        """Whether every code of the system is here."""

    @property
    def nested(self) -> bool:
        """Whether the hierarchy is known."""

    def lookup(self, code: str) -> Entry | None:
        """A code; None where it is not here."""

    def labels(self, codes: Sequence[str]) -> Mapping[str, Entry]:
        """Codes with their displays and states only, as far as they are here."""

    def words(self, code: str) -> tuple[Word, ...]:
        """Its designations."""

    def words_of(self, codes: Sequence[str]) -> Mapping[str, tuple[Word, ...]]:
        """The designations of several codes."""

    def subsumes(self, above: str, below: str) -> bool:
        """Whether ``below`` is ``above`` or lies under it."""

    def page_below(self, code: str, offset: int, count: int | None) -> tuple[int, Sequence[str]]:
        """How many codes lie under one, and a page of them in a settled order; ``count`` None: all."""

    def page_of_all(self, offset: int, count: int) -> tuple[int, Sequence[str]]:
        """How many active codes there are, and a page of them in a settled order."""

    def search(self, text: str, limit: int) -> Iterable[str]:
        """At most ``limit`` codes of which a designation has words that begin with each of the text's, best first."""


def display_in(source: TerminologySource, entry: Entry, language: str | None) -> str:
    """The display in a language (RFC 5646), preferred designations first; the usual one where there is none in it."""
    return display_of(entry, source.words(entry.code), language) if language else entry.display


def display_of(entry: Entry, words: Sequence[Word], language: str) -> str:
    """The display in a language by the designations of a code."""
    for wanted in dict.fromkeys((language.lower(), language.lower().partition("-")[0])):
        spoken = [word for word in words if word.language.lower() == wanted and word.use != "definition"]
        for word in spoken:
            if word.use == PREFERRED:
                return word.text
        if spoken:
            return spoken[0].text
    return entry.display
