"""Search as a radiologist types: beginnings of words in any order, abbreviations, typing errors; the field's own first.

One engine for the search box and for the suggestions that an unknown term gets: over the project's own terms always,
over a site's releases where there are any. What is found is proposed, never applied.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from service.coding.index import EVERYWHERE
from service.coding.labels import primary, reviewed
from service.coding.lookup import Vocabulary
from service.coding.releases.finding import Designated, designated, knows, named, near
from service.coding.releases.site import SiteReleases
from service.coding.releases.store import ReleaseConcept, Use
from service.coding.releases.tablestore import TableStore
from service.coding.releases.tokens import Normal, split
from service.coding.search_own import Entry, OwnTerms
from service.coding.search_query import EQUAL, Query, Token, nearest, parse, rate
from service.coding.words import squeeze
from service.domain.codes import Code

OWN: Final = "lesionbridge"
_CANDIDATES: Final = 48
"""Concepts of a release that are looked at closely, those first that are ranked best."""
_LANGUAGES: Final = 32  # whose labels are remembered: callers name any
_FEW_WORDS: Final = 8
_ELSEWHERE: Final = 0.8
_RETIRED: Final = 0.5
"""What an answer is worth that is of another kind than the field's values, or is inactive."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search: ``field`` is a row of the mappings or empty, ``language`` a tag whose terms are shown first.

    ``own``: among the project's own terms only.
    """

    text: str
    field: str = EVERYWHERE
    language: str = ""
    limit: int = 20
    own: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A concept that was found: of the project (``concept`` is its key) or of a release only.

    ``term`` is the designation that matched; ``how``: exact, words, abbreviation, spelling. ``in_field``: the field's
    value set has it. ``score``: 0 to 1. ``active``: False for a code that its release has retired.
    """

    label: str
    codes: tuple[Code, ...]
    term: str
    how: str
    source: str
    score: float
    concept: str | None = None
    in_field: bool = False
    tag: str = ""
    active: bool = True


class Search:
    """The engine; it holds the words of the project's own terms and asks the releases for theirs."""

    def __init__(self, vocabulary: Vocabulary, releases: SiteReleases | None = None) -> None:
        """Index the vocabulary's designations."""
        self._vocabulary = vocabulary
        self._releases = releases
        self._normal = Normal(vocabulary.designations.words)
        self._own = OwnTerms(vocabulary, self._normal)
        self._labels: dict[str, Mapping[str, str]] = {}
        self._tags: dict[tuple[str, str], frozenset[str]] = {}

    def find(self, asked: Asked) -> tuple[Match, ...]:
        """The concepts that answer, best first; nothing for a text without a letter or digit."""
        query = parse(asked.text, self._normal, self._own.short)
        if not query.tokens:
            return ()
        stores = self._releases.stores() if self._releases is not None and not asked.own else ()
        made = self._both(query, asked, stores)
        if not made:
            corrected = self._corrected(query, stores)
            made = self._both(corrected, asked, stores) if corrected is not None else made
        return tuple(match for _, match in sorted(made.values(), key=lambda one: one[0])[: asked.limit])

    def _both(
        self, query: Query, asked: Asked, stores: Sequence[TableStore]
    ) -> dict[tuple[str, str], tuple[tuple[object, ...], Match]]:
        """Each concept once, with what it is ordered by."""
        made: dict[tuple[str, str], tuple[tuple[object, ...], Match]] = {}
        for place, match in enumerate(self._find_own(query, asked)):
            _keep(made, (OWN, str(match.concept)), _order(match, place), match)
        for store in stores:
            for place, match in enumerate(self._find_in(store, query, asked)):
                key = (OWN, match.concept) if match.concept else (match.codes[0].system, match.codes[0].code)
                _keep(made, key, _order(match, place), match)
        return made

    def _find_own(self, query: Query, asked: Asked) -> Iterator[Match]:
        for score, entry in self._own.find(query):
            if entry.field not in (EVERYWHERE, asked.field) and asked.field:
                continue
            yield self._own_match(score, entry, query, asked)

    def _own_match(self, score: float, entry: Entry, query: Query, asked: Asked) -> Match:
        key, values = entry.concept, self.values(asked.field)
        concept = self._vocabulary.concepts[key]
        short = query.tokens[0].phrases and squeeze(query.text).lower() == entry.term.lower()
        how = _how(query, score) if not short else "abbreviation"
        codes = concept.codes or ((concept.broader,) if concept.broader is not None else ())
        label = self._spoken(asked.language).get(key, concept.label)
        return Match(label, codes, entry.term, how, OWN, score, key, values is not None and key in values)

    def _find_in(self, store: TableStore, query: Query, asked: Asked) -> list[Match]:
        """The best of one release: equal names, whole words, then beginnings."""
        ranks = dict.fromkeys(named(store, query.text, self._normal), 0)
        for beginnings in (False, True):
            ways = [(token.forms, token.phrases, beginnings and not token.corrected) for token in query.tokens]
            for rank, n in store.matching(ways, _CANDIDATES):
                ranks.setdefault(n, rank)
            if len(ranks) >= _CANDIDATES:
                break
        terms = designated(store, list(ranks))
        rated = []
        for n, rank in ranks.items():
            best = self._best(terms[n], query, asked.language)
            if best is not None:
                rated.append((-round(best[0], 2), rank, n, best))
        rated.sort(key=lambda one: one[:3])
        kept = rated[: max(asked.limit * 2, 20)]
        concepts = store.concepts([one[2] for one in kept])
        tags = self._field_tags(store, asked.field)
        return [self._release_match(store, concepts[n], best, query, tags, asked) for _, _, n, best in kept]

    def _best(self, terms: Sequence[Designated], query: Query, language: str) -> tuple[float, str] | None:
        """The designation that answers best, one of the language asked for before others."""
        best: tuple[float, bool, str] | None = None
        for _, term, said, _ in terms:
            score = rate(query, split(term), self._normal)
            if score is not None:
                this = (score, bool(language) and primary(said) == primary(language), term)
                if best is None or this[:2] > best[:2]:
                    best = this
        return None if best is None else (best[0], best[2])

    def _release_match(
        self,
        store: TableStore,
        concept: ReleaseConcept,
        best: tuple[float, str],
        query: Query,
        tags: frozenset[str],
        asked: Asked,
    ) -> Match:
        """A concept of a release; one that the project has, too, is shown as the project's."""
        score, term = best
        how = _how(query, score)
        score *= 1.0 if concept.active else _RETIRED
        # A broader or narrower code of a concept of ours is another concept.
        keys = self._vocabulary.meant_by(concept.system, concept.code)
        if len(keys) == 1:
            return replace(self._own_match(score, Entry((), keys[0], term, ""), query, asked), tag=concept.tag)
        code = Code(concept.system, concept.code, concept.display)
        label = self._label(store, concept, asked.language)
        fits = concept.tag in tags
        score *= 1.0 if fits or not tags else _ELSEWHERE
        return Match(label, (code,), term, how, store.name, score, tag=concept.tag, active=concept.active)

    def _label(self, store: TableStore, concept: ReleaseConcept, language: str) -> str:
        """The display, or the first preferred term of the language asked for."""
        if language and not language.startswith("en"):
            for one in store.designations(concept.system, concept.code):
                if primary(one.language) == primary(language) and one.use in (Use.PREFERRED, Use.SYNONYM):
                    return one.term
        return concept.display

    def _spoken(self, language: str) -> Mapping[str, str]:
        """Labels of the project that a person has reviewed in a language, or that the site has set."""
        if language not in self._labels:
            if len(self._labels) >= _LANGUAGES:
                self._labels.clear()
            self._labels[language] = reviewed(self._vocabulary, language) if language else {}
        return self._labels[language]

    def takes_codes(self, field: str) -> bool:
        """Whether a code that no concept of the field has may stand there."""
        row = self._vocabulary.field(field) if field else None
        return row is None or not row.required

    def values(self, field: str) -> frozenset[str] | None:
        """The concepts that may answer a field; None: any."""
        row = self._vocabulary.field(field) if field else None
        return row.values if row is not None else None

    def _field_tags(self, store: TableStore, field: str) -> frozenset[str]:
        """The semantic tags that the field's own values have in the release: what else may stand there."""
        known = self._tags.get((store.key, field))
        if known is None:
            found = set()
            for key in self.values(field) or ():
                for code in self._vocabulary.concepts[key].codes:
                    concept = store.lookup(code.system, code.code) if store.has(code.system) else None
                    if concept is not None:
                        found.add(concept.tag)
            known = self._tags[store.key, field] = frozenset(found)
        return known

    def _corrected(self, query: Query, stores: Sequence[TableStore]) -> Query | None:
        """The query with each word that nobody knows replaced by those it may be a misspelling of."""
        tokens = []
        changed = False
        for token in query.tokens:
            forms = token.forms
            if not token.phrases and not any(self._known(form, stores) for form in forms):
                word = forms[0]
                found = dict.fromkeys(self._own.near(word))
                for store in stores:
                    found.update(dict.fromkeys(near(store, word)))
                better = nearest(word, list(found))
                if not better:
                    return None
                changed = True
                forms = tuple(dict.fromkeys([*better, *map(self._normal.word, better)]))
                tokens.append(Token(forms, corrected=True))
            else:
                tokens.append(token)
        if not changed:
            return None
        normal = tuple(self._normal.word(token.forms[0]) for token in tokens)
        return Query(query.text, tuple(tokens), normal)

    def _known(self, form: str, stores: Sequence[TableStore]) -> bool:
        return self._own.knows(form) or any(knows(store, form) for store in stores)


def suggestions(search: Search, text: str, field: str = EVERYWHERE, most: int = 5) -> tuple[str, ...]:
    """What an unknown term may mean: labels of the field's values first, then names of codes that releases have.

    Where nothing has all of its words, one of them is left out. A field that must be coded takes only its values.
    """
    values = search.values(field)
    for words in _ever_fewer(text):
        found = {
            (match.label if match.concept is not None else _coded(match)): None
            for asked in words
            for match in search.find(Asked(asked, field, limit=most * 2, own=len(words) > 1))
            if (match.in_field or values is None if match.concept is not None else match.active)
            and (match.concept is not None or search.takes_codes(field))
        }
        if found:
            return tuple(found)[:most]
    return ()


def _ever_fewer(text: str) -> Iterator[tuple[str, ...]]:
    """The text, then all that is left of it without one word, the last one first."""
    yield (text,)
    words = text.split()
    if 1 < len(words) <= _FEW_WORDS:
        yield tuple(" ".join(words[:place] + words[place + 1 :]) for place in reversed(range(len(words))))


def _coded(match: Match) -> str:
    return f"{match.label} ({match.codes[0].system} {match.codes[0].code})"


def _how(query: Query, score: float) -> str:
    if any(token.corrected for token in query.tokens):
        return "spelling"
    return "exact" if score >= EQUAL else "words"


def _order(match: Match, place: int) -> tuple[object, ...]:
    """The field's values first, then the better answer, the project's own before a release's of the same worth."""
    return not match.in_field, -round(match.score + (0.1 if match.source == OWN else 0.0), 2), len(match.label), place


def _keep(
    made: dict[tuple[str, str], tuple[tuple[object, ...], Match]],
    key: tuple[str, str],
    order: tuple[object, ...],
    match: Match,
) -> None:
    known = made.get(key)
    if known is None or order < known[0]:
        made[key] = (order, match)
