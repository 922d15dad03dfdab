"""Look-ups by word: from a term, within a field or everywhere, to the concepts it may name."""

from collections.abc import Iterable, Mapping
from typing import Final

from service.coding.concepts import PREFERRED
from service.coding.tables import Line
from service.coding.words import Words, fold, squeeze
from service.domain.codes import Resolution

EVERYWHERE: Final = ""
Hit = tuple[str, Resolution]
"""A concept's key and how the term names it."""
_Scope = dict[str, tuple[Hit, ...]]


class Designations:
    """All designations by field (``EVERYWHERE`` for none), each in the forms it is found by."""

    __slots__ = ("abbreviations", "exact", "terms", "variants", "words")

    def __init__(self, lines: Iterable[Line], words: Words) -> None:
        """Index the lines of ``designations.csv``."""
        self.words = words
        self.abbreviations: dict[str, _Scope] = {}
        self.exact: dict[str, _Scope] = {}
        self.variants: dict[str, _Scope] = {}
        self.terms: dict[str, dict[str, str]] = {}
        """By field: each term as written, with its concept."""
        for line in lines:
            concept, _, use, field, term = line.cells
            self.terms.setdefault(field, {}).setdefault(term, concept)
            if use == "abbreviation":
                _put(self.abbreviations, field, squeeze(term), (concept, Resolution.SYNONYM))
                continue
            how = Resolution.EXACT if use == PREFERRED else Resolution.SYNONYM
            _put(self.exact, field, fold(term), (concept, how))
            _put(self.variants, field, words.normal(term), (concept, Resolution.VARIANT))

    def as_written(self, text: str, field: str) -> tuple[Hit, ...]:
        """Concepts that the text names as it is written, case aside; an abbreviation also in its case."""
        return _get(self.abbreviations, field, squeeze(text)) or _get(self.exact, field, fold(text))

    def as_spelled(self, text: str, field: str) -> tuple[Hit, ...]:
        """Concepts that the text names in another spelling, plural or hyphenation."""
        return _get(self.variants, field, self.words.normal(text))


def _put(scopes: dict[str, _Scope], field: str, form: str, hit: Hit) -> None:
    """Add a hit; the first designation of a concept says how it was named."""
    scope = scopes.setdefault(field, {})
    hits = scope.get(form, ())
    if all(hit[0] != known for known, _ in hits):
        scope[form] = (*hits, hit)


def _get(scopes: Mapping[str, _Scope], field: str, form: str) -> tuple[Hit, ...]:
    """The hits of a form within a field."""
    scope = scopes.get(field)
    return scope.get(form, ()) if scope else ()


class Names:
    """The names of one table's rows: key and own names first, then the designations of each row's concept."""

    __slots__ = ("by_concept", "exact", "variants", "words")

    def __init__(self, words: Words) -> None:
        """Start empty."""
        self.words = words
        self.exact: dict[str, str] = {}
        self.variants: dict[str, tuple[str, ...]] = {}
        self.by_concept: dict[str, str] = {}

    def add(self, row: str, concept: str, name: str) -> str | None:
        """A name of a row; gives the other row that has it already, if there is one."""
        known = self.exact.setdefault(fold(name), row)
        self._vary(row, name)
        self.by_concept.setdefault(concept, row)
        return known if known != row else None

    def also(self, row: str, term: str) -> None:
        """A designation of the row's concept; names that rows claim for themselves come first."""
        if self.exact.setdefault(fold(term), row) == row:
            self._vary(row, term)

    def _vary(self, row: str, name: str) -> None:
        """Index the normal form."""
        normal = self.words.normal(name)
        rows = self.variants.get(normal, ())
        if row not in rows:
            self.variants[normal] = (*rows, row)

    def find(self, text: str) -> tuple[tuple[str, ...], Resolution]:
        """The rows that the text may name, and how."""
        exact = self.exact.get(fold(text))
        if exact is not None:
            return (exact,), Resolution.KEY if exact == text else Resolution.SYNONYM
        return self.variants.get(self.words.normal(text), ()), Resolution.VARIANT
