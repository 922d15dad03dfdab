"""One term resolved within one field: a word or key by look-up, a code by any system its concept has.

What a term may become, best first: a key, a designation of the field, a designation for everywhere, each as written and
then in another spelling; a code by `given`. Nothing is guessed: what is not found stays as the sender said it.
"""

from typing import Final

from service.coding.given import resolve_code
from service.coding.index import EVERYWHERE, Hit
from service.coding.lookup import KEPT, CacheKey, Resolved, Verdict, Vocabulary, coded
from service.coding.rows import Field, MemberRow
from service.domain.codes import CodedTerm, Resolution, Term
from service.domain.errors import AmbiguousTerm, UnknownTerm
from service.domain.loss import LossKind

ANYWHERE: Final = MemberRow("", "", None)
"""The field of a term that belongs to no row: every concept may answer."""
NO_MODALITY: Final = "modality not stated"
"""What stands for the modality of an SR that has none: its findings JSON, which says it, is taken again as it is."""
UNKNOWN_MODALITY: Final = "modality not known: "
"""What stands before the words for a modality that no concept has, where a version goes on from one that says it."""
UNKNOWN: Final = "unknown-term"
"""The rule that a term without a concept is listed or refused by."""


def resolve(vocabulary: Vocabulary, term: Term, field: Field) -> Resolved:
    """The coded term, and what is to be said about it."""
    code = term.code
    key: CacheKey = (field.key, term.text, None if code is None else (code.system, code.code, code.display))
    known = vocabulary.cache.get(key)
    if known is not None:
        return known
    overlay = vocabulary.overlay
    found = overlay.resolve(vocabulary, term, field) if overlay is not None else None
    if found is None:
        found = (
            resolve_code(vocabulary, term, field) if code is not None else resolve_word(vocabulary, term.text, field)
        )
        if overlay is not None and found.verdict is not None and found.verdict.rule == UNKNOWN:
            found = overlay.respelled(vocabulary, term, field) or found
    # What is not found is not kept: it may hold anything, and is not said twice.
    if found.term is not None and found.term.resolution not in (Resolution.TEXT, Resolution.GIVEN):
        if len(vocabulary.cache) >= KEPT:
            vocabulary.cache.clear()
        vocabulary.cache[key] = found
    return found


def hits(vocabulary: Vocabulary, text: str, field: Field) -> tuple[Hit, ...]:
    """The concepts that the text names within the field, of the best kind of hit that there is."""
    designations, values = vocabulary.designations, field.values

    def within(found: tuple[Hit, ...]) -> tuple[Hit, ...]:
        return found if values is None else tuple(hit for hit in found if hit[0] in values)

    concept = vocabulary.concepts.get(text)
    how = Resolution.KEY if concept is None or concept.label != text else Resolution.EXACT
    return (
        within(designations.as_written(text, field.key))
        or within(((text, how),) if concept is not None else ())
        or within(designations.as_written(text, EVERYWHERE))
        or within(designations.as_spelled(text, field.key))
        or within(designations.as_spelled(text, EVERYWHERE))
    )


def resolve_word(vocabulary: Vocabulary, text: str, field: Field) -> Resolved:
    """A word or key resolved within a field."""
    found = hits(vocabulary, text, field)
    if len(found) == 1:
        key, how = found[0]
        made = coded(vocabulary.concepts[key], how, field)
        return Resolved(_saying(made, text))
    if found:
        labels = tuple(vocabulary.concepts[key].label for key, _ in found)
        return Resolved(None, Verdict(AmbiguousTerm, "ambiguous-term", f"{text!r} names several concepts.", labels))
    return _unknown(vocabulary, text, field)


def _saying(made: CodedTerm, text: str) -> CodedTerm:
    """The coded term with the sender's words where they are not its text."""
    if text == made.text:
        return made
    return CodedTerm(made.text, made.codes, made.concept, made.broader, made.resolution, text)


def _unknown(vocabulary: Vocabulary, text: str, field: Field) -> Resolved:
    """A term that no concept of the field answers to: text only, or refused where the field must be coded."""
    elsewhere = hits(vocabulary, text, ANYWHERE) if field.values is not None else ()
    places = sorted({place for key, _ in elsewhere for place in vocabulary.places(key) if place != field.key})
    if elsewhere and places:
        labels = ", ".join(sorted(vocabulary.concepts[key].label for key, _ in elsewhere))
        why = f"{text!r} ({labels}) is no value of {field.key or 'this field'}; it belongs in {', '.join(places)}."
    else:
        why = f"{text!r} is not known in {field.key or 'the vocabulary'}."
    if field.required and not (field.key == "modality" and is_uncoded_modality(text)):
        return Resolved(None, Verdict(UnknownTerm, UNKNOWN, why, suggest=text))
    return Resolved(CodedTerm(text), Verdict(LossKind.UNCODED, UNKNOWN, f"{why} Kept as text.", suggest=text))


def is_uncoded_modality(text: str) -> bool:
    """Whether a modality says of itself that it has no code."""
    return text == NO_MODALITY or text.startswith(UNKNOWN_MODALITY)
