"""Which report a DiagnosticReport is: its id, who sends it, its version, and the SR that it replaces."""

from __future__ import annotations

import json
from hashlib import sha256

from service.domain.report import Predecessor
from service.formats.fhir.identity import own_system
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_terms import layout
from service.formats.fhir.read_values import LO, bare_uid, line, one_line


def identity_of(document: Document, report: Node) -> tuple[str, str, int]:
    """Id, sender and version: our own by their systems, others' by the first identifier."""
    named: list[tuple[Node, str]] = []
    own = document.noted.intake.sender
    found: str | None = None
    version: int | None = None
    for identifier in report.nodes("identifier"):
        value = identifier.value.get("value")
        system = identifier.value.get("system")
        sender = _display(identifier.value.get("assigner"))
        if not isinstance(value, str):
            continue
        value = value.strip()
        if sender is not None and system == own_system("report", sender) and _fits(value) and _fits(sender):
            identifier.take("system", "value", "assigner")
            own, found = sender, value
        elif sender is not None and system == own_system("report-version", sender):
            number = value.rpartition("/")[2]
            version = int(number) if number.isdecimal() and len(number) < 10 else None
            identifier.take("system", "value", "assigner", "use")
        elif system == own_system("resource", own):
            identifier.take("system", "value")
        else:
            named.append((identifier, value))
    if found is None:
        found = _foreign_id(document, report, named)
    return found, own, version or _server_version(report)


def _foreign_id(document: Document, report: Node, named: list[tuple[Node, str]]) -> str:
    for identifier, _ in sorted(named, key=lambda one: bare_uid(one[1]) is not None):
        text = line(identifier, "value", LO)
        if text is not None:
            identifier.take("system", "use")
            return text
    name = report.value.get("id")
    if isinstance(name, str) and _fits(name.strip()):
        why = "the report has no identifier: its id at the server that it came from stands for it"
        document.noted.flag(report.path, "identifier", why, "fhir-report-id")
        return name.strip()
    said = json.dumps(document.root.value, sort_keys=True, default=str).encode()
    why = "the report has no identifier: it is named after its content, so another version is another report"
    document.noted.flag(report.path, "identifier", why, "fhir-report-id")
    return sha256(said).hexdigest()


def _server_version(report: Node) -> int:
    """The version that a server counted, where it did."""
    meta = report.value.get("meta")
    counted = meta.get("versionId") if isinstance(meta, dict) else None
    if isinstance(counted, str) and counted.isdecimal() and len(counted) < 10 and int(counted) > 0:
        return int(counted)
    return 1


def predecessor_of(document: Document) -> Predecessor | None:
    """The SR that the SR of this report replaces, by the DocumentReference of that one."""
    for other in document.of_kind("DocumentReference"):
        if other.value.get("status") == "superseded":  # what it replaced, another one says of itself
            continue
        for relation in other.nodes("relatesTo"):
            if not _replaces(relation):
                continue
            target = relation.node("target")
            identifier = target.node("identifier") if target is not None else None
            sop = bare_uid(identifier.string("value")) if identifier is not None else None
            if sop is None:
                continue
            said = _related(other)
            try:
                made = Predecessor(
                    sop, said["series-instance-uid"], said["sop-class-uid"], said.get("study-instance-uid")
                )
            except (KeyError, ValueError):
                why = "series and class of the SR that it replaces are not said, and an SR can't name it without"
                document.noted.skip(relation.path, "relatesTo", why, "fhir-predecessor")
                continue
            return made
    return None


def _replaces(relation: Node) -> bool:
    """Whether a document replaces the other one: a code in R4, a CodeableConcept in R5."""
    said = relation.value.get("code")
    codings = said.get("coding") if isinstance(said, dict) else [{"code": said}]
    return isinstance(codings, list) and any(isinstance(one, dict) and one.get("code") == "replaces" for one in codings)


def _fits(text: str) -> bool:
    """Whether a text can be the id of a report, or a sender."""
    return 0 < len(text) <= LO and one_line(text) == text and "\\" not in text


def _related(document: Node) -> dict[str, str]:
    """UIDs that a DocumentReference relates to, by the concept of their identifier's type."""
    found: dict[str, str] = {}
    related = [one for context in document.nodes("context") for one in context.nodes("related")]
    related += [one for event in document.nodes("event") for one in event.nodes("reference")]  # R5
    for reference in related:
        identifier = reference.node("identifier")
        name = layout(identifier.value.get("type")) if identifier is not None else None
        value = bare_uid(identifier.string("value")) if identifier is not None else None
        if name is not None and value is not None:
            found.setdefault(name, value)
    return found


def _display(reference: object) -> str | None:
    said = reference.get("display") if isinstance(reference, dict) else None
    return said if isinstance(said, str) and said else None
