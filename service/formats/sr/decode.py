"""Our own Part 10 bytes back as a data set and a tree: strict, for reading back what was written, nothing else.

Raises ValueError where the bytes are not exactly of the form that ``encode`` writes: other transfer syntaxes, undefined
lengths, unknown attributes and private tags are somebody else's, and somebody else's SR is read by ``read``.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from service.domain.codes import Code
from service.formats.sr.attributes import ATTRIBUTES, ITEM
from service.formats.sr.coded import CodedEntry
from service.formats.sr.items import TYPES, CodeItem, Composite, Container, Image, Num, Scoord, Scoord3D, Text
from service.formats.sr.tree import ContentItem
from service.formats.sr.values import Reference
from service.formats.sr.vr import LONG_FORM

_KEYWORDS = {tag: (keyword, representation) for keyword, (tag, representation) in ATTRIBUTES.items()}
_META_START = 132
_LINES = {"UIDREF": "UID", "PNAME": "PersonName", "DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}
_BY_KIND = {kind.kind: kind for kind in TYPES}

Elements = dict[str, Any]


def decode_file(content: bytes) -> tuple[Elements, ContentItem]:
    """The data set without its content (keyword to string, number or list of items), and the content tree."""
    if content[128:132] != b"DICM" or content[132:140] != b"\x02\x00\x00\x00UL\x04\x00":
        raise ValueError("no Part 10 file of ours")
    start = _META_START + 12 + int.from_bytes(content[140:144], "little")
    elements = decode_dataset(content, start, len(content))
    tree = _item(elements)
    for keyword in ("ValueType", "ConceptNameCodeSequence", "ContinuityOfContent", "ContentTemplateSequence"):
        elements.pop(keyword, None)
    elements.pop("ContentSequence", None)
    return elements, tree


def decode_dataset(content: bytes, position: int, end: int) -> Elements:
    """The elements from ``position`` to ``end``; raises ValueError when tags do not ascend or a length runs over."""
    made: Elements = {}
    last = -1
    while position < end:
        tag = (
            (content[position] | content[position + 1] << 8) << 16 | content[position + 2] | content[position + 3] << 8
        )
        representation = content[position + 4 : position + 6].decode("ascii")
        keyword, expected = _KEYWORDS.get(tag, ("", ""))
        if representation != expected:
            raise ValueError(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is no attribute of ours as {representation}")
        if tag <= last:
            raise ValueError(f"{keyword} is out of order")
        last = tag
        if representation in LONG_FORM:
            length, start = int.from_bytes(content[position + 8 : position + 12], "little"), position + 12
        else:
            length, start = int.from_bytes(content[position + 6 : position + 8], "little"), position + 8
        position = start + length
        if position > end or length & 1:
            raise ValueError(f"{keyword} has no length that fits")
        if representation == "SQ":
            made[keyword] = [decode_dataset(content, *place) for place in _items(content, start, position)]
        else:
            made[keyword] = _value(representation, content[start:position])
    return made


def _items(content: bytes, position: int, end: int) -> Iterator[tuple[int, int]]:
    while position < end:
        if content[position : position + 4] != ITEM:
            raise ValueError("an item of a sequence is expected")
        start = position + 8
        position = start + int.from_bytes(content[position + 4 : start], "little")
        if position > end:
            raise ValueError("an item runs over its sequence")
        yield start, position


def _value(representation: str, value: bytes) -> Any:
    if representation == "FL":
        return value
    if representation == "FD":
        return struct.unpack("<d", value)[0]
    if representation == "US":
        return tuple(number for (number,) in struct.iter_unpack("<H", value))
    text = value.decode("utf-8")
    return text.removesuffix("\0") if representation == "UI" else text.rstrip(" ")


def decode_entry(elements: Elements) -> CodedEntry:
    """The coded entry of one item of a Code Sequence."""
    return _entry(_triple(elements), *map(_triple, elements.get("EquivalentCodeSequence", ())))


@lru_cache(4096)  # a document repeats some hundred codes; by what is said, since codes are equal without their meanings
def _entry(*said: tuple[str, str, str]) -> CodedEntry:
    return CodedEntry(tuple(Code(*triple) for triple in said))


def _triple(elements: Elements) -> tuple[str, str, str]:
    """Scheme, value and meaning of an item."""
    values = [elements[keyword] for keyword in ("CodeValue", "LongCodeValue", "URNCodeValue") if keyword in elements]
    if len(values) != 1:
        raise ValueError("a code has one value (PS3.3 8.8)")
    return elements["CodingSchemeDesignator"], values[0], elements["CodeMeaning"]


def _only(elements: Elements, keyword: str) -> Elements:
    items: list[Elements] = elements[keyword]
    if len(items) != 1:
        raise ValueError(f"{keyword} has one item")
    return items[0]


def _item(elements: Elements) -> ContentItem:
    """One content item with all below it; the classes of the tree hold their rules again."""
    kind = _BY_KIND.get(elements.get("ValueType", ""))
    if kind is None:
        raise ValueError("a content item has a value type of ours")
    relation = elements.get("RelationshipType")
    name = decode_entry(_only(elements, "ConceptNameCodeSequence")) if "ConceptNameCodeSequence" in elements else None
    children = tuple(map(_item, elements.get("ContentSequence", ())))
    if kind in (Image, Composite):
        return kind(name, _reference(_only(elements, "ReferencedSOPSequence")), relation, children)  # type: ignore[arg-type] # by kind
    if kind is Scoord3D:
        numbers = _floats(elements["GraphicData"])
        return Scoord3D(name, elements["GraphicType"], numbers, elements["ReferencedFrameOfReferenceUID"], relation)  # type: ignore[arg-type] # checked by the tree
    if kind is Scoord:
        if len(children) != 1 or not isinstance(children[0], Image):
            raise ValueError("a SCOORD has one image")
        return Scoord(name, elements["GraphicType"], _floats(elements["GraphicData"]), relation, children[0])  # type: ignore[arg-type] # checked by the tree
    if name is None:
        raise ValueError("this item has no name")
    return _named(kind, elements, name, relation, children)


def _named(
    kind: type[ContentItem],
    elements: Elements,
    name: CodedEntry,
    relation: Any,
    children: tuple[ContentItem, ...],
) -> ContentItem:
    if kind is Container:
        if elements["ContinuityOfContent"] != "SEPARATE":
            raise ValueError("a container of ours is SEPARATE")
        template = _only(elements, "ContentTemplateSequence") if "ContentTemplateSequence" in elements else None
        return Container(name, relation, children, template["TemplateIdentifier"] if template else None)
    if kind is Text:
        return Text(name, elements["TextValue"], relation, children)
    if kind is CodeItem:
        return CodeItem(name, decode_entry(_only(elements, "ConceptCodeSequence")), relation, children)
    if kind is Num:
        measured = _only(elements, "MeasuredValueSequence")
        unit = decode_entry(_only(measured, "MeasurementUnitsCodeSequence"))
        return Num(name, measured["NumericValue"], unit, relation, children, measured.get("FloatingPointValue"))
    return kind(name, elements[_LINES[kind.kind]], relation, children)  # type: ignore[call-arg] # one of the lines


def _floats(data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 4}f", data)


def _reference(elements: Elements) -> Reference:
    frames = elements.get("ReferencedFrameNumber", "")
    return Reference(
        elements["ReferencedSOPClassUID"],
        elements["ReferencedSOPInstanceUID"],
        tuple(map(int, frames.split("\\"))) if frames else (),
        elements.get("ReferencedSegmentNumber", ()),
    )
