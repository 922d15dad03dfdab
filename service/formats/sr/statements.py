"""A field and its answer: as a measurement group takes them, and as the report's own Qualitative Evaluations do.

The templates have a row for the code alone (TID 1410, 1411, 1501, TID 1500 row 13), so words that say more than a code
stand beside it, not below it:

- in a group as TEXT (C0034375, UMLS, "Qualitative Evaluations"), field and words in one line. Below it the field as
  (121050, DCM, "Equivalent Meaning of Concept Name"), TID 1210, and the code that says less, where there is one, as
  (121051, DCM, "Equivalent Meaning of Value"), TID 1211;
- in the report as TEXT (121051, DCM, "Equivalent Meaning of Value") right after its code. An answer without a code is
  TEXT under the name of its field there (TID 1500 row 14).
"""

from typing import Final, NamedTuple

from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm
from service.domain.report import Evaluation
from service.formats.sr.coded import CodedEntry, coded_entry, meaning
from service.formats.sr.draft import UNNAMED_VALUE, Draft, is_printable
from service.formats.sr.encode import is_kept, keep
from service.formats.sr.names import name
from service.formats.sr.relationships import Relationship
from service.formats.sr.tree import CodeItem, ContentItem

_MODIFIER: Final = "HAS CONCEPT MOD"
_KEPT = 8_192
Items = tuple[ContentItem, ...]


class Said(NamedTuple):
    """A term in a group: its CODE, nothing where it has none, and its words where these say more."""

    items: Items
    words: Items = ()


_coded: dict[tuple[int | str, ...], tuple[CodedEntry, tuple[Code, ...], Said]] = {}


def coded(
    draft: Draft,
    concept_name: CodedEntry,
    term: CodedTerm,
    relationship_type: Relationship,
    children: Items = (),
    named: Items = (),
) -> Said:
    """A term in a group; ``named`` are the field's own words, where its name has no exact code.

    A dialect whose reader fails without a code gets one that says no more than the words do.
    """
    said = term.text if term.broader else ""
    key = (id(concept_name), id(term.codes), id(draft.dialect), relationship_type, said, *map(id, children))
    known = None if named else _coded.get(key)
    # The items hold their children, so the same ids of them are the same children.
    if known is not None and known[0] is concept_name and known[1] is term.codes:
        return known[2]
    if term.codes:
        value = draft.entry(term.codes)
    elif draft.dialect.needs_code:
        value = coded_entry((Code(LOCAL_SCHEME, UNNAMED_VALUE, term.text),))
    else:
        return Said((), in_words(draft, concept_name, term, named=named))
    items = (CodeItem(concept_name, value, relationship_type, (*named, *children)),)
    words = in_words(draft, concept_name, term, value, named=named) if term.broader or not term.codes else ()
    made = Said(items, words)
    if term.codes and not (named or value.private) and all(map(is_kept, children)) and is_printable(said):
        if len(_coded) >= _KEPT:
            _coded.clear()
        for item in (*items, *words):
            keep(item)
        _coded[key] = (concept_name, term.codes, made)
    return made


def in_words(
    draft: Draft, concept_name: CodedEntry, term: CodedTerm, beside: CodedEntry | None = None, *, named: Items = ()
) -> Items:
    """What is said of a lesion in words; ``beside`` is the code that says less."""
    field = named[0].value if named else meaning(concept_name.codes[0].display)
    children = named or (CodeItem(name("equivalent-meaning-of-concept-name"), concept_name, _MODIFIER),)
    if beside is not None:
        children = (*children, CodeItem(name("equivalent-meaning-of-value"), beside, _MODIFIER))
    return draft.text(name("qualitative-evaluations"), f"{field}: {term.text}", "CONTAINS", term.where, children)


def of_lesion(draft: Draft, evaluation: Evaluation[CodedTerm]) -> Items:
    """A qualitative evaluation in a group."""
    concept_name, named = draft.named(evaluation.name)
    items, words = coded(draft, concept_name, evaluation.value, "CONTAINS", named=named)
    return (*items, *words) if words else items


def of_report(draft: Draft, concept_name: CodedEntry, term: CodedTerm, named: Items = ()) -> Items:
    """An answer for the whole study."""
    if not term.codes:
        return draft.text(concept_name, term.text, "CONTAINS", term.where, named)
    item = CodeItem(concept_name, draft.entry(term.codes), "CONTAINS", named)
    if not term.broader:
        return (item,)
    return (item, *draft.text(name("equivalent-meaning-of-value"), term.text, "CONTAINS", term.where))
