"""An overlay held against the vocabulary: what can't stand is refused with its line, what must be known is said.

A site may call a thing as it likes. It may not turn a side or a negation, change what a standard code means, write a
code that says more than its term, or leave open which of two things is meant.
"""

from collections.abc import Iterable
from typing import Final

from service.coding.checks import EQUIVALENT
from service.coding.index import EVERYWHERE
from service.coding.loading import SIDE, UNILATERAL
from service.coding.lookup import Vocabulary
from service.coding.naming import EVALUATIONS, MEASUREMENTS, Table
from service.coding.negation import LACKING, denies, doubts, turned
from service.coding.overlays.overlay import Entry, Meaning, system_of
from service.coding.overlays.rows import APPLIED, BROADER, EVERYONE, KINDS, NO_MAP, Faults, OverlayRow
from service.coding.overlays.targets import Targets
from service.coding.resolve import ANYWHERE, hits
from service.coding.rows import Field, MemberRow
from service.coding.side_words import LEFT, RIGHT, is_of_both, side_in, side_of_place
from service.coding.units import FIELD as UNIT
from service.coding.words import fold

MAX_TERM: Final = 256
"""Characters of a term, and of any other cell of an overlay but its comment."""
MAX_COMMENT: Final = 2_000
_FOUND: Final = ("finding", "conclusion", "differential", "complication")
"""Fields whose answers are what was found."""
_SURE: Final = ("finding", "conclusion", "complication")
"""Of these the ones whose answers are there, where nothing else is said."""
_PLACES: Final = (EVERYWHERE, SIDE, "site", "topography")
"""Fields whose answers are a place or a side of it."""
_TABLES: Final[tuple[Table, ...]] = (MEASUREMENTS, EVALUATIONS)


def check(rows: Iterable[OverlayRow], overlay: str, vocabulary: Vocabulary, faults: Faults) -> tuple[Entry, ...]:
    """The entries of the rows that stand; ``overlay`` is the sender whose it is, or all.

    ``faults`` takes what the others are refused for, and what is to be said of those that stand.
    """
    return _Checker(tuple(rows), overlay, vocabulary, faults).entries()


class _Checker:
    """Holds the rows of one overlay."""

    def __init__(self, rows: tuple[OverlayRow, ...], overlay: str, vocabulary: Vocabulary, faults: Faults) -> None:
        self._rows = rows
        self._overlay = overlay
        self._vocabulary = vocabulary
        self._faults = faults
        self._targets = Targets(rows, vocabulary)
        self._seen: dict[tuple[str, str, str, str], OverlayRow] = {}

    def entries(self) -> tuple[Entry, ...]:
        """The rows that stand, in their order."""
        made = []
        for row in self._rows:
            entry = self._entry(row)
            if entry is not None:
                made.append(entry)
        return tuple(made)

    def _refuse(self, row: OverlayRow, rule: str, why: str, candidates: tuple[str, ...] = ()) -> None:
        self._faults.refuse(row.where, rule, why, candidates)

    def _entry(self, row: OverlayRow) -> Entry | None:
        fault = _form_fault(row, self._overlay)
        if fault is not None:
            self._refuse(row, "overlay-row", fault)
            return None
        field = self._field(row)
        if field is None or self._again(row):
            return None
        if row.relationship == NO_MAP:
            return Entry(row, None)
        meaning = self._targets.meaning(row, field, self._faults)
        if meaning is None or not self._allowed(row, field, meaning):
            return None
        if row.relationship not in APPLIED:
            why = f"{row.relationship} is not applied: the target may say what the term does not."
            self._faults.note(row.where, "not-applied", why)
            return Entry(row, None)
        return Entry(row, meaning)

    def _field(self, row: OverlayRow) -> Field | None:
        """The field of a row, that of a name as one whose answers are the named concepts."""
        if row.field == EVERYWHERE:
            return ANYWHERE
        if row.field in _TABLES:
            table: Table = MEASUREMENTS if row.field == MEASUREMENTS else EVALUATIONS
            return MemberRow(table, "", frozenset(self._vocabulary.names(table).by_concept), required=True)
        field = self._vocabulary.field(row.field)
        if field is None:
            members = (*self._vocabulary.members, *self._vocabulary.evaluations, *_TABLES)
            self._refuse(row, "overlay-field", f"there is no field {row.field!r}", members)
        return field

    def _again(self, row: OverlayRow) -> bool:
        """Whether the term stands in the field already."""
        form = row.code if row.system else fold(row.term)
        system = system_of(self._vocabulary, row.system) if row.system else ""
        first = self._seen.setdefault((row.sender, row.field, system, form), row)
        if first is row:
            return False
        same = (first.concept, first.target_system, first.target_code) == (
            row.concept,
            row.target_system,
            row.target_code,
        )
        why = "stands there twice" if same else "means two things"
        where = f"in {row.field}" if row.field else "for everywhere"
        self._refuse(row, "overlay-duplicate", f"{row.code or row.term!r} {why} {where}; the first is {first.where}")
        return True

    def _allowed(self, row: OverlayRow, field: Field, meaning: Meaning) -> bool:
        """Whether a term may mean that: sides, standard codes, and what the shipped tables say."""
        fault = self._side_fault(row, field, meaning)
        if fault:
            self._refuse(row, "overlay-side", fault)
            return False
        if self._turned(row, field, meaning):
            why = f"{row.term!r} says that something is not there, the target that it is"
            self._refuse(row, "overlay-negation", why)
            return False
        if field.key in _SURE and doubts(row.term):
            self._refuse(row, "overlay-negation", f"{row.term!r} says less than that something is there")
            return False
        if field.key in (*_TABLES, UNIT) and row.relationship == BROADER:
            self._refuse(row, "overlay-name", "a unit and the name of a field are mapped to their equal only")
            return False
        return self._standing(row, field, meaning)

    def _side_fault(self, row: OverlayRow, field: Field, meaning: Meaning) -> str:
        """A sentence on a side that is turned, lost or half of what the term says; empty for none."""
        side = self._side(field, meaning)
        said = (side_of_place if field.key in _PLACES else side_in)(row.term)
        if said is None:
            both = side in (LEFT, RIGHT) and is_of_both(row.term)
            return f"{row.term!r} says both sides, the target says {side}" if both else ""
        if side is None:
            why = f"{row.term!r} says {said}, the target has no side: its relationship is {BROADER}"
            return why if row.relationship == EQUIVALENT else ""
        fits = side == said or (side, row.relationship) == (UNILATERAL, BROADER)
        return "" if fits else f"{row.term!r} says {said}, the target says {side}"

    def _side(self, field: Field, meaning: Meaning) -> str | None:
        """The side that a target says; of a laterality its concept, be it none of the two."""
        if field.key == SIDE:
            return meaning.concept
        if meaning.code is not None:
            return side_in(meaning.code.display)
        return self._vocabulary.sides.get(meaning.concept or "")

    def _turned(self, row: OverlayRow, field: Field, meaning: Meaning) -> bool:
        """Whether the words of a term deny what its target says is there."""
        if meaning.concept is not None:
            return turned(self._vocabulary, meaning.concept, row.term, field.key)
        code = meaning.code
        return field.key in _FOUND and denies(row.term) and not (code is not None and denies(code.display))

    def _standing(self, row: OverlayRow, field: Field, meaning: Meaning) -> bool:
        """Whether what the shipped tables make of a term may be changed; where it is, it is said."""
        known = self._shipped(row, field)
        if not known:
            return True
        labels = tuple(self._vocabulary.concepts[key].label for key in known)
        if known == (meaning.concept,) and row.relationship == EQUIVALENT:
            self._faults.note(row.where, "known-already", f"{row.code or row.term!r} is {labels[0]} without this row.")
            return True
        why = f"{row.code or row.term!r} is {', '.join(labels)} in the shipped tables"
        if row.system:
            self._refuse(row, "overlay-standard", f"{why}: a standard code keeps its meaning", labels)
            return False
        kept = self._kept(known, field, meaning)
        if kept:
            rule, what = kept
            self._refuse(row, rule, f"{why}: {what} keeps its meaning", labels)
            return False
        self._faults.note(row.where, "overrides", f"{why}; this row takes its place.", labels)
        return True

    def _kept(self, known: tuple[str, ...], field: Field, meaning: Meaning) -> tuple[str, str] | None:
        """Rule and name of what no overlay changes: a side, a unit, whether something is there; None where it may."""
        sides, side = self._vocabulary.sides, self._side(field, meaning)
        if field.key == SIDE or any(sides.get(key) != side for key in known):
            return "overlay-side", "a side"
        if field.key == UNIT:
            return "overlay-standard", "a unit"
        lacks = meaning.concept in LACKING
        if any((key in LACKING) != lacks for key in known):
            return "overlay-negation", "a denial"
        return None

    def _shipped(self, row: OverlayRow, field: Field) -> tuple[str, ...]:
        """The concepts that a term means without the overlay."""
        if not row.system:
            if field.key in _TABLES:
                table: Table = MEASUREMENTS if field.key == MEASUREMENTS else EVALUATIONS
                keys = self._vocabulary.names(table).find(row.term)[0]
                rows = self._vocabulary.measurements if table == MEASUREMENTS else self._vocabulary.evaluations
                return tuple(rows[key].concept for key in keys)
            found = tuple(key for key, _ in hits(self._vocabulary, row.term, field))
            # Of units case counts: "MM" is none yet, and may become no other one than mm.
            is_new = field.key == UNIT and self._vocabulary.units.find(row.term) is None
            return () if is_new and row.concept in found else found
        place = (system_of(self._vocabulary, row.system), row.code)
        return tuple(key for key in self._vocabulary.meant_by(*place) if field.values is None or key in field.values)


def _form_fault(row: OverlayRow, overlay: str) -> str | None:
    """A sentence on a row that is none, or None."""
    mapped = bool(row.concept) + bool(row.target_system or row.target_code)
    faults = (
        (row.sender not in ("", overlay) and overlay != EVERYONE, f"the overlay of {overlay} has no rows of others"),
        (not row.term and not row.code, "neither a term nor a code"),
        (bool(row.system) != bool(row.code), "a code comes with its system"),
        (not row.source, "no source: say who decided this"),
        (row.relationship not in KINDS, f"relationship is one of {', '.join(KINDS)}"),
        (row.relationship == NO_MAP and mapped > 0, f"{NO_MAP} has no target"),
        (row.relationship != NO_MAP and mapped != 1, "the target is a concept, or target_system with target_code"),
        (bool(row.target_system) != bool(row.target_code), "target_system and target_code come together"),
        (any(len(cell) > MAX_TERM for cell in row.cells[:-1]), f"a cell has at most {MAX_TERM} characters"),
        (len(row.comment) > MAX_COMMENT, f"a comment has at most {MAX_COMMENT} characters"),
        (any(not cell.isprintable() for cell in row.cells[:-1]), "a cell holds control characters"),
    )
    return next((why for wrong, why in faults if wrong), None)
