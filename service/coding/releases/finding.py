"""Words to concepts in one store: exact names by hash, words through the index of words, near words by their shape."""

from collections.abc import Sequence
from typing import Any, Final

from service.coding.releases.store import Found, ReleaseConcept, Use
from service.coding.releases.tablestore import TableStore, batched_by
from service.coding.releases.tokens import Normal, skeleton, split

_NEAR: Final = 600  # words of one length looked at for a misspelled one
_LAST: Final = "\U0010ffff"

Designated = tuple[int, str, str, int]
"""Number of the concept, term, language, use."""


def named(store: TableStore, text: str, normal: Normal, limit: int = 50) -> list[int]:
    """Numbers of active concepts with a designation of the same words."""
    query = "select n from form where hash = ? limit ?"
    return [row[0] for row in store.rows(query, normal.hash(split(text)), limit)]


def knows(store: TableStore, form: str) -> bool:
    """Whether any word of the release begins so."""
    return bool(store.rows("select 1 from word where word >= ? and word < ? limit 1", form, form + _LAST))


def near(store: TableStore, word: str) -> list[str]:
    """Words that might be meant: of the same skeleton, or of like length and the same first letter; frequent first."""
    rows = store.rows("select word from word where skeleton = ? order by concepts desc limit 200", skeleton(word))
    query = "select word from word where first = ? and length = ? order by concepts desc limit ?"
    for length in (len(word), len(word) - 1, len(word) + 1):
        rows += store.rows(query, word[0], length, _NEAR)
    return list(dict.fromkeys(row[0] for row in rows))


def designated(store: TableStore, numbers: Sequence[int]) -> dict[int, list[Designated]]:
    """The designations of concepts, text definitions left out."""
    made: dict[int, list[Designated]] = {number: [] for number in numbers}
    for some in batched_by(numbers, 500):
        marks = ",".join("?" * len(some))
        query = f"select n, term, language, use from designation where n in ({marks}) and use <> ?"  # noqa: S608 - marks only
        row: Any
        for row in store.rows(query, *some, int(Use.DEFINITION)):
            made[row[0]].append(row)
    return made


def found(store: TableStore, words: Sequence[str], limit: int, normal: Normal) -> tuple[Found, ...]:
    """Concepts that have all words, each with its first designation that has them; see ReleaseStore.search."""
    forms = [(word, normal.word(word)) for text in words for word in split(text)]
    if not forms:
        return ()
    places = store.matching([(pair, (), True) for pair in forms], limit)
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
