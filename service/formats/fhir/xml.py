"""A bundle as XML, made of its JSON: the same elements in the order of their definitions (R4 and R5 xml.html).

Digits stand as they were written; the narrative stands in it as XHTML. The same JSON gives the same XML.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
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
_ATTRIBUTES: Final = ("id", "url")


def as_xml(emitted: Emitted, release: str) -> Emitted:
    """A bundle in JSON as one in XML; a character that XML can't hold becomes U+FFFD and is named as lost."""
    bundle = json.loads(emitted.content, parse_float=_Digits, parse_int=_Digits)
    if not isinstance(bundle, dict):
        raise NotAcceptable(Problem("", "encoding", "a list of requests is JSON; XML is for bundles", ("json",)))
    writing = _Writing(elements(release))
    content = _BEGIN + "".join(writing.resource(bundle, _NAMESPACE))
    _, _, version = emitted.media_type.partition(";")
    losses = emitted.losses
    if writing.replaced:
        why = "XML 1.0 can't hold control characters; they are replaced by U+FFFD"
        losses += (Loss(LossKind.LOST, "", f"{writing.replaced} characters", why, "fhir-xml-character"),)
    return Emitted(f"{_MEDIA_TYPE};{version}", content.encode(), losses)


class _Digits(str):
    """A number of JSON, as it was written."""

    __slots__ = ()


class _Writing:
    """Writes the types of one release; ``replaced`` counts the characters that XML can't hold."""

    def __init__(self, types: Mapping[str, Mapping[str, Element]]) -> None:
        self._types = types
        self.replaced = 0

    def resource(self, resource: Mapping[str, Any], more: str = "") -> Iterator[str]:
        """A resource under its own name; its ``id`` is an element, that of all other types an attribute."""
        kind = resource["resourceType"]
        yield f"<{kind}{more}>"
        yield from self._members(kind, resource, ("resourceType",))
        yield f"</{kind}>"

    def _members(self, kind: str, value: Mapping[str, Any], done: tuple[str, ...]) -> Iterator[str]:
        known = self._types[kind]
        named = {name.removeprefix("_") for name in value if name not in done}
        unknown = named - known.keys()
        if unknown:
            raise ValueError(f"{kind} has no {', '.join(sorted(unknown))}")
        for name, element in known.items():
            if name in named:
                yield from self._element(element, value.get(name), value.get(f"_{name}"))

    def _element(self, element: Element, value: Any, extended: Any) -> Iterator[str]:
        if not element.many:
            yield from self._one(element, value, extended)
            return
        values = value or [None] * len(extended)
        extensions = extended or [None] * len(values)
        for one, extension in zip(values, extensions, strict=True):
            yield from self._one(element, one, extension)

    def _one(self, element: Element, value: Any, extended: Any) -> Iterator[str]:
        name, kind = element.name, element.kind
        if kind == "xhtml":
            yield self._legal(value)
        elif kind == "Resource":
            yield f"<{name}>"
            yield from self.resource(value)
            yield f"</{name}>"
        elif element.is_primitive:
            attributes = self._attribute("value", value) if value is not None else ""
            yield from self._object("Element", name, extended or {}, attributes)
        else:
            yield from self._object(kind, name, value, "")

    def _object(self, kind: str, name: str, value: Mapping[str, Any], attributes: str) -> Iterator[str]:
        # Element.id is an attribute, and so is Extension.url (R4 xml.html).
        here = [one for one in _ATTRIBUTES if one in value and (one == "id" or kind == "Extension")]
        head = "".join(self._attribute(one, value[one]) for one in here)
        children = list(self._members(kind, value, tuple(here)))
        if children:
            yield f"<{name}{head}{attributes}>"
            yield from children
            yield f"</{name}>"
        else:
            yield f"<{name}{head}{attributes}/>"

    def _attribute(self, name: str, value: Any) -> str:
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        return f" {name}={quoteattr(self._legal(text), _KEPT)}"

    def _legal(self, text: str) -> str:
        legal, replaced = _ILLEGAL.subn("\ufffd", text)
        self.replaced += replaced
        return legal
