"""mCODE 4.0.0 (http://hl7.org/fhir/us/mcode), R4: tumor size and disease status of tumors that are proven.

mCODE's Tumor says that a lesion is malignant. That is claimed only for a lesion whose certainty is *known* and which is
called malignant or secondary, by its category or in the field *malignancy*: how likely something looks on an image, and
what it is called, proves nothing. All else of the report is written as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from service.domain.codes import CodedTerm
from service.domain.report import Lesion
from service.formats.fhir.codeable import answer, field_name, quantity
from service.formats.fhir.identity import dicom_identifier, replace_found, resource_identifier, uuid_of
from service.formats.fhir.profiles import uscore
from service.formats.fhir.profiles.claims import claim
from service.formats.fhir.profiles.shaping import Json, Shaping, plain

_PROVEN: Final = "known"
_MALIGNANT: Final = ("malignant", "neoplasm-secondary")
_DIMENSIONS: Final = (("long-axis", "tumor-longest-dimension"), ("short-axis", "tumor-other-dimension"))
_STATUS: Final[Mapping[str, str]] = {
    "target-lesion-complete-response": "condition-improved",
    "target-lesion-partial-response": "condition-improved",
    "target-lesion-stable-disease": "condition-stable",
    "target-lesion-progressive-disease": "condition-worsened",
}
"""What the response of a target lesion (DICOM CID 6143) is as a trend of that tumor (mCODE ConditionStatusTrendVS)."""
_SHARED: Final = ("basedOn", "status", "category", "subject", "effectiveDateTime", "issued", "performer")
"""What an Observation of mCODE has in common with that of the lesion."""
_TUMOR: Final[Json] = {"coding": [{"system": "http://hl7.org/fhir/resource-types", "code": "BodyStructure"}]}


def shape(shaping: Shaping) -> Json:
    """Tumors, their sizes and their trends; what can't claim its profile in the end is not written."""
    uscore.shape(shaping)
    added: list[Json] = []
    places = _Places(shaping)
    for lesion in shaping.report.lesions:
        if not _is_proven(lesion):
            why = "certainty is not *known*, or it is not called malignant: no Tumor"
            shaping.flag(f"lesion {lesion.where or lesion.tracking_uid}", why, "fhir-profile-not-proven")
            continue
        added += _of(shaping, lesion, places)
    shaping.entries.extend(added)
    claim(shaping, "mcode")
    ours = {one["fullUrl"] for one in added}
    kept = [one for one in shaping.entries if one["fullUrl"] not in ours or "meta" in one["resource"]]
    return shaping.bundle | {"entry": kept}


def _is_proven(lesion: Lesion[CodedTerm]) -> bool:
    said = [lesion.category, *(one.value for one in lesion.evaluations if one.row == "malignancy")]
    is_malignant = any(term is not None and term.concept in _MALIGNANT for term in said)
    return lesion.certainty is not None and lesion.certainty.concept == _PROVEN and is_malignant


class _Places:
    """Where lesions are in a bundle: BodyStructures by their identifiers, Observations by the lesion they are of."""

    def __init__(self, shaping: Shaping) -> None:
        self.structures = {
            one["value"]: entry
            for entry in shaping.entries
            if entry["resource"]["resourceType"] == "BodyStructure"
            for one in entry["resource"]["identifier"]
        }
        self.observations: dict[str, Json] = {}
        for observation in shaping.resources("Observation"):
            for focus in observation.get("focus", ()):
                self.observations.setdefault(focus["reference"], observation)


def _of(shaping: Shaping, lesion: Lesion[CodedTerm], places: _Places) -> Iterator[Json]:
    """The entries that mCODE adds for a lesion, whose BodyStructure becomes a Tumor."""
    identifier = dicom_identifier(lesion.tracking_uid or "")
    entry = places.structures[identifier["value"]]
    entry["resource"]["identifier"].append({"use": "usual", "type": _TUMOR, **identifier})
    focus = {"reference": entry["fullUrl"]}
    observed = places.observations[entry["fullUrl"]]
    shared = {name: observed[name] for name in _SHARED if name in observed} | {"focus": [focus]}
    sizes = list(_sizes(shaping, lesion))
    if sizes:
        yield _entry(shaping, lesion, "tumor-size", {**shared, "component": sizes})
    if "performer" not in shared:
        return  # the status is a clinician's judgement (mCODE CancerDiseaseStatus)
    for evaluation in lesion.evaluations:
        trend = _STATUS.get(evaluation.value.concept or "") if evaluation.row == "response" else None
        if trend is not None:
            said = {**shared, "valueCodeableConcept": answer(trend)}
            yield _entry(shaping, lesion, "cancer-disease-progression", said)


def _sizes(shaping: Shaping, lesion: Lesion[CodedTerm]) -> Iterator[Json]:
    for concept, dimension in _DIMENSIONS:
        for item in lesion.measurements:
            if item.concept.concept == concept:
                size = quantity(item.value, item.unit, shaping.report.sender)
                yield {"code": field_name(dimension), "valueQuantity": size}


def _entry(shaping: Shaping, lesion: Lesion[CodedTerm], key: str, said: Json) -> Json:
    """An Observation of mCODE, stored as the others are."""
    report = shaping.report
    uuid = uuid_of("mcode", report.sender, report.id, lesion.id, key)
    identifier = resource_identifier(uuid, report.sender)
    resource: Json = {"resourceType": "Observation", "identifier": [identifier], **said, "code": field_name(key)}
    made = replace_found(uuid, resource, identifier)
    entry: Json = {"fullUrl": f"urn:uuid:{uuid}", "resource": plain(orjson.dumps(resource))}
    if "request" in shaping.entries[0]:
        entry["request"] = made.request
    return entry
