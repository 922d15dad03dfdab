"""A NUM of anybody's SR as a measurement: TID 300 and 1419, with its reference range and what it was measured on."""

from decimal import Decimal, InvalidOperation
from typing import Final

from service.coding.naming import MEASUREMENTS
from service.coding.units import UCUM
from service.domain.codes import Code, Term
from service.domain.report import Evaluation, Measurement, ReferenceRange
from service.formats.sr.content import Coded, Measured, Node
from service.formats.sr.read_notes import Notes, value_text
from service.formats.sr.read_shapes import Shown, image_reference
from service.formats.sr.read_text import modifiers

_AREAS: Final = frozenset({"mm2", "cm2", "m2", "um2"})
_LOW: Final = "normal-range-lower-limit"
_HIGH: Final = "normal-range-upper-limit"
_RANGE_TEXT: Final = "normal-range-description"
_RANGE: Final = (_LOW, _HIGH, _RANGE_TEXT)
_ALGORITHM: Final = ("algorithm-name", "algorithm-version")
_MOST_DIGITS: Final = 64


def number(text: str) -> Decimal:
    """The number that a DS says (PS3.5 6.2), its digits kept; raises ValueError."""
    said = text.strip()
    if not said or len(said) > _MOST_DIGITS or "_" in said:
        raise ValueError("there is no number")
    try:
        made = Decimal(said)
    except InvalidOperation as error:
        raise ValueError("the value is no number") from error
    if not made.is_finite() or abs(made.adjusted()) > 400:
        raise ValueError("the value is no finite number")
    return made


def value_of(measured: Measured) -> Decimal:
    """The number: of a rounded one the binary number beside it, which says more (PS3.3 C.18.1); raises ValueError."""
    floating = measured.floating
    try:
        digits = number(measured.digits)
    except ValueError:
        if floating is None or not Decimal(floating).is_finite():
            raise
        return Decimal(repr(floating))
    if floating is None or not Decimal(floating).is_finite() or float(digits) == floating or _differs(measured):
        return digits
    return Decimal(repr(floating))


def _differs(measured: Measured) -> bool:
    """Whether the digits are no rounding of the binary number beside them: more than one off in their last place."""
    floating = Decimal(measured.floating or 0)
    if measured.floating is None or not floating.is_finite():
        return False
    try:
        digits = number(measured.digits)
    except ValueError:
        return False
    exponent = digits.as_tuple().exponent
    return abs(floating - digits) > Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def measurement(notes: Notes, node: Node, shown: Shown) -> Measurement[Term] | None:
    """A NUM with all that qualifies it; None, and listed, without a value. Shapes below it stay either way.

    None, too, where its value is `qualified`.
    """
    measured = node.value
    concept = _concept(notes, node, measured)
    made = None
    if not isinstance(measured, Measured):
        notes.skip(node, "it has no value (PS3.3 C.18.1)", "sr-no-value")
    elif concept is None:
        notes.skip(node, "it has no name", "sr-no-name")
    else:
        made = _measured(notes, node, measured, concept)
    image = _sources(notes, node, shown, concept if made is not None else None)
    if made is None or image is None:
        return made
    return Measurement(made.concept, made.value, made.unit, made.method, made.derivation, made.range, image, made.where)


def qualified(notes: Notes, node: Node) -> Evaluation[Term] | None:
    """A number that is out of range, failed or doubted by its qualifier: in words, since as a number it is believed."""
    measured = node.value
    concept = notes.name(node)
    if node.taken or concept is None or not isinstance(measured, Measured) or measured.qualifier is None:
        return None
    node.taken = True
    words = f"{value_text(node)}{modifiers(notes, node)}"
    why = "its Numeric Value Qualifier makes it no plain number (PS3.3 C.18.1): it is kept in words"
    notes.flag(node.path, words, why, "sr-value-qualifier")
    return Evaluation(concept, Term(words, None, node.path), "", node.path)


def in_words(notes: Notes, node: Node) -> Measurement[Term] | None:
    """A number whose unit has no code, which our writer says in words under the name of what was measured."""
    if not notes.own or node.kind != "TEXT" or not isinstance(node.value, str) or node.name is None:
        return None
    code = node.name.code
    named = notes.vocabulary.by_code.get((code.system, code.code), ()) if code is not None else ()
    fields = notes.vocabulary.names(MEASUREMENTS).by_concept
    digits, _, unit = node.value.partition(" ")
    if not any(concept in fields for concept, _ in named) or not unit:
        return None
    concept = notes.name(node)
    try:
        value = number(digits)
    except ValueError:
        return None
    node.taken = True
    return Measurement(concept, value, Term(unit, None, node.path), where=node.path) if concept is not None else None


def _measured(notes: Notes, node: Node, measured: Measured, concept: Term) -> Measurement[Term] | None:
    try:
        value = value_of(measured)
    except ValueError as error:
        reason = measured.qualifier
        why = f"{error}: {reason.meaning}" if reason is not None and reason.meaning else str(error)
        notes.skip(node, why, "sr-no-value")
        return None
    if measured.qualifier is not None and measured.qualifier.meaning:
        return None
    if measured.more:
        notes.several(node.path, concept.text, measured.more, "value")
    if _differs(measured):
        why = f"its Floating Point Value {measured.floating!r} is another number (PS3.3 C.18.1); the digits are taken"
        notes.flag(node.path, f"{concept.text} {measured.digits}", why, "sr-two-numbers")
    node.taken = True
    unit = unit_term(notes, node, measured.unit)
    found: dict[str, Term | None] = {}
    for key, name in (("measurement-method", "method"), ("derivation", "derivation")):
        below = [child for child in node.children if notes.key(child) == key]
        found[name] = notes.answer(below[0]) if below else None
        for more in below[1:]:
            notes.skip_all(more, f"a measurement has one {name}", "sr-one-of-a-kind")
    normal = _range(notes, node, measured.unit)
    return Measurement(concept, value, unit, found["method"], found["derivation"], normal, None, node.path)


def _concept(notes: Notes, node: Node, measured: object) -> Term | None:
    """What was measured. One old code names both lengths and areas: the unit tells which was meant."""
    concept = notes.name(node)
    unit = measured.unit.code if isinstance(measured, Measured) and measured.unit is not None else None
    if concept is None or concept.code is None or unit is None or unit.code not in _AREAS:
        return concept
    code = concept.code
    if code.code not in ("G-D7FE", notes.vocabulary.code("length").code):
        return concept
    area = notes.vocabulary.code("area")
    why = f"{code.system} {code.code} is a length and the unit is that of an area: it is taken for an area"
    notes.flag(node.path, concept.text, why, "sr-length-is-area")
    return Term(concept.text, Code(area.system, area.code, area.display), node.path)


def unit_term(notes: Notes, node: Node, unit: Coded | None) -> Term:
    """The unit as the sender's term: UCUM by its code, any other in words, since such a code is no unit of ours."""
    if unit is None or (unit.code is None and not unit.meaning):
        notes.lack(node.path, "unit", "no unit is said (PS3.3 C.18.1)", "sr-no-unit")
        return Term("unit not stated", None, node.path)
    if unit.more:
        notes.several(node.path, unit.meaning, unit.more, "unit")
    code = unit.code
    if code is None:
        return Term(unit.meaning, None, node.path)
    if notes.vocabulary.designator(code.system) == UCUM:
        return Term(code.code, code, node.path)
    notes.flag(node.path, f"{code.system} {code.code}", "the unit is no UCUM code: kept in words", "sr-unit")
    words = unit.meaning if unit.meaning == code.code else f"{unit.meaning} ({code.code})"
    return Term(words, None, node.path)


def _range(notes: Notes, node: Node, unit: Coded | None) -> ReferenceRange | None:
    """The limits of the normal range (TID 312) where they are in the unit of the measurement."""
    said: dict[str, Node] = {}
    for child in node.children:
        key = notes.key(child)
        if key in _RANGE and key not in said:
            said[key] = child
    low, high = (_limit(notes, said.get(key), unit) for key in (_LOW, _HIGH))
    below = said.get(_RANGE_TEXT)
    text = below.value if below is not None and below.kind == "TEXT" and isinstance(below.value, str) else None
    if low is None and high is None and text is None:
        return None
    try:
        made = ReferenceRange(low, high, text)
    except ValueError as error:
        for one in said.values():
            notes.skip(one, str(error), "sr-range")
        return None
    for one in said.values():
        one.taken = True
    return made


def _limit(notes: Notes, node: Node | None, unit: Coded | None) -> Decimal | None:
    if node is None:
        return None
    try:
        if not isinstance(node.value, Measured):
            raise ValueError("the limit has no value")
        own = node.value.unit
        if own is not None and own.code is not None and unit is not None and own.code != unit.code:
            raise ValueError("the limit is in another unit than the measurement")
        return value_of(node.value)
    except ValueError as error:
        notes.skip(node, str(error), "sr-range")
        return None


def _sources(notes: Notes, node: Node, shown: Shown, concept: Term | None) -> str | None:
    """What a number was inferred from (TID 320): shapes go to the lesion, an image is that of the measurement."""
    image = None
    for child in node.children:
        below = notes.reached(child)
        if below.kind == "SCOORD":
            shown.shape(below, concept)
            child.taken = True
        elif below.kind == "SCOORD3D":
            shown.solid(below)
            child.taken = True
        elif below.kind == "IMAGE" and image is None:
            made = image_reference(notes, below)
            if made is not None:
                image, child.taken = made, True
        elif notes.key(child) in _ALGORITHM:
            why = f"a measurement has no algorithm of its own: {value_text(child)}"
            notes.skip(child, why, "sr-algorithm")
    return image.sop_instance if image is not None else None
