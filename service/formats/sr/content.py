"""Anybody's content tree (PS3.3 C.17.3) as it came: every item that can be told apart is there, however odd.

The path of an item is that of PS3.3 C.17.3.2.5: the root is 1, its second child 1.2. Nothing is refused here but
what is no tree at all; what an item lacks (a name, a value, a unit) is None, and whoever reads it says what
became of it.
"""

import re
from collections.abc import Iterator, Set
from typing import Final, NamedTuple

from service.domain.codes import Code
from service.domain.errors import Invalid, Problem
from service.formats.jsontext import without_refused
from service.formats.sr.attributes import ATTRIBUTES
from service.formats.sr.characters import Characters
from service.formats.sr.elements import Elements, Encoded, Place

TAG: Final = {keyword: tag for keyword, (tag, _) in ATTRIBUTES.items()} | {
    "InstanceCreationDate": 0x00080012,
    "InstanceCreationTime": 0x00080013,
    "SeriesDate": 0x00080021,
    "SeriesTime": 0x00080031,
    "OtherPatientIDs": 0x00101000,
    "IdenticalDocumentsSequence": 0x0040A525,
    "NumericValueQualifierCodeSequence": 0x0040A301,
    "TemporalRangeType": 0x0040A130,
    "ReferencedContentItemIdentifier": 0x0040DB73,
    "ObservationDateTime": 0x0040A032,
}
"""Tags by keyword (PS3.6)."""

_IN_A_LINE: Final = re.compile(r"[\t\n\r]")
_VALUE_TYPE: Final = TAG["ValueType"]
_RELATION: Final = TAG["RelationshipType"]
_NAME: Final = TAG["ConceptNameCodeSequence"]
_CONTENT: Final = TAG["ContentSequence"]
_TARGET: Final = TAG["ReferencedContentItemIdentifier"]
_OBSERVED: Final = TAG["ObservationDateTime"]
_CODE_VALUE: Final = TAG["CodeValue"]
_LONG_CODE: Final = TAG["LongCodeValue"]
_URN_CODE: Final = TAG["URNCodeValue"]
_SCHEME: Final = TAG["CodingSchemeDesignator"]
_MEANING: Final = TAG["CodeMeaning"]
_EQUIVALENTS: Final = TAG["EquivalentCodeSequence"]
_TERMS: Final = {
    (term + " " * (len(term) % 2)).encode(): term
    for term in (
        *("CONTAINER", "TEXT", "CODE", "NUM", "UIDREF", "PNAME", "DATE", "TIME", "DATETIME", "IMAGE", "COMPOSITE"),
        *("SCOORD", "SCOORD3D", "CONTAINS", "HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES"),
        *("INFERRED FROM", "SELECTED FROM"),
    )
}
"""Value types and relationships (PS3.3 C.17.3) by their padded bytes."""
_LINES: Final = {
    "TEXT": TAG["TextValue"],
    "UIDREF": TAG["UID"],
    "PNAME": TAG["PersonName"],
    "DATE": TAG["Date"],
    "TIME": TAG["Time"],
    "DATETIME": TAG["DateTime"],
}


_KEPT: Final = 8_192
_LONGEST: Final = 512  # bytes of an entry that is remembered
_UNDEFINED: Final = b"\xff\xff\xff\xff"
_FRAME: Final = re.compile(r" *[0-9]{1,10} *")  # IS has 32 bits (PS3.5 table 6.2-1)


class Coded(NamedTuple):
    """A coded entry: its code where it has value and scheme, its meaning, and the codes that are said to be equal.

    ``more``: how many further entries stand beside it, where there is one (PS3.3 8, C.17.3, C.18.1).
    """

    meaning: str
    code: Code | None
    equivalents: tuple[Code, ...] = ()
    more: int = 0


_entries: dict[bytes, Coded] = {}
"""Coded entries by their bytes, of all documents in UTF-8 or ASCII: the same few hundred stand in every one.

Only those that say the same wherever they stand: their texts are ASCII (what others say, and what is flagged of them,
depends on the set of their document), no length is undefined (how deep these may be nested is a setting), and they
stand in no sequence of VR UN, where the same bytes are implicit VR.
"""


class Measured(NamedTuple):
    """A NUM: the digits as they came, the binary number beside them, the unit, why there is no value.

    ``more``: how many further values stand beside it, where a number has one (PS3.3 C.18.1).
    """

    digits: str
    unit: Coded | None
    floating: float | None = None
    qualifier: Coded | None = None
    more: int = 0


class Referenced(NamedTuple):
    """A SOP instance, with the frames or segments of it; a frame is 0 where what is said is no number of one.

    ``more``: how many further instances stand beside it, where an item refers to one (PS3.3 C.18.3, C.18.4).
    """

    sop_class: str
    sop_instance: str
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    more: int = 0


class Graphic(NamedTuple):
    """Graphic Type and the single precision numbers of Graphic Data."""

    graphic_type: str
    numbers: tuple[float, ...]
    frame_of_reference: str = ""


Value = str | Coded | Measured | Referenced | Graphic | None


class Node:
    """One content item; ``taken`` is set once the report holds it or the list of losses names it."""

    __slots__ = ("children", "kind", "name", "path", "relationship", "taken", "target", "value")

    path: str
    kind: str
    relationship: str
    name: Coded | None
    value: Value
    children: tuple["Node", ...]
    target: str
    taken: bool

    def walk(self) -> Iterator["Node"]:
        """This item and all below it, in document order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


class Tree:
    """The content tree of one data set, with the items by their paths."""

    __slots__ = (
        "_characters",
        "_codes",
        "_depth",
        "_encoded",
        "_is_for_all",
        "_left",
        "_own",
        "by_path",
        "is_cleaned",
        "nodes",
        "observed",
        "root",
    )

    def __init__(self, encoded: Encoded, elements: Elements, said: Characters, items: int) -> None:
        """Read the tree; raises Invalid (rule ``limit``) for more than ``items`` items or a deeper one than allowed."""
        self._encoded = encoded
        self._characters = said
        self._depth = encoded.depth
        self._left = items
        self.is_cleaned = False
        plain = not (encoded.big or encoded.implicit) and said.is_plain
        self._codes: dict[bytes, Coded] = _entries if plain else {}
        self._own: dict[bytes, Coded] = {}
        self._is_for_all = True
        """Whether the texts since it was set say the same, without a flag, in every document in UTF-8 or ASCII."""
        self.observed: dict[str, str] = {}
        """When items were observed, by their paths, where they say it (Observation DateTime, PS3.3 C.17.3)."""
        self.by_path: dict[str, Node] = {}
        self.root = self._node("1", elements, 1)
        self.nodes = tuple(self.by_path.values())
        """All items in document order."""

    def _node(self, path: str, elements: Elements, depth: int) -> Node:
        self._left -= 1
        if self._left < 0:
            raise Invalid(Problem(path, "limit", "there are more content items than this deployment takes"))
        if depth > self._depth:
            raise Invalid(Problem(path, "limit", f"content items are nested deeper than {self._depth}"))
        node = Node()
        node.path, node.taken, node.target = path, False, ""
        self.by_path[path] = node
        node.relationship = self._word(elements, _RELATION)
        node.kind = kind = self._word(elements, _VALUE_TYPE)
        place = elements.get(_NAME)
        node.name = self.coded(place) if place is not None else None
        if kind in _LINES:
            node.value = self._line(kind, elements)
        else:
            read = _READ.get(kind)
            node.value = read(self, elements) if read is not None else None
        if _TARGET in elements:
            node.target = ".".join(str(int(number)) for number in self._encoded.numbers(elements[_TARGET], "I"))
        if _OBSERVED in elements:
            self.observed[path] = self.line(elements, _OBSERVED)
        content = elements.get(_CONTENT)
        if content is None:
            node.children = ()
        else:
            encoded = self._encoded
            node.children = tuple(
                [
                    self._node(f"{path}.{number}", encoded.elements(item), depth + 1)
                    for number, item in enumerate(encoded.items(content), 1)
                ]
            )
        return node

    def _word(self, elements: Elements, tag: int) -> str:
        """A defined term: the few that PS3.3 has are known by their bytes."""
        place = elements.get(tag)
        if place is None:
            return ""
        known = _TERMS.get(self._encoded.data[place[0] : place[1]])
        return known if known is not None else self.line(elements, tag)

    def raw(self, elements: Elements, tag: int) -> bytes:
        """The bytes of a value, none where the element is not there."""
        place = elements.get(tag)
        return b"" if place is None else self._encoded.data[place[0] : place[1]]

    def line(self, elements: Elements, tag: int) -> str:
        """A value of ASCII characters without its padding."""
        return self.raw(elements, tag).decode("ascii", "replace").strip("\0 ")

    @property
    def met(self) -> Set[str]:
        """What was found wrong with the characters of the document so far."""
        return self._characters.met

    def text(self, elements: Elements, tag: int) -> str:
        """A value in the characters of the document."""
        raw = self.raw(elements, tag)
        if not raw.isascii():
            self._is_for_all = False
        return self._printable(self._characters.text(raw).strip("\0 "))

    def _printable(self, text: str) -> str:
        """A value of one line without the control characters that none may have (PS3.5 6.1.3)."""
        if text.isprintable():
            return text
        cleaned = _IN_A_LINE.sub("\N{REPLACEMENT CHARACTER}", without_refused(text))
        return self._told(text, cleaned)

    def _prose(self, text: str) -> str:
        """A value of several lines, likewise; a form feed, which only DICOM takes in texts, is a line's end."""
        return text if text.isprintable() else self._told(text, without_refused(text.replace("\f", "\n")))

    def _told(self, text: str, cleaned: str) -> str:
        if cleaned != text:
            self.is_cleaned = True
            self._is_for_all = False
        return cleaned

    def person(self, elements: Elements, tag: int) -> str:
        """A name of a person."""
        return self._printable(self._characters.name(self.raw(elements, tag)).strip("\0 "))

    def items(self, elements: Elements, tag: int) -> list[Elements]:
        """The items of a sequence, none where it is not there."""
        place = elements.get(tag)
        return [] if place is None else [self._encoded.elements(item) for item in self._encoded.items(place)]

    def coded(self, place: Place) -> Coded | None:
        """The first coded entry of a sequence; the same bytes are read once."""
        raw = self._encoded.data[place[0] : place[1]]
        is_plain = not self._encoded.is_within_unknown(place)
        known = (self._codes.get(raw) or self._own.get(raw)) if is_plain else None
        if known is None:
            items = self._encoded.items(place)
            if not items:
                return None
            self._is_for_all = _UNDEFINED not in raw
            known = self.entry(self._encoded.elements(items[0]))
            if len(items) > 1:
                known = known._replace(more=len(items) - 1)
            codes = self._codes if self._is_for_all else self._own
            if len(codes) >= _KEPT:
                codes.clear()
            if is_plain and len(raw) <= _LONGEST:
                codes[raw] = known
        return known

    def entry(self, elements: Elements) -> Coded:
        """A coded entry (PS3.3 8.8): Code Value, else Long Code Value, else URN Code Value.

        What its equivalents have for equivalents of their own is not looked at: they may be nested without end.
        """
        meaning, code = self._code_of(elements)
        others = [self._code_of(item)[1] for item in self.items(elements, _EQUIVALENTS)]
        return Coded(meaning, code, tuple(other for other in others if other is not None))

    def _code_of(self, elements: Elements) -> tuple[str, Code | None]:
        """The meaning, and the code where value and scheme are there."""
        meaning = self.text(elements, _MEANING)
        value = self.text(elements, _CODE_VALUE) or self.text(elements, _LONG_CODE)
        scheme = self.text(elements, _SCHEME)
        if not value:
            value = self.line(elements, _URN_CODE)
            scheme = scheme or ("URN" if value else "")
        code = Code(scheme, value, meaning) if value and scheme else None
        return meaning or value, code

    def sequence(self, elements: Elements, keyword: str) -> list[Coded]:
        """All coded entries of a sequence."""
        return [self.entry(item) for item in self.items(elements, TAG[keyword])]

    def _line(self, kind: str, elements: Elements) -> str | None:
        tag = _LINES[kind]
        if kind == "TEXT":
            return self._prose(self._characters.text(self.raw(elements, tag)).rstrip("\0 ")) or None
        return (self.person(elements, tag) if kind == "PNAME" else self.line(elements, tag)) or None

    def _code(self, elements: Elements) -> Coded | None:
        place = elements.get(TAG["ConceptCodeSequence"])
        return self.coded(place) if place is not None else None

    def _measured(self, elements: Elements) -> Measured | None:
        qualifier = elements.get(TAG["NumericValueQualifierCodeSequence"])
        said = self.coded(qualifier) if qualifier is not None else None
        items = self.items(elements, TAG["MeasuredValueSequence"])
        if not items:
            return Measured("", None, None, said) if said is not None else None
        unit = items[0].get(TAG["MeasurementUnitsCodeSequence"])
        floating = items[0].get(TAG["FloatingPointValue"])
        numbers = self._encoded.numbers(floating, "d") if floating is not None else ()
        return Measured(
            self.line(items[0], TAG["NumericValue"]),
            self.coded(unit) if unit is not None else None,
            numbers[0] if numbers else None,
            said,
            len(items) - 1,
        )

    def _referenced(self, elements: Elements) -> Referenced | None:
        items = self.items(elements, TAG["ReferencedSOPSequence"])
        if not items:
            return None
        first = items[0]
        frames = self.line(first, TAG["ReferencedFrameNumber"])
        segments = first.get(TAG["ReferencedSegmentNumber"])
        numbers = self._encoded.numbers(segments, "H") if segments is not None else ()
        return Referenced(
            self.line(first, TAG["ReferencedSOPClassUID"]),
            self.line(first, TAG["ReferencedSOPInstanceUID"]),
            tuple(map(_frame, frames.split("\\"))) if frames else (),
            tuple(int(number) for number in numbers),
            len(items) - 1,
        )

    def _graphic(self, elements: Elements) -> Graphic | None:
        data = elements.get(TAG["GraphicData"])
        return Graphic(
            self.line(elements, TAG["GraphicType"]),
            self._encoded.numbers(data, "f") if data is not None else (),
            self.line(elements, TAG["ReferencedFrameOfReferenceUID"]),
        )

    def _template(self, elements: Elements) -> str | None:
        items = self.items(elements, TAG["ContentTemplateSequence"])
        return self.line(items[0], TAG["TemplateIdentifier"]) or None if items else None

    def _temporal(self, elements: Elements) -> str | None:
        return self.line(elements, TAG["TemporalRangeType"]) or None


def _frame(said: str) -> int:
    return int(said) if _FRAME.fullmatch(said) is not None and int(said) < 2**31 else 0


_READ: Final = {
    "CONTAINER": Tree._template,
    "CODE": Tree._code,
    "NUM": Tree._measured,
    "IMAGE": Tree._referenced,
    "COMPOSITE": Tree._referenced,
    "WAVEFORM": Tree._referenced,
    "SCOORD": Tree._graphic,
    "SCOORD3D": Tree._graphic,
    "TCOORD": Tree._temporal,
}
"""What a value type's value is read by."""
