"""The entries of a stored bundle, JSON or XML, or a list of requests: what each asks, and what it says as facts.

A fact is a path without list positions and a text, so that both forms and both releases are compared in one way. Left
out is what a server makes its own: id, meta and narrative. Times are compared as instants, quantities as numbers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson

Facts = Counter[tuple[str, str]]

_SERVERS_OWN: Final = frozenset({"id", "meta", "text"})
_NUMBER: Final = re.compile(r"(?:Quantity|low|high|numerator|denominator)\.value$|Decimal$")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")
_MAX_DEPTH: Final = 64
_NAMESPACE: Final = "{http://hl7.org/fhir}"


class NotFhir(ValueError):
    """Bytes that are no bundle, or a resource that is no resource."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a bundle and its request; ``resource`` is a dict, or an XML element."""

    full_url: str
    kind: str
    method: str
    url: str
    condition: str
    resource: Any

    @property
    def query(self) -> str:
        """The URL by which the resource is found again, relative to the base: a search, or a read by id."""
        if self.method == "POST":
            return f"{self.kind}?{self.condition}" if self.condition else ""
        return self.url

    @property
    def is_ours(self) -> bool:
        """Whether its content is this report's alone, so that it can be compared: it is updated by our identifier.

        A report that is created once, with each version, is its own, too.
        """
        return (self.method == "PUT" and "?" in self.url) or self.kind == "DiagnosticReport"

    @property
    def is_transaction(self) -> bool:
        """Whether it is one of several transactions: a Bundle for the base of the server."""
        return self.kind == "Bundle" and not self.url

    @property
    def targets(self) -> frozenset[str]:
        """The full URLs of the entries that it refers to."""
        return frozenset(text for _, text in references(self.resource))

    @property
    def identifiers(self) -> list[tuple[str, str]]:
        """System and value of each identifier that has both."""
        return [(system, value) for system, value in self._named if system and value]

    @property
    def key(self) -> tuple[str, str] | None:
        """The first identifier, by which it is found again; None where that has no system.

        Another one beside it is no key: by a patient's other id we would write over the record of the EHR.
        """
        system, value = next(iter(self._named), ("", ""))
        return (system, value) if system and value else None

    @property
    def _named(self) -> list[tuple[str, str]]:
        if isinstance(self.resource, dict):
            listed = self.resource.get("identifier") or []
            pairs = [(one.get("system"), one.get("value")) for one in listed if isinstance(one, dict)]
        else:
            listed = self.resource.findall(f"{_NAMESPACE}identifier")
            pairs = [(_said(one, "system"), _said(one, "value")) for one in listed]
        return [(str(system or ""), str(value or "")) for system, value in pairs]

    def body(self, resolved: Mapping[str, str], identity: str = "") -> bytes:
        """The resource as it is sent alone, its references to other entries replaced; ``identity`` is its id there."""
        if isinstance(self.resource, dict):
            made = _replaced(self.resource, resolved)
            made.pop("id", None)
            return orjson.dumps({"resourceType": self.kind, **({"id": identity} if identity else {}), **made})
        from lxml import etree

        made = deepcopy(self.resource)
        for reference in made.iter(f"{_NAMESPACE}reference"):
            reference.set("value", resolved.get(reference.get("value", ""), reference.get("value", "")))
        for old in made.findall(f"{_NAMESPACE}id"):
            made.remove(old)
        if identity:
            made.insert(0, made.makeelement(f"{_NAMESPACE}id", {"value": identity}))
        content: bytes = etree.tostring(made)
        return content


def entries(content: bytes, media_type: str) -> list[Entry]:
    """The entries of a bundle, or the requests of a list, in their order; raises NotFhir."""
    found = _from_xml(content) if "xml" in media_type else _from_json(content)
    if not found:
        raise NotFhir("the content has no requests")
    return found


def identifiers(content: bytes, media_type: str, kind: str) -> tuple[tuple[str, str], ...]:
    """System and value of each identifier of the resources of one kind, in their order; raises NotFhir as `entries`."""
    # Nothing of this is sent on: a number need not keep its digits, and a quicker reader does.
    found = _from_xml(content) if "xml" in media_type else _from_json(content, orjson.loads)
    return tuple(pair for entry in apart(found) if entry.kind == kind for pair in entry.identifiers)


def apart(listed: Iterable[Entry]) -> list[Entry]:
    """The same with the entries of each transaction in its place."""
    found = []
    for one in listed:
        inner = one.resource["entry"] if one.is_transaction else ()
        found += [_entry(entry, entry["request"]) for entry in inner] or [one]
    return found


def facts(resource: Any) -> Facts:
    """What a resource says; raises NotFhir for one that is nested too deep."""
    found = _json_facts(resource, "", 0) if isinstance(resource, dict) else _xml_facts(resource, "", 0)
    return Counter((path, _normal(path, text)) for path, text in found if path.partition(".")[0] not in _SERVERS_OWN)


def references(resource: Any) -> Iterator[tuple[str, str]]:
    """Path and text of each reference of a resource."""
    found = _json_facts(resource, "", 0) if isinstance(resource, dict) else _xml_facts(resource, "", 0)
    return ((path, text) for path, text in found if path.endswith(".reference"))


def lacking(sent: Facts, held: Facts) -> list[str]:
    """Paths of facts that were sent and are not held; references are not among them."""
    return sorted({path for path, _ in sent - held if not path.endswith(".reference")})


def form(query: str) -> bytes:
    """A query of the bundle as a form; it stands there as FHIR writes it, not encoded for a URL."""
    return urlencode(parse_qsl(query, keep_blank_values=True)).encode()


def _with_digits(content: bytes) -> Any:
    """JSON whose numbers keep their digits: 12.50 is sent as 12.50, alone too."""
    return json.loads(content, parse_float=_digits)


def _from_json(content: bytes, told_by: Callable[[bytes], Any] = _with_digits) -> list[Entry]:
    try:
        told = told_by(content)
        if isinstance(told, list):  # requests to be sent one by one
            return [_entry(one, one) for one in told]
        return [_entry(one, one["request"]) for one in told["entry"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotFhir("the content is no bundle with requests") from error


def _entry(entry: Mapping[str, Any], request: Mapping[str, Any]) -> Entry:
    resource = entry["resource"]
    method, url, condition = str(request["method"]), str(request["url"]), str(request.get("ifNoneExist", ""))
    return Entry(str(entry.get("fullUrl", "")), str(resource["resourceType"]), method, url, condition, resource)


def _from_xml(content: bytes) -> list[Entry]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        bundle = etree.fromstring(content, parser)
        return [_xml_entry(entry) for entry in bundle.findall(f"{_NAMESPACE}entry")]
    except (etree.XMLSyntaxError, AttributeError, IndexError) as error:
        raise NotFhir("the content is no bundle with requests") from error


def _xml_entry(entry: Any) -> Entry:
    resource = entry.find(f"{_NAMESPACE}resource")[0]
    kind = str(resource.tag).removeprefix(_NAMESPACE)
    method, url, condition = (_said(entry, f"request/{name}") for name in ("method", "url", "ifNoneExist"))
    return Entry(_said(entry, "fullUrl"), kind, method, url, condition, resource)


def _digits(text: str) -> Any:
    return orjson.Fragment(text)


def _replaced(node: Any, resolved: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {name: _reference(name, value, resolved) for name, value in node.items()}
    return [_replaced(item, resolved) for item in node] if isinstance(node, list) else node


def _reference(name: str, value: Any, resolved: Mapping[str, str]) -> Any:
    if name == "reference" and isinstance(value, str):
        return resolved.get(value, value)
    return _replaced(value, resolved)


def _json_facts(node: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _MAX_DEPTH:
        raise NotFhir("a resource is nested too deep")
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "resourceType" and not path:
                continue
            # What stands beside a primitive, as _birthDate, belongs to it.
            here = name.removeprefix("_")
            yield from _json_facts(value, f"{path}.{here}" if path else here, depth + 1)
    elif isinstance(node, list):
        for item in node:
            yield from _json_facts(item, path, depth + 1)
    elif node is not None:
        yield path, orjson.dumps(node).decode() if not isinstance(node, str) else node


def _xml_facts(node: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _MAX_DEPTH:
        raise NotFhir("a resource is nested too deep")
    for name in ("value", "url"):
        if name in node.attrib and path:
            yield (path if name == "value" else f"{path}.url"), node.get(name)
    for child in _elements(node):
        name = str(child.tag).removeprefix(_NAMESPACE)
        if not name.startswith("{"):  # XHTML
            yield from _xml_facts(child, f"{path}.{name}" if path else name, depth + 1)


def _said(node: Any, path: str) -> str:
    """The value of an element below another; empty where it is not there."""
    found = node.find("/".join(f"{_NAMESPACE}{step}" for step in path.split("/")))
    return "" if found is None else str(found.get("value", ""))


def _elements(node: Any) -> Iterable[Any]:
    return (child for child in node if isinstance(child.tag, str))


def _normal(path: str, text: str) -> str:
    """A text as it is compared: an instant in UTC, a quantity without trailing zeros."""
    if _NUMBER.search(path):
        try:
            return str(Decimal(text).normalize())
        except InvalidOperation:
            return text
    if _INSTANT.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            return text
    return text
