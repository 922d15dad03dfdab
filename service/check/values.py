"""Facts, and how their values are written: plain text that can be compared, whichever format said it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from service.domain.codes import Code, CodedTerm

ABSENT = "absent"


class Fact(NamedTuple):
    """One statement: what is said, and where in the report."""

    place: str
    value: str


def codes_value(codes: Iterable[Code], text: str | None = None) -> str:
    """Codes as one value: schemes and values in order, and the text where it belongs to what is said."""
    said = [f"{code.system} {code.code}" for code in codes]
    return " + ".join(said + ([f"'{text}'"] if text is not None else []))


def by_codes(term: CodedTerm) -> str:
    """A coded term as its codes, and its text where there is no code or only a broader one."""
    return codes_value(term.codes, term.text if term.broader or not term.codes else None)


def first_value(codes: Iterable[Code], text: str) -> str:
    """What a single code says: the first one, the text where there is none."""
    first = next(iter(codes), None)
    return codes_value([first]) if first is not None else codes_value((), text)


def issuer_value(key: str, universal: str | None) -> str:
    """An issuer as one value."""
    return f"{key} {universal or ''}".strip()


def number_value(value: Decimal) -> str:
    """A number with its digits as written."""
    return str(value)


def range_value(low: str, high: str, text: str) -> str:
    """A reference range as one value."""
    return f"{low}..{high} {text}".strip()


def measurement_value(concept: str, number: str, unit: str, **qualifiers: str | None) -> str:
    """A measurement as one value: concept, number, unit and what qualifies them (method, derivation, range, image)."""
    named = [f"{name} {said}" for name, said in sorted(qualifiers.items()) if said is not None]
    return " | ".join([concept, number, unit, *named])


def answer_value(name: str, value: str) -> str:
    """A field and its answer as one value."""
    return f"{name} = {value}"


def image_value(sop_instance: str, frames: Iterable[int]) -> str:
    """An image, and the frames of it."""
    return " ".join([sop_instance, *map(str, frames)])


def said_with(what: str, **parts: str | None) -> str:
    """Something named, with what else is said of it; what is empty is not said."""
    return " | ".join([what, *(f"{name} {said}" for name, said in sorted(parts.items()) if said)])


def lines(text: str) -> str:
    """A text without what neither format keeps: white space at the ends of lines, and which line end it was."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
