"""JSON text to Python values, strictly: what the standard decoder lets pass is refused, with its pointer.

Numbers with a point or an exponent become Decimal and keep their digits. The usual way is one run of the C scanner;
only a text that it refuses, or that may hold a character nobody should send, is examined value by value.
`parse_quickly` is for texts in which nothing is wrong and no decimal has to keep its digits.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import NoReturn

import orjson

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable
from service.domain.limits import Limits
from service.formats.decimals import bounded
from service.formats.reading import Reading, TextRule, member

_QUICK_BYTES = 1024 * 1024  # orjson takes twelve times the text in memory
_BOM = b"\xef\xbb\xbf"
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}",'))
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_DECIMAL = re.compile(rb'":\s*(-?[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))')
_PLAIN = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_ESCAPE = re.compile(rb"\\[\\\"]")
_FEW = 64  # bytes to each escape
_COLON_ESCAPED = re.compile(rb"\\u003[aA]")
_CHARACTER_ESCAPED = re.compile(rb"\\[ubf]")
_SUSPECT_BYTES = (b"\x7f", b"\xc2", b"\xad", b"\xae", b"\xef")
"""One of these is in the UTF-8 of each refused character that JSON takes as it is."""
_STRING = re.compile(rb'"[^"]*(?:"|\Z)')

# C0 but for tab and line breaks, DEL, C1 and noncharacters can't be written in XML or DICOM text (PS3.5 6.1.3); a lone
# surrogate is no character at all. U+202D and U+202E show a text in another order than it is stored in: a side could
# read swapped. The marks and isolates that Arabic and Hebrew need are let through.
_REFUSED_CHARACTER = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
# The same, or an escape for it; a surrogate may be half of a pair, so a match is a suspicion only.
_SUSPECT = re.compile(
    _REFUSED_CHARACTER.pattern
    + r"|\\[bf]|\\u(?:00[0189][0-9a-fA-F]|007[fF]|202[dDeE]|[dD][89a-fA-F]|[fF][dD][deDE]|[fF]{3}[efEF])"
)


class _Pairs(list[tuple[str, object]]):
    """The members of an object as they came, duplicates included."""


class _Number(str):
    """A number as written."""

    __slots__ = ()


class _Constant(str):
    """NaN, Infinity or -Infinity, which are not JSON (RFC 8259 section 6)."""

    __slots__ = ()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a member comes twice")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_USUAL = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_no_constant)
_SLOW = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_float=_Number, parse_int=_Number, parse_constant=_Constant, strict=False
)


def parse(body: bytes, limits: Limits) -> object:
    """The value of a JSON text in UTF-8 (RFC 8259; a byte order mark is skipped).

    Raises TooLarge for the bytes, Unreadable for what is no JSON, Invalid for what no sender should mean: members that
    come twice, numbers without bound, control characters, nesting without end.
    """
    body = _checked(body, limits)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(Problem("", TextRule.UTF8, f"Send UTF-8; byte {error.start} is not.")) from None
    try:
        value: object = _USUAL.decode(text)
    except json.JSONDecodeError as error:
        _examine(text, limits)
        raise _unreadable(error) from None  # only the usual way refuses a raw tab or line break within a string
    except (ValueError, InvalidOperation):
        _examine(text, limits)
        raise
    if _is_suspicious(body, text):
        _examine(text, limits)
    return value


def parse_quickly(body: bytes, limits: Limits) -> object:
    """The value of a text in which nothing is wrong; None where `parse` must look closer.

    Decimals are floats, and so are whole numbers that 64 bits do not hold.

    Raises what `parse` raises for the size, the number of values and the depth.
    """
    body = _checked(body, limits)
    if len(body) > _QUICK_BYTES:
        return None
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    # orjson keeps the last of the members of one name: fewer colons are left if one came twice.
    if orjson.dumps(value).count(b":") != body.count(b":") or _has_escape(body, _COLON_ESCAPED):
        return None
    return None if _is_suspicious(body, None) else value


def _checked(body: bytes, limits: Limits) -> bytes:
    """The body without byte order mark, its size, the number of its values and their depth held."""
    if len(body) > limits.body_bytes:
        raise TooLarge(Problem("", TextRule.LIMIT, f"Send at most {limits.body_bytes} bytes; split the report."))
    body = body.removeprefix(_BOM)
    _check_structure(body, limits)
    return body


def _has_escape(body: bytes, escape: re.Pattern[bytes]) -> bool:
    """Whether an escape is in a text; most have no backslash, which is seen much sooner."""
    return b"\\" in body and escape.search(body) is not None


def _is_suspicious(body: bytes, text: str | None) -> bool:
    """Whether a text that is JSON may hold a refused character, as it is or as an escape."""
    if _has_escape(body, _CHARACTER_ESCAPED):
        return _SUSPECT.search(body.decode() if text is None else text) is not None
    if not any(map(body.__contains__, _SUSPECT_BYTES)):
        return False
    rest = body.translate(None, _PLAIN)
    return rest != b"" and _REFUSED_CHARACTER.search(rest.decode()) is not None


def _marks(body: bytes) -> bytes:
    """The brackets, all of one kind, and the commas of a JSON text that stand in no string."""
    escapes = body.count(b"\\") if b"\\" in body else 0  # most have none, which is seen much sooner
    if escapes * _FEW < len(body):  # few are taken out one by one in half the time of two passes
        body = _ESCAPE.sub(b"", body) if escapes else body
    else:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Only brackets, commas and quotes are left; a string without any of these is now `""`.
    marks = body.translate(_ONE_BRACKET, _NOT_STRUCTURE).replace(b'""', b"")
    return _STRING.sub(b"", marks) if b'"' in marks else marks


def _check_structure(body: bytes, limits: Limits) -> None:
    """Hold the number of values and the depth before anything is built, on the bytes: no recursion, a few passes."""
    marks = _marks(body)
    if marks.count(b",") + marks.count(b"[") > limits.values:
        raise Invalid(Problem("", TextRule.LIMIT, f"Send at most {limits.values} values; split the report."))
    brackets = marks.replace(b",", b"")
    for _ in range(limits.depth):  # each pass takes the innermost level away
        fewer = brackets.replace(b"[]", b"")
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    if b"[]" in brackets or brackets.count(b"[") > limits.depth:
        raise Invalid(Problem("", TextRule.LIMIT, f"Nest at most {limits.depth} lists and objects in each other."))


def _examine(text: str, limits: Limits) -> None:
    """Raise with their pointers what the usual way refused or suspected; return if there is nothing."""
    try:
        value = _SLOW.decode(text)
    except json.JSONDecodeError as error:
        raise _unreadable(error) from None
    reading = Reading(limits)
    _walk(value, "", reading)
    reading.check()


def _unreadable(error: json.JSONDecodeError) -> Unreadable:
    where = f"line {error.lineno}, column {error.colno}"
    return Unreadable(Problem("", TextRule.JSON, f"Send a JSON text (RFC 8259); at {where}: {error.msg}."))


def _walk(value: object, where: str, reading: Reading) -> None:
    """Look at every value; the depth is bounded already."""
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, item in value:
            if _REFUSED_CHARACTER.search(name):
                # The name can't be part of a pointer, so the object is pointed at.
                reading.refuse(where, TextRule.CHARACTER, "Remove the control character from a member's name.")
                continue
            place = member(where, name)
            if name in seen:
                reading.refuse(place, TextRule.DUPLICATE_MEMBER, "Give each member once.")
            seen.add(name)
            _walk(item, place, reading)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _walk(item, f"{where}/{index}", reading)
    elif isinstance(value, _Constant):
        reading.refuse(where, TextRule.NUMBER, f"{value} is no number; leave the member out.")
    elif isinstance(value, _Number):
        if bounded(value, reading.limits.digits) is None:
            reading.refuse(where, TextRule.NUMBER, f"Write a number of at most {reading.limits.digits} digits.")
    elif isinstance(value, str) and (found := _REFUSED_CHARACTER.search(value)):
        reading.refuse(where, TextRule.CHARACTER, f"Remove the character U+{ord(found[0]):04X}.")


def refused_character(text: str) -> str | None:
    """The first character that no format takes within a text, if there is one."""
    found = _REFUSED_CHARACTER.search(text)
    return found[0] if found is not None else None


def without_refused(text: str) -> str:
    """The text with U+FFFD for each character that no format takes within a text."""
    return text if text.isprintable() else _REFUSED_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def literals(body: bytes) -> dict[float, Decimal | None]:
    """The decimals that members of a JSON text may have, by the float that each is read as; None where two are one.

    It may hold more than the members have, for a text may look like one: a float that has digits here has these.
    """
    found: dict[float, Decimal | None] = {}
    for text in set(_DECIMAL.findall(body)):
        number = float(text)
        found[number] = Decimal(text.decode()) if number not in found else None
    return found
