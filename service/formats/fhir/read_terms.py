"""CodeableConcept as a term: the one code of several that the tables know in the field, and what that leaves unread."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from service.coding import vocabulary
from service.coding.lookup import Resolved
from service.coding.naming import EVALUATIONS, MEASUREMENTS, resolve_name
from service.coding.resolve import ANYWHERE, resolve
from service.coding.words import fold
from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm, Term
from service.domain.uids import scheme_of
from service.formats.fhir.codeable import DATA_ABSENT
from service.formats.fhir.read_node import Json, Node
from service.formats.fhir.read_values import is_word, on_one_line

_KEPT: Final = 8192
_TABLES: Final = {MEASUREMENTS: MEASUREMENTS, EVALUATIONS: EVALUATIONS}
_PARTS: Final = ("system", "code", "display")
_CODING: Final = frozenset(_PARTS)
_CONCEPT: Final = frozenset({"coding", "text"})
_SHORT: Final = 64  # no limit of a deployment is below
_REMEMBERED: Final = 512
"""Characters of a concept that is remembered: a longer one is no name of anything, and may be words about a patient."""
_Coding = tuple[str, str, str]
_CONCEPTS: Final = (
    "absent",
    "algorithm-name",
    "findings",
    "findings-section",
    "image-library",
    "imaging-measurements",
    "impression",
    "impression-section",
    "measurement-group",
    "protocol-time-point-identifier",
    "referenced-segment",
    "series-instance-uid",
    "sop-class-uid",
    "source-of-measurement",
    "source-series-for-segmentation",
    "study-instance-uid",
    "subject-time-point-identifier",
    "time-point",
    "time-point-order",
    "tracking-identifier",
    "tracking-unique-identifier",
)


class Chosen(NamedTuple):
    """What is taken of a concept: words and code; ``unread`` are the codings that it does not stand for.

    ``words``: whether the text says what neither code nor concept does.
    """

    text: str
    code: Code | None
    unread: tuple[int, ...] = ()
    words: bool = False


def term(owner: Node, name: str, field: str, sender: str) -> Term | None:
    """The term of a member that is a CodeableConcept, for a row of the mappings; None where it says nothing."""
    if name not in owner.value:
        return None
    chosen = _plain(owner.value[name], field, sender)
    if chosen is not None:
        owner.take(name)
        return Term(chosen.text, chosen.code, f"{owner.path}.{name}")
    found = owner.nodes(name)
    return of_concept(found[0], field, sender) if found else None


def _plain(value: object, field: str, sender: str) -> Chosen | None:
    """What is taken of a concept of which nothing is left unread, the quick way; None for any other."""
    if not isinstance(value, dict) or not value.keys() <= _CONCEPT:
        return None
    text, codings = value.get("text", ""), value.get("coding", [])
    if not isinstance(text, str) or not isinstance(codings, list):
        return None
    key = []
    for coding in codings:
        if not isinstance(coding, dict) or not coding.keys() <= _CODING:
            return None
        key.append((coding.get("system"), coding.get("code"), coding.get("display")))
    try:
        if not _is_short(text, key):
            return None
        return _whole(field, text, tuple(key), sender)
    except TypeError:  # a list or an object where a text should be
        return None


def _is_short(text: str, codings: Iterable[Iterable[Any]]) -> bool:
    """Whether a concept may be remembered; raises TypeError where a member has no length."""
    size = len(text)
    for coding in codings:
        for part in coding:
            if part is not None:
                size += len(part)
    return size <= _REMEMBERED


@lru_cache(_KEPT)
def _whole(field: str, text: str, codings: tuple[tuple[object, ...], ...], sender: str) -> Chosen | None:
    """What is taken of a concept as it came, if that is all of it."""
    chosen = choose(
        field, text.strip(), tuple([_coding(dict(zip(_PARTS, one, strict=True))) for one in codings]), sender
    )
    if chosen.unread or chosen.words or not 0 < len(chosen.text) <= _SHORT or not chosen.text.isprintable():
        return None
    return chosen


def terms(owner: Node, name: str, field: str, sender: str) -> tuple[Term, ...]:
    """The terms of a member that repeats."""
    made = (of_concept(concept, field, sender) for concept in owner.nodes(name))
    return tuple([one for one in made if one is not None])


def of_concept(concept: Node, field: str, sender: str) -> Term | None:
    """The term of a CodeableConcept, or of a Coding alone; ``sender`` is who may have named private schemes."""
    plain = _plain(concept.value, field, sender)
    if plain is not None:
        concept.take(*concept.value)
        return Term(plain.text, plain.code, concept.path)
    text = concept.string("text") if "text" in concept else None
    if "coding" in concept:
        codings = concept.nodes("coding")
    else:
        codings = [concept] if "code" in concept or "display" in concept else []
    key = tuple([_coding(coding.value) for coding in codings])
    if not text and not any(code or display for _, code, display in key):
        return None
    words = text or ""
    if _is_short(words, key):
        chosen = choose(field, words, key, sender)
    else:
        chosen = choose.__wrapped__(field, words, key, sender)
    for place, coding in enumerate(codings):
        if place in chosen.unread:
            coding.take(*coding.value)
            coding.noted.skip(coding.path, "coding", "a term of a report has one code", "fhir-further-code")
        else:
            coding.take(*(part for part in _PARTS if part in coding.value))
    if chosen.words:
        concept.skip("text", "its code is kept, and says it in other words", "fhir-words")
    made = on_one_line(concept, "text" if text else "coding", chosen.text)
    limit = concept.noted.intake.limits.term_characters
    if len(made) > limit:
        concept.noted.skip(concept.path, "text", f"it is longer than {limit} characters", "fhir-length")
        if chosen.code is None:
            return None
        made = chosen.code.code
    code = Code(chosen.code.system, chosen.code.code, made) if chosen.code is not None else None
    return Term(made, code, concept.path)


def _coding(value: Json) -> _Coding:
    system, code, display = (part.strip() if isinstance(part := value.get(name), str) else "" for name in _PARTS)
    return system, code, display


@lru_cache(_KEPT)
def choose(field: str, text: str, codings: tuple[_Coding, ...], sender: str) -> Chosen:
    """Of several codings the first that the tables know in the field, else the first of a system with a designator."""
    made = [(place, _code(coding, text, sender)) for place, coding in enumerate(codings)]
    found = [(place, code, _resolved(field, code)) for place, code in made if code is not None]
    if not found:
        words = text or next((display for _, _, display in codings if display), "")
        return Chosen(words, None)
    known = [one for one in found if one[2].term is not None and one[2].term.concept is not None]
    if field == "laterality" and len({one[2].term.concept for one in known if one[2].term is not None}) > 1:
        # Nobody can tell which side is meant: both stand, and no code of either.
        return Chosen(" / ".join(codings[place][2] or code.code for place, code, _ in known), None)
    named = [one for one in found if vocabulary().designator(one[1].system) or one[1].system.startswith("99")]
    place, code, resolved = (known or named or found)[0]
    shown = codings[place][2]
    if shown and shown != code.display and _contradicts(field, Code(code.system, code.code, shown)):
        # The text may hide that code and display are at odds; the coding has to see it.
        code = Code(code.system, code.code, shown)
        resolved = _resolved(field, code)
    stands = resolved.term
    more = False
    named_so = _by_word(field, text) if text else None
    if named_so is not None and named_so.broader and code in named_so.codes:
        # The words name what the code only is a broader term of, as our own writer has it.
        more, stands = True, named_so
    unread = tuple(
        [other for other, also, as_what in found if other != place and not _is_said(also, as_what.term, stands)]
    )
    lost = text != "" and stands is not None and not _says(field, stands, text)
    return Chosen(text if more else code.display or code.code, None if more else code, unread, lost)


def _by_word(field: str, text: str) -> CodedTerm | None:
    if field in _TABLES:
        return resolve_name(vocabulary(), Term(text), _TABLES[field]).term
    return resolve(vocabulary(), Term(text), vocabulary().field(field) or ANYWHERE).term


def _code(coding: _Coding, text: str, sender: str) -> Code | None:
    system, code, display = coding
    if not (is_word(code) and is_word(system)) or system == DATA_ABSENT:
        return None
    designator = vocabulary().designator(system) or scheme_of(system.removeprefix("urn:oid:"), sender) or system
    return Code(designator, code, text or display or code)


def _resolved(field: str, code: Code) -> Resolved:
    tables = vocabulary()
    asked = Term(code.display, code)
    if field in _TABLES:
        return resolve_name(tables, asked, _TABLES[field])
    return resolve(tables, asked, tables.field(field) or ANYWHERE)


def _contradicts(field: str, code: Code) -> bool:
    verdict = _resolved(field, code).verdict
    return verdict is not None and verdict.rule == "display-contradicts-code"


def _is_said(code: Code, as_what: CodedTerm | None, stands: CodedTerm | None) -> bool:
    """Whether a further code says nothing that the chosen term does not."""
    if stands is None:
        return False
    return code in stands.codes or (as_what is not None and as_what.concept is not None and as_what == stands)


def _says(field: str, stands: CodedTerm, text: str) -> bool:
    """Whether a text is the term's own, or another name of its concept."""
    if stands.concept is None:
        return True
    if fold(text) in {fold(stands.text), *(fold(code.display) for code in stands.codes)}:
        return True
    named = _by_word(field, text)
    return named is not None and named.concept == stands.concept


def known_in(concept: object, field: str) -> str | None:
    """The key of the concept that a CodeableConcept is within a field, whatever is read of it; None for no such."""
    if not isinstance(concept, dict):
        return None
    codings = concept.get("coding")
    text = concept.get("text")
    listed = codings if isinstance(codings, list) else [codings]
    said = tuple([_coding(coding) for coding in listed if isinstance(coding, dict)])
    words = text if isinstance(text, str) else ""
    return _known_in(field, words, said) if _is_short(words, said) else _known_in.__wrapped__(field, words, said)


@lru_cache(_KEPT)
def _known_in(field: str, text: str, codings: tuple[_Coding, ...]) -> str | None:
    codes = [code for code in (_code(coding, text, "") for coding in codings) if code is not None]
    row = vocabulary().field(field) or ANYWHERE
    found = [_resolved(field, code) for code in codes] if codes else [resolve(vocabulary(), Term(text), row)]
    return next((one.term.concept for one in found if one.term is not None and one.term.concept is not None), None)


def layout(concept: object) -> str | None:
    """Which name of the layout (`service.formats.fhir`) a CodeableConcept is, by any of its codes; None for no such."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for coding in codings if isinstance(codings, list) else [codings]:
        if isinstance(coding, dict):
            system, code = coding.get("system"), coding.get("code")
            if isinstance(system, str) and isinstance(code, str) and len(system) + len(code) <= _REMEMBERED:
                found = _layout_of(system, code)
                if found is not None:
                    return found
    return None


def keys_of(concept: object) -> tuple[str, ...]:
    """The concepts that the codes of a CodeableConcept mean, each once."""
    found: dict[str, None] = {}
    codings = concept.get("coding") if isinstance(concept, dict) else None
    for coding in codings if isinstance(codings, list) else [codings]:
        if isinstance(coding, dict):
            system, code = coding.get("system"), coding.get("code")
            if isinstance(system, str) and isinstance(code, str) and len(system) + len(code) <= _REMEMBERED:
                found |= dict.fromkeys(_meant(system, code))
    return tuple(found)


@lru_cache(_KEPT)
def _meant(system: str, code: str) -> tuple[str, ...]:
    tables = vocabulary()
    designator = tables.designator(system) or system
    if designator == LOCAL_SCHEME:
        return (code,) if code in tables.concepts else ()
    return tables.meant_by(designator, code)


@lru_cache(_KEPT)
def _layout_of(system: str, code: str) -> str | None:
    return _names().get((vocabulary().designator(system) or system, code))


@cache
def _names() -> dict[tuple[str, str], str]:
    """The layout's names by their codes: rows of ``mappings/report.toml``, and concepts of their own."""
    tables = vocabulary()
    made: dict[tuple[str, str], str] = {}
    named = {key: row.concept for key, row in tables.members.items()} | {key: key for key in _CONCEPTS}
    for key, concept in named.items():
        for code in tables.name(concept).codes:
            made.setdefault((code.system, code.code), key)
    return made
