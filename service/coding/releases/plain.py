"""Code systems of some hundred thousand concepts: gathered whole, checked, and written in one step."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from service.coding.releases.build import Build
from service.coding.releases.refusing import mixed
from service.coding.releases.store import Use
from service.coding.releases.structure import Cycle


class Word(NamedTuple):
    """A designation."""

    term: str
    use: Use = Use.PREFERRED
    language: str = "en"


@dataclass(slots=True)
class PlainConcept:
    """A concept as it is gathered; ``attributes`` are (type, code or value), ``went`` are (kind, code)."""

    code: str
    active: bool = True
    parents: list[str] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    went: list[tuple[str, str]] = field(default_factory=list)

    def word(self, term: str, use: Use = Use.PREFERRED, language: str = "en") -> None:
        """Add a designation once; an empty one is none."""
        made = Word(" ".join(term.split()), use, language)
        if made.term and made not in self.words:
            self.words.append(made)


class System(NamedTuple):
    """A code system and the file that says what it is."""

    designator: str
    uri: str
    name: str
    version: str
    file: str


def write(build: Build, system: System, concepts: Iterable[PlainConcept]) -> int:
    """Write a code system; how many concepts. A parent that is not there is passed over; refuses a cycle."""
    rows = list(concepts)
    places = {concept.code: place for place, concept in enumerate(rows)}
    number = build.system(system.designator, system.uri, system.name, system.version)
    module = 0
    parents = [[places[code] for code in dict.fromkeys(one.parents) if code in places] for one in rows]
    try:
        numbers = build.structure([(number, one.code, one.active, False, 0, module) for one in rows], parents)
    except Cycle as cycle:
        mixed(system.file, 0, f"{rows[cycle.index].code} is its own ancestor")
    build.insert(
        "insert into designation values (?, ?, ?, ?, 0, 0)",
        (
            (numbers[place], word.language, int(word.use), word.term)
            for place, one in enumerate(rows)
            for word in one.words
        ),
    )
    types = {kind: build.property(kind) for one in rows for kind, _ in one.attributes}
    build.insert(
        "insert into attribute values (?, 0, ?, ?, ?)",
        (
            (numbers[place], types[kind], numbers[places[to]] if to in places else None, "" if to in places else to)
            for place, one in enumerate(rows)
            for kind, to in one.attributes
        ),
    )
    build.insert(
        "insert into association values (?, ?, ?)",
        ((numbers[place], kind, to) for place, one in enumerate(rows) for kind, to in one.went),
    )
    return len(rows)
