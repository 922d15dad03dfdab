"""A code of the sender's: which concept it is, or why it is passed on as it came.

A code equals another by scheme and value, never by its meaning (PS3.3 8.1): a display is compared only to find a
contradiction. A code that a concept has as broader, narrower or related does not mean that concept.
"""

from typing import Final

from service.coding.index import EVERYWHERE
from service.coding.loading import SIDE
from service.coding.lookup import Resolved, Verdict, Vocabulary, coded
from service.coding.negation import doubts, turned
from service.coding.retired import SCT, SRT, Retired, retired, snomed_of_srt
from service.coding.rows import Field
from service.coding.shapes import DESIGNATOR_CHARACTERS, shape_fault
from service.coding.side_words import side_of_finding, side_of_place
from service.coding.words import fold
from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm, Equivalence, Resolution, Term
from service.domain.errors import AmbiguousTerm, Contradiction, Invalid, UnknownTerm
from service.domain.loss import LossKind

_PRIVATE: Final = "99"
"""What designators of private coding schemes start with (PS3.3 8.2)."""
_FOUND: Final = ("finding", "conclusion", "complication")
"""Fields whose answers are there, where nothing else is said."""
_PLACES: Final = (SIDE, "site", "topography")
"""Fields whose answers are a place or a side of it."""


def resolve_code(vocabulary: Vocabulary, term: Term, field: Field) -> Resolved:
    """A code resolved within a field."""
    given = term.code
    if given is None:
        raise ValueError("a term without a code")
    value = given.code.strip()
    # Without a display the reader has the code itself as text.
    display = (given.display or ("" if term.text == given.code else term.text)).strip()
    designator = vocabulary.designator(given.system)
    if designator == SRT:
        value, designator = snomed_of_srt().get(value, value), SCT if value in snomed_of_srt() else None
    if designator is None:
        designator = _private(given.system)
    if designator is None:
        return _unknown_system(given, display, field)
    code = Code(designator, value, display)
    wanted = shape_fault(designator, value)
    if wanted is not None:
        why = f"{value[:64]!r} is no code of {designator}: wanted {wanted}."
        return Resolved(None, Verdict(Invalid, "code-shape", why))
    how = Resolution.CODE
    if (designator, value) in vocabulary.translations:
        designator, value = vocabulary.translations[designator, value]
        how = Resolution.LOCAL
    text = "" if term.text == given.code else term.text
    keys = _concepts(vocabulary, Code(designator, value, display), text or display, field)
    if text and text != given.display:
        # Words beside a code that says less are meant (121051, DCM, "Equivalent Meaning of Value").
        keys = _less_than(vocabulary, Code(designator, value, display), text, field) or keys
    wide = (designator, value) in vocabulary.wide and not _named(vocabulary, text or display, field).intersection(keys)
    if len(keys) == 1 and not wide:
        came = f"{given.system} {given.code}" if value != given.code.strip() else ""
        found = _known(vocabulary, keys[0], code, field, how, came)
        if not text or text == given.display:
            return found
        said = _known(vocabulary, keys[0], Code(designator, code.code, text), field, how, came)
        return _with_words(found, said, keys[0] in _named(vocabulary, text, field))
    went = retired(code, vocabulary.releases) if not keys else None
    if went is not None:
        return _moved(vocabulary, code, text, went, field)
    return _passed_on(vocabulary, code, keys, field, text)


def _with_words(found: Resolved, said: Resolved, is_named: bool) -> Resolved:
    """A known code by its display, and by the words beside it, which may deny it or name the other side.

    ``is_named``: the words are a name of the concept.
    """
    if found.term is None or said.term is None:
        return found if found.term is None else said
    if found.verdict is not None or said.verdict is not None:
        return Resolved(said.term, said.verdict or found.verdict)
    made = said.term
    own = {fold(made.text), *(fold(code.display) for code in made.codes)}
    if is_named or not made.said or fold(made.said) in own:
        return found
    why = f"{made.text} is what the code says, the words beside it say it otherwise. The code counts."
    return Resolved(made, Verdict(LossKind.FLAGGED, "words-beside-code", why))


def _private(system: str) -> str | None:
    """A private designator, which needs no table; None for what can't be one."""
    system = system.strip()
    return system if system.startswith(_PRIVATE) and len(system) <= DESIGNATOR_CHARACTERS else None


def concepts_of(vocabulary: Vocabulary, code: Code, field: Field) -> tuple[str, ...]:
    """The concepts of the field that a code means by itself."""
    return () if (code.system, code.code) in vocabulary.wide else _concepts(vocabulary, code, "", field)


def _concepts(vocabulary: Vocabulary, code: Code, text: str, field: Field) -> tuple[str, ...]:
    """The concepts of the field that the code means; of several, the one that the text names."""
    if code.system == LOCAL_SCHEME and code.code in vocabulary.concepts:
        keys: tuple[str, ...] = (code.code,)
    else:
        keys = vocabulary.by_rest.get((field.key, code.system, code.code), ())
        keys = keys or tuple(
            key
            for key, coding in vocabulary.by_code.get((code.system, code.code), ())
            if coding.equivalence is Equivalence.EXACT and not coding.part
        )
    if field.values is not None:
        keys = tuple(key for key in keys if key in field.values)
    if len(keys) != 1 and text:
        named = _named(vocabulary, text, field)
        if keys:
            return tuple(key for key in keys if key in named) or keys
        # What we write for a concept with a broader code: that code, and the concept's label beside it.
        return tuple(key for key in named if code in coded(vocabulary.concepts[key], Resolution.CODE, field).codes)
    return _precise(vocabulary, code, text, field) or keys if text else keys


def _precise(vocabulary: Vocabulary, code: Code, text: str, field: Field) -> tuple[str, ...]:
    """The one concept that the text names and that is written with this very code, as one that says less."""
    said = [vocabulary.concepts[key] for key in _named(vocabulary, text, field)]
    found = tuple(concept.key for concept in said if not concept.codes and concept.broader == code)
    return found if len(found) == 1 else ()


def _less_than(vocabulary: Vocabulary, code: Code, text: str, field: Field) -> tuple[str, ...]:
    """The concepts that the words name and that are written as this broader code with these words."""
    made = ((key, coded(vocabulary.concepts[key], Resolution.CODE, field)) for key in _named(vocabulary, text, field))
    return tuple(key for key, term in made if term.broader and term.codes[:1] == (code,))


def _named(vocabulary: Vocabulary, text: str, field: Field) -> set[str]:
    """The concepts of the field that a display names, with or without the semantic tag of a SNOMED CT name."""
    designations = vocabulary.designations
    bare = text[: text.rindex(" (")] if text.endswith(")") and " (" in text else text
    for words in dict.fromkeys((text, bare)):
        for scope in (field.key, EVERYWHERE):
            found = designations.as_written(words, scope) or designations.as_spelled(words, scope)
            named = {key for key, _ in found if field.values is None or key in field.values}
            if named:
                return named
    return set()


def _known(vocabulary: Vocabulary, key: str, code: Code, field: Field, how: Resolution, came: str) -> Resolved:
    """A code that means one concept of the field; a display that names another one is a contradiction.

    ``came`` is the code as the sender has it, where another one took its place.
    """
    concept = vocabulary.concepts[key]
    made = coded(concept, how, field)
    shown = code.display if code.display != made.text else ""
    said = f"{came} {shown}".strip()
    made = CodedTerm(made.text, made.codes, made.concept, made.broader, how, said)
    own = {fold(coding.code.display) for coding in concept.codings if coding.code == code}
    named = _named(vocabulary, code.display, field) if code.display and fold(code.display) not in own else set()
    other = ", ".join(sorted(vocabulary.concepts[name].label for name in named))
    side = key if field.key == SIDE else vocabulary.sides.get(key)
    words = (side_of_place if field.key in _PLACES else side_of_finding)(code.display)
    swapped = side is not None and words is not None and side != words
    if not named and code.display and turned(vocabulary, key, code.display, field.key):
        why = f"{code.system} {code.code} is {concept.label}, but its display says that it is not there."
        verdict = Verdict(Contradiction, "display-contradicts-code", why, (concept.label, code.display))
        return Resolved(None, verdict)
    if not named and field.key in _FOUND and doubts(code.display):
        why = f"{code.system} {code.code} is {concept.label}, its display says less than that. The code counts."
        return Resolved(made, Verdict(LossKind.FLAGGED, "display-contradicts-code", why))
    if not swapped and (not named or key in named):
        return Resolved(made)
    why = f"{code.system} {code.code} is {concept.label}, but its display says {other or words}."
    if swapped or field.key == SIDE:
        # Nobody can tell which of the two is meant, and the wrong side is a harm.
        return Resolved(
            None, Verdict(Contradiction, "display-contradicts-code", why, (concept.label, other or code.display))
        )
    return Resolved(made, Verdict(LossKind.FLAGGED, "display-contradicts-code", f"{why} The code counts."))


def _passed_on(vocabulary: Vocabulary, code: Code, keys: tuple[str, ...], field: Field, text: str = "") -> Resolved:
    """A code that no single concept of the field has: as it came, or refused where the field must be coded.

    ``text`` are words beside its display: they are what was said.
    """
    known = vocabulary.by_code.get((code.system, code.code), ())
    labels = tuple(vocabulary.concepts[key].label for key in keys)
    # A code from elsewhere in the vocabulary: say where it belongs.
    exact = [key for key, coding in known if coding.equivalence is Equivalence.EXACT and not coding.part]
    places = sorted({place for key in exact for place in vocabulary.places(key)}) if not keys else []
    if keys:
        means = "is several concepts here:" if len(keys) > 1 else "is a class that says less than"
        why, rule = f"{code.system} {code.code} {means} {', '.join(labels)}.", "ambiguous-code"
    elif places:
        why = f"{code.system} {code.code} is no value of {field.key}; it belongs in {', '.join(places)}."
        rule = "outside-value-set"
    else:
        why, rule = f"{code.system} {code.code} is no value of {field.key}.", "unknown-code"
    if field.required:
        return Resolved(None, Verdict(AmbiguousTerm if keys else UnknownTerm, rule, why, labels, suggest=code.display))
    display = code.display or next((coding.code.display for _, coding in known), code.code)
    made = CodedTerm(text or display, (Code(code.system, code.code, display),), resolution=Resolution.GIVEN)
    if keys or places:
        return Resolved(made, Verdict(LossKind.FLAGGED, rule, f"{why} Passed on as it came.", labels))
    return Resolved(made)


def _moved(vocabulary: Vocabulary, old: Code, text: str, went: Retired, field: Field) -> Resolved:
    """A retired code: the one that took its place, with the old one kept in ``said``, and beside it if it is the same.

    Without one that may be taken unasked, it is passed on as it came with the candidates, or refused where the field
    must be coded.
    """
    why = f"{old.system} {old.code} is retired."
    if went.code is None:
        labels = tuple(f"{one.system} {one.code} {one.display}" for one in went.candidates)
        why = f"{why} {'One of several codes may be meant' if labels else 'Nothing says what took its place'}."
        if field.required:
            return Resolved(None, Verdict(UnknownTerm, "retired-code", why, labels))
        shown = old.display or old.code
        made = CodedTerm(shown, (Code(old.system, old.code, shown),), resolution=Resolution.GIVEN)
        return Resolved(made, Verdict(LossKind.FLAGGED, "retired-code", f"{why} Passed on as it came.", labels))
    new = went.code
    said = Code(new.system, new.code, old.display)
    keys = _concepts(vocabulary, said, text or old.display, field)
    if len(keys) == 1:
        found = _known(vocabulary, keys[0], said, field, Resolution.CODE, "")
    else:
        found = _passed_on(vocabulary, new, keys, field)
    made_term = found.term
    if made_term is None:
        return found
    beside = (Code(old.system, old.code, old.display or made_term.text),) if went.exact else ()
    verdict = found.verdict
    if verdict is None and not went.exact:
        verdict = Verdict(
            LossKind.FLAGGED, "replaced-code", f"{why} {new.system} {new.code} took its place and is written."
        )
    made = CodedTerm(
        made_term.text,
        (*made_term.codes, *beside) if made_term.codes else (),
        made_term.concept,
        made_term.broader,
        made_term.resolution,
        f"{old.system} {old.code} {old.display}".strip(),
    )
    return Resolved(made, verdict)


def _unknown_system(given: Code, display: str, field: Field) -> Resolved:
    """A code of a system that has no designator: no SR can carry it, so it stays as text."""
    text = display or given.code
    why = f"The code system {given.system[:64]!r} has no designator here."
    if field.required:
        return Resolved(None, Verdict(UnknownTerm, "unknown-system", why, suggest=text))
    said = f"{given.system} {given.code}" if display else ""
    made = CodedTerm(text, said=said)
    return Resolved(made, Verdict(LossKind.UNCODED, "unknown-system", f"{why} Kept as text.", suggest=text))
