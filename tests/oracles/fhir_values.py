"""Rules of single FHIR values: primitives, identifiers, XHTML. Each returns what is wrong, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, time
from typing import Any
from xml.etree import ElementTree as ET

_ZONE = r"(Z|[+-]\d\d:\d\d)"
PATTERNS = {
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "code": r"[^\s]+(\s[^\s]+)*",
    "oid": r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+",
    "uuid": r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "date": r"\d{4}(-\d\d(-\d\d)?)?",
    "dateTime": rf"\d{{4}}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?{_ZONE})?)?)?",
    "instant": rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?{_ZONE}",
    "time": r"\d\d:\d\d:\d\d(\.\d+)?",
    "uri": r"\S*",
    "url": r"\S*",
    "canonical": r"\S*",
    "base64Binary": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "positiveInt": (int,),
    "unsignedInt": (int,),
    "decimal": (int, float),
}
SMALLEST = {"positiveInt": 1, "unsignedInt": 0}
DICOM_UID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
XHTML = "{http://www.w3.org/1999/xhtml}"
ACTIVE = frozenset(["script", "form", "object", "iframe", "input", "base", "link", "head", "body", "frame", "embed"])


def primitive(kind: str, value: object) -> str | None:
    """What is wrong with a primitive of the given FHIR type."""
    if kind in JSON_TYPES:
        if not isinstance(value, JSON_TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
            return f"{kind} expected, got {type(value).__name__}"
        smallest = SMALLEST.get(kind)
        return f"{kind} out of range" if smallest is not None and isinstance(value, int) and value < smallest else None
    if not isinstance(value, str):
        return f"{kind} expected, got {type(value).__name__}"
    if not value:
        return "empty string"
    if not re.fullmatch(PATTERNS.get(kind, r"(?s).*"), value):
        return f"{value[:40]!r} is no {kind}"
    return _moment(value) if kind in ("date", "dateTime", "instant") else None


def _moment(value: str) -> str | None:
    day, _, clock = value.partition("T")
    try:
        date(*[int(part) for part in [*day.split("-"), "1", "1"][:3]])
        if clock:
            # A leap second is legal in FHIR, not in Python.
            time.fromisoformat(clock[:8].replace(":60", ":59"))
    except ValueError:
        return f"{value} is no moment of the calendar"
    return None


def narrative(text: str) -> Iterator[str]:
    """What is wrong with an XHTML narrative."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        yield f"is no XML ({error})"
        return
    if root.tag != f"{XHTML}div":
        yield "its root is no div of the XHTML namespace"
    active = [node.tag for node in root.iter() if node.tag.split("}")[-1] in ACTIVE]
    active += [name for node in root.iter() for name in node.attrib if name.startswith("on")]
    if active:
        yield f"{active[:2]} is not allowed"


def identifiers(kind: str, value: dict[str, Any]) -> Iterator[str]:
    """What is wrong with codes and identifiers of systems whose form is known."""
    system = value.get("system", "")
    if system == "http://snomed.info/sct" and "code" in value and not re.fullmatch(r"[1-9]\d{5,17}", value["code"]):
        yield f".code: {value['code']!r} is no SNOMED CT identifier"
    if (
        system == "urn:ietf:rfc:3986"
        and kind == "Identifier"
        and not re.match(r"(urn|https?):", value.get("value", ""))
    ):
        yield ".value: is no URI"
    if system == "urn:dicom:uid" and not re.fullmatch(PATTERNS["oid"], value.get("value", "")):
        yield ".value: must be urn:oid: and the UID"


def dicom_uids(study: dict[str, Any]) -> Iterator[str]:
    """UIDs of an ImagingStudy that are none."""
    for number, series in enumerate(study.get("series") or []):
        uids = {f"series[{number}].uid": series.get("uid", "")}
        for place, instance in enumerate(series.get("instance") or []):
            uids[f"series[{number}].instance[{place}].uid"] = instance.get("uid", "")
        for name, uid in uids.items():
            if not DICOM_UID.fullmatch(uid) or len(uid) > 64:
                yield f".{name}: {uid!r} is no DICOM UID"
