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
from service.formats.sr.items import CodeItem
from service.formats.sr.names import name
from service.formats.sr.relationships import Relationship
from service.formats.sr.tree import ContentItem

_MODIFIER: Final = "HAS CONCEPT MOD"
_KEPT = 8_192
Items = tuple[ContentItem, ...]


class Said(NamedTuple):
    """A term in a group: its CODE, nothing where it has none, and its words where these say more."""

    items: Items
    words: Items = ()


# Items that stand in many documents, made once: they hold codes and words of the tables, nothing of a report. The keys
# are identities, since codes are equal without their meanings; what is kept holds what it was made of.
_coded: dict[tuple[int | str, ...], tuple[CodedEntry, tuple[Code, ...], Said]] = {}
_evaluated: dict[tuple[int, int, int], tuple[tuple[Code, ...], tuple[Code, ...], Items]] = {}
_kept: dict[int, ContentItem] = {}


def _keep(item: ContentItem) -> None:
    if len(_kept) >= _KEPT:
        _kept.clear()
    _kept[id(item)] = item


def _is_kept(item: ContentItem) -> bool:
    return _kept.get(id(item)) is item


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
    if term.codes and not (named or value.private) and all(map(_is_kept, children)) and is_printable(said):
        if len(_coded) >= _KEPT:
            _coded.clear()
        for item in (*items, *words):
            _keep(item)
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


def of_lesion(draft: Draft, evaluations: tuple[Evaluation[CodedTerm], ...]) -> list[ContentItem]:
    """Qualitative evaluations in a group."""
    made: list[ContentItem] = []
    dialect = id(draft.dialect)
    for said in evaluations:
        field, value = said.name.codes, said.value.codes
        known = _evaluated.get((id(field), id(value), dialect))
        if known is not None and known[0] is field and known[1] is value:
            made += known[2]
        else:
            made += _evaluation(draft, said.name, said.value)
    return made


def _evaluation(draft: Draft, field: CodedTerm, value: CodedTerm) -> Items:
    """One of them; where exact codes say all of it, it is the same item in every document that says so."""
    concept_name, named = draft.named(field)
    items, words = coded(draft, concept_name, value, "CONTAINS", named=named)
    exact = field.codes and value.codes and not (field.broader or value.broader)
    if exact and all(map(_is_kept, items)) and not concept_name.private:
        if len(_evaluated) >= _KEPT:
            _evaluated.clear()
        _evaluated[id(field.codes), id(value.codes), id(draft.dialect)] = (field.codes, value.codes, items)
    return items + words


def of_report(draft: Draft, concept_name: CodedEntry, term: CodedTerm, named: Items = ()) -> Items:
    """An answer for the whole study."""
    if not term.codes:
        return draft.text(concept_name, term.text, "CONTAINS", term.where, named)
    item = CodeItem(concept_name, draft.entry(term.codes), "CONTAINS", named)
    if not term.broader:
        return (item,)
    return (item, *draft.text(name("equivalent-meaning-of-value"), term.text, "CONTAINS", term.where))
