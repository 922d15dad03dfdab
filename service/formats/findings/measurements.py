"""Measurements: a number with its unit, in one string or in parts, with what belongs to it."""

import re
from decimal import Decimal
from math import isfinite
from typing import Any, ClassVar

from service.domain.codes import Term
from service.domain.quick import interpreted
from service.domain.report import Measurement, ReferenceRange
from service.formats.decimals import bounded, has_digits
from service.formats.findings.fields import Member, line, too_long, uid
from service.formats.findings.members import refuse_member
from service.formats.findings.rules import Rule
from service.formats.findings.terms import TERM, field_name, term
from service.formats.reading import Reading

# A number as JSON writes it, then the unit. A unit starts with a digit only where UCUM has it so ("1", "10*-6.mm2/s")
# or with a power of ten ("x10-3 mm2/s"), and then after a space; no other word of it starts with a digit: "14 mm x 11
# mm", "1 450 mm3", "14x11 mm" are none.
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_WORD = r"(?!x[0-9])[^\s\d.,;:+*/=<>~^×-]\S*"
_SCALED = r"[x×]?10(?:[*^]?[-−][1-9]|⁻[¹²³⁴⁵⁶⁷⁸⁹])[. ]\S+"
_MEASURED = re.compile(rf"({_NUMBER})(?: *({_WORD}(?: {_WORD})*)| +(1|10[*^]\S+|{_SCALED}))?")
_COMMA = re.compile(r"\s*[-+]?[0-9]+,[0-9]")

_UNIT_SCHEMA: dict[str, object] = {**TERM, "description": "UCUM code (mm, cm2, 10*-6.mm2/s, 1) or the unit's name."}
_NUMBERS: list[dict[str, object]] = [{"type": "number"}, {"type": "string", "pattern": f"^{_NUMBER}$"}]
_NUMBER_SCHEMA: dict[str, object] = {
    "anyOf": _NUMBERS,
    "description": "As a number, or as a string where the digits must survive other programs.",
}
_TEXT_SCHEMA: dict[str, object] = {
    "type": "string",
    "pattern": f"^\\s*{_NUMBER}\\s*\\S",
    "description": 'Number and unit, "14.2 mm".',
}
_PARTS: dict[str, object] = {
    "value": {"anyOf": [*_NUMBERS, _TEXT_SCHEMA], "description": "The number, with or without its unit."},
    "unit": _UNIT_SCHEMA,
    "method": {**TERM, "description": "How it was measured."},
    "derivation": {**TERM, "description": "How it was derived from others: mean, maximum."},
    "range": {
        "type": "object",
        "description": "What is normal, in the unit of the value.",
        "properties": {"low": _NUMBER_SCHEMA, "high": _NUMBER_SCHEMA, "text": {"type": "string"}},
        "additionalProperties": False,
        "minProperties": 1,
    },
    "image": {"type": "string", "description": "SOP Instance UID of the image that it was measured on."},
}
_OBJECT: dict[str, object] = {
    "type": "object",
    "properties": _PARTS,
    "required": ["value"],
    "additionalProperties": False,
}
_ITEM: dict[str, object] = {
    "type": "object",
    "properties": {"concept": {**TERM, "description": "What was measured."}, **_PARTS},
    "required": ["concept", "value"],
    "additionalProperties": False,
}
_UNIT_HINT = 'Give the unit, "14.2 mm"; a number without unit has the unit 1.'


def number(value: Any, where: str, reading: Reading) -> Decimal | None:
    """A number with its digits, from a JSON number or a string of one."""
    most = reading.limits.digits
    if type(value) is Decimal:
        made = value if has_digits(value, most) else None
    elif type(value) is int:
        # Far too long an integer is not made a decimal at all: that takes the square of its length.
        made = bounded(str(value), most) if value.bit_length() <= 4 * most else None
    elif type(value) is float:  # another parser read the text: the number is there, its digits may be gone
        reading.inexact = True
        made = bounded(repr(value), most) if isfinite(value) else None
    elif type(value) is str:
        match = _MEASURED.fullmatch(value.strip())
        if match is None or match[2] or match[3]:
            _refuse_text(value, where, reading, "Give a number.")
            return None
        made = bounded(match[1], most)
    else:
        reading.refuse_type(where, value, "a number")
        return None
    return _within_limit(made, where, reading)


def _within_limit(value: Decimal | None, where: str, reading: Reading) -> Decimal | None:
    if value is None:
        reading.refuse(where, Rule.NUMBER, f"Write a number of at most {reading.limits.digits} digits.")
    return value


def _refuse_text(value: str, where: str, reading: Reading, wanted: str) -> None:
    if _COMMA.match(value):
        reading.refuse(
            where,
            Rule.DECIMAL_COMMA,
            'Write the decimals with a point, "14.2 mm", and thousands without a mark; a comma can mean either.',
        )
    else:
        reading.refuse(
            where,
            Rule.MEASUREMENT,
            f'{wanted} One number, its decimals after a point, then the unit: "14.2 mm". '
            "What is no single number (<5 mm, 10-12 mm, 14 x 11 mm) belongs in text or in several measurements.",
        )


def measured(value: str, where: str, reading: Reading) -> tuple[Decimal, str | None] | None:
    """The number and the unit, if there is one, of a string like ``14.2 mm``."""
    text = value.strip()
    if len(text) > reading.limits.term_characters:
        reading.refuse(where, Rule.LENGTH, f"Give at most {reading.limits.term_characters} characters.")
        return None
    match = _MEASURED.fullmatch(text)
    if match is None:
        _refuse_text(value, where, reading, "Give a measurement.")
        return None
    number, unit, other = match.groups()
    made = _within_limit(bounded(number, reading.limits.digits), where, reading)
    return None if made is None else (made, unit or other)


def _range(value: Any, where: str, reading: Reading) -> ReferenceRange | None:
    if type(value) is not dict:
        reading.refuse_type(where, value, "an object with low, high or text")
        return None
    before = reading.found
    made: dict[str, Any] = {}
    for name, item in value.items():
        place = f"{where}/{name}"
        if name in ("low", "high"):
            made[name] = number(item, place, reading)
        elif name == "text":
            made[name] = line(item, place, reading)
        else:
            refuse_member(name, where, reading, {"low": 0, "high": 0, "text": 0})
    if reading.found != before:
        return None
    try:
        return ReferenceRange(**made)
    except ValueError as error:
        reading.refuse(where, Rule.RANGE, f"Mend it: {error}.")
        return None


_READERS = {"unit": term, "method": term, "derivation": term, "range": _range, "image": uid}


def _from_parts(concept: Term | None, value: dict[str, Any], where: str, reading: Reading) -> Measurement[Term] | None:
    """A measurement in parts; with no ``concept`` given it must be among them."""
    before = reading.found
    made: dict[str, Any] = {}
    for name, item in value.items():
        if name in _READERS:
            made[name] = _READERS[name](item, f"{where}/{name}", reading)
        elif name == "concept" and concept is None:
            made[name] = term(item, f"{where}/{name}", reading)
        elif name != "value":
            refuse_member(name, where, reading, _PARTS)
    place = f"{where}/value"
    amount: Decimal | None = None
    unit: str | None = None
    if "value" not in value:
        reading.refuse(place, Rule.REQUIRED, "Give the number.")
    elif type(value["value"]) is str:
        read = measured(value["value"], place, reading)
        amount, unit = read or (None, None)
        if unit is not None and "unit" in made:
            reading.refuse(f"{where}/unit", Rule.UNIT_TWICE, "Give the unit once, here or with the value.")
    else:
        amount = number(value["value"], place, reading)
    if "unit" not in made:
        if unit is not None:
            made["unit"] = Term(unit, None, place)
        elif amount is not None:
            reading.refuse(f"{where}/unit", Rule.UNIT_MISSING, _UNIT_HINT)
    if concept is not None:
        made["concept"] = concept
    elif "concept" not in value:
        reading.refuse(f"{where}/concept", Rule.REQUIRED, "Say what was measured.")
    if amount is None or reading.found != before:
        return None
    return Measurement(value=amount, where=where, **made)


def measurement(concept: Term, value: Any, where: str, reading: Reading) -> Measurement[Term] | None:
    """The measurement of ``concept`` from a string, or from an object with its parts."""
    if type(value) is str:
        read = measured(value, where, reading)
        if read is None:
            return None
        amount, unit = read
        if unit is not None:
            return Measurement(concept, amount, Term(unit, None, where), None, None, None, None, where)
        reading.refuse(where, Rule.UNIT_MISSING, _UNIT_HINT)
    elif type(value) is dict:
        return _from_parts(concept, value, where, reading)
    elif type(value) in (int, float, Decimal):
        reading.refuse(where, Rule.UNIT_MISSING, _UNIT_HINT)
    else:
        reading.refuse_type(where, value, 'a measurement ("14.2 mm") or an object with value and unit')
    return None


@interpreted
class Measurements(Member):
    """An object from what was measured to its value, or a list where one thing was measured several times."""

    describes: ClassVar[dict[str, object]] = {
        "anyOf": [
            {"type": "object", "additionalProperties": {"anyOf": [_TEXT_SCHEMA, _OBJECT]}},
            {"type": "array", "items": _ITEM},
        ]
    }

    def read(self, value: Any, where: str, reading: Reading) -> tuple[Measurement[Term], ...] | None:
        """The measurements in the order they came."""
        if type(value) not in (dict, list):
            reading.refuse_type(where, value, "an object from concepts to values, or a list")
            return None
        if too_long(value, where, reading, reading.limits.items):
            return None
        made: list[Measurement[Term] | None] = []
        if type(value) is dict:
            for name, item in value.items():
                place = field_name(name, where, reading)
                if place is not None:
                    made.append(measurement(Term(name, None, place), item, place, reading))
        else:
            for index, item in enumerate(value):
                place = f"{where}/{index}"
                if type(item) is dict:
                    made.append(_from_parts(None, item, place, reading))
                else:
                    reading.refuse_type(place, item, "an object with concept, value and unit")
        return tuple([item for item in made if item is not None])
