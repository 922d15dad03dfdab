"""Value representations (PS3.5 6.2): each function checks one value and gives its bytes, padded to even length.

All raise ValueError for what the VR can't hold, so that no writer above can emit it. Text is UTF-8 (ISO_IR 192).
"""

import math
import re
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache

from service.domain.uids import check_uid

DS_CHARACTERS = 16
LO_CHARACTERS = 64
SH_CHARACTERS = 16
FL_BYTES = 65_534  # what an explicit 16 bit length can say (PS3.5 7.1.2)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")  # TAB, LF, FF and CR may stand (PS3.5 6.1.3)
_CS = re.compile(r"[A-Z0-9_ ]{1,16}")
_DA = re.compile(r"[0-9]{8}")
_TM = re.compile(r"[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)?")
_DT = re.compile(r"[0-9]{4}(?:[0-9]{2}){0,5}(?:\.[0-9]{1,6})?(?:[+-][0-9]{4})?")
_DS = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UR = re.compile(r"[!-~]+")
_PN_GROUPS = 3
_PN_COMPONENTS = 5


def _padded(value: bytes) -> bytes:
    return value + b" " if len(value) & 1 else value


def _line(value: str, longest: int, vr: str) -> bytes:
    """One line of characters without backslash or control characters."""
    if len(value) > longest:
        raise ValueError(f"longer than the {longest} characters of {vr}")
    # What is printable holds no control character, and that is asked sooner.
    if "\\" in value or (not value.isprintable() and _CONTROL.search(value) is not None):
        raise ValueError(f"{vr} holds no control character or backslash")
    return _padded(value.encode())


def lo(value: str) -> bytes:
    """Long string: 64 characters, one line."""
    return _line(value, LO_CHARACTERS, "LO")


def sh(value: str) -> bytes:
    """Short string: 16 characters, one line."""
    return _line(value, SH_CHARACTERS, "SH")


def uc(value: str) -> bytes:
    """Unlimited characters: one line."""
    return _line(value, 0xFFFFFFFE, "UC")


def st(value: str) -> bytes:
    """Short text: 1024 characters, several lines."""
    if len(value) > 1024:
        raise ValueError("longer than the 1024 characters of ST")
    return ut(value)


def ut(value: str) -> bytes:
    """Unlimited text, several lines; a backslash is a character here."""
    if not value.isprintable() and _CONTROL_IN_TEXT.search(value) is not None:
        raise ValueError("UT holds no control character but TAB, LF, FF and CR")
    return _padded(value.encode())


def ur(value: str) -> bytes:
    """Universal resource identifier, no spaces."""
    if _UR.fullmatch(value) is None:
        raise ValueError("not a URI or URN")
    return _padded(value.encode())


def pn(value: str) -> bytes:
    """Person name: up to three groups of five components and 64 characters (PS3.5 6.2.1)."""
    groups = value.split("=")
    if len(groups) > _PN_GROUPS or any(group.count("^") >= _PN_COMPONENTS for group in groups):
        raise ValueError("PN has three groups of five components")
    for group in groups:
        _line(group, LO_CHARACTERS, "a group of PN")
    return _padded(value.encode())


def _ui(value: str) -> bytes:
    check_uid(value)
    made = value.encode()
    return made + b"\0" if len(made) & 1 else made


ui: Callable[[str], bytes] = lru_cache(maxsize=16_384)(_ui)
"""Unique identifier, padded with NUL (PS3.5 9); the UIDs of a study come again and again."""


def _matching(pattern: re.Pattern[str], vr: str) -> Callable[[str], bytes]:
    def check(value: str) -> bytes:
        if pattern.fullmatch(value) is None:
            raise ValueError(f"not a {vr}")
        return _padded(value.encode())

    check.__doc__ = f"{vr} of PS3.5 6.2, its form only."
    return check


cs: Callable[[str], bytes] = lru_cache(maxsize=256)(
    _matching(_CS, "CS")
)  # words of the standard: the same few in every document
da: Callable[[str], bytes] = _matching(_DA, "DA")
tm: Callable[[str], bytes] = _matching(_TM, "TM")
dt: Callable[[str], bytes] = _matching(_DT, "DT")


def ds(value: str) -> bytes:
    """Decimal string: a number in 16 characters, kept as written."""
    if len(value) > DS_CHARACTERS or _DS.fullmatch(value) is None:
        raise ValueError("not a DS of up to 16 characters")
    return _padded(value.encode())


def is_(value: int) -> bytes:
    """Integer string: -2**31 to 2**31 - 1."""
    if not -(2**31) <= value < 2**31:
        raise ValueError("IS is a signed 32 bit number")
    return _padded(str(value).encode())


def us(value: int) -> bytes:
    """Unsigned short."""
    if not 0 <= value <= 0xFFFF:
        raise ValueError("US is 0 to 65535")
    return value.to_bytes(2, "little")


def fl(values: Sequence[float]) -> bytes:
    """Floats, single precision; each finite, together up to 65534 bytes."""
    try:
        made = struct.pack(f"<{len(values)}f", *values)
    except OverflowError as error:
        raise ValueError("too large for FL") from error
    if len(made) > FL_BYTES:
        raise ValueError("more numbers than an FL element holds")
    if not math.isfinite(sum(values)):  # each fits a float32, so no sum of finite ones can overflow a double
        raise ValueError("not a finite number")
    return made


def fd(value: float) -> bytes:
    """One finite double."""
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return struct.pack("<d", value)


def digits(value: Decimal) -> tuple[str, bool]:
    """A number in at most 16 characters, and whether these are its digits as written or a rounding."""
    if not value.is_finite():
        raise ValueError("not a finite number")
    text = str(value)
    if len(text) <= DS_CHARACTERS:
        return text, True
    for precision in range(DS_CHARACTERS, 0, -1):
        for rounded in (f"{value:.{precision}g}", f"{value:.{precision - 1}e}"):
            if len(rounded) <= DS_CHARACTERS:
                return rounded, False
    raise ValueError("no DS holds this number")


LONG_FORM = frozenset({"SQ", "UC", "UR", "UT"})
"""The VRs written here whose length has 32 bits (PS3.5 7.1.2)."""
