"""A node of the content tree (PS3.3 C.17.3): frozen, valid and encoded once built, in nested tuples.

Its children are checked by the relationships that its value type may have (PS3.3 A.35.13-2, the widest IOD); narrower
IODs are held when a document is made. A wrong one raises ValueError.
Each item holds its bytes, made from those of its children: one that stands in many documents is encoded once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from sys import intern
from typing import Any, ClassVar, Final, get_args

from service.domain.quick import open_twin
from service.formats.sr import vr
from service.formats.sr.attributes import ITEM, encode_dataset, head, item, long, short
from service.formats.sr.coded import CodedEntry
from service.formats.sr.relationships import WIDTHS, Relationship, ValueType, widths_below

_CONTENT: Final = head("ContentSequence")
SEPARATE: Final = short("ContinuityOfContent", vr.cs("SEPARATE"))


class Rules:
    """Of one value type: what may stand below it, by `ContentItem.link`, to the width that this needs, and its starts.

    ``starts`` are, by relationship, the first elements of its items, and their links by width.
    """

    __slots__ = ("below", "kind", "starts")

    def __init__(self, kind: ValueType) -> None:
        """The rules of PS3.3 A.35."""
        self.kind: ValueType = kind
        self.below: dict[str, int] = {
            _link(relationship, target, deep): max(width, deep)
            for (relationship, target), width in widths_below(kind).items()
            for deep in range(len(WIDTHS))
        }
        self.starts: dict[str, tuple[bytes, tuple[str, ...]]] = {
            relationship: (
                short("RelationshipType", vr.cs(relationship)) + short("ValueType", vr.cs(kind)),
                tuple([_link(relationship, kind, width) for width in range(len(WIDTHS))]),
            )
            for relationship in get_args(Relationship)
        }


def _link(relationship: str, kind: str, width: int) -> str:
    return intern(f"{relationship} {kind} {width}")


@dataclass(frozen=True, slots=True, eq=False, init=False)
class ContentItem:
    """One node: its value type, how it relates to its parent (None for the root), its name, value and children.

    ``width`` is the place in ``relationships.WIDTHS`` of the narrowest IOD that has every relationship below the node,
    ``link`` what its parent must allow: relationship, value type and width in one word; empty for the root.
    ``encoded`` is the whole item of a Content Sequence, explicit VR little endian; empty for the root, which is none.
    """

    value_type: ValueType
    relationship_type: Relationship | None
    concept_name: CodedEntry | None
    value: Any
    children: tuple["ContentItem", ...]
    width: int
    link: str
    encoded: bytes
    kind: ClassVar[ValueType]

    def __eq__(self, other: object) -> bool:
        """By what it says: codes are equal without their meanings, which the bytes hold."""
        return isinstance(other, ContentItem) and self._said() == other._said()

    def __ne__(self, other: object) -> bool:
        """Not equal."""
        return not self == other

    def __hash__(self) -> int:
        """By what it says."""
        return hash(self._said())

    def _said(self) -> tuple[object, ...]:
        return self.value_type, self.relationship_type, self.concept_name, self.value, self.children

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


_OPEN: Final = open_twin(ContentItem)
_put: Final[Callable[[object, str, object], None]] = object.__setattr__


def fill(
    made: ContentItem,
    kind: ValueType,
    relationship_type: Relationship | None,
    concept_name: CodedEntry | None,
    value: object,
    children: tuple[ContentItem, ...],
    width: int,
    link: str,
    encoded: bytes,
) -> None:
    """Give a new item its members, which nobody can change after that."""
    cls = type(made)
    if _OPEN is not None:
        _put(made, "__class__", _OPEN)
    made.value_type = kind  # type: ignore[misc] # read-only for all others
    made.relationship_type = relationship_type  # type: ignore[misc] # likewise
    made.concept_name = concept_name  # type: ignore[misc] # likewise
    made.value = value  # type: ignore[misc] # likewise
    made.children = children  # type: ignore[misc] # likewise
    made.width = width  # type: ignore[misc] # likewise
    made.link = link  # type: ignore[misc] # likewise
    made.encoded = encoded  # type: ignore[misc] # likewise
    if _OPEN is not None:
        _put(made, "__class__", cls)


def build(
    made: ContentItem,
    rules: Rules,
    relationship_type: Relationship | None,
    concept_name: CodedEntry | None,
    value: object,
    children: tuple[ContentItem, ...],
    said: bytes,
    first: bytes = b"",
    last: bytes = b"",
) -> None:
    """`fill` an item, once its children are found to be allowed below it.

    ``said`` are the elements of its value; ``first`` and ``last`` those with tags before and after all others.
    """
    width = 0
    if children:
        for link in {child.link for child in children}:  # a few, however many children
            needed = rules.below.get(link)
            if needed is None:
                raise ValueError(f"no {link.rpartition(' ')[0] or 'root'} below {rules.kind} (PS3.3 A.35)")
            if needed > width:
                width = needed
    link, encoded = "", b""
    if relationship_type is not None:
        start = rules.starts.get(relationship_type)
        if start is None:
            raise ValueError("no relationship of a content item")
        link = start[1][width]
        name = concept_name.as_name if concept_name is not None else b""
        size = len(first) + len(start[0]) + len(name) + len(said) + len(last)
        if children:
            content, content_size = _content(children)
            size += content_size
            encoded = b"".join([ITEM, size.to_bytes(4, "little"), first, start[0], name, said, *content, last])
        else:
            encoded = b"".join((ITEM, size.to_bytes(4, "little"), first, start[0], name, said, last))
    fill(made, rules.kind, relationship_type, concept_name, value, children, width, link, encoded)


def _content(children: tuple[ContentItem, ...]) -> tuple[list[bytes], int]:
    """The parts of a Content Sequence and their size: to be joined once, as the longest are most of a document."""
    parts, size = [_CONTENT, b""], 0
    for child in children:
        parts.append(child.encoded)
        size += len(child.encoded)
    parts[1] = size.to_bytes(4, "little")
    return parts, size + len(_CONTENT) + 4


def content_sequence(children: tuple[ContentItem, ...]) -> bytes:
    """Content Sequence of these items."""
    return b"".join(_content(children)[0])


@cache
def template_sequence(identifier: str) -> bytes:
    """Content Template Sequence, of DICOM's own templates (PS3.3 C.18.8)."""
    dataset = {"MappingResource": "DCMR", "TemplateIdentifier": identifier}
    return long("ContentTemplateSequence", item(encode_dataset(dataset)))
