"""What content items hold beside codes and text, checked, and as the elements that say it (PS3.3 C.17.3, C.18)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from struct import unpack
from typing import Final, NamedTuple

from service.domain.quick import quickly_made
from service.formats.sr import vr
from service.formats.sr.attributes import head, item, short
from service.formats.sr.coded import CodedEntry

_TEXT: Final = head("TextValue")
_MEASURED: Final = head("MeasuredValueSequence")
_REFERENCED: Final = head("ReferencedSOPSequence")


@dataclass(frozen=True, slots=True)
class Number:
    """A measured value: ``digits`` is DS; ``floating``, the nearest binary64, stands where these are a rounding."""

    digits: str
    unit: CodedEntry
    floating: float | None = None

    def __init__(self, digits: str, unit: CodedEntry, floating: float | None = None) -> None:
        """Fill the native class; in Python `quickly_made` does it."""
        self.digits = digits  # type: ignore[misc] # read-only for all others
        self.unit = unit  # type: ignore[misc] # likewise
        self.floating = floating  # type: ignore[misc] # likewise

    @property
    def decimal(self) -> Decimal:
        """The number that the digits say."""
        return Decimal(self.digits)


quickly_made(Number)


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


@dataclass(frozen=True, slots=True)
class Shape:
    """Graphic Type and Graphic Data, the latter as FL: two shapes are equal when they are so as float32."""

    graphic_type: str
    data: bytes
    frame_of_reference: str | None = None

    def __init__(self, graphic_type: str, data: bytes, frame_of_reference: str | None = None) -> None:
        """Fill the native class; in Python `quickly_made` does it."""
        self.graphic_type = graphic_type  # type: ignore[misc] # read-only for all others
        self.data = data  # type: ignore[misc] # likewise
        self.frame_of_reference = frame_of_reference  # type: ignore[misc] # likewise

    @property
    def numbers(self) -> tuple[float, ...]:
        """The coordinates, point after point."""
        return unpack(f"<{len(self.data) // 4}f", self.data)


quickly_made(Shape)


POINTS = {"POINT": (1, 1), "MULTIPOINT": (1, None), "POLYLINE": (2, None), "CIRCLE": (2, 2), "ELLIPSE": (4, 4)}
"""Fewest and most points of a Graphic Type of SCOORD (PS3.3 C.18.6)."""
POINTS_3D = {
    "POINT": (1, 1),
    "MULTIPOINT": (1, None),
    "POLYLINE": (2, None),
    "POLYGON": (4, None),
    "ELLIPSE": (4, 4),
    "ELLIPSOID": (6, 6),
}
"""The same of SCOORD3D (PS3.3 C.18.9)."""


def check_points(allowed: dict[str, tuple[int, int | None]], graphic_type: str, numbers: Sequence[float]) -> None:
    """Raise ValueError unless the numbers are as many points as the Graphic Type has."""
    if graphic_type not in allowed:
        raise ValueError(f"no Graphic Type {graphic_type} here (PS3.3 C.18.6, C.18.9)")
    fewest, most = allowed[graphic_type]
    points, rest = divmod(len(numbers), 2 if allowed is POINTS else 3)
    if rest or points < fewest or (most is not None and points > most):
        raise ValueError(f"not the points of a {graphic_type}")


def said_text(value: str) -> bytes:
    """Text Value."""
    made = vr.ut(value)
    return _TEXT + len(made).to_bytes(4, "little") + made


def said_number(value: Number) -> bytes:
    """Measured Value Sequence."""
    exact = b"" if value.floating is None else short("FloatingPointValue", vr.fd(value.floating))
    body = value.unit.as_unit + exact + short("NumericValue", vr.ds(value.digits))
    return _MEASURED + (len(body) + 8).to_bytes(4, "little") + item(body)


def said_reference(value: Reference) -> bytes:
    """Referenced SOP Sequence, checked; its tag comes before those of the item (PS3.3 table 10-11, C.18.4)."""
    made = said_instance(value)
    return _REFERENCED + len(made).to_bytes(4, "little") + made


@lru_cache(maxsize=8_192)
def said_instance(value: Reference) -> bytes:
    """The item of a sequence of SOP instances, checked (PS3.3 table 10-11, C.18.4)."""
    value.check()
    body = short("ReferencedSOPClassUID", vr.ui(value.sop_class))
    body += short("ReferencedSOPInstanceUID", vr.ui(value.sop_instance))
    if value.frames:
        frames = "\\".join(map(str, value.frames)).encode()
        body += short("ReferencedFrameNumber", frames + b" " if len(frames) & 1 else frames)
    if value.segments:
        body += short("ReferencedSegmentNumber", b"".join([vr.us(segment) for segment in value.segments]))
    return item(body)


@cache
def _graphic_type(value: str) -> bytes:
    return short("GraphicType", vr.cs(value))


def said_shape(value: Shape) -> bytes:
    """Graphic Data and Graphic Type; their tags come after those of the item."""
    made = short("GraphicData", value.data) + _graphic_type(value.graphic_type)
    if value.frame_of_reference is not None:
        made += short("ReferencedFrameOfReferenceUID", vr.ui(value.frame_of_reference))
    return made
