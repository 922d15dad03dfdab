"""A tree and the data set around it as bytes: Part 10, explicit VR little endian, explicit lengths (PS3.10 7, PS3.5 7).

Bottom up: each item is joined once its children are bytes, so a length is known when it is written.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter

from service.domain.uids import derive_uid
from service.formats.sr import vr
from service.formats.sr.attributes import ITEM, Dataset, encode_dataset, head, item, long, short
from service.formats.sr.tree import CHECKS, ContentItem, Number, Reference, Shape

TRANSFER_SYNTAX = "1.2.840.10008.1.2.1"  # Explicit VR Little Endian
IMPLEMENTATION_CLASS_UID = derive_uid("implementation-class")
IMPLEMENTATION_VERSION_NAME = "LESIONBRIDGE_1"

_PREAMBLE = bytes(128) + b"DICM"
_TEXT = head("TextValue")
_MEASURED = head("MeasuredValueSequence")
_CONTENT = head("ContentSequence")
_SEPARATE = short("ContinuityOfContent", vr.cs("SEPARATE"))
_LINES = {"UIDREF": "UID", "PNAME": "PersonName", "DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}
_KEPT = 16_384

_starts: dict[tuple[str | None, str], bytes] = {}
_kept: dict[int, tuple[ContentItem, bytes]] = {}


def keep(node: ContentItem) -> None:
    """Remember the bytes of an item that stands in many places: items never change, so the same one has the same."""
    if len(_kept) >= _KEPT:
        _kept.clear()
    _kept[id(node)] = (node, item(encode_item(node)))


def is_kept(node: ContentItem) -> bool:
    """Whether the bytes of this very item are remembered."""
    kept = _kept.get(id(node))
    return kept is not None and kept[0] is node


def _start(relationship_type: str | None, value_type: str) -> bytes:
    made = b"" if relationship_type is None else short("RelationshipType", vr.cs(relationship_type))
    made += short("ValueType", vr.cs(value_type))
    _starts[relationship_type, value_type] = made
    return made


@cache
def _template(identifier: str) -> bytes:
    dataset = {"MappingResource": "DCMR", "TemplateIdentifier": identifier}
    return long("ContentTemplateSequence", item(encode_dataset(dataset)))


def _of_text(value: str) -> bytes:
    made = value.encode()
    if len(made) & 1:
        made += b" "
    return _TEXT + len(made).to_bytes(4, "little") + made


def _of_number(value: Number) -> bytes:
    made = value.digits.encode()
    if len(made) & 1:
        made += b" "
    exact = b"" if value.floating is None else short("FloatingPointValue", vr.fd(value.floating))
    body = value.unit.as_unit + exact + short("NumericValue", made)
    return _MEASURED + (len(body) + 8).to_bytes(4, "little") + ITEM + len(body).to_bytes(4, "little") + body


def _of_line(value_type: str) -> Callable[[str], bytes]:
    keyword, made = _LINES[value_type], CHECKS[value_type]
    return lambda value: short(keyword, made(value))


_VALUES: dict[str, Callable[..., bytes]] = {
    "CODE": attrgetter("as_value"),
    "TEXT": _of_text,
    "NUM": _of_number,
    **{value_type: _of_line(value_type) for value_type in _LINES},
}


@lru_cache(maxsize=8_192)
def _reference(value: Reference) -> bytes:
    """Referenced SOP Sequence; its tag comes before those of the item (PS3.3 table 10-11, C.18.4)."""
    body = short("ReferencedSOPClassUID", vr.ui(value.sop_class))
    body += short("ReferencedSOPInstanceUID", vr.ui(value.sop_instance))
    if value.frames:
        frames = "\\".join(map(str, value.frames)).encode()
        body += short("ReferencedFrameNumber", frames + b" " if len(frames) & 1 else frames)
    if value.segments:
        body += short("ReferencedSegmentNumber", b"".join([vr.us(segment) for segment in value.segments]))
    return long("ReferencedSOPSequence", item(body))


@cache
def _graphic_type(value: str) -> bytes:
    return short("GraphicType", vr.cs(value))


def _shape(value: Shape) -> bytes:
    """Graphic Data and Graphic Type; their tags come after those of the item."""
    made = short("GraphicData", value.data) + _graphic_type(value.graphic_type)
    if value.frame_of_reference is not None:
        made += short("ReferencedFrameOfReferenceUID", vr.ui(value.frame_of_reference))
    return made


def encode_item(node: ContentItem) -> bytes:
    """The elements of one content item below the root, with all below it."""
    value_type, relationship_type, name, value, children, _ = node
    start = _starts.get((relationship_type, value_type)) or _start(relationship_type, value_type)
    parts = [start] if name is None else [start, name.as_name]
    values = _VALUES.get(value_type)
    if values is not None:
        parts.append(values(value))
    elif value_type == "CONTAINER":
        parts.append(_SEPARATE)
        if value is not None:
            parts.append(_template(value))
    elif value_type in ("IMAGE", "COMPOSITE"):
        parts.insert(0, _reference(value))
    if children:
        parts.append(_content(children))
    if value_type in ("SCOORD", "SCOORD3D"):
        parts.append(_shape(value))
    return b"".join(parts)


def _content(children: tuple[ContentItem, ...]) -> bytes:
    """Content Sequence of these items."""
    parts = []
    for child in children:
        kept = _kept.get(id(child))
        if kept is not None and kept[0] is child:
            parts.append(kept[1])
        else:
            made = encode_item(child)
            parts.append(ITEM + len(made).to_bytes(4, "little") + made)
    joined = b"".join(parts)
    return _CONTENT + len(joined).to_bytes(4, "little") + joined


def root_elements(root: ContentItem) -> dict[str, bytes]:
    """The root container as elements of the data set (PS3.3 C.17.3)."""
    if root.value_type != "CONTAINER" or root.relationship_type is not None or root.concept_name is None:
        raise ValueError("the root is a CONTAINER with a title and no relationship")
    made = {
        "ValueType": short("ValueType", vr.cs("CONTAINER")),
        "ConceptNameCodeSequence": root.concept_name.as_name,
        "ContinuityOfContent": _SEPARATE,
    }
    if root.value is not None:
        made["ContentTemplateSequence"] = _template(root.value)
    if root.children:
        made["ContentSequence"] = _content(root.children)
    return made


def file_meta(sop_class: str, sop_instance: str) -> bytes:
    """Preamble, prefix and File Meta Information (PS3.10 7.1)."""
    body = b"".join(
        [
            b"\x02\x00\x01\x00OB\0\0\x02\0\0\0\0\x01",  # File Meta Information Version
            _meta(0x02, b"UI", vr.ui(sop_class)),
            _meta(0x03, b"UI", vr.ui(sop_instance)),
            _meta(0x10, b"UI", vr.ui(TRANSFER_SYNTAX)),
            _meta(0x12, b"UI", vr.ui(IMPLEMENTATION_CLASS_UID)),
            _meta(0x13, b"SH", vr.sh(IMPLEMENTATION_VERSION_NAME)),
        ]
    )
    return _PREAMBLE + b"\x02\x00\x00\x00UL\x04\x00" + len(body).to_bytes(4, "little") + body


def _meta(element: int, representation: bytes, value: bytes) -> bytes:
    return b"\x02\x00" + element.to_bytes(2, "little") + representation + len(value).to_bytes(2, "little") + value


def encode_file(dataset: Dataset) -> bytes:
    """A whole Part 10 file; the data set brings SOPClassUID and SOPInstanceUID as strings."""
    return file_meta(dataset["SOPClassUID"], dataset["SOPInstanceUID"]) + encode_dataset(dataset)
