"""Content items (PS3.3 C.17.3): a frozen class a value type, valid and encoded once built, in nested tuples.

An item checks its own value by the rules of its VR and its children by the relationships that its value type may have
(PS3.3 A.35.13-2, the widest IOD); narrower IODs are held when a document is made. A wrong item raises ValueError.
Items are named tuples, not data classes: a report has hundreds of them, and these are made three times as fast. Each
holds its bytes, made from those of its children: one that stands in many documents is encoded once.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeVar

from service.domain.quick import interpreted
from service.formats.sr import vr
from service.formats.sr.attributes import ITEM, encode_dataset, head, item, long, short
from service.formats.sr.coded import CodedEntry
from service.formats.sr.relationships import Relationship, ValueType, widths_below
from service.formats.sr.values import (
    POINTS,
    POINTS_3D,
    Number,
    Reference,
    Shape,
    check_points,
    said_number,
    said_reference,
    said_shape,
    said_text,
)

__all__ = [
    "SEPARATE",
    "TYPES",
    "CodeItem",
    "Composite",
    "Container",
    "ContentItem",
    "Date",
    "DateTimeItem",
    "Image",
    "Num",
    "Number",
    "PersonNameItem",
    "Reference",
    "Scoord",
    "Scoord3D",
    "Shape",
    "Text",
    "Time",
    "UidRef",
    "content_sequence",
    "template_sequence",
]

_CONTENT: Final = head("ContentSequence")
_LINK: Final = itemgetter(1, 0)
_WIDTH: Final[Callable[[Any], int]] = itemgetter(5)
_ENCODED: Final[Callable[[Any], bytes]] = itemgetter(6)
SEPARATE: Final = short("ContinuityOfContent", vr.cs("SEPARATE"))


class _Fields(NamedTuple):
    value_type: ValueType
    relationship_type: Relationship | None
    concept_name: CodedEntry | None
    value: Any
    children: tuple[Any, ...]
    width: int
    encoded: bytes


@interpreted
class ContentItem(_Fields):
    """One node: its value type, how it relates to its parent (None for the root), its name, value and children.

    ``width`` is the place in ``relationships.WIDTHS`` of the narrowest IOD that has every relationship below the node.
    ``encoded`` is the whole item of a Content Sequence, explicit VR little endian; empty for the root, which is none.
    """

    __slots__ = ()
    kind: ClassVar[ValueType]
    below: ClassVar[dict[tuple[str | None, str], int]]

    def __eq__(self, other: object) -> bool:
        """By what it says: codes are equal without their meanings, which the bytes hold."""
        return type(other) is type(self) and self[:5] == other[:5]

    def __ne__(self, other: object) -> bool:
        """Not equal."""
        return not self == other

    def __hash__(self) -> int:
        """By what it says."""
        return hash(self[:5])

    def walk(self) -> Iterator["ContentItem"]:
        """This item and all below it, depth first, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, scheme: str, code: str) -> "ContentItem | None":
        """The first direct child with this concept name."""
        return next((child for child in self.children if child.is_named(scheme, code)), None)

    def is_named(self, scheme: str, code: str) -> bool:
        """Whether its concept name is this code."""
        name = self.concept_name
        return name is not None and (name.codes[0].system, name.codes[0].code) == (scheme, code)


C = TypeVar("C", bound=ContentItem)
_new: Final = tuple.__new__


_starts: dict[tuple[str, str], bytes] = {}


def _start(relationship_type: str, value_type: str) -> bytes:
    made = short("RelationshipType", vr.cs(relationship_type)) + short("ValueType", vr.cs(value_type))
    _starts[relationship_type, value_type] = made
    return made


def _content(children: tuple[ContentItem, ...]) -> list[bytes]:
    """The parts of a Content Sequence: to be joined once, since the longest of them are most of a document."""
    items = list(map(_ENCODED, children))
    return [_CONTENT, sum(map(len, items)).to_bytes(4, "little"), *items]


def _built(
    cls: type[C],
    relationship_type: Relationship | None,
    concept_name: CodedEntry | None,
    value: object,
    children: tuple[ContentItem, ...],
    said: bytes,
    first: bytes = b"",
    last: bytes = b"",
) -> C:
    """The item, once its children are found to be allowed below it.

    ``said`` are the elements of its value; ``first`` and ``last`` those with tags before and after all others.
    """
    kind = cls.kind
    width = 0
    if children:
        width = max(map(_WIDTH, children))
        for link in set(map(_LINK, children)):  # a few, however many children
            needed = cls.below.get(link)
            if needed is None:
                raise ValueError(f"no {link[1]} {link[0]} below {kind} (PS3.3 A.35)")
            if needed > width:
                width = needed
    encoded = b""
    if relationship_type is not None:
        start = _starts.get((relationship_type, kind)) or _start(relationship_type, kind)
        name = concept_name.as_name if concept_name is not None else b""
        body = first + start + name + said
        if children:
            body = b"".join([body, *_content(children), last])
        elif last:
            body += last
        encoded = ITEM + len(body).to_bytes(4, "little") + body
    return _new(cls, (kind, relationship_type, concept_name, value, children, width, encoded))


def content_sequence(children: tuple[ContentItem, ...]) -> bytes:
    """Content Sequence of these items."""
    return b"".join(_content(children))


@cache
def template_sequence(identifier: str) -> bytes:
    """Content Template Sequence, of DICOM's own templates (PS3.3 C.18.8)."""
    dataset = {"MappingResource": "DCMR", "TemplateIdentifier": identifier}
    return long("ContentTemplateSequence", item(encode_dataset(dataset)))


@interpreted
class Container(ContentItem):
    """CONTAINER, separate continuity; ``value`` is the DCMR template that it is the root of, or None."""

    __slots__ = ()
    kind = "CONTAINER"

    def __new__(
        cls,
        concept_name: CodedEntry,
        relationship_type: Relationship | None,
        children: tuple[ContentItem, ...],
        template: str | None = None,
    ) -> Self:
        """A container of ``children``."""
        said = SEPARATE if template is None else SEPARATE + template_sequence(template)
        return _built(cls, relationship_type, concept_name, template, children, said)


@interpreted
class Text(ContentItem):
    """TEXT: several lines, not empty."""

    __slots__ = ()
    kind = "TEXT"

    def __new__(
        cls,
        concept_name: CodedEntry,
        value: str,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> Self:
        """A text; raises ValueError for control characters or nothing."""
        if not value.strip():
            raise ValueError("a text is not empty (type 1)")
        value = value.rstrip(" ")
        return _built(cls, relationship_type, concept_name, value, children, said_text(value))


@interpreted
class CodeItem(ContentItem):
    """CODE: a coded answer."""

    __slots__ = ()
    kind = "CODE"

    def __new__(
        cls,
        concept_name: CodedEntry,
        value: CodedEntry,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> Self:
        """A coded answer."""
        return _built(cls, relationship_type, concept_name, value, children, value.as_value)


_Frame = tuple[CodedEntry, CodedEntry, bytes]
_KEPT = 8_192
_frames: dict[tuple[int, int, int, str], _Frame] = {}


@interpreted
class Num(ContentItem):
    """NUM: a number with its unit (PS3.3 C.18.1)."""

    __slots__ = ()
    kind = "NUM"

    def __new__(
        cls,
        concept_name: CodedEntry,
        value: Decimal,
        unit: CodedEntry,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> Self:
        """A number with the digits as written; rounded, with Floating Point Value beside, where DS can't hold them."""
        text, exact = vr.digits(value)
        number = Number(text, unit, None if exact else float(value))
        if exact and not children:
            # All but the digits is the same for one name, one unit and so many of them.
            size = len(text)
            known = _frames.get((id(concept_name), id(unit), size, relationship_type))
            if known is None or known[0] is not concept_name or known[1] is not unit:
                known = _keep_frame(concept_name, number, relationship_type)
            encoded = known[2] + text.encode() + (b" " if size & 1 else b"")
            return _new(cls, ("NUM", relationship_type, concept_name, number, (), 0, encoded))
        return _built(cls, relationship_type, concept_name, number, children, said_number(number))

    @classmethod
    def of(
        cls,
        concept_name: CodedEntry,
        number: Number,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> Self:
        """A number given as its digits."""
        vr.ds(number.digits)
        if number.floating is not None:
            vr.fd(number.floating)
        return _built(cls, relationship_type, concept_name, number, children, said_number(number))


def _keep_frame(concept_name: CodedEntry, number: Number, relationship_type: Relationship) -> _Frame:
    """The bytes before the digits: these are the last of an item that has nothing below it."""
    whole = _built(Num, relationship_type, concept_name, number, (), said_number(number)).encoded
    size = len(number.digits)
    if len(_frames) >= _KEPT:
        _frames.clear()
    _frames[id(concept_name), id(number.unit), size, relationship_type] = kept = (
        concept_name,
        number.unit,
        whole[: len(whole) - size - (size & 1)],
    )
    return kept


@interpreted
class _Line(ContentItem):
    """What is one short string of its own VR."""

    __slots__ = ()

    def __new__(
        cls,
        concept_name: CodedEntry,
        value: str,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> Self:
        """An item of one string; raises ValueError when its VR does not hold it."""
        if not value:
            raise ValueError(f"a {cls.kind} is not empty (type 1)")
        keyword, made = _LINES[cls.kind]
        return _built(cls, relationship_type, concept_name, value, children, short(keyword, made(value)))


@interpreted
class UidRef(_Line):
    """UIDREF."""

    __slots__ = ()
    kind = "UIDREF"


@interpreted
class PersonNameItem(_Line):
    """PNAME."""

    __slots__ = ()
    kind = "PNAME"


@interpreted
class Date(_Line):
    """DATE, DA."""

    __slots__ = ()
    kind = "DATE"


@interpreted
class Time(_Line):
    """TIME, TM."""

    __slots__ = ()
    kind = "TIME"


@interpreted
class DateTimeItem(_Line):
    """DATETIME, DT."""

    __slots__ = ()
    kind = "DATETIME"


_LINES: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "UIDREF": ("UID", vr.ui),
    "PNAME": ("PersonName", vr.pn),
    "DATE": ("Date", vr.da),
    "TIME": ("Time", vr.tm),
    "DATETIME": ("DateTime", vr.dt),
}


@interpreted
class _Referenced(ContentItem):
    """What refers to a SOP instance."""

    __slots__ = ()

    def __new__(
        cls,
        concept_name: CodedEntry | None,
        value: Reference,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> Self:
        """A reference; an image may come without a name."""
        return _built(cls, relationship_type, concept_name, value, children, b"", first=said_reference(value))


@interpreted
class Image(_Referenced):
    """IMAGE."""

    __slots__ = ()
    kind = "IMAGE"


@interpreted
class Composite(_Referenced):
    """COMPOSITE: an object that is no image."""

    __slots__ = ()
    kind = "COMPOSITE"


@interpreted
class Scoord(ContentItem):
    """SCOORD: a shape in pixels, column then row, on the image that it is SELECTED FROM (PS3.3 C.18.6)."""

    __slots__ = ()
    kind = "SCOORD"

    def __new__(
        cls,
        concept_name: CodedEntry | None,
        graphic_type: str,
        numbers: Sequence[float],
        relationship_type: Relationship,
        image: Image,
    ) -> Self:
        """A shape; exactly one image below it."""
        check_points(POINTS, graphic_type, numbers)
        shape = Shape(graphic_type, vr.fl(numbers))
        return _built(cls, relationship_type, concept_name, shape, (image,), b"", last=said_shape(shape))


@interpreted
class Scoord3D(ContentItem):
    """SCOORD3D: a shape in millimetres of a frame of reference (PS3.3 C.18.9)."""

    __slots__ = ()
    kind = "SCOORD3D"

    def __new__(
        cls,
        concept_name: CodedEntry | None,
        graphic_type: str,
        numbers: Sequence[float],
        frame_of_reference: str,
        relationship_type: Relationship,
    ) -> Self:
        """A shape; a POLYGON repeats its first point at the end."""
        check_points(POINTS_3D, graphic_type, numbers)
        vr.ui(frame_of_reference)
        if graphic_type == "POLYGON" and tuple(numbers[:3]) != tuple(numbers[-3:]):
            raise ValueError("a POLYGON ends where it begins (PS3.3 C.18.9.1.2)")
        shape = Shape(graphic_type, vr.fl(numbers), frame_of_reference)
        return _built(cls, relationship_type, concept_name, shape, (), b"", last=said_shape(shape))


TYPES: Final[tuple[type[ContentItem], ...]] = (
    Container,
    Text,
    CodeItem,
    Num,
    UidRef,
    PersonNameItem,
    Date,
    Time,
    DateTimeItem,
    Image,
    Composite,
    Scoord,
    Scoord3D,
)
for _type in TYPES:
    _type.below = widths_below(_type.kind)
