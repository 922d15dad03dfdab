"""FHIR R5 (5.0.0), where it differs from R4; Observations and BodyStructure as HL7's DICOM SR guide has them.

The guide is http://hl7.org/fhir/uv/dicom-sr, version 1.0.0. Its profiles are followed, not claimed, here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from service.domain.codes import CodedTerm
from service.domain.report import Device, Lesion, Measurement, Status
from service.formats.fhir.codeable import Json, codeable, field_name, hl7_concept, hl7_core_concept
from service.formats.fhir.release import Release, Shown
from service.formats.fhir.selections import select, study_reference

if TYPE_CHECKING:
    from service.formats.fhir.draft import Draft
    from service.formats.fhir.identity import Entry

_ABSENT: Final[Json] = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"},
    ]
}


class _R5(Release):
    name = "R5"
    media_type = "application/fhir+json; fhirVersion=5.0"
    study = "study"

    def document_status(self, status: Status) -> str:
        """R5's composition-status has every state of a report."""
        return status.value

    def device_name(self, device: Device) -> Json:
        name = {"value": device.name, "type": "user-friendly-name"}
        return {"displayName": device.name, "name": [name]}

    def device_property(self, value: str) -> Json:
        return {"valueString": value}

    def ordered(self, code: object) -> object:
        return {"concept": code}

    def modality(self, coding: Json) -> Json:
        return {"coding": [coding]} if "code" in coding else {"text": coding["display"]}

    def procedures(self, codes: list[Any]) -> Json:
        return {"procedure": [{"concept": code} for code in codes]}

    def structure(self, lesion: Lesion[CodedTerm], sender: str) -> Json:
        """A structure is mandatory in R5, so a site that nobody named is said to be unknown."""
        made: Json = {"structure": codeable(lesion.site, sender) if lesion.site is not None else _ABSENT}
        if lesion.laterality is not None:
            made["laterality"] = codeable(lesion.laterality, sender)
        if lesion.topography is not None:
            made["qualifier"] = [codeable(lesion.topography, sender)]
        return {"includedStructure": [made]}

    def site(self, lesion: Lesion[CodedTerm], structure: Json, sender: str) -> Json:
        """The site alone is bodySite, with a side or modifier it is the BodyStructure; never both (obs-8)."""
        if lesion.laterality is not None or lesion.topography is not None:
            return {"bodyStructure": structure}
        return {"bodySite": codeable(lesion.site, sender)} if lesion.site is not None else {}

    def part_of(self, draft: Draft, study: Entry) -> Json:
        return {"partOf": [study_reference(study, draft.report.study.uid)]}

    def kind(self, key: str) -> Json:
        return {"category": [hl7_concept("observation-category", "imaging", "Imaging"), field_name(key)]}

    def show(self, draft: Draft, lesion: Lesion[CodedTerm], imaging: dict[str, Entry]) -> Shown:
        return select(draft, lesion, imaging)

    def measured_on(self, item: Measurement[CodedTerm]) -> list[Json]:  # noqa: ARG002 - an ImagingSelection says it
        return []

    def master_identifier(self, identifier: Json) -> Json:  # noqa: ARG002 - one identifier is enough in R5
        return {}

    def authenticated(self, person: Json, time: str) -> Json:
        return {"attester": [{"mode": self.attested(), "party": person, "time": time}]}

    def replaces(self) -> object:
        return hl7_core_concept("document-relationship-type", "replaces", "Replaces")

    def document_format(self, coding: Json) -> Json:
        return {"profile": [{"valueCoding": coding}]}

    def document_context(self, related: list[Json]) -> Json:
        """R5 has ``context`` for encounters only; what is documented stands in ``event``."""
        return {"event": [{"reference": one} for one in related]}

    def composed(self, identifier: Json, subject: Json) -> tuple[object, object]:
        return [identifier], [subject]

    def attested(self) -> object:
        return hl7_core_concept("composition-attestation-mode", "professional", "Professional")


R5: Final = _R5()
