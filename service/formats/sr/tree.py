"""Content items (PS3.3 C.17.3): a frozen class a value type, valid once built, in nested tuples.

An item checks its own value by the rules of its VR and its children by the relationships that its value type may have
(PS3.3 A.35.13-2, the widest IOD); narrower IODs are held when a document is made. A wrong item raises ValueError.
Items are named tuples, not data classes: a report has hundreds of them, and these are made three times as fast.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from struct import unpack
from typing import Any, ClassVar, NamedTuple, Self

from service.formats.sr import vr
from service.formats.sr.coded import CodedEntry
from service.formats.sr.relationships import Relationship, ValueType, widths_below


class _Fields(NamedTuple):
    value_type: ValueType
    relationship_type: Relationship | None
    concept_name: CodedEntry | None
    value: Any
    children: tuple[Any, ...]
    width: int


class ContentItem(_Fields):
    """One node: its value type, how it relates to its parent (None for the root), its name, value and children.

    ``width`` is the place in ``relationships.WIDTHS`` of the narrowest IOD that has every relationship below the node.
    """

    __slots__ = ()
    kind: ClassVar[ValueType]
    below: ClassVar[dict[tuple[str | None, str], int]]

    @classmethod
    def build(
        cls,
        relationship_type: Relationship | None,
        concept_name: CodedEntry | None,
        value: object,
        children: tuple["ContentItem", ...],
    ) -> Self:
        """The item, once its children are found to be allowed below it."""
        width = 0
        for child in children:
            needed = cls.below.get((child[1], child[0]))
            if needed is None:
                raise ValueError(f"no {child[0]} {child[1]} below {cls.kind} (PS3.3 A.35)")
            if needed > width:
                width = needed
            if child[5] > width:
                width = child[5]
        return tuple.__new__(cls, (cls.kind, relationship_type, concept_name, value, children, width))

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
        if template is not None:
            vr.cs(template)
        return cls.build(relationship_type, concept_name, template, children)


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
        vr.ut(value)
        return cls.build(relationship_type, concept_name, value.rstrip(" "), children)


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
        return cls.build(relationship_type, concept_name, value, children)


class Number(NamedTuple):
    """A measured value: ``digits`` is DS; ``floating``, the nearest binary64, stands where these are a rounding."""

    digits: str
    unit: CodedEntry
    floating: float | None = None

    @property
    def decimal(self) -> Decimal:
        """The number that the digits say."""
        return Decimal(self.digits)


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
        return cls.build(relationship_type, concept_name, number, children)

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
        return cls.build(relationship_type, concept_name, number, children)


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
        CHECKS[cls.kind](value)
        return cls.build(relationship_type, concept_name, value, children)


class UidRef(_Line):
    """UIDREF."""

    __slots__ = ()
    kind = "UIDREF"


class PersonNameItem(_Line):
    """PNAME."""

    __slots__ = ()
    kind = "PNAME"


class Date(_Line):
    """DATE, DA."""

    __slots__ = ()
    kind = "DATE"


class Time(_Line):
    """TIME, TM."""

    __slots__ = ()
    kind = "TIME"


class DateTimeItem(_Line):
    """DATETIME, DT."""

    __slots__ = ()
    kind = "DATETIME"


CHECKS: dict[str, Callable[[str], bytes]] = {
    "UIDREF": vr.ui,
    "PNAME": vr.pn,
    "DATE": vr.da,
    "TIME": vr.tm,
    "DATETIME": vr.dt,
}


class Reference(NamedTuple):
    """A SOP instance; ``frames`` or ``segments`` of it, both empty for the whole (PS3.3 C.18.4)."""

    sop_class: str
    sop_instance: str
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()

    def check(self) -> None:
        """Raise ValueError unless the UIDs are such and the numbers count from 1."""
        vr.ui(self.sop_class)
        vr.ui(self.sop_instance)
        if not self.frames and not self.segments:
            return
        if min(*self.frames, *self.segments, 1) < 1:
            raise ValueError("frames and segments count from 1")
        if self.frames and self.segments:
            raise ValueError("frames or segments, not both (PS3.3 C.18.4)")
        for segment in self.segments:
            vr.us(segment)


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
        value.check()
        return cls.build(relationship_type, concept_name, value, children)


class Image(_Referenced):
    """IMAGE."""

    __slots__ = ()
    kind = "IMAGE"


class Composite(_Referenced):
    """COMPOSITE: an object that is no image."""

    __slots__ = ()
    kind = "COMPOSITE"


class Shape(NamedTuple):
    """Graphic Type and Graphic Data, the latter as FL: two shapes are equal when they are so as float32."""

    graphic_type: str
    data: bytes
    frame_of_reference: str | None = None

    @property
    def numbers(self) -> tuple[float, ...]:
        """The coordinates, point after point."""
        return unpack(f"<{len(self.data) // 4}f", self.data)


_POINTS = {"POINT": (1, 1), "MULTIPOINT": (1, None), "POLYLINE": (2, None), "CIRCLE": (2, 2), "ELLIPSE": (4, 4)}
_POINTS_3D = {
    "POINT": (1, 1),
    "MULTIPOINT": (1, None),
    "POLYLINE": (2, None),
    "POLYGON": (4, None),
    "ELLIPSE": (4, 4),
    "ELLIPSOID": (6, 6),
}


def _check_points(allowed: dict[str, tuple[int, int | None]], graphic_type: str, numbers: int, axes: int) -> None:
    if graphic_type not in allowed:
        raise ValueError(f"no Graphic Type {graphic_type} here (PS3.3 C.18.6, C.18.9)")
    fewest, most = allowed[graphic_type]
    points, rest = divmod(numbers, axes)
    if rest or points < fewest or (most is not None and points > most):
        raise ValueError(f"not the points of a {graphic_type}")


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
        _check_points(_POINTS, graphic_type, len(numbers), 2)
        return cls.build(relationship_type, concept_name, Shape(graphic_type, vr.fl(numbers)), (image,))


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
        _check_points(_POINTS_3D, graphic_type, len(numbers), 3)
        vr.ui(frame_of_reference)
        if graphic_type == "POLYGON" and tuple(numbers[:3]) != tuple(numbers[-3:]):
            raise ValueError("a POLYGON ends where it begins (PS3.3 C.18.9.1.2)")
        return cls.build(relationship_type, concept_name, Shape(graphic_type, vr.fl(numbers), frame_of_reference), ())


TYPES: tuple[type[ContentItem], ...] = (
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
