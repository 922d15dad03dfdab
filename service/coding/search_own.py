"""The project's own terms, made to be searched: a few thousand, so they are held by their words in memory."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

from service.coding.index import EVERYWHERE
from service.coding.lookup import Vocabulary
from service.coding.releases.tokens import Normal, skeleton, split
from service.coding.search_query import Query, Token, nearest, rate
from service.coding.units import FIELD as UNIT

_LAST: Final = "\U0010ffff"
_SHORT: Final = 6  # letters: what stands for a longer name


class Entry(NamedTuple):
    """A designation: its words, its concept, how it is written, and the field it is scoped to."""

    words: tuple[str, ...]
    concept: str
    term: str
    field: str


class OwnTerms:
    """An index over the designations of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary, normal: Normal) -> None:
        """Index every designation except those of units and languages, which are no terms of a report."""
        self._normal = normal
        self.entries: list[Entry] = []
        self._by_word: dict[str, list[int]] = {}
        for field, terms in vocabulary.designations.terms.items():
            for term, concept in terms.items() if field not in (UNIT, "language") else ():
                words = tuple(split(term))
                if words:
                    self._add(Entry(words, concept, term, field))
        self._words = sorted(self._by_word)
        self._by_skeleton: dict[str, list[str]] = {}
        for word in self._words:
            self._by_skeleton.setdefault(skeleton(word), []).append(word)
        self.short = self._abbreviations(vocabulary)

    def _add(self, entry: Entry) -> None:
        place = len(self.entries)
        self.entries.append(entry)
        for word in {*entry.words, *map(self._normal.word, entry.words)}:
            self._by_word.setdefault(word, []).append(place)

    def _abbreviations(self, vocabulary: Vocabulary) -> dict[str, tuple[tuple[str, ...], ...]]:
        """Short words that are a whole designation, with the words of the label they stand for."""
        made: dict[str, tuple[tuple[str, ...], ...]] = {}
        for entry in self.entries:
            if len(entry.words) == 1 and len(entry.words[0]) <= _SHORT and entry.field == EVERYWHERE:
                label = tuple(map(self._normal.word, split(vocabulary.concepts[entry.concept].label)))
                word = entry.words[0]
                if label and self._normal.word(word) not in label and label not in made.get(word, ()):
                    made[word] = (*made.get(word, ()), label)
        return made

    def knows(self, form: str) -> bool:
        """Whether any word begins so."""
        return next(self._beginning(form), None) is not None

    def near(self, word: str) -> list[str]:
        """Words that this one may be misspelled from."""
        return nearest(word, [*self._by_skeleton.get(skeleton(word), ()), *self._words])

    def find(self, query: Query) -> Iterator[tuple[float, Entry]]:
        """The designations that answer, each with how well."""
        places: set[int] | None = None
        for token in query.tokens:
            found = self._having(token)
            places = found if places is None else places & found
            if not places:
                return
        for place in places or ():
            entry = self.entries[place]
            score = rate(query, entry.words, self._normal)
            if score is not None:
                yield score, entry

    def _having(self, token: Token) -> set[int]:
        """Entries with a word that begins as the token, or with what it is short for."""
        made: set[int] = set()
        for form in token.forms:
            for word in self._beginning(form):
                made.update(self._by_word[word])
        for phrase in token.phrases:
            made.update(set.intersection(*(set(self._by_word.get(word, ())) for word in phrase)))
        return made

    def _beginning(self, form: str) -> Iterator[str]:
        for place in range(bisect_left(self._words, form), bisect_left(self._words, form + _LAST)):
            yield self._words[place]
