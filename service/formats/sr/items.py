"""Content items: a frozen class a value type (PS3.3 C.17.3), which checks its own value by the rules of its VR.

A wrong value raises ValueError.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from service.formats.sr import vr
from service.formats.sr.attributes import short
from service.formats.sr.coded import CodedEntry
from service.formats.sr.relationships import Relationship
from service.formats.sr.tree import SEPARATE, ContentItem, Rules, build, fill, template_sequence
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

_CONTAINER: Final = Rules("CONTAINER")
_TEXT: Final = Rules("TEXT")
_CODE: Final = Rules("CODE")
_NUM: Final = Rules("NUM")
_SCOORD: Final = Rules("SCOORD")
_SCOORD3D: Final = Rules("SCOORD3D")


class Container(ContentItem):
    """CONTAINER, separate continuity; ``value`` is the DCMR template that it is the root of, or None."""

    __slots__ = ()
    kind = "CONTAINER"

    def __init__(
        self,
        concept_name: CodedEntry,
        relationship_type: Relationship | None,
        children: tuple[ContentItem, ...],
        template: str | None = None,
    ) -> None:
        """A container of ``children``."""
        said = SEPARATE if template is None else SEPARATE + template_sequence(template)
        build(self, _CONTAINER, relationship_type, concept_name, template, children, said)


class Text(ContentItem):
    """TEXT: several lines, not empty."""

    __slots__ = ()
    kind = "TEXT"

    def __init__(
        self,
        concept_name: CodedEntry,
        value: str,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> None:
        """A text; raises ValueError for control characters or nothing."""
        if not value.strip():
            raise ValueError("a text is not empty (type 1)")
        value = value.rstrip(" ")
        build(self, _TEXT, relationship_type, concept_name, value, children, said_text(value))


class CodeItem(ContentItem):
    """CODE: a coded answer."""

    __slots__ = ()
    kind = "CODE"

    def __init__(
        self,
        concept_name: CodedEntry,
        value: CodedEntry,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> None:
        """A coded answer."""
        build(self, _CODE, relationship_type, concept_name, value, children, value.as_value)


_Frame = tuple[CodedEntry, CodedEntry, bytes, str]
_KEPT: Final = 8_192
_frames: Final[dict[tuple[int, int, int, str], _Frame]] = {}


class Num(ContentItem):
    """NUM: a number with its unit (PS3.3 C.18.1)."""

    __slots__ = ()
    kind = "NUM"

    def __init__(
        self,
        concept_name: CodedEntry,
        value: Decimal | str,
        unit: CodedEntry,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
        floating: float | None = None,
    ) -> None:
        """A number with the digits as written; rounded, with Floating Point Value beside, where DS can't hold them.

        Digits that were read are taken as they are, with ``floating`` beside them; raises ValueError for no DS or FD.
        """
        if isinstance(value, str):
            number, exact = Number(value, unit, floating), False
        else:
            text, exact = vr.digits(value)
            number = Number(text, unit, None if exact else float(value))
        if not exact or children:
            build(self, _NUM, relationship_type, concept_name, number, children, said_number(number))
            return
        # All but the digits is the same for one name, one unit and so many of them.
        digits = number.digits
        size = len(digits)
        known = _frames.get((id(concept_name), id(unit), size, relationship_type))
        if known is not None and known[0] is concept_name and known[1] is unit:
            encoded = known[2] + digits.encode() + (b" " if size & 1 else b"")
            fill(self, "NUM", relationship_type, concept_name, number, (), 0, known[3], encoded)
            return
        build(self, _NUM, relationship_type, concept_name, number, (), said_number(number))
        if len(_frames) >= _KEPT:
            _frames.clear()
        # The digits are the last of an item that has nothing below it.
        before = self.encoded[: len(self.encoded) - size - (size & 1)]
        _frames[id(concept_name), id(unit), size, relationship_type] = concept_name, unit, before, self.link


class _Line(ContentItem):
    """What is one short string of its own VR."""

    __slots__ = ()

    def __init__(
        self,
        concept_name: CodedEntry,
        value: str,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> None:
        """An item of one string; raises ValueError when its VR does not hold it."""
        if not value:
            raise ValueError(f"a {self.kind} is not empty (type 1)")
        rules, keyword, made = _LINES[self.kind]
        build(self, rules, relationship_type, concept_name, value, children, short(keyword, made(value)))


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


_LINES: Final[dict[str, tuple[Rules, str, Callable[[str], bytes]]]] = {
    "UIDREF": (Rules("UIDREF"), "UID", vr.ui),
    "PNAME": (Rules("PNAME"), "PersonName", vr.pn),
    "DATE": (Rules("DATE"), "Date", vr.da),
    "TIME": (Rules("TIME"), "Time", vr.tm),
    "DATETIME": (Rules("DATETIME"), "DateTime", vr.dt),
}


class _Referenced(ContentItem):
    """What refers to a SOP instance."""

    __slots__ = ()

    def __init__(
        self,
        concept_name: CodedEntry | None,
        value: Reference,
        relationship_type: Relationship,
        children: tuple[ContentItem, ...] = (),
    ) -> None:
        """A reference; an image may come without a name."""
        rules = _REFERENCES[self.kind]
        build(self, rules, relationship_type, concept_name, value, children, b"", first=said_reference(value))


_REFERENCES: Final[dict[str, Rules]] = {"IMAGE": Rules("IMAGE"), "COMPOSITE": Rules("COMPOSITE")}


class Image(_Referenced):
    """IMAGE."""

    __slots__ = ()
    kind = "IMAGE"


class Composite(_Referenced):
    """COMPOSITE: an object that is no image."""

    __slots__ = ()
    kind = "COMPOSITE"


class Scoord(ContentItem):
    """SCOORD: a shape in pixels, column then row, on the image that it is SELECTED FROM (PS3.3 C.18.6)."""

    __slots__ = ()
    kind = "SCOORD"

    def __init__(
        self,
        concept_name: CodedEntry | None,
        graphic_type: str,
        numbers: Sequence[float],
        relationship_type: Relationship,
        image: Image,
    ) -> None:
        """A shape; exactly one image below it."""
        check_points(POINTS, graphic_type, numbers)
        shape = Shape(graphic_type, vr.fl(numbers))
        build(self, _SCOORD, relationship_type, concept_name, shape, (image,), b"", last=said_shape(shape))


class Scoord3D(ContentItem):
    """SCOORD3D: a shape in millimetres of a frame of reference (PS3.3 C.18.9)."""

    __slots__ = ()
    kind = "SCOORD3D"

    def __init__(
        self,
        concept_name: CodedEntry | None,
        graphic_type: str,
        numbers: Sequence[float],
        frame_of_reference: str,
        relationship_type: Relationship,
    ) -> None:
        """A shape; a POLYGON repeats its first point at the end."""
        check_points(POINTS_3D, graphic_type, numbers)
        vr.ui(frame_of_reference)
        if graphic_type == "POLYGON" and tuple(numbers[:3]) != tuple(numbers[-3:]):
            raise ValueError("a POLYGON ends where it begins (PS3.3 C.18.9.1.2)")
        shape = Shape(graphic_type, vr.fl(numbers), frame_of_reference)
        build(self, _SCOORD3D, relationship_type, concept_name, shape, (), b"", last=said_shape(shape))


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
