"""The project's own tables as terminology sources: its concept keys in full, of other systems the codes it uses."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from importlib.resources.abc import Traversable

from service.coding.ecl.relations import Relation
from service.coding.labels import languages, reviewed
from service.coding.lookup import Vocabulary
from service.coding.rows import CodeSystem
from service.coding.server.source import PREFERRED, Entry, TerminologySource, Word
from service.coding.tables import Defects, read_csv
from service.coding.words import fold
from service.domain.codes import LOCAL_SCHEME, Concept


class TableSource:
    """One code system of ``code_systems.csv`` with the codes that the tables have of it; the tables know no is-a."""

    def __init__(self, system: CodeSystem, version: str, entries: Mapping[str, Entry], said: "Designated") -> None:
        """Take the codes; ``said`` has the words of the concepts they stand for."""
        self.designator = system.designator
        self.uri = system.uri
        self.name = system.name
        self.version = version
        self.complete = self.nested = system.designator == LOCAL_SCHEME
        self._entries = entries
        self._said = said

    def lookup(self, code: str) -> Entry | None:
        """A code; None where it is not here."""
        return self._entries.get(code)

    def labels(self, codes: Sequence[str]) -> Mapping[str, Entry]:
        """Codes as far as they are here."""
        return {code: self._entries[code] for code in codes if code in self._entries}

    def words(self, code: str) -> tuple[Word, ...]:
        """The words of a concept; of another system's code only the display, whose words are not ours to say."""
        entry = self._entries.get(code)
        if entry is None:
            return ()
        return self._said.of(code) if self.complete else (Word("en", PREFERRED, entry.display),)

    def words_of(self, codes: Sequence[str]) -> Mapping[str, tuple[Word, ...]]:
        """The words of several codes."""
        return {code: self.words(code) for code in codes}

    def subsumes(self, above: str, below: str) -> bool:
        """A flat list: nothing lies under another code."""
        return above == below

    def page_below(self, code: str, offset: int, count: int | None) -> tuple[int, Sequence[str]]:  # noqa: ARG002 - flat
        """None."""
        return 0, ()

    def page_of_all(self, offset: int, count: int) -> tuple[int, Sequence[str]]:
        """All codes in table order, a page of them."""
        return len(self._entries), list(self._entries)[offset : offset + count]

    def search(self, text: str, limit: int) -> Iterable[str]:
        """Codes by the words of their concept, or of their display."""
        found = (code for code in self._entries if fits(text, [word.text for word in self.words(code)]))
        return [code for _, code in zip(range(limit), found, strict=False)]

    def active(self, code: str) -> bool | None:
        """Whether a code is there; a retired one is in no table."""
        return True if code in self._entries else None

    def count(self) -> int:
        """How many codes there are."""
        return len(self._entries)

    def codes(self) -> Iterable[str]:
        """All codes in table order."""
        return self._entries.keys()

    def parents(self, code: str) -> Collection[str]:  # noqa: ARG002 - of the protocol; the tables are flat
        """None."""
        return ()

    def children(self, code: str) -> Collection[str]:  # noqa: ARG002 - of the protocol; the tables are flat
        """None."""
        return ()

    def ancestors(self, code: str) -> Iterable[str]:  # noqa: ARG002 - of the protocol; the tables are flat
        """None."""
        return ()

    def descendants(self, code: str) -> Iterable[str]:  # noqa: ARG002 - of the protocol; the tables are flat
        """None."""
        return ()

    def members(self, refset: str) -> Iterable[str]:  # noqa: ARG002 - of the protocol; the tables have no sets of sets
        """None."""
        return ()

    def relations(self, code: str) -> Collection[Relation]:  # noqa: ARG002 - of the protocol; the tables are flat
        """None."""
        return ()


class Designated:
    """The words of each concept, in every language that a person has reviewed; read when first asked for."""

    def __init__(self, vocabulary: Vocabulary, terminology: Traversable) -> None:
        """Take the tables and the folder they were loaded from."""
        self._vocabulary = vocabulary
        self._folder = terminology

    def of(self, key: str) -> tuple[Word, ...]:
        """The words of one concept, preferred first."""
        return self._words.get(key, ())

    @cached_property
    def _words(self) -> Mapping[str, tuple[Word, ...]]:
        found: dict[str, dict[Word, None]] = {}
        for line in read_csv(self._folder.joinpath("designations.csv"), Defects()):
            concept, language, use, _, term = line.cells
            found.setdefault(concept, {}).setdefault(Word(language, use, term))
        for language in languages():
            for key, text in reviewed(self._vocabulary, language).items():
                found.setdefault(key, {}).setdefault(Word(language, PREFERRED, text))
        return {key: tuple(sorted(words, key=lambda word: word.use != PREFERRED)) for key, words in found.items()}


def table_sources(vocabulary: Vocabulary, terminology: Traversable, version: str) -> dict[str, TerminologySource]:
    """A source for each code system that the tables have codes of, by URI; ``version`` is that of the tables.

    A fragment of another system has no version of that system: its version says whose fragment it is.
    """
    entries: dict[str, dict[str, Entry]] = {
        LOCAL_SCHEME: {key: _own(concept) for key, concept in vocabulary.concepts.items()}
    }
    for (system, code), uses in vocabulary.by_code.items():
        if system != LOCAL_SCHEME:
            entries.setdefault(system, {})[code] = Entry(code, uses[0][1].code.display)
    said = Designated(vocabulary, terminology)
    made: dict[str, TerminologySource] = {}
    for designator, codes in entries.items():
        own = designator == LOCAL_SCHEME
        held = TableSource(vocabulary.systems[designator], version if own else f"lesionbridge-{version}", codes, said)
        made[held.uri] = held
    return made


def _own(concept: Concept) -> Entry:
    return Entry(concept.key, concept.label, properties=(("group", concept.group),))


def fits(text: str, terms: Iterable[str]) -> bool:
    """Whether some term has, for each word of the text, a word that begins with it; case and hyphens aside."""
    wanted = _words(text)
    return any(all(any(word.startswith(start) for word in _words(term)) for start in wanted) for term in terms)


def _words(text: str) -> list[str]:
    return fold(text).replace("-", " ").replace("/", " ").replace("(", " ").replace(",", " ").split()
