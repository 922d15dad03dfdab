"""What the parts of a template share while one document is drafted: its dialect, its evidence and its losses."""

import re

from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport, Evaluation
from service.formats.sr.coded import CodedEntry, coded_entry
from service.formats.sr.dialects import Dialect
from service.formats.sr.encode import is_kept, keep
from service.formats.sr.evidence import Evidence
from service.formats.sr.meanings import meanings_of
from service.formats.sr.names import name
from service.formats.sr.relationships import Relationship
from service.formats.sr.tree import CodeItem, ContentItem, Text

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
UNNAMED_VALUE = "unnamed"
UNNAMED = (Code(LOCAL_SCHEME, UNNAMED_VALUE, "Named by its equivalent meaning"),)
"""The name of an item whose own name has no code: (121050, DCM, "Equivalent Meaning of Concept Name") below says it."""


_KEPT = 8_192
_Said = tuple[tuple[Code, ...], tuple[Code, ...], tuple[ContentItem, ...]]
_said: dict[tuple[int, int, int], _Said] = {}
_Answer = tuple[CodedEntry, tuple[Code, ...], tuple[ContentItem, ...]]
_answers: dict[tuple[int | str, ...], _Answer] = {}


class Draft:
    """One document in the making; its parts add evidence and losses as they go."""

    __slots__ = ("allows_3d", "dialect", "evidence", "groups", "losses", "meanings", "report", "schemes")

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

    def lose(self, where: str, what: str, why: str, rule: str) -> None:
        """Note what the document can't carry."""
        self.losses.append(Loss(LossKind.LOST, where, what, why, rule))

    def entry(self, codes: tuple[Code, ...]) -> CodedEntry:
        """The coded entry of a term, with its equivalents and the meaning that the dialect wants."""
        if self.meanings:
            own = self.meanings.get((codes[0].system, codes[0].code))
            if own is not None:
                return own
        entry = coded_entry(codes, equivalents=self.dialect.equivalents)
        if entry.private:
            self.schemes.update(entry.private)
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
        if _UNPRINTABLE.search(value) is not None:
            value = _UNPRINTABLE.sub(_REPLACEMENT, value)
            self.losses.append(
                Loss(LossKind.FLAGGED, where, "text", "control characters were replaced (PS3.5 6.1.3)", "sr-text")
            )
        return (Text(concept_name, value, relationship_type, children),)

    def answer(
        self, concept_name: CodedEntry, term: CodedTerm, relationship_type: Relationship, *children: ContentItem
    ) -> tuple[ContentItem, ...]:
        """A CODE item, with the exact words below where the code says less; TEXT for a term without a code.

        A dialect whose reader fails on such a TEXT gets a CODE that says no more than its words below do.
        """
        said = term.text if term.broader else ""
        key = (id(concept_name), id(term.codes), id(self.dialect), relationship_type, said, *map(id, children))
        known = _answers.get(key)
        # The item holds its children, so the same ids of them are the same children.
        if known is not None and known[0] is concept_name and known[1] is term.codes:
            return known[2]
        repeats = all(map(is_kept, children)) and _UNPRINTABLE.search(said) is None
        if term.codes:
            value = self.entry(term.codes)
        elif self.dialect.needs_code:
            value = coded_entry((Code(LOCAL_SCHEME, UNNAMED_VALUE, term.text),))
        else:
            return self.text(concept_name, term.text, relationship_type, term.where, children)
        if term.broader or not term.codes:
            words = self.text(name("equivalent-meaning-of-value"), term.text, "HAS CONCEPT MOD", term.where)
            children = (*words, *children)
        made = (CodeItem(concept_name, value, relationship_type, children),)
        if term.codes and not value.private and repeats:
            if len(_answers) >= _KEPT:
                _answers.clear()
            keep(made[0])
            _answers[key] = (concept_name, term.codes, made)
        return made

    def evaluation(self, said: Evaluation[CodedTerm]) -> tuple[ContentItem, ...]:
        """A qualitative evaluation; field and answer by exact codes make one item for all documents that say so."""
        field, value = said.name, said.value
        key = (id(field.codes), id(value.codes), id(self.dialect))
        known = _said.get(key)
        if known is not None and known[0] is field.codes and known[1] is value.codes:
            return known[2]
        concept_name, words = self.named(field)
        made = self.answer(concept_name, value, "CONTAINS", *words)
        exact = field.codes and value.codes and not (field.broader or value.broader)
        if exact and not (concept_name.private or self.entry(value.codes).private):
            if len(_said) >= _KEPT:
                _said.clear()
            for item in made:
                keep(item)
            _said[key] = (field.codes, value.codes, made)
        return made

    def named(self, term: CodedTerm) -> tuple[CodedEntry, tuple[ContentItem, ...]]:
        """A term as the name of an item, and what must stand below it to say the name in full (TID 300 row 16)."""
        if term.codes and not term.broader:
            return self.entry(term.codes), ()
        words = self.text(name("equivalent-meaning-of-concept-name"), term.text, "HAS CONCEPT MOD", term.where)
        return self.entry(term.codes or UNNAMED), words
