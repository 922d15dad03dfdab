"""What somebody typed into a search box, and how well a term answers it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from service.coding.releases.tokens import IDLE, Normal, split

_MOST_WORDS: Final = 8
EQUAL: Final = 1.0
SAME_WORDS: Final = 0.96
_HALF_A_WORD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query: ``forms`` are the spellings it is looked for in; ``phrases`` what it may be short for."""

    forms: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A query: the words that must be there, and all words in normal form for telling an equal term."""

    text: str
    tokens: tuple[Token, ...]
    normal: tuple[str, ...]


def parse(text: str, normal: Normal, short: Mapping[str, tuple[tuple[str, ...], ...]]) -> Query:
    """A query; ``short`` are abbreviations with the words they stand for. Idle words count only where all are."""
    words = split(text)[:_MOST_WORDS]
    telling = [word for word in words if word not in IDLE] or words
    tokens = tuple(Token(_forms(word, normal), short.get(word, ())) for word in telling)
    return Query(text, tokens, tuple(map(normal.word, words)))


def _forms(word: str, normal: Normal) -> tuple[str, ...]:
    made = normal.word(word)
    return (made,) if made == word else (word, made)


def rate(query: Query, words: Sequence[str], normal: Normal) -> float | None:
    """How well a term of these words answers, 0 to 1; None where a word of the query is missing."""
    forms: Sequence[str] = ()
    if len(words) == len(query.normal):
        forms = [normal.word(word) for word in words]
        if tuple(forms) == query.normal:
            return EQUAL
        if sorted(forms) == sorted(query.normal):
            return SAME_WORDS
    quality = 0.0
    for token in query.tokens:
        best = _met(token, words, forms)
        if not best and not forms:
            # Normal forms are dear and seldom needed: only where the words as written have not what is looked for.
            forms = [normal.word(word) for word in words]
            best = _met(token, words, forms)
        if not best:
            return None
        quality += best
    count = len(query.tokens)
    first = any(words[0].startswith(form) for form in query.tokens[0].forms)
    covered = min(1.0, count / len(words))
    return 0.55 * quality / count + 0.3 * covered + (0.05 if first else 0.0)


def _met(token: Token, words: Sequence[str], forms: Sequence[str]) -> float:
    """1 for a whole word, less for its beginning or what it is short for, 0 for nothing."""
    best = 0.0
    for form in token.forms:
        if form in words or form in forms:
            return 0.8 if token.corrected else 1.0
        for word in words:
            if word.startswith(form):
                best = max(best, _HALF_A_WORD + 0.4 * len(form) / len(word))
    for phrase in token.phrases:
        if all(word in forms for word in phrase):
            best = max(best, 0.9)
    return best


def reach(word: str) -> int:
    """How many letters of a word may be wrong: none of a short one, since T1 is not T2."""
    if any(letter.isdigit() for letter in word):
        return 0
    return 0 if len(word) < 4 else 1 if len(word) < 6 else 2 if len(word) < 10 else 3


def nearest(word: str, known: Sequence[str], most: int = 3) -> list[str]:
    """Those of the known words that a typing error may have made this one of, nearest first."""
    limit = reach(word)
    if not limit:
        return []
    found = process.extract(word, known, scorer=OSA.distance, score_cutoff=limit, limit=None)
    rated = sorted((distance, other[0] != word[0], place, other) for other, distance, place in found)
    least = rated[0][0] if rated else 0
    return [one[3] for one in rated if one[0] == least][:most]
