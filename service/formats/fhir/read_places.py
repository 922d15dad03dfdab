"""Of which lesion an Observation speaks, as far as it says so itself: its focus, its kind, its side."""

from __future__ import annotations

import json
from typing import Final

from service.formats.fhir.read_node import Node
from service.formats.fhir.read_terms import known_in, layout

_REFERENCE: Final = {"reference"}
_DAY: Final = len("2026-03-02")


def plain_focus(observation: Node) -> object:
    """What an Observation is of, where nothing but one reference in ``focus`` can say it; None for any other."""
    value = observation.value
    if "bodySite" in value or "bodyStructure" in value:
        return None
    listed = value.get("focus")
    alone = listed[0] if isinstance(listed, list) and len(listed) == 1 else None
    return alone if isinstance(alone, dict) and alone.keys() == _REFERENCE else None


def is_group(observation: Node) -> bool:
    """Whether it is a measurement group by the category of HL7's DICOM SR guide."""
    return any(layout(category) == "measurement-group" for category in _listed(observation.value.get("category")))


def side_of(observation: Node) -> str | None:
    """The side that a component of an Observation names, whatever is read of it; None where none does."""
    if "component" not in observation:
        return None
    for component in _listed(observation.value["component"]):
        if isinstance(component, dict) and layout(component.get("code")) == "laterality":
            said = component.get("valueCodeableConcept")
            return known_in(said, "laterality") or json.dumps(said, sort_keys=True, default=str)
    return None


def place_of(observation: Node) -> str | None:
    """Site and side of an Observation as a text that equals that of the same place; None where it names neither."""
    site, side = observation.value.get("bodySite"), side_of(observation)
    return None if site is None and side is None else json.dumps([site, side], sort_keys=True, default=str)


def interpreted(owner: Node, *codes: str) -> bool:
    """Whether an Observation or a component is interpreted so (v3 ObservationInterpretation)."""
    if "interpretation" not in owner:
        return False
    return any(
        isinstance(coding, dict) and coding.get("code") in codes
        for said in _listed(owner.value["interpretation"])
        if isinstance(said, dict)
        for coding in _listed(said.get("coding"))
    )


def day_of(observation: Node) -> str:
    """The day of an Observation, as YYYY-MM-DD, of a period its last; empty where it names none."""
    value = observation.value
    period = value.get("effectivePeriod")
    named = [period.get("end"), period.get("start")] if isinstance(period, dict) else []
    for said in (value.get("effectiveDateTime"), value.get("effectiveInstant"), *named):
        if isinstance(said, str) and len(said) >= _DAY:
            return said[:_DAY]
    return ""


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
