"""The overlay of one sender, ready to be asked: its own lines first, then those for everyone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.coding.index import EVERYWHERE
from service.coding.lookup import Resolved, Vocabulary, coded
from service.coding.overlays.rows import NO_MAP, OverlayRow
from service.coding.rows import Field
from service.coding.words import fold
from service.domain.codes import Code, CodedTerm, Resolution, Term


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a term of the site means: a concept, or a code that no concept here has; ``broader``: it says less."""

    concept: str | None
    code: Code | None = None
    broader: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked row with its meaning; None where it was decided that there is none, or it is not applied."""

    row: OverlayRow
    meaning: Meaning | None


def system_of(vocabulary: Vocabulary, system: str) -> str:
    """The name under which a code system is compared: its designator, or the URI as it is said."""
    return vocabulary.designator(system) or system.strip()


class Overlay:
    """The words and codes of a sender; the first of two entries for one term counts."""

    __slots__ = ("_codes", "_variants", "_words", "decided")

    def __init__(self, entries: Iterable[Entry], vocabulary: Vocabulary) -> None:
        """Index the entries, those that count first at the beginning."""
        words = vocabulary.designations.words
        self._codes: dict[tuple[str, ...], Meaning] = {}
        self._words: dict[tuple[str, ...], Meaning] = {}
        self.decided: set[tuple[str, str, str]] = set()
        """Field, system and form of each term that was decided to stay text."""
        variants: dict[tuple[str, ...], set[Meaning]] = {}
        for row, meaning in ((entry.row, entry.meaning) for entry in entries):
            if meaning is None:
                if row.relationship == NO_MAP:
                    self.decided.add(decision(vocabulary, row.field, row.system, row.code or row.term))
            elif row.system:
                self._codes.setdefault((row.field, system_of(vocabulary, row.system), row.code), meaning)
            else:
                known = self._words.setdefault((row.field, fold(row.term)), meaning)
                if known == meaning:
                    variants.setdefault((row.field, words.normal(row.term)), set()).add(meaning)
        self._variants = {place: found.pop() for place, found in variants.items() if len(found) == 1}

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return bool(self._words or self._codes or self.decided)

    def resolve(self, vocabulary: Vocabulary, term: Term, field: Field) -> Resolved | None:
        """What the overlay makes of a term as it is written, or None."""
        found = self._meaning(vocabulary, term, field.key, field.values)
        return None if found is None else _resolved(vocabulary, term, found, field)

    def respelled(self, vocabulary: Vocabulary, term: Term, field: Field) -> Resolved | None:
        """What the overlay makes of a word in another spelling, for one that nobody knows as it is written."""
        if term.code is not None or not self._variants:
            return None
        normal = vocabulary.designations.words.normal(term.text)
        found = _within(self._variants, ((field.key, normal), (EVERYWHERE, normal)), field.values)
        return None if found is None else _resolved(vocabulary, term, found, field)

    def name(self, vocabulary: Vocabulary, term: Term, table: str) -> str | None:
        """The concept of a measurement or a descriptor that the site calls so, or None."""
        found = self._meaning(vocabulary, term, table, frozenset(vocabulary.names(table).by_concept))
        return None if found is None else found.concept

    def _meaning(self, vocabulary: Vocabulary, term: Term, field: str, values: frozenset[str] | None) -> Meaning | None:
        if term.code is None:
            form = fold(term.text)
            return _within(self._words, ((field, form), (EVERYWHERE, form)), values)
        if not self._codes:
            return None
        system, code = system_of(vocabulary, term.code.system), term.code.code.strip()
        return _within(self._codes, ((field, system, code), (EVERYWHERE, system, code)), values)


def decision(vocabulary: Vocabulary, field: str, system: str, text: str) -> tuple[str, str, str]:
    """How a decided term is compared: a code as it is, a word in its normal form."""
    if system:
        return field, system_of(vocabulary, system), text
    return field, "", vocabulary.designations.words.normal(text)


def _within(
    table: Mapping[tuple[str, ...], Meaning], places: tuple[tuple[str, ...], ...], values: frozenset[str] | None
) -> Meaning | None:
    """The meaning in the field, else the one for everywhere, where the field takes it."""
    for place in places:
        found = table.get(place)
        if found is not None and (found.concept is None or values is None or found.concept in values):
            return found
    return None


def _resolved(vocabulary: Vocabulary, term: Term, meaning: Meaning, field: Field) -> Resolved:
    """A coded term with the sender's words, or code, kept in ``said``."""
    said = term.text
    if term.code is not None:
        shown = term.text if term.text != term.code.code else ""
        said = f"{term.code.system} {term.code.code} {shown}".strip()
    if meaning.concept is not None:
        made = coded(vocabulary.concepts[meaning.concept], Resolution.LOCAL, field)
    else:
        code = meaning.code
        made = CodedTerm(code.display if code else term.text, (code,) if code else (), resolution=Resolution.LOCAL)
    if not meaning.broader:
        return Resolved(CodedTerm(made.text, made.codes, made.concept, made.broader, made.resolution, said))
    # The target says less: the words of the sender go with it, and they are what is said.
    return Resolved(CodedTerm(term.text, made.codes, made.concept, bool(made.codes), Resolution.LOCAL, said))
