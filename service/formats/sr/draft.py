"""What the parts of a template share while one document is drafted: its dialect, its evidence and its losses."""

import re

from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport
from service.formats.sr.coded import CodedEntry, coded_entry
from service.formats.sr.dialects import Dialect
from service.formats.sr.evidence import Evidence
from service.formats.sr.items import CodeItem, Text
from service.formats.sr.meanings import meanings_of
from service.formats.sr.names import name
from service.formats.sr.relationships import Relationship
from service.formats.sr.tree import ContentItem

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNNAMED_VALUE = "unnamed"
UNNAMED = (Code(LOCAL_SCHEME, UNNAMED_VALUE, "Named by its equivalent meaning"),)
"""The name of an item whose own name has no code: (121050, DCM, "Equivalent Meaning of Concept Name") below says it."""


def is_printable(text: str) -> bool:
    """Whether a DICOM text holds all characters (PS3.5 6.1.3)."""
    # What Python prints is a part of what DICOM holds, and that is asked sooner.
    return text.isprintable() or _UNPRINTABLE.search(text) is None


class Draft:
    """One document in the making; its parts add evidence and losses as they go."""

    __slots__ = ("_entries", "allows_3d", "dialect", "evidence", "groups", "losses", "meanings", "report", "schemes")

    def __init__(self, report: CodedReport, dialect: Dialect, *, allows_3d: bool) -> None:
        """Begin with no evidence and no losses."""
        self.report = report
        self.dialect = dialect
        self.allows_3d = allows_3d
        self.evidence = Evidence(report.study.uid)
        self.losses: list[Loss] = []
        self.groups = 0
        self.meanings = meanings_of(dialect)
        self.schemes: set[str] = set()
        self._entries: dict[int, tuple[tuple[Code, ...], CodedEntry]] = {}

    def lose(self, where: str, what: str, why: str, rule: str) -> None:
        """Note what the document can't carry."""
        self.losses.append(Loss(LossKind.LOST, where, what, why, rule))

    def entry(self, codes: tuple[Code, ...]) -> CodedEntry:
        """The coded entry of a term, with its equivalents and the meaning that the dialect wants."""
        known = self._entries.get(id(codes))
        if known is not None and known[0] is codes:
            return known[1]
        entry = self.meanings.get((codes[0].system, codes[0].code)) if self.meanings else None
        if entry is None:
            entry = coded_entry(codes, equivalents=self.dialect.equivalents)
            if entry.private:
                self.schemes.update(entry.private)
        self._entries[id(codes)] = (codes, entry)
        return entry

    def text(
        self,
        concept_name: CodedEntry,
        value: str,
        relationship_type: Relationship,
        where: str,
        children: tuple[ContentItem, ...] = (),
    ) -> tuple[ContentItem, ...]:
        """A TEXT item; characters that no DICOM text holds are replaced and reported, blank text gives nothing."""
        if not value.strip():
            return ()
        if not is_printable(value):
            value = _UNPRINTABLE.sub(_REPLACEMENT, value)
            self.losses.append(
                Loss(LossKind.FLAGGED, where, "text", "control characters were replaced (PS3.5 6.1.3)", "sr-text")
            )
        return (Text(concept_name, value, relationship_type, children),)

    def answer(
        self, concept_name: CodedEntry, term: CodedTerm, relationship_type: Relationship
    ) -> tuple[ContentItem, ...]:
        """A term of the context, or below a number: a CODE, with the exact words below where it says less (TID 1211).

        TEXT for a term without a code, or a CODE that says no more than its words where the dialect needs one.
        """
        if term.codes:
            value = self.entry(term.codes)
        elif self.dialect.needs_code:
            value = coded_entry((Code(LOCAL_SCHEME, UNNAMED_VALUE, term.text),))
        else:
            return self.text(concept_name, term.text, relationship_type, term.where)
        words: tuple[ContentItem, ...] = ()
        if term.broader or not term.codes:
            words = self.text(name("equivalent-meaning-of-value"), term.text, "HAS CONCEPT MOD", term.where)
        return (CodeItem(concept_name, value, relationship_type, words),)

    def named(self, term: CodedTerm) -> tuple[CodedEntry, tuple[ContentItem, ...]]:
        """A term as the name of an item, and what must stand below it to say the name in full (TID 300 row 16)."""
        if term.codes and not term.broader:
            return self.entry(term.codes), ()
        words = self.text(name("equivalent-meaning-of-concept-name"), term.text, "HAS CONCEPT MOD", term.where)
        return self.entry(term.codes or UNNAMED), words
