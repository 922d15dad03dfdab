"""The shape of a code in its system: check digits and forms, so that a mistyped code is found before it leaves.

A right shape is no proof of a right code; a wrong one is proof of a wrong code.
"""

import re
from collections.abc import Callable
from typing import Final

MEANING_CHARACTERS: Final = 64
"""Most characters of a Code Meaning (LO, PS3.5 6.2)."""
DESIGNATOR_CHARACTERS: Final = 16
"""Most characters of a Coding Scheme Designator and of a Code Value (SH, PS3.5 6.2)."""

# Verhoeff's dihedral group D5 and its permutation, as SNOMED CT's release file specification uses them for SCTIDs.
_D5: Final = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_TURN: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _permutations() -> tuple[tuple[int, ...], ...]:
    """The permutation applied 0 to 7 times; it repeats after eight."""
    rows = [tuple(range(10))]
    for _ in range(7):
        rows.append(tuple(_TURN[digit] for digit in rows[-1]))
    return tuple(rows)


_PLACES: Final = tuple({str(digit): to for digit, to in enumerate(row)} for row in _permutations()) * 3
"""By place from the right, for at most 24 digits: what each digit is turned into."""
_MULTIPLIED: Final = tuple(tuple(map(int, row)) for row in _D5)
_SCTID = re.compile(r"[1-9][0-9]{5,17}")
_LOINC = re.compile(r"([0-9]{1,7})-([0-9])|L[APG][0-9]{1,7}-[0-9]")
_ANY = re.compile(r"[^\s\\\x00-\x1f\x7f]+(?: [^\s\\\x00-\x1f\x7f]+)*")


def verhoeff(digits: str) -> bool:
    """Whether the last digit is the Verhoeff check digit of the others."""
    check = 0
    for permuted, digit in zip(_PLACES, reversed(digits), strict=False):
        check = _MULTIPLIED[check][permuted[digit]]
    return check == 0


def is_sctid(code: str) -> bool:
    """Whether it is the id of a SNOMED CT concept: 6 to 18 digits, partition 00 or 10, Verhoeff check digit."""
    return _SCTID.fullmatch(code) is not None and code[-3:-1] in ("00", "10") and verhoeff(code)


def is_loinc(code: str) -> bool:
    """Whether it is a LOINC number with its mod 10 check digit, or a LOINC part, answer or group (LP, LA, LG)."""
    match = _LOINC.fullmatch(code)
    if match is None or match[1] is None:
        return match is not None
    total = 0
    for place, digit in enumerate(reversed(match[1])):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return (10 - total % 10) % 10 == int(match[2])


def _form(pattern: str) -> Callable[[str], bool]:
    """A check that a code has the whole form."""
    compiled = re.compile(pattern)
    return lambda code: compiled.fullmatch(code) is not None


SHAPES: Final[dict[str, tuple[Callable[[str], bool], str]]] = {
    "SCT": (is_sctid, "a SNOMED CT concept id with its check digit"),
    "LN": (is_loinc, "a LOINC number with its check digit"),
    "RADLEX": (_form(r"RP?ID[0-9]{1,6}"), "RID or RPID and a number"),
    "DCM": (_form(r"[0-9]{6}|[A-Z][A-Z0-9_]{0,15}"), "six digits or a modality's capital letters"),
    "UMLS": (_form(r"C[0-9]{7}"), "C and seven digits"),
    "NCIt": (_form(r"C[0-9]{2,7}"), "C and a number"),
    "I10C": (_form(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?"), "an ICD-10-CM category with up to four more"),
    "ICDO3": (_form(r"[89][0-9]{3}/[0-9]|C[0-9]{2}(\.[0-9])?"), "an ICD-O-3 morphology or topography"),
    "UCUM": (_form(r"[!-~]+"), "a UCUM expression without blanks"),
}
"""By designator: a check of a code, and the form in words. In any system: no blanks at the ends, no controls."""


def shape_fault(system: str, code: str) -> str | None:
    """What a code of ``system`` (a designator) should look like and does not, or None."""
    if _ANY.fullmatch(code) is None:
        return "a code without control characters, backslashes and blanks at its ends"
    check = SHAPES.get(system)
    return None if check is None or check[0](code) else check[1]


def meaning_fault(display: str) -> str | None:
    """Why a text can be no Code Meaning (LO, PS3.5 6.2), or None."""
    if not display.strip():
        return "a display is empty"
    if len(display) > MEANING_CHARACTERS:
        return f"a display has {len(display)} characters, Code Meaning at most {MEANING_CHARACTERS}: give our own label"
    if "\\" in display or not display.isprintable():
        return "a display holds a backslash, a control character or a separator other than a blank"
    return None
