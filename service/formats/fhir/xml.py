"""A bundle as XML, made of its JSON: the same elements in the order of their definitions (R4 and R5 xml.html).

Digits stand as they were written; the narrative stands in it as XHTML. The same JSON gives the same XML.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import quoteattr

from service.domain.emitted import Emitted
from service.domain.errors import NotAcceptable, Problem
from service.domain.loss import Loss, LossKind
from service.formats.fhir.elements import Element, elements

_MEDIA_TYPE: Final = "application/fhir+xml"
_BEGIN: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE: Final = ' xmlns="http://hl7.org/fhir"'
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 can't hold (section 2.2)."""
_KEPT: Final = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
"""White space that a reader of XML would make a blank of in an attribute (XML 1.0, 3.3.3)."""
_QUOTED = re.compile('[\x00-\x1f&<>"\ud800-\udfff\ufffe\uffff]')
"""What an attribute can't hold as it is: nearly all of them have none of it."""
_OF_ALL: Final = ("id",)
_OF_EXTENSION: Final = ("id", "url")
"""The elements that are attributes."""


def as_xml(emitted: Emitted, release: str) -> Emitted:
    """A bundle in JSON as one in XML; a character that XML can't hold becomes U+FFFD and is named as lost."""
    bundle = json.loads(emitted.content, parse_float=_Digits, parse_int=_Digits)
    if not isinstance(bundle, dict):
        raise NotAcceptable(Problem("", "encoding", "a list of requests is JSON; XML is for bundles", ("json",)))
    writing = _Writing(release)
    writing.resource(bundle, _NAMESPACE)
    content = _BEGIN + "".join(writing.written)
    _, _, version = emitted.media_type.partition(";")
    losses = emitted.losses
    if writing.replaced:
        why = "XML 1.0 can't hold control characters; they are replaced by U+FFFD"
        losses += (Loss(LossKind.LOST, "", f"{writing.replaced} characters", why, "fhir-xml-character"),)
    return Emitted(f"{_MEDIA_TYPE};{version}", content.encode(), losses)


class _Digits(str):
    """A number of JSON, as it was written."""

    __slots__ = ()


class _Placed(NamedTuple):
    """An element with its place in its type, by which it sorts."""

    place: int
    element: Element
    is_primitive: bool


@cache
def _placed(release: str) -> Mapping[str, Mapping[str, _Placed]]:
    """The elements of each type of a release by name."""
    return {
        kind: {name: _Placed(place, one, one.is_primitive) for place, (name, one) in enumerate(known.items())}
        for kind, known in elements(release).items()
    }


class _Writing:
    """Writes the types of one release; ``replaced`` counts the characters that XML can't hold.

    What is written is added to one list. A generator in a generator hands each piece on through all of them: that was
    half the time of a bundle.
    """

    def __init__(self, release: str) -> None:
        self._types = _placed(release)
        self.written: list[str] = []
        self.replaced = 0

    def resource(self, resource: Mapping[str, Any], more: str = "") -> None:
        """A resource under its own name; its ``id`` is an element, that of all other types an attribute."""
        kind = resource["resourceType"]
        self.written.append(f"<{kind}{more}>")
        self._members(kind, resource, ("resourceType",))
        self.written.append(f"</{kind}>")

    def _members(self, kind: str, value: Mapping[str, Any], done: Sequence[str]) -> None:
        known = self._types[kind]
        named, unknown = [], set()
        for name in value:
            if name in done:
                continue
            bare = name.removeprefix("_")
            placed = known.get(bare)
            if placed is None:
                unknown.add(bare)
            elif bare is name or bare not in value:
                named.append(placed)
        if unknown:
            raise ValueError(f"{kind} has no {', '.join(sorted(unknown))}")
        named.sort()
        for _, element, is_primitive in named:
            name = element.name
            extended = value.get(f"_{name}") if is_primitive else None
            if element.many:
                values = value.get(name) or [None] * len(extended or ())
                for one, extension in zip(values, extended or [None] * len(values), strict=True):
                    self._one(element, is_primitive, one, extension)
            else:
                self._one(element, is_primitive, value.get(name), extended)

    def _one(self, element: Element, is_primitive: bool, value: Any, extended: Any) -> None:
        name, kind = element.name, element.kind
        if is_primitive and kind != "xhtml":
            attribute = self._attribute("value", value) if value is not None else ""
            if extended:
                self._object("Element", name, extended, attribute)
            else:
                self.written.append(f"<{name}{attribute}/>")
        elif kind == "xhtml":
            self.written.append(self._legal(value))
        elif kind == "Resource":
            self.written.append(f"<{name}>")
            self.resource(value)
            self.written.append(f"</{name}>")
        else:
            self._object(kind, name, value, "")

    def _object(self, kind: str, name: str, value: Mapping[str, Any], attributes: str) -> None:
        # Element.id is an attribute, and so is Extension.url (R4 xml.html).
        here = [one for one in (_OF_EXTENSION if kind == "Extension" else _OF_ALL) if one in value]
        head = "".join([self._attribute(one, value[one]) for one in here])
        at = len(self.written)
        self.written.append(f"<{name}{head}{attributes}>")
        self._members(kind, value, here)
        if len(self.written) == at + 1:
            self.written[at] = f"<{name}{head}{attributes}/>"
        else:
            self.written.append(f"</{name}>")

    def _attribute(self, name: str, value: Any) -> str:
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        if _QUOTED.search(text) is None:
            return f' {name}="{text}"'
        return f" {name}={quoteattr(self._legal(text), _KEPT)}"

    def _legal(self, text: str) -> str:
        legal, replaced = _ILLEGAL.subn("\ufffd", text)
        self.replaced += replaced
        return legal
