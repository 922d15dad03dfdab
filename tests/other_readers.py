"""What an SR and a bundle say of each lesion, read by others: pydicom, and fhir.resources' models.

Our own reader and writer may share a fault; these share nothing with either. They look at less than `service.check`
does, at what would harm a patient: lesion, finding, site, side, values with units, evaluations, tracking UID.
"""

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
from fhir.resources.R4B.bundle import Bundle

from service.domain.codes import CodedTerm
from service.domain.report import Lesion

with (Path(__file__).parents[1] / "terminology" / "code_systems.csv").open(encoding="utf-8") as table:
    _FHIR_SYSTEMS = {row["uri"]: row["designator"] for row in csv.DictReader(table)}
FINDING, SITE, LATERALITY, TOPOGRAPHY = (
    ("DCM", "121071"),
    ("SCT", "363698007"),
    ("SCT", "272741003"),
    ("SCT", "106233006"),
)
TRACKING_UID = ("DCM", "112040")
GROUP = ("DCM", "125007")

CodePair = tuple[str, str]


class Said(NamedTuple):
    """One statement on a lesion: its tracking UID, what is asked, and the answer (codes or number and unit)."""

    tracking_uid: str
    name: CodePair | str
    value: tuple[Any, ...]


def of_sr(content: bytes) -> set[Said]:
    """Every coded answer and number in the measurement groups, by pydicom."""
    root = pydicom.dcmread(BytesIO(content))
    return {said for group in _groups(root) for said in _of_group(group)}


def _groups(item: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    for child in item.get("ContentSequence", ()):
        if _name(child) == GROUP:
            yield child
        else:
            yield from _groups(child)


def _code(entry: pydicom.Dataset) -> CodePair:
    value = entry.get("CodeValue") or entry.get("LongCodeValue") or entry.get("URNCodeValue")
    return (str(entry.CodingSchemeDesignator), str(value))


def _name(item: pydicom.Dataset) -> CodePair | None:
    return _code(item.ConceptNameCodeSequence[0]) if "ConceptNameCodeSequence" in item else None


def _codes(sequence: Any) -> tuple[CodePair, ...]:
    first = sequence[0]
    return (_code(first), *map(_code, first.get("EquivalentCodeSequence", ())))


def _of_group(group: pydicom.Dataset) -> Iterator[Said]:
    uid = next(str(item.UID) for item in group.ContentSequence if _name(item) == TRACKING_UID)
    for item in group.ContentSequence:
        name = _name(item)
        if name is None:
            continue
        for below in item.get("ContentSequence", ()) if item.ValueType == "CODE" else ():
            if _name(below) in (LATERALITY, TOPOGRAPHY) and below.ValueType == "CODE":
                yield Said(uid, _name(below) or "", _codes(below.ConceptCodeSequence))
        if item.ValueType == "CODE":
            yield Said(uid, name, _codes(item.ConceptCodeSequence))
        elif item.ValueType == "NUM":
            measured = item.MeasuredValueSequence[0]
            number = Decimal(measured["NumericValue"].value.original_string)
            yield Said(uid, name, (number, _code(measured.MeasurementUnitsCodeSequence[0])[1]))


def of_fhir(content: bytes) -> set[Said]:
    """Every coded answer and number of each lesion's Observation and its members, by fhir.resources."""
    bundle: Any = Bundle.model_validate_json(content)
    resources: dict[str, Any] = {entry.fullUrl: entry.resource for entry in bundle.entry}
    said: set[Said] = set()
    for observation in resources.values():
        is_lesion = observation.get_resource_type() == "Observation" and _first(observation.code) == FINDING
        if not is_lesion or not observation.focus:
            continue
        structure = resources[observation.focus[0].reference]
        uid = next(i.value for i in structure.identifier if i.system == "urn:dicom:uid").removeprefix("urn:oid:")
        said |= set(_of_observation(uid, observation, resources))
    return said


def _pairs(concept: Any) -> tuple[CodePair, ...]:
    return tuple((_FHIR_SYSTEMS.get(coding.system, coding.system), coding.code) for coding in concept.coding or ())


def _first(concept: Any) -> CodePair | None:
    return next(iter(_pairs(concept)), None)


def _of_observation(uid: str, observation: Any, resources: dict[str, Any]) -> Iterator[Said]:
    if _pairs(observation.valueCodeableConcept):
        yield Said(uid, FINDING, _pairs(observation.valueCodeableConcept))
    if observation.bodySite is not None and _pairs(observation.bodySite):
        yield Said(uid, SITE, _pairs(observation.bodySite))
    for component in observation.component or ():
        if component.valueCodeableConcept is not None and _pairs(component.valueCodeableConcept):
            yield Said(uid, _first(component.code) or "", _pairs(component.valueCodeableConcept))
    for reference in observation.hasMember or ():
        member = resources[reference.reference]
        name = _first(member.code) or ""
        if member.valueQuantity is not None:
            # fhir.resources reads 12.50 as 12.5: numbers are compared as numbers here, their digits by service.check.
            yield Said(uid, name, (Decimal(member.valueQuantity.value), member.valueQuantity.code))
        elif _pairs(member.valueCodeableConcept):
            yield Said(uid, name, _pairs(member.valueCodeableConcept))


def of_lesion(lesion: Lesion[CodedTerm]) -> set[Said]:
    """What both must state of a lesion: finding, site, side, values with units, evaluations."""
    uid = str(lesion.tracking_uid)
    said = set()
    for name, term in (
        (FINDING, lesion.finding),
        (SITE, lesion.site),
        (LATERALITY, lesion.laterality),
        (TOPOGRAPHY, lesion.topography),
    ):
        if term is not None and term.codes:
            said.add(Said(uid, name, tuple((code.system, code.code) for code in term.codes)))
    for item in lesion.evaluations:
        if item.value.codes and item.name.code is not None:
            name = (item.name.code.system, item.name.code.code)
            said.add(Said(uid, name, tuple((code.system, code.code) for code in item.value.codes)))
    for measured in lesion.measurements:
        if measured.unit.code is not None and measured.concept.code is not None and len(str(measured.value)) <= 16:
            name = (measured.concept.code.system, measured.concept.code.code)
            said.add(Said(uid, name, (measured.value, measured.unit.code.code)))
    return said
