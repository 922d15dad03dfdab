"""Units of measurement: which UCUM unit a spelling stands for, and how many of one unit another one is.

Only what a lesion report measures is known as a quantity (lengths and their powers, volumes in litres, shares, ratios
and the like); any other unit is commensurable with itself alone. A unit is never converted on its way out: the number
and the unit stay as the sender wrote them, conversion serves the limits only.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final

from service.coding.tables import Line
from service.coding.words import Words, fold, squeeze
from service.domain.codes import Concept

UCUM: Final = "UCUM"
UNITY: Final = "1"
"""The unit of a pure number (UCUM's "the unity")."""
FIELD: Final = "unit"
"""The field of the designations of units."""

_LENGTH = {"m": 0, "dm": -1, "cm": -2, "mm": -3, "um": -6, "nm": -9}
_LITRE = {"L": -3, "l": -3, "dL": -4, "dl": -4, "cL": -5, "cl": -5, "mL": -6, "ml": -6, "uL": -9, "ul": -9}
_TIME = {"s": 0, "ms": -3, "us": -6}
_POWER = re.compile(r"(?P<scale>10\*-?[0-9]{1,2}\.)?(?P<unit>[a-zA-Z]+)(?P<power>[23])?(?:/(?P<per>s|ms|us))?")
_UCUM = re.compile(r"(?:[!-Z^-z|~]|\{[!-z|~]*\}|\[[!-Z^-z|~]*\])+")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"[^\W\d_]{4,}(?: [^\W\d_]+)*")


class Units:
    """The unit concepts by each of their spellings; case counts as in UCUM, except in whole words."""

    __slots__ = ("_codes", "_spelled", "_worded", "_words")

    def __init__(self, lines: Iterable[Line], concepts: Mapping[str, Concept], words: Words) -> None:
        """Index the UCUM codes of all units and the designations of the field ``unit``."""
        self._words = words
        self._codes: dict[str, str] = {}
        self._spelled: dict[str, str] = {}
        self._worded: dict[str, str] = {}
        for concept in concepts.values():
            if concept.codes and concept.codes[0].system == UCUM:
                self._codes[concept.key] = concept.codes[0].code
                self._spelled[concept.codes[0].code] = concept.key
        for line in lines:
            concept_key, _, _, field, term = line.cells
            if field == FIELD:
                self._spelled.setdefault(squeeze(term), concept_key)
                if _WORD.fullmatch(term):
                    self._worded.setdefault(words.normal(term), concept_key)

    def find(self, text: str) -> str | None:
        """The key of the unit that the text stands for, or None."""
        text = squeeze(text)
        found = self._spelled.get(text)
        # "MM" is no millimetre, but "Millimeters" are.
        return self._worded.get(self._words.normal(text)) if found is None and _WORD.fullmatch(fold(text)) else found

    def code(self, text: str) -> str | None:
        """The UCUM code that the text stands for, or None."""
        key = self.find(text)
        return None if key is None else self._codes.get(key)


def is_ucum(unit: str) -> bool:
    """Whether a text may be UCUM: printable ASCII without blanks, brackets and braces in pairs."""
    return _UCUM.fullmatch(unit) is not None


def quantity(unit: str) -> tuple[str, int] | None:
    """The quantity and the power of ten of its base unit (metres, seconds, unity), or None where it is not known."""
    if unit == "%":
        return UNITY, -2
    if _ANNOTATION.fullmatch(unit) or unit == UNITY:
        return UNITY, 0
    match = _POWER.fullmatch(unit)
    if match is None:
        return None
    name, power = match["unit"], int(match["power"] or 1)
    scale = int(match["scale"][3:-1]) if match["scale"] else 0
    if name in _LENGTH:
        what, tens = f"m{power}", _LENGTH[name] * power
    elif name in _LITRE and power == 1:
        what, tens = "m3", _LITRE[name]
    elif name in _TIME and power == 1:
        what, tens = "s", _TIME[name]
    else:
        return None
    if match["per"]:
        what, tens = f"{what}/s", tens - _TIME[match["per"]]
    return what, tens + scale


def commensurable(one: str, other: str) -> bool:
    """Whether two units measure one thing, as far as it is known: equal ones always do."""
    if one == other:
        return True
    first, second = quantity(one), quantity(other)
    if first is None or second is None:
        # g/ml{SUVbw} and g/ml{SUVlbm} are two scales of one quantity, and many write 1 for both: a row may name them,
        # nothing is converted.
        plain = {_ANNOTATION.sub("", unit) for unit in (one, other)}
        return len(plain) == 1 or UNITY in (first or second or ())
    return first[0] == second[0]


@lru_cache(1024)
def factor(unit: str, into: str) -> Decimal | None:
    """How many ``into`` one ``unit`` is, exactly; None where it is not known."""
    if unit == into:
        return Decimal(1)
    first, second = quantity(unit), quantity(into)
    if first is None or second is None or first[0] != second[0]:
        return None
    return Decimal(1).scaleb(first[1] - second[1])
