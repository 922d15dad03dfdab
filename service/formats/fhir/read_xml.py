"""FHIR in XML as the values that the same document has in JSON (R4 and R5 xml.html).

What repeats by the definitions (`service.formats.fhir.elements`) is a list, what is not known there as it comes. A
document type is refused before anything is parsed, so there are no entities to expand and nothing outside to fetch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable
from service.domain.limits import Limits
from service.formats.fhir.elements import Element, elements
from service.formats.fhir.read_node import Lexical
from service.formats.jsontext import refused_character

_Element: TypeAlias = Any
"""An element of lxml, which is only imported when XML comes."""
_FHIR: Final = "http://hl7.org/fhir"
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_UTF8: Final = (b"utf-8", b"utf8", b"us-ascii", b"ascii")
_ATTRIBUTES: Final = ("id", "url")
_SAID: Final = (*_ATTRIBUTES, "value")
_SCHEMA: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
"""Attributes that say where a schema is: nothing of the document."""
_TYPE: Final = "resourceType"


def parse_xml(body: bytes, limits: Limits, release: str) -> object:
    """The value of a document in XML, as `service.formats.jsontext.parse` gives that of JSON.

    Numbers and truth values stay text (`Lexical`): their digits are as written. Raises TooLarge, Unreadable, Invalid.
    """
    if len(body) > limits.body_bytes:
        raise TooLarge(Problem("", "limit", f"Send at most {limits.body_bytes} bytes; split the report."))
    declared = _DECLARED.match(body.lstrip())
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or (declared is not None and declared[1].lower() not in _UTF8):
        raise Unreadable(Problem("", "utf-8", "FHIR in XML is UTF-8 (xml.html)."))
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Invalid(Problem("", "fhir-doctype", "Send XML without a document type: FHIR has none."))
    if body.count(b"<") - body.count(b"</") > limits.elements:  # each begins with one, whatever it ends with
        raise Invalid(Problem("", "limit", f"Send at most {limits.elements} elements (limits.elements), or send JSON."))
    root = _tree(body)
    return _Reading(elements(release), limits).resource(root, root.tag, 0)


def _tree(body: bytes) -> _Element:
    from lxml import etree  # only who sends XML needs it

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        why = f"Send well-formed XML; at line {line}, column {column} it is not."
        raise Unreadable(Problem("", "fhir-xml", why)) from None


class _Reading:
    """One document; ``types`` are the definitions of its release."""

    def __init__(self, types: Mapping[str, Mapping[str, Element]], limits: Limits) -> None:
        self._types = types
        # An element of JSON is a member and its value; a resource within one has an element of its own name, too.
        self._depth = 2 * limits.depth

    def resource(self, node: _Element, where: str, depth: int) -> dict[str, Any]:
        """A resource: its type is the name of its element."""
        name = self._local(node, where)
        self._held(node, name if depth == 0 else where)
        return {_TYPE: name} | self._members(node, name, name if depth == 0 else where, depth)

    def _local(self, node: _Element, where: str) -> str:
        namespace, _, name = node.tag.removeprefix("{").rpartition("}")
        if namespace != _FHIR:
            raise Invalid(Problem(where, "fhir-xml", f"An element of FHIR is in the namespace {_FHIR}."))
        return str(name)

    def _members(self, node: _Element, kind: str, where: str, depth: int) -> dict[str, Any]:
        if depth > self._depth:
            raise Invalid(Problem(where, "limit", f"Nest at most {self._depth} elements in each other."))
        known = self._types.get(kind, {})
        here = {one: node.get(one) for one in _ATTRIBUTES}
        made: dict[str, Any] = {one: self._text(text, where) for one, text in here.items() if text is not None}
        values: dict[str, list[Any]] = {}
        beside: dict[str, list[Any]] = {}
        for child in node:
            if child.tag == f"{{{_XHTML}}}div":
                if "div" in made:
                    raise Invalid(Problem(where, "fhir-xml", "Give one div here."))
                made["div"] = self._xhtml(child, f"{where}.div")
                continue
            name = self._local(child, where)
            place = f"{where}.{name}"
            if name == _TYPE or name.startswith("_"):
                raise Invalid(Problem(place, "fhir-xml", "This name is a member of JSON, and no element."))
            element = known.get(name)
            value, extended = self._value(child, element, place, depth + 1)
            values.setdefault(name, []).append(value)
            beside.setdefault(name, []).append(extended)
        for name, found in values.items():
            many = len(found) > 1 or (name in known and known[name].many)
            if any(one is not None for one in found):
                made[name] = found if many else found[0]
            if any(one is not None for one in beside[name]):
                made[f"_{name}"] = beside[name] if many else beside[name][0]
        return made

    def _held(self, node: _Element, where: str) -> None:
        """That an element says nothing where no reader looks: text, or an attribute of another name (xml.html)."""
        if (node.text or "").strip() or any((child.tail or "").strip() for child in node):
            raise Invalid(Problem(where, "fhir-xml", "Say a value in the attribute value, not as text."))
        if any(name not in _SAID and not name.startswith(_SCHEMA) for name in node.attrib):
            raise Invalid(Problem(where, "fhir-xml", f"An element has no attributes but {', '.join(_SAID)}."))

    def _value(self, node: _Element, element: Element | None, where: str, depth: int) -> tuple[Any, Any]:
        """The value of an element, and what stands beside that of a primitive one (its id and extensions)."""
        self._held(node, where)
        kind = element.kind if element is not None else ""
        inner = list(node)
        if kind == "Resource" or (not kind and len(inner) == 1 and self._is_resource(inner[0])):
            if len(inner) != 1:
                raise Invalid(Problem(where, "fhir-xml", "Give one resource here."))
            return self.resource(inner[0], where, depth + 1), None
        text = node.get("value")
        if text is None and not (element is not None and element.is_primitive):
            return self._members(node, kind, where, depth), None
        extended = self._members(node, "Element", where, depth) if inner or node.get("id") is not None else None
        return (Lexical(self._text(text, where)) if text is not None else None), extended

    def _is_resource(self, node: _Element) -> bool:
        namespace, _, name = str(node.tag).rpartition("}")
        return namespace == f"{{{_FHIR}" and name[:1].isupper()

    def _xhtml(self, node: _Element, where: str) -> str:
        from lxml import etree

        return self._text(str(etree.tostring(node, encoding="unicode", with_tail=False)), where)

    def _text(self, text: str, where: str) -> str:
        if not text.isprintable() and (found := refused_character(text)) is not None:
            raise Invalid(Problem(where, "character", f"Remove the character U+{ord(found):04X}."))
        return text
