"""What is no part of a report: elements of FHIR's own machinery, each with the reason.

All else that is not read is listed as skipped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node

INFRASTRUCTURE: Final[Mapping[str, Mapping[str, str]]] = {
    "": {
        "id": "the name of a resource at the server that it came from, or of an element within its resource",
        "resourceType": "says how to read the rest",
    },
    "Bundle": {
        "type": "how the resources travel",
        "timestamp": "when the bundle was put together",
        "identifier": "of the bundle; the report has its own",
        "total": "a count of what follows",
        "link": "where at the server the bundle came from",
    },
    "Bundle.entry": {
        "fullUrl": "the name that references use",
        "request": "what a server is asked to do with the resource",
        "response": "what a server did with it",
        "search": "why a server found it",
        "link": "where at the server it is",
    },
    "Composition": {
        "type": "a Composition leads the document; the report says what it is",
        "category": "as that of the report",
        "title": "a heading; the report has its code",
        "status": "as that of the report",
        "identifier": "of the document; the report has its own",
        "date": "when the document was put together",
    },
    "DiagnosticReport": {"category": "a lesion report is one of imaging"},
    "ImagingStudy": {"status": "whether the images can be fetched"},
    "ServiceRequest": {
        "status": "of the order: the report is of what was done",
        "intent": "of the order: the report is of what was done",
    },
}
"""By type of resource (``""``: any), the elements that say nothing of a patient, a study or a lesion."""
GENERATED: Final = ("generated", "empty")
"""States of a narrative that holds no more than its resource (R4 narrative.html)."""
_ENTRY: Final = frozenset({*INFRASTRUCTURE["Bundle.entry"], "resource"})
_NOTHING: Final[Mapping[str, str]] = {}
_WHY: Final = "a lesion report has no place for it"
_LABELS: Final = ("security", "tag")


def list_unread(document: Document, report: Node) -> None:
    """List as skipped whatever was not read; a resource of which nothing was, in one line."""
    for resource in document.resources:
        if _is_our_document(resource, report, document):
            continue
        if not resource.is_read():
            why = "a lesion report has no place for this resource, or nothing refers to it"
            document.noted.skip(resource.path, resource.kind, why, "fhir-resource")
        elif not resource.is_whole:
            _list(resource)
    if document.root.kind == "Bundle":
        _list(document.root)
    for entry in document.entries:
        is_frame = entry.is_taken("resource") and entry.value.keys() <= _ENTRY
        if not (is_frame and all(resource.kind for resource in entry.nodes("resource"))):
            _list(entry)


def _list(node: Node) -> None:
    """List what is unread in a resource, an entry or an element; resources within are listed by themselves."""
    known = INFRASTRUCTURE.get(node.kind, _NOTHING) if node.kind else _NOTHING
    anywhere = INFRASTRUCTURE[""]
    for name in node.unread():
        if name in known or name in anywhere:
            continue
        if node.kind and name == "meta":
            _labels(node)
        elif not (node.kind and name == "text" and _is_generated(node.value[name])):
            plain = f"{name[1:]}.extension" if name.startswith("_") else name
            node.noted.skip(node.at(plain), name.removeprefix("_"), _WHY)
    for name, kids in node.asked():
        if name in known or name in anywhere:
            continue
        for kid in kids:
            if kid.kind or (kid.is_whole and name != "extension"):
                continue
            if kid.is_touched and not _is_unknown(name, kid):
                _list(kid)
            elif kid.value:
                kid.noted.skip(kid.path, name, _WHY)


def _is_unknown(name: str, kid: Node) -> bool:
    """Whether it is an extension that nobody asked for, though somebody looked at it."""
    return name == "extension" and not kid.is_taken("url")


def _is_generated(narrative: Any) -> bool:
    return isinstance(narrative, dict) and narrative.get("status") in GENERATED


def _labels(resource: Node) -> None:
    """Of ``meta`` only the labels say something: who may see it, and what somebody tagged it with."""
    meta = resource.value["meta"]
    for name in _LABELS:
        if isinstance(meta, dict) and name in meta:
            resource.noted.skip(resource.at(f"meta.{name}"), name, "a lesion report has no labels")


def _is_our_document(resource: Node, report: Node, document: Document) -> bool:
    """Whether it names the SR of this report, which is made anew from the report: its UID is derived from it."""
    if resource.kind != "DocumentReference" or '"application/dicom"' not in _text(resource, "content"):
        return False
    related = [one for context in resource.nodes("context") for one in context.nodes("related")]
    related += [one for event in resource.nodes("event") for one in event.nodes("reference")]  # R5
    return any(document.find(one.value, resource) is report for one in related)


def _text(resource: Node, name: str) -> str:
    return json.dumps(resource.value.get(name), default=str)
