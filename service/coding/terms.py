"""The terms of one report, each resolved in its field and put at its place."""

from typing import TYPE_CHECKING

from service.coding.lookup import Vocabulary
from service.coding.naming import Table, resolve_name
from service.coding.notes import Notes, is_others
from service.coding.resolve import resolve
from service.coding.rows import Field
from service.domain.codes import CodedTerm, Term

if TYPE_CHECKING:
    from service.coding.remote.terms import Session


class Terms:
    """What codes the terms of one report; ``notes`` takes what is found."""

    __slots__ = ("_asking", "_known", "_members", "notes", "vocabulary")

    def __init__(self, vocabulary: Vocabulary, notes: Notes, asking: "Session | None" = None) -> None:
        """Take the tables, the notes of the report, and what asks a terminology server where there is one."""
        self._asking = asking
        self.vocabulary = vocabulary
        self.notes = notes
        self._known = vocabulary.cache
        self._members = dict(vocabulary.members)

    def term(self, term: Term, field: Field) -> CodedTerm:
        """A term of a field at its place."""
        # Nearly all terms are words that were met before: the quick way for them.
        known = self._known.get((field.key, term.text, None)) if term.code is None else None
        resolved = known or resolve(self.vocabulary, term, field)
        if self._asking is not None and known is None:
            resolved = self._asking.resolve(term, field, resolved)
        made = resolved.term
        if made is None or resolved.verdict is not None:
            made = self.notes.judge(resolved, term, field.key)
        return CodedTerm(made.text, made.codes, made.concept, made.broader, made.resolution, made.said, term.where)

    def member(self, term: Term | None, key: str) -> CodedTerm | None:
        """A coded member of the report by its row in ``report.toml``, where it is there."""
        return None if term is None else self.term(term, self._members[key])

    def members(self, terms: tuple[Term, ...], key: str) -> tuple[CodedTerm, ...]:
        """A list of terms of one member."""
        field = self._members[key]
        return tuple([self.term(term, field) for term in terms])

    def name(self, term: Term, table: Table) -> tuple[CodedTerm, bool]:
        """The name of a measurement or a descriptor, and whether it may stand; its place is that of what it names."""
        resolved = resolve_name(self.vocabulary, term, table)
        made = resolved.term
        if made is None or resolved.verdict is not None:
            return self.notes.judge(resolved, term, table), made is not None or is_others(term.where)
        return made, True
