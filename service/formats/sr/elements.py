"""Anybody's DICOM bytes as elements: any transfer syntax of PS3.5 annex A, defined and undefined lengths.

A data set is a dict of tag to the place of its value in the bytes. Nothing is copied or decoded before it is asked for:
of a report most elements are code sequences, and these repeat (`service.formats.sr.content` remembers them). Private
tags, VRs that PS3.5 does not know and sequences of VR UN are stepped over as PS3.5 6.2.2 and 7.1.2 say.
Raises Unreadable with the byte where the data set is not what it says it is, Invalid (rule ``limit``) past a limit.
"""

import struct
import zlib
from typing import Final

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable
from service.domain.limits import Limits

Place = tuple[int, int]
Elements = dict[int, Place]

EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
TRANSFER_SYNTAX: Final = 0x00020010

_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_PADDING: Final = 0xFFFCFFFC
_SHORT_FORM: Final = frozenset(
    (
        *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO"),
        *(b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
    )
)
"""VRs whose length has 16 bits; every other one, known or not, has 32 (PS3.5 7.1.2)."""
_PREAMBLE: Final = 128
_NEST: Final = 8
"""Nested sequences that an SR has beside its content tree: codes in items, references in series in studies."""


class Encoded:
    """The bytes of one data set and how they are encoded."""

    __slots__ = ("_ends", "_implicit_at", "big", "data", "depth", "implicit", "start", "transfer_syntax")

    def __init__(self, content: bytes, limits: Limits) -> None:
        """Find the data set: behind preamble and file meta information where there are such (PS3.10 7.1)."""
        self.depth = limits.depth
        self.data, self.start, self.implicit, self.big = content, 0, False, False
        self._ends: dict[int, int] = {}
        self._implicit_at: set[int] = set()
        self.transfer_syntax = ""
        start = _PREAMBLE + 4 if content[_PREAMBLE : _PREAMBLE + 4] == b"DICM" else 0
        if content[start : start + 2] == b"\x02\0":
            start = self._meta(start)
        self.start = start
        if self.transfer_syntax == DEFLATED:
            self.data, self.start = inflate(content[start:], limits.body_bytes), 0
        elif self.transfer_syntax == EXPLICIT_BIG:
            self.big = True
        elif self.transfer_syntax == IMPLICIT_LITTLE:
            self.implicit = True
        elif self.transfer_syntax == "":
            self._guess()
        if self.start >= len(self.data):
            raise fault(self.start, "the file has no data set")

    def _meta(self, start: int) -> int:
        """Step over the file meta information, which is always explicit VR little endian."""
        position, end = start, len(self.data)
        while position + 8 <= end and self.data[position : position + 2] == b"\x02\0":
            tag, value, position = self._header(position, end)
            if position > end:
                raise fault(value, "the file ends within its meta information")
            if tag == TRANSFER_SYNTAX:
                self.transfer_syntax = self.data[value:position].decode("ascii", "replace").strip("\0 ")
        return position

    def _guess(self) -> None:
        """Without meta information, by the first element: its VR, and the byte order of its group."""
        head = self.data[self.start : self.start + 6]
        self.big = head[:1] == b"\0"
        self.implicit = not (head[4:6].isalpha() and head[4:6].isupper())

    def elements(self, place: Place) -> Elements:
        """The elements between two places, each tag to the place of its value; of a tag twice the first counts."""
        position, end = place
        if self.implicit or self.big or position in self._implicit_at:
            return self._elements(position, end)
        made: Elements = {}
        data, short, long = self.data, _HEAD.unpack_from, _LONG.unpack_from
        while position + 8 <= end:
            group, element, representation, length = short(data, position)
            if representation in _SHORT_FORM:
                value = position + 8
            elif group == 0xFFFE or position + 12 > end:
                return self._elements(position, end, made)
            else:
                (length,) = long(data, position + 8)
                if length == _UNDEFINED:
                    return self._elements(position, end, made)
                value = position + 12
            position = value + length
            if position > end:
                raise fault(value, f"({group:04X},{element:04X}) is longer than what it stands in")
            made.setdefault(group << 16 | element, (value, position))
        if position < end and data[position:end].strip(b"\0 "):
            raise fault(position, "an element is cut off")
        return made

    def _elements(self, position: int, end: int, made: Elements | None = None) -> Elements:
        """Any encoding, with what stands at its end: delimiters, padding."""
        found: Elements = {} if made is None else made
        implicit = self.implicit or position in self._implicit_at
        while position + 8 <= end:
            tag, value, after = self._header(position, end, implicit=implicit)
            if tag in (_ITEM_END, _SEQUENCE_END, _PADDING):
                break
            if after > end:
                raise fault(value, f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is longer than what it stands in")
            ended = self._ends.get(value, after)
            if implicit and not self.implicit:
                self._implicit_at.add(value)  # a sequence of defined length within one of VR UN
            found.setdefault(tag, (value, ended))
            position = after
        else:
            if position < end and self.data[position:end].strip(b"\0 "):
                raise fault(position, "an element is cut off")
        return found

    def _header(self, position: int, end: int, depth: int = 0, *, implicit: bool | None = None) -> tuple[int, int, int]:
        """Tag, start of the value, and where the next element begins; an undefined length is followed to its end."""
        data = self.data
        order = ">" if self.big else "<"
        group, element = struct.unpack_from(f"{order}HH", data, position)
        tag = group << 16 | element
        plain = self.implicit if implicit is None else implicit
        representation = b""
        if plain or group == 0xFFFE:
            (length,) = struct.unpack_from(f"{order}I", data, position + 4)
            value = position + 8
        else:
            representation = data[position + 4 : position + 6]
            if representation in _SHORT_FORM:
                (length,) = struct.unpack_from(f"{order}H", data, position + 6)
                value = position + 8
            else:
                if position + 12 > end:
                    raise fault(position, "an element is cut off")
                (length,) = struct.unpack_from(f"{order}I", data, position + 8)
                value = position + 12
        if length != _UNDEFINED:
            return tag, value, value + length
        within = plain or representation == b"UN"
        if within and not plain:
            self._implicit_at.add(value)  # a sequence of VR UN is implicit VR little endian (PS3.5 6.2.2)
        return tag, value, self._end_of(value, end, depth + 1, implicit=within)

    def _end_of(self, value: int, end: int, depth: int, *, implicit: bool) -> int:
        """Where a sequence of undefined length ends: behind its delimiter (PS3.5 7.5)."""
        known = self._ends.get(value)
        if known is not None:
            return known + 8
        if depth > self.depth + _NEST:
            raise Invalid(Problem(f"byte {value}", "limit", f"sequences are nested deeper than {self.depth}"))
        position = value
        while position + 8 <= end:
            tag, inner, after = self._item(position, end, depth, implicit=implicit)
            if tag == _SEQUENCE_END:
                self._ends[value] = position
                return inner
            position = after
        raise fault(value, "a sequence has no end")

    def _item(self, position: int, end: int, depth: int, *, implicit: bool) -> tuple[int, int, int]:
        """One item, or the delimiter of its sequence: tag, start of its content, and where the next one begins."""
        group, element, length = struct.unpack_from(f"{'>' if self.big else '<'}HHI", self.data, position)
        tag, inner = group << 16 | element, position + 8
        if tag == _SEQUENCE_END:
            return tag, inner, inner
        if tag != _ITEM:
            raise fault(position, "an item of a sequence is expected")
        if length != _UNDEFINED:
            if inner + length > end:
                raise fault(inner, "an item runs over its sequence")
            if implicit and not self.implicit:
                self._implicit_at.add(inner)
            return tag, inner, inner + length
        if implicit and not self.implicit:
            self._implicit_at.add(inner)
        known = self._ends.get(inner)
        if known is not None:
            return tag, inner, known + 8
        if depth > self.depth + _NEST:
            raise Invalid(Problem(f"byte {inner}", "limit", f"sequences are nested deeper than {self.depth}"))
        at = inner
        while at + 8 <= end:
            inside, value, after = self._header(at, end, depth, implicit=implicit or self.implicit)
            if inside == _ITEM_END:
                self._ends[inner] = at
                return tag, inner, value
            if after > end:
                raise fault(value, "an element is longer than what it stands in")
            at = after
        raise fault(inner, "an item has no end")

    def items(self, place: Place) -> list[Place]:
        """The items of a sequence."""
        position, end = place
        data, made = self.data, []
        implicit = self.implicit or position in self._implicit_at
        while position + 8 <= end:
            if not self.big and data[position : position + 4] == b"\xfe\xff\x00\xe0":
                length = int.from_bytes(data[position + 4 : position + 8], "little")
                if length != _UNDEFINED and not implicit:
                    position += 8
                    if position + length > end:
                        raise fault(position, "an item runs over its sequence")
                    made.append((position, position + length))
                    position += length
                    continue
            tag, inner, after = self._item(position, end, 0, implicit=implicit)
            if tag == _SEQUENCE_END:
                break
            made.append((inner, self._ends.get(inner, after)))
            position = after
        return made

    def is_within_unknown(self, place: Place) -> bool:
        """Whether a sequence is implicit VR for it is one of VR UN, or stands in one (PS3.5 6.2.2)."""
        return place[0] in self._implicit_at

    def numbers(self, place: Place, form: str) -> tuple[float, ...]:
        """Binary numbers of a value by the letter that ``struct`` has for them; what is left over is no number."""
        raw = self.data[place[0] : place[1]]
        size = struct.calcsize(form)
        count = len(raw) // size
        return struct.unpack(f"{'>' if self.big else '<'}{count}{form}", raw[: count * size])


_HEAD: Final = struct.Struct("<HH2sH")
_LONG: Final = struct.Struct("<I")


def fault(position: int, why: str) -> Unreadable:
    """What is wrong at a byte."""
    return Unreadable(Problem(f"byte {position}", "dicom", f"{why} (PS3.5 7)"))


def inflate(packed: bytes, most: int) -> bytes:
    """A deflated data set (PS3.5 A.5): a raw deflate stream, some makers put a zlib header before it."""
    for window in (-zlib.MAX_WBITS, zlib.MAX_WBITS):
        unpacker = zlib.decompressobj(window)
        try:
            made = unpacker.decompress(packed, most + 1)
        except zlib.error:
            continue
        if len(made) > most:
            raise TooLarge(Problem("", "limit", f"the data set unpacks to more than {most} bytes"))
        if unpacker.eof:
            return made
    raise Unreadable(Problem("", "dicom", "the deflated data set can't be unpacked whole (PS3.5 A.5)"))
