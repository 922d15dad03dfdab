"""FHIR R4 (4.0.1), where R5 differs from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from service.domain.codes import CodedTerm
from service.domain.geometry import SegmentReference
from service.domain.report import Device, Lesion, Measurement, Status
from service.formats.fhir.codeable import Json, codeable, field_name
from service.formats.fhir.identity import image_uri
from service.formats.fhir.imaging import lesion_images
from service.formats.fhir.release import Release, Shown

if TYPE_CHECKING:
    from service.formats.fhir.draft import Draft
    from service.formats.fhir.identity import Entry

DOCUMENT_STATUS = {
    Status.PRELIMINARY: "preliminary",
    Status.FINAL: "final",
    Status.AMENDED: "amended",
    Status.CORRECTED: "amended",
    Status.APPENDED: "amended",
    # composition-status knows no cancelled; of its words only this one keeps a reader from using the document.
    Status.CANCELLED: "entered-in-error",
    Status.ENTERED_IN_ERROR: "entered-in-error",
}
"""Status of a Composition and docStatus of a DocumentReference, of a report in this state."""


class _R4(Release):
    name = "R4"
    media_type = "application/fhir+json; fhirVersion=4.0"
    study = "imagingStudy"

    def document_status(self, status: Status) -> str:
        return DOCUMENT_STATUS[status]

    def device_name(self, device: Device) -> Json:
        return {"deviceName": [{"name": device.name, "type": "user-friendly-name"}]}

    def device_property(self, value: str) -> Json:
        return {"valueCode": [{"text": value}]}

    def ordered(self, code: object) -> object:
        return code

    def modality(self, coding: Json) -> Json:
        return coding

    def procedures(self, codes: list[Any]) -> Json:
        return {"procedureCode": codes}

    def structure(self, lesion: Lesion[CodedTerm], sender: str) -> Json:
        """``locationQualifier`` does not say which qualifier is the side: the Observation's components do."""
        made: Json = {}
        if lesion.site is not None:
            made["location"] = codeable(lesion.site, sender)
        qualifiers = [term for term in (lesion.laterality, lesion.topography) if term is not None]
        if qualifiers:
            made["locationQualifier"] = [codeable(term, sender) for term in qualifiers]
        return made

    def site(self, lesion: Lesion[CodedTerm], structure: Json, sender: str) -> Json:  # noqa: ARG002 - R5 asks it
        return {"bodySite": codeable(lesion.site, sender)} if lesion.site is not None else {}

    def part_of(self, draft: Draft, study: Entry) -> Json:  # noqa: ARG002 - R5 asks them
        return {}

    def kind(self, key: str) -> Json:  # noqa: ARG002 - R5 asks it
        return {}

    def show(self, draft: Draft, lesion: Lesion[CodedTerm], imaging: dict[str, Entry]) -> Shown:  # noqa: ARG002 - R5 asks it
        """Images and segment as components; R4 has no place for coordinates."""
        source = field_name("source-of-measurement")  # the purpose of an image in the SR (TID 1501)
        made = [{"code": source, "valueString": image_uri(image)} for image in lesion_images(lesion)]
        if lesion.segment is not None:
            made.extend(_segment(lesion.segment))
        why = "R4 has no place for coordinates; the SR that DocumentReference names has them"
        for shown in lesion.images:
            for region in shown.regions:
                draft.lose(region.where or lesion.where, f"{region.graphic} in pixels", why, "fhir-geometry")
        for shape in lesion.regions3d:
            draft.lose(shape.where or lesion.where, f"{shape.graphic} in millimetres", why, "fhir-geometry")
        return Shown(made)

    def measured_on(self, item: Measurement[CodedTerm]) -> list[Json]:
        if item.image is None:
            return []
        return [{"code": field_name("source-of-measurement"), "valueString": f"urn:oid:{item.image}"}]

    def master_identifier(self, identifier: Json) -> Json:
        return {"masterIdentifier": identifier}

    def authenticated(self, person: Json, time: str) -> Json:  # noqa: ARG002 - R5 asks it
        return {"authenticator": person}

    def replaces(self) -> object:
        return "replaces"

    def document_format(self, coding: Json) -> Json:
        return {"format": coding}

    def document_context(self, related: list[Json]) -> Json:
        return {"context": {"related": related}}

    def composed(self, identifier: Json, subject: Json) -> tuple[object, object]:
        return identifier, subject

    def attested(self) -> object:
        return "professional"


R4: Final = _R4()


def _segment(segment: SegmentReference) -> list[Json]:
    instance = f"urn:oid:{segment.sop_instance}#segment={segment.number}"
    made: list[Json] = [{"code": field_name("referenced-segment"), "valueString": instance}]
    if segment.source_series is not None:
        series = f"urn:oid:{segment.source_series}"
        made.append({"code": field_name("source-series-for-segmentation"), "valueString": series})
    return made
