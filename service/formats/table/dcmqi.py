"""The JSON of dcmqi's tid1500writer and tid1500reader as a findings document.

It knows neither patient nor study: they stand in the DICOM files that it names. So they are given beside it: as
constants of a mapping file, or in a member ``findings`` with ``report``, ``patient`` and ``study`` of findings JSON.
Places are JSON pointers into the file, as fragments (RFC 6901 6): ``#/Measurements/0``.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from service.domain.errors import Invalid, Problem
from service.domain.received import Intake
from service.formats.jsontext import parse
from service.formats.table.drafts import Draft, code
from service.formats.table.mapping import mapping

RULE: Final = "dcmqi"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_TOLD: Final = {
    "@schema", "Measurements", "observerContext", "procedureReported", "CompletionFlag", "VerificationFlag", "findings",
    "SeriesNumber", "InstanceNumber", "timePoint",
}  # fmt: skip
"""Top members that are read, or that number the file."""
_GROUP: Final = {
    "TrackingIdentifier", "TrackingUniqueIdentifier", "Finding", "FindingSite", "Laterality", "timePoint",
    "measurementItems", "qualitativeEvaluations", "measurementAlgorithmIdentification",
}  # fmt: skip
_ITEM: Final = {"value", "quantity", "units", "derivationModifier", "measurementMethod"}


def draft(content: bytes, intake: Intake) -> Draft:
    """The findings document of a file; raises Unreadable, TooLarge, Invalid."""
    said = parse(content, intake.limits)
    if not isinstance(said, dict) or not ({"Measurements", "observerContext", "imageLibrary"} & set(said)):
        raise Invalid(Problem("", RULE, "no measurement report of dcmqi: it has no Measurements"))
    made = Draft()
    for pointer, value in mapping(intake.mapping).constants.items():
        made.put(pointer, value, "mapping")
    beside = said.get("findings")
    if isinstance(beside, dict):
        for part in ("report", "patient", "study"):
            for name, value in beside.get(part, {}).items() if isinstance(beside.get(part), dict) else ():
                made.put(f"/{part}/{name}", value, f"#/findings/{part}/{name}")
        _unread(made, beside, "#/findings", {"report", "patient", "study"})
    elif beside is not None:
        made.skip("#/findings", "findings", "no object", RULE)
    _report(made, said)
    groups = said.get("Measurements") or []
    if not isinstance(groups, list):
        raise Invalid(Problem("/Measurements", RULE, "a list of measurement groups"))
    made.document["lesions"] = []
    seen: dict[str, int] = {}
    for turn, group in enumerate(groups):
        if isinstance(group, dict):
            _group(made, {"timePoint": said.get("timePoint"), **group}, f"#/Measurements/{turn}", seen)
        else:
            made.skip(f"#/Measurements/{turn}", "group", "no object", RULE)
    _unread(made, said, "#", _TOLD)
    return made


def _report(made: Draft, said: Mapping[str, Any]) -> None:
    if not made.has("/report/status"):
        status = "final" if said.get("CompletionFlag") == "COMPLETE" else "preliminary"
        made.put("/report/status", status, "#/CompletionFlag")
    procedure = code(said["procedureReported"]) if isinstance(said.get("procedureReported"), dict) else None
    if procedure is not None and not made.has("/study/procedure"):
        made.put("/study/procedure", procedure, "#/procedureReported")
    if not made.has("/study/procedure"):
        made.assume("#/procedureReported", "procedure", "none is named: an imaging procedure", "dcmqi-procedure")
        made.put("/study/procedure", "imaging-procedure")
    observer = said.get("observerContext")
    if not isinstance(observer, dict):
        return
    if observer.get("ObserverType") == "PERSON" and isinstance(observer.get("PersonObserverName"), str):
        made.put("/observer/person/name", observer["PersonObserverName"], "#/observerContext/PersonObserverName")
    names = {"DeviceObserverName": "name", "DeviceObserverUID": "uid", "DeviceObserverManufacturer": "manufacturer",
             "DeviceObserverModelName": "model"}  # fmt: skip
    if isinstance(observer.get("DeviceObserverName"), str):
        for theirs, ours in names.items():
            if isinstance(observer.get(theirs), str) and observer[theirs]:
                made.put(f"/observer/device/{ours}", observer[theirs], f"#/observerContext/{theirs}")
    elif observer.get("ObserverType") == "DEVICE":
        made.skip("#/observerContext", "device", "it has no name", RULE)
    _unread(made, observer, "#/observerContext", {"ObserverType", "PersonObserverName", *names})


def _group(made: Draft, group: Mapping[str, Any], place: str, seen: dict[str, int]) -> None:
    at = made.begin("/lesions", place)
    said = group.get("TrackingIdentifier")
    if not (isinstance(said, str) and said):
        why = "none: numbered, and the same lesion in no other report"
        made.assume(f"{place}/TrackingIdentifier", "tracking identifier", why, "dcmqi-tracking")
        said = f"group {place.rpartition('/')[2]} of {made.document['report'].get('id', '')}"
    seen[said] = seen.get(said, 0) + 1
    if seen[said] > 1:
        why = "two groups have one tracking identifier: the second gets a number"
        made.assume(f"{place}/TrackingIdentifier", "tracking identifier", why, "dcmqi-tracking")
        said = f"{said} {seen[said]}"
    made.put(f"{at}/id", said, f"{place}/TrackingIdentifier")
    if isinstance(group.get("TrackingUniqueIdentifier"), str):
        made.put(f"{at}/trackingUid", group["TrackingUniqueIdentifier"], f"{place}/TrackingUniqueIdentifier")
    for theirs, ours in (("Finding", "finding"), ("FindingSite", "site"), ("Laterality", "laterality")):
        term = code(group[theirs]) if isinstance(group.get(theirs), dict) else None
        if term is not None:
            made.put(f"{at}/{ours}", term, f"{place}/{theirs}")
        elif theirs in group:
            made.skip(f"{place}/{theirs}", theirs, "no code", RULE)
    if not made.has(f"{at}/finding"):
        made.assume(place, "finding", "a group without a finding is called a lesion", "dcmqi-finding")
        made.put(f"{at}/finding", "lesion", place)
    point = group.get("timePoint")
    if isinstance(point, str | int | Decimal) and not isinstance(point, bool) and str(point).strip():
        made.put(f"{at}/timePoint/label", str(point), f"{place}/timePoint")
    elif point not in (None, ""):
        made.skip(f"{place}/timePoint", "time point", "no text", RULE)
    _algorithm(made, group.get("measurementAlgorithmIdentification"), f"{place}/measurementAlgorithmIdentification")
    for name, read in (("measurementItems", _item), ("qualitativeEvaluations", _evaluation)):
        items = group.get(name) or ()
        if not isinstance(items, list | tuple):
            made.skip(f"{place}/{name}", name, "no list", RULE)
            continue
        for turn, item in enumerate(items):
            read(made, at, item, f"{place}/{name}/{turn}")
    _unread(made, group, place, _GROUP)


def _algorithm(made: Draft, said: Any, place: str) -> None:
    """The algorithm of a group is that of the device, where one device observed and names none itself."""
    if not isinstance(said, dict):
        return
    is_named = made.has("/observer/device/algorithm") or made.has("/observer/device/version")
    is_told = made.has("/observer/device/name") and not is_named
    for theirs, ours in (("AlgorithmName", "algorithm"), ("AlgorithmVersion", "version")):
        pointer = f"/observer/device/{ours}"
        held = made.document.get("observer", {}).get("device", {}).get(ours)
        if isinstance(said.get(theirs), str) and is_told:
            made.put(pointer, said[theirs], f"{place}/{theirs}")
        elif theirs in said and held != said[theirs]:
            made.skip(f"{place}/{theirs}", theirs, "another algorithm than that of the observing device", RULE)
    _unread(made, said, place, {"AlgorithmName", "AlgorithmVersion"})


def _item(made: Draft, lesion: str, item: Any, place: str) -> None:
    quantity = code(item["quantity"]) if isinstance(item, dict) and isinstance(item.get("quantity"), dict) else None
    units = code(item["units"]) if isinstance(item, dict) and isinstance(item.get("units"), dict) else None
    value = str(item.get("value", "")) if isinstance(item, dict) else ""
    if quantity is None or units is None or _NUMBER.fullmatch(value) is None:
        made.skip(place, "measurement", "it has no quantity, no unit, or no number", RULE)
        return
    derived, method = item.get("derivationModifier"), item.get("measurementMethod")
    if derived and (not isinstance(derived, dict) or code(derived) is None):
        made.skip(place, "measurement", "its derivation has no code, so it may be a mean or a maximum", RULE)
        return
    if method and (not isinstance(method, dict) or code(method) is None):
        made.skip(f"{place}/measurementMethod", "method", "no code", RULE)
    at = made.begin(f"{lesion}/measurements", place)
    made.put(f"{at}/concept", quantity, f"{place}/quantity")
    made.put(f"{at}/value", Decimal(value), f"{place}/value")
    made.put(f"{at}/unit", units, f"{place}/units")
    for theirs, ours in (("derivationModifier", "derivation"), ("measurementMethod", "method")):
        term = code(item[theirs]) if isinstance(item.get(theirs), dict) else None
        if term is not None:
            made.put(f"{at}/{ours}", term, f"{place}/{theirs}")
    _unread(made, item, place, _ITEM)


def _evaluation(made: Draft, lesion: str, item: Any, place: str) -> None:
    name = code(item["conceptCode"]) if isinstance(item, dict) and isinstance(item.get("conceptCode"), dict) else None
    said = item.get("conceptValue") if isinstance(item, dict) else None
    value = code(said) if isinstance(said, dict) else said if isinstance(said, str) and said.strip() else None
    if name is None or value is None:
        made.skip(place, "qualitative evaluation", "it has no name, or no answer", RULE)
        return
    at = made.begin(f"{lesion}/descriptors", place)
    made.put(f"{at}/field", name, f"{place}/conceptCode")
    made.put(f"{at}/value", value, f"{place}/conceptValue")


def _unread(made: Draft, said: Mapping[str, Any], place: str, read: set[str]) -> None:
    """What stands in the file and has no place in a report."""
    for name, value in said.items():
        if name not in read and value not in (None, "", [], {}):
            made.skip(f"{place}/{name}", name, "a lesion report has no place for it, or it names a file only", RULE)
