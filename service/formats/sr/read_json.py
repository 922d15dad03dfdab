"""DICOM JSON (PS3.18 annex F) of an SR: made into the bytes that `service.formats.sr.read` takes, and read by it.

The bytes are explicit VR little endian in UTF-8, which JSON is in (RFC 8259 8.1), whatever character set the JSON
names. Nothing is fetched: a value that is elsewhere (BulkDataURI) is listed with its place, and so is one that its VR
does not have. A DICOM JSON is no instance: an SR of ours is made beside it. Raises what `service.formats.jsontext`
raises for the text, Invalid for several instances, and what the reader raises.
"""

import base64
import binascii
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from service.domain.errors import Invalid, Problem, Unreadable
from service.domain.limits import Limits
from service.domain.loss import Loss, LossKind
from service.domain.received import Intake, Received
from service.formats.jsontext import parse
from service.formats.sr.attributes import ATTRIBUTES
from service.formats.sr.read import read as read_bytes

_BRACKETS: Final = 3
"""Objects and lists of JSON for each sequence: the element, its values, the item."""
_CHARACTER_SET: Final = 0x00080005
_CONTENT: Final = ATTRIBUTES["ContentSequence"][0]
_UTF_8: Final = b"\x08\0\x05\0CS\x0a\0ISO_IR 192"
_VRS: Final = dict(ATTRIBUTES.values())
"""The VR of an element that does not say it; many writers leave it out."""
_KEYWORDS: Final = {tag: keyword for keyword, (tag, _) in ATTRIBUTES.items()}
_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}")
_SHORT: Final = frozenset(
    (
        *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO"),
        *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
    )
)
"""VRs whose length has 16 bits (PS3.5 7.1.2)."""
_LONG: Final = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
_NUMBERS: Final = {
    "FL": "<f",
    "FD": "<d",
    "SL": "<i",
    "SS": "<h",
    "UL": "<I",
    "US": "<H",
    "SV": "<q",
    "UV": "<Q",
}
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_ONE: Final = frozenset(("LT", "ST", "UR", "UT"))
"""VRs of one value, in which a backslash is a character (PS3.5 6.2, 6.4)."""
_MOST: Final = 0xFFFE
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_ITEM: Final = b"\xfe\xff\0\xe0"


def read(content: bytes, intake: Intake) -> Received:
    """The report that the DICOM JSON of one SR holds, with everything that it could not take."""
    made, losses = encoded(content, intake.limits)
    found = read_bytes(made, intake)
    return replace(found, losses=(*losses, *found.losses), sr=None)


def encoded(content: bytes, limits: Limits) -> tuple[bytes, tuple[Loss, ...]]:
    """The data set of a DICOM JSON as bytes, and what of it is no value."""
    said = parse(content, replace(limits, depth=_BRACKETS * limits.depth))
    if isinstance(said, list):
        if len(said) != 1:
            why = f"the DICOM JSON holds {len(said)} instances, and one is wanted here"
            raise Invalid(Problem("", "sr-json-one", why))
        (said,) = said
    if not isinstance(said, dict):
        raise Unreadable(Problem("", "dicom-json", "a DICOM JSON is an object, or a list of one (PS3.18 F.2)"))
    encoder = _Encoder()
    return encoder.dataset(said, "1"), tuple(encoder.losses)


class _Encoder:
    """One document on its way to bytes; an element that can't be encoded is left out and listed."""

    __slots__ = ("losses",)

    def __init__(self) -> None:
        self.losses: list[Loss] = []

    def dataset(self, members: Mapping[str, object], path: str, keyword: str = "") -> bytes:
        """The elements of a data set or item in the order of their tags; ``path`` is that of its content item."""
        tags: dict[int, object] = {}
        for name, said in members.items():
            if _TAG.fullmatch(name) is None:
                self._skip(keyword or path, name[:64], "its name is no tag of eight hexadecimal digits (PS3.18 F.2.2)")
            elif int(name, 16) in tags:
                why = "its tag comes again, in other letters: which of the two is meant is not known"
                self._skip(keyword or path, name, why)
            else:
                tags[int(name, 16)] = said
        parts: dict[int, bytes] = {_CHARACTER_SET: _UTF_8} if path == "1" and not keyword else {}
        for tag, said in tags.items():
            # Group lengths and file meta information are of one encoding (PS3.18 F.2.2); so is the character set.
            if tag & 0xFFFF and tag >> 16 > 2 and tag != _CHARACTER_SET:
                parts[tag] = self._element(tag, said, path, keyword)
        return b"".join([parts[tag] for tag in sorted(parts)])

    def _element(self, tag: int, said: object, path: str, keyword: str) -> bytes:
        named = _KEYWORDS.get(tag, "")
        where = path if path != "1" or not (keyword or named) else keyword or named
        what = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        if not isinstance(said, dict):
            return self._skip(where, what, "an attribute is an object with its VR (PS3.18 F.2.2)")
        vr = said.get("vr", _VRS.get(tag))
        if not isinstance(vr, str) or vr not in _SHORT | _LONG:
            return self._skip(where, what, "it has no VR of PS3.5 6.2")
        if "BulkDataURI" in said:
            return self._skip(
                where, what, "its value is elsewhere (BulkDataURI), and nothing is fetched", "sr-json-bulk"
            )
        try:
            value = self._value(tag, vr, said, path, where)
        except _Parted as error:
            return self._skip(where, what, str(error))
        except (ValueError, TypeError, OverflowError, struct.error, binascii.Error):
            return self._skip(where, what, f"no value of the VR {vr} (PS3.18 F.2.3)")
        value += (b"\0" if vr == "UI" or vr in _BINARY else b" ") * (len(value) % 2)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
        if vr in _LONG:
            return head + struct.pack("<xxI", len(value)) + value
        if len(value) > _MOST:
            return self._skip(where, what, f"its value is longer than the VR {vr} holds (PS3.5 7.1.2)")
        return head + struct.pack("<H", len(value)) + value

    def _value(self, tag: int, vr: str, said: Mapping[str, object], path: str, where: str) -> bytes:
        if "InlineBinary" in said:
            binary = said["InlineBinary"]
            if vr not in _BINARY or not isinstance(binary, str):
                raise ValueError("no binary value")
            return base64.b64decode(binary, validate=True)
        values = said.get("Value", [])
        # One value may stand without its list: writers in the field forget it, HL7's own example among them.
        values = values if isinstance(values, list) else [values]
        if vr == "SQ":
            return b"".join(self._items(tag, values, path, where))
        if vr in _BINARY:
            if values:
                raise ValueError("a binary value stands inline")
            return b""
        if vr in _ONE and len(values) > 1:
            raise _Parted(f"the VR {vr} has one value (PS3.5 6.4): joined, they would be one text with backslashes")
        encode = _ENCODERS.get(vr, _text)
        joined = b"" if vr in _NUMBERS or vr == "AT" else b"\\"
        return joined.join([encode(vr, one) for one in values])

    def _items(self, tag: int, values: list[object], path: str, where: str) -> Iterator[bytes]:
        for number, one in enumerate(values, 1):
            if one is not None and not isinstance(one, dict):
                raise ValueError("an item is an object")
            below, keyword = (f"{path}.{number}", "") if tag == _CONTENT else (path, where if path == "1" else path)
            item = self.dataset(one or {}, below, keyword)
            yield _ITEM + struct.pack("<I", len(item)) + item

    def _skip(self, where: str, what: str, why: str, rule: str = "sr-json-value") -> bytes:
        self.losses.append(Loss(LossKind.SKIPPED, where, what, why, rule))
        return b""


class _Parted(ValueError):
    """Values that would be other ones in DICOM; the text says why."""


def _text(vr: str, value: object) -> bytes:
    """A string, or a number of DS and IS with its digits; null is an empty value among others (PS3.18 F.2.5)."""
    if value is None:
        return b""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError("no text")
    text = str(value)
    if vr not in _ONE and "\\" in text:
        why = "each value is a member of Value (PS3.18 F.2.4)"
        raise _Parted(f"a backslash in a value of the VR {vr}, where DICOM would read two: {why}")
    return text.encode()


def _name(_: str, value: object) -> bytes:
    """A PN: its component groups are members (PS3.18 F.2.2); many writers send the whole as a string."""
    if not isinstance(value, dict):
        return _text("PN", value)
    if any("=" in str(value.get(group, "")) for group in _GROUPS):
        raise ValueError("a component group is one")  # PS3.5 6.2: it would be read as the next one
    return b"=".join([_text("PN", value.get(group)) for group in _GROUPS]).rstrip(b"=")


def _number(vr: str, value: object) -> bytes:
    """A binary number; one that JSON has no literal for comes as a string (PS3.18 F.2.3)."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError("no number")
    if vr in ("FL", "FD"):
        return struct.pack(_NUMBERS[vr], float(value))
    whole = int(value)
    if isinstance(value, Decimal) and value != whole:
        raise ValueError("no whole number")
    return struct.pack(_NUMBERS[vr], whole)


def _tag(_: str, value: object) -> bytes:
    """An AT: eight hexadecimal digits."""
    if not isinstance(value, str) or _TAG.fullmatch(value) is None:
        raise ValueError("no tag")
    return struct.pack("<HH", int(value[:4], 16), int(value[4:], 16))


_ENCODERS: Final[Mapping[str, Callable[[str, object], bytes]]] = {
    **dict.fromkeys(_NUMBERS, _number),
    "PN": _name,
    "AT": _tag,
}
