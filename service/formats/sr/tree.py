"""A node of the content tree (PS3.3 C.17.3): frozen, valid and encoded once built, in nested tuples.

Its children are checked by the relationships that its value type may have (PS3.3 A.35.13-2, the widest IOD); narrower
IODs are held when a document is made. A wrong one raises ValueError.
Items are named tuples, not data classes: a report has hundreds of them, and these are made three times as fast. Each
holds its bytes, made from those of its children: one that stands in many documents is encoded once.
"""

from collections.abc import Callable, Iterator
from functools import cache
from operator import itemgetter
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

from service.domain.quick import interpreted
from service.formats.sr import vr
from service.formats.sr.attributes import ITEM, encode_dataset, head, item, long, short
from service.formats.sr.coded import CodedEntry
from service.formats.sr.relationships import Relationship, ValueType

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


def built(
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
