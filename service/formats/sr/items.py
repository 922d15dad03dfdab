"""Content items: a frozen class a value type (PS3.3 C.17.3), which checks its own value by the rules of its VR.

A wrong value raises ValueError.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, Self

from service.domain.quick import interpreted
from service.formats.sr import vr
from service.formats.sr.attributes import short
from service.formats.sr.coded import CodedEntry
from service.formats.sr.relationships import Relationship, widths_below
from service.formats.sr.tree import SEPARATE, ContentItem, built, template_sequence
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

_new: Final = tuple.__new__


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
        return built(cls, relationship_type, concept_name, template, children, said)


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
        return built(cls, relationship_type, concept_name, value, children, said_text(value))


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
        return built(cls, relationship_type, concept_name, value, children, value.as_value)


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
        return built(cls, relationship_type, concept_name, number, children, said_number(number))

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
        return built(cls, relationship_type, concept_name, number, children, said_number(number))


def _keep_frame(concept_name: CodedEntry, number: Number, relationship_type: Relationship) -> _Frame:
    """The bytes before the digits: these are the last of an item that has nothing below it."""
    whole = built(Num, relationship_type, concept_name, number, (), said_number(number)).encoded
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
        return built(cls, relationship_type, concept_name, value, children, short(keyword, made(value)))


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
        return built(cls, relationship_type, concept_name, value, children, b"", first=said_reference(value))


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
        return built(cls, relationship_type, concept_name, shape, (image,), b"", last=said_shape(shape))


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
        return built(cls, relationship_type, concept_name, shape, (), b"", last=said_shape(shape))


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
