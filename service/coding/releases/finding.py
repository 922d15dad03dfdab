"""Words to concepts in one store: exact names by hash, words through the full-text index, near words by their shape."""

from collections.abc import Sequence
from typing import Any, Final

from service.coding.releases.sqlite import SqliteReleaseStore, batched_by
from service.coding.releases.store import Found, ReleaseConcept, Use
from service.coding.releases.tokens import Normal, skeleton, split

_NEAR: Final = 600  # words of one length looked at for a misspelled one
_LAST: Final = "\U0010ffff"

_INDEXED: Final = 4  # letters: the beginnings that the index keeps (schema.SEARCH)
_NAMED: Final = 12

Wanted = tuple[tuple[str, ...], tuple[tuple[str, ...], ...], bool]
"""Forms of a word, what it may be short for, and whether beginnings count."""
Designated = tuple[int, str, str, int]
"""Number of the concept, term, language, use."""


def named(store: SqliteReleaseStore, text: str, normal: Normal, limit: int = 50) -> list[int]:
    """Numbers of active concepts with a designation of the same words."""
    query = "select n from form where hash = ? limit ?"
    return [row[0] for row in store.rows(query, normal.hash(split(text)), limit)]


def knows(store: SqliteReleaseStore, form: str) -> bool:
    """Whether any word of the release begins so."""
    return bool(store.rows("select 1 from word where word >= ? and word < ? limit 1", form, form + _LAST))


def near(store: SqliteReleaseStore, word: str) -> list[str]:
    """Words that might be meant: of the same skeleton, or of like length and the same first letter; frequent first."""
    rows = store.rows("select word from word where skeleton = ? order by concepts desc limit 200", skeleton(word))
    query = "select word from word where first = ? and length = ? order by concepts desc limit ?"
    for length in (len(word), len(word) - 1, len(word) + 1):
        rows += store.rows(query, word[0], length, _NEAR)
    return list(dict.fromkeys(row[0] for row in rows))


def expression(store: SqliteReleaseStore, tokens: Sequence[Wanted]) -> str:
    """An FTS5 query: every token, as a whole word or as a beginning, or in full what it is short for."""
    parts = []
    for forms, phrases, beginning in tokens:
        ways: dict[str, None] = {}
        for form in forms:
            ways.update(dict.fromkeys(_beginning(store, form) if beginning and len(form) > 1 else (f'"{form}"',)))
        ways.update(dict.fromkeys("(" + " AND ".join(f'"{word}"' for word in phrase) + ")" for phrase in phrases))
        parts.append(f"({' OR '.join(ways)})")
    return " AND ".join(parts)


def _beginning(store: SqliteReleaseStore, form: str) -> list[str]:
    """What finds the words that begin so: short beginnings have an index, a few words are named.

    FTS5 would gather all that any other beginning finds before it gives the first.
    """
    if len(form) > _INDEXED:
        query = "select word from word where word >= ? and word < ? limit ?"
        words = store.rows(query, form, form + _LAST, _NAMED + 1)
        if 0 < len(words) <= _NAMED:
            return [f'"{row[0]}"' for row in words]
    return [f'"{form}"*']


def matching(store: SqliteReleaseStore, expression: str, limit: int) -> list[tuple[int, int]]:
    """Ranks and numbers of the best concepts that the full-text expression holds for, best first."""
    query = (
        "select r.rank, r.n from (select rowid as place from search where search match ? order by rowid limit ?)"
        " join ranked r on r.rank = place"
    )
    return [(rank, n) for rank, n in store.rows(query, expression, limit)]


def designated(store: SqliteReleaseStore, numbers: Sequence[int]) -> dict[int, list[Designated]]:
    """The designations of concepts, text definitions left out."""
    made: dict[int, list[Designated]] = {number: [] for number in numbers}
    for some in batched_by(numbers, 500):
        marks = ",".join("?" * len(some))
        query = f"select n, term, language, use from designation where n in ({marks}) and use <> ?"  # noqa: S608 - marks only
        row: Any
        for row in store.rows(query, *some, int(Use.DEFINITION)):
            made[row[0]].append(row)
    return made


def found(store: SqliteReleaseStore, words: Sequence[str], limit: int, normal: Normal) -> tuple[Found, ...]:
    """Concepts that have all words, each with its first designation that has them; see ReleaseStore.search."""
    forms = [(word, normal.word(word)) for text in words for word in split(text)]
    if not forms:
        return ()
    places = matching(store, expression(store, [(pair, (), True) for pair in forms]), limit)
    concepts: dict[int, ReleaseConcept] = store.concepts([n for _, n in places])
    terms = designated(store, [n for _, n in places])
    made = []
    for rank, n in places:
        having = (row for row in terms[n] if all(_has(row[1], pair) for pair in forms))
        _, term, language, _ = next(having, (n, concepts[n].display, "", 0))
        made.append(Found(concepts[n], term, language, rank))
    return tuple(made)


def _has(term: str, pair: tuple[str, str]) -> bool:
    return any(word.startswith(pair) for word in split(term))
