"""Suggestions for a term that is not known, by the engine that searches; they are never applied.

Where no term shares its words, those are suggested that look like it as a whole, by rapidfuzz.
"""

from typing import Final

from rapidfuzz import fuzz, process

from service.coding.index import EVERYWHERE
from service.coding.lookup import Vocabulary
from service.coding.search import suggestions
from service.coding.words import fold
from service.domain.errors import Unavailable

MOST: Final = 5
_NEAR: Final = 70.0  # of 100: below it, what is found is another word


def suggest(vocabulary: Vocabulary, text: str, row: str = EVERYWHERE) -> tuple[str, ...]:
    """Labels of at most five concepts for the field ``row``, its own designations before those for everywhere."""
    if row in vocabulary.measurements:
        return suggest_names(vocabulary, "measurements", text)
    try:
        found = suggestions(vocabulary.search(), text, row, MOST)
    except Unavailable:
        found = ()  # a report is not refused because nobody can say what one of its words may mean
    every = _every(vocabulary, row)
    return tuple(dict.fromkeys((*found, *every))) if every else found or _alike(vocabulary, text, row)


def _every(vocabulary: Vocabulary, row: str) -> tuple[str, ...]:
    """Labels of all that a field must be one of, where that is no more than can be proposed.

    As a whole "sinister" looks like "right": of two sides it is a harm to propose the one that looks alike.
    """
    field = vocabulary.field(row)
    values = field.values or frozenset() if field is not None and field.required else frozenset()
    return tuple(sorted(vocabulary.concepts[key].label for key in values)) if len(values) <= MOST else ()


def _alike(vocabulary: Vocabulary, text: str, row: str) -> tuple[str, ...]:
    """Labels of concepts of which a designation looks like the text."""
    terms, field = vocabulary.designations.terms, vocabulary.field(row)
    values = field.values if field is not None else None
    labels: dict[str, None] = {}
    for scope in dict.fromkeys((row, EVERYWHERE)):
        wanted = {
            term: concept for term, concept in terms.get(scope, {}).items() if values is None or concept in values
        }
        for term in _nearest(text, list(wanted)):
            labels.setdefault(vocabulary.concepts[wanted[term]].label)
    return tuple(labels)[:MOST]


def suggest_names(vocabulary: Vocabulary, table: str, text: str) -> tuple[str, ...]:
    """Names of at most five rows of ``measurements`` or ``evaluations`` whose names look like the text.

    A row is called by the label of its concept, or by its key where the label names another row.
    """
    names = vocabulary.names(table)
    labels = {row: vocabulary.concepts[concept].label for concept, row in names.by_concept.items()}
    found = dict.fromkeys(names.exact[name] for name in _nearest(text, list(names.exact)))
    return tuple([labels[row] if names.exact.get(fold(labels[row])) == row else row for row in found][:MOST])


def _nearest(text: str, terms: list[str]) -> list[str]:
    """The terms nearest to the text, best first."""
    found = process.extract(fold(text), terms, scorer=fuzz.WRatio, processor=fold, limit=MOST * 2, score_cutoff=_NEAR)
    return [term for term, _, _ in found]
