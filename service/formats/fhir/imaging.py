"""ServiceRequest and ImagingStudy: what was ordered, and the images that the report speaks of."""

from collections.abc import Iterable

from service.coding.modalities import modality_of
from service.domain.codes import CodedTerm
from service.domain.geometry import ImageReference
from service.domain.report import Comparison, Lesion
from service.formats.fhir.codeable import DATA_ABSENT, Json, codeable, date_time, first_coding
from service.formats.fhir.draft import Draft
from service.formats.fhir.identity import (
    Entry,
    accession_identifier,
    create_once,
    dicom_identifier,
    resource_identifier,
    uuid_of,
)

SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
"""SOP class of a segmentation (PS3.4 B.5)."""


class _Series:
    """The instances of one series that are referred to, by SOP Instance UID with their class."""

    __slots__ = ("instances",)

    def __init__(self) -> None:
        """None as yet."""
        self.instances: dict[str, str] = {}

    def modality(self) -> CodedTerm | None:
        """What the classes of its instances say; a series has one modality (PS3.3 C.7.3.1)."""
        return next(filter(None, map(modality_of, self.instances.values())), None)


def service_request_entry(draft: Draft, requester: Json | None) -> Entry | None:
    """The order, where an accession number or a referring physician tells of one."""
    study, sender = draft.report.study, draft.report.sender
    if study.accession is None and requester is None:
        return None
    if study.accession is not None:
        identifier = accession_identifier(study.accession, study.accession_issuer, sender)
        uuid = uuid_of("service-request", identifier["system"], study.accession)
    else:
        uuid = uuid_of("service-request", sender, None, study.uid)
        identifier = resource_identifier(uuid, sender)
    resource: Json = {
        "resourceType": "ServiceRequest",
        "identifier": [identifier],
        # The images are made. An order created as active would ask for them again.
        "status": "completed",
        "intent": "order",
        "code": draft.release.ordered(codeable(study.procedures[0], sender)),
        "subject": draft.subject,
    }
    if requester is not None:
        resource["requester"] = requester
    return create_once(uuid, resource, identifier)


def lesion_images(lesion: Lesion[CodedTerm]) -> Iterable[ImageReference]:
    """The images of a lesion, each once, however many entries have shapes on it."""
    if len(lesion.images) == 1:  # nothing to compare: a hash of its UIDs costs more than all else here
        return (lesion.images[0].image,)
    return dict.fromkeys(shown.image for shown in lesion.images)


def studies_of(images: Iterable[ImageReference], own: str) -> list[str]:
    """The studies of these images, each once, ``own`` first even where no image is of it."""
    others = [image.study for image in images if image.study is not None]
    return list(dict.fromkeys([own, *others])) if others else [own]


def _series_of(draft: Draft) -> dict[str, dict[str, _Series]]:
    """Series and instances that the report refers to, by study and series."""
    report = draft.report
    own = report.study.uid
    found: dict[str, dict[str, _Series]] = {own: {}}
    images = [*report.study.images, *(image for lesion in report.lesions for image in lesion_images(lesion))]
    for image in images:
        of_study = found.setdefault(image.study or own, {})
        series = of_study.get(image.series)
        if series is None:
            series = of_study[image.series] = _Series()
        series.instances[image.sop_instance] = image.sop_class
    for lesion in report.lesions:
        if lesion.segment is not None:
            series = found[own].setdefault(lesion.segment.series, _Series())
            series.instances[lesion.segment.sop_instance] = SEGMENTATION_STORAGE
            if lesion.segment.source_series is not None:
                found[own].setdefault(lesion.segment.source_series, _Series())
    return found


def _series_json(draft: Draft, uid: str, series: _Series, modality: Json) -> Json:
    own = series.modality()
    said = first_coding(own, draft.report.sender) if own is not None else modality
    made: Json = {"uid": uid, "modality": draft.release.modality(said)}
    if series.instances:
        made["instance"] = [
            {"uid": sop, "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{sop_class}"}}
            for sop, sop_class in series.instances.items()
        ]
    return made


def _imaging_study(draft: Draft, uid: str, members: Json, series: dict[str, _Series], modality: Json | None) -> Entry:
    identifier = dicom_identifier(uid)
    resource: Json = {
        "resourceType": "ImagingStudy",
        "identifier": [identifier, *members.pop("identifier", [])],
        "status": "available",
    }
    if modality is not None:
        resource["modality"] = [draft.release.modality(modality)]
    resource["subject"] = draft.subject
    resource |= members
    # A series has a modality (1..1); where the report does not say the study's, that is said instead.
    known = modality or {"system": DATA_ABSENT, "code": "unknown", "display": "Unknown"}
    if series:
        resource["series"] = [_series_json(draft, key, value, known) for key, value in series.items()]
    return create_once(uuid_of("imaging-study", uid), resource, identifier)


def _comparison_members(draft: Draft, comparison: Comparison[CodedTerm], where: str) -> Json:
    members: Json = {}
    if comparison.accession is not None:
        members["identifier"] = [accession_identifier(comparison.accession, None, draft.report.sender)]
    if comparison.started is not None:
        members["started"] = date_time(comparison.started, f"{where}/started", draft.losses)
    if comparison.description is not None:
        members["description"] = comparison.description
    return members


def _own_members(draft: Draft, based_on: list[Json], referrer: Json | None) -> Json:
    study, sender = draft.report.study, draft.report.sender
    members: Json = {}
    if study.accession is not None:
        members["identifier"] = [accession_identifier(study.accession, study.accession_issuer, sender)]
    elif study.accession_issuer is not None:
        why = "there is no accession number that it issued"
        draft.lose("/study/accessionIssuer", "issuer of the accession number", why, "fhir-accession-issuer")
    if "effectiveDateTime" in draft.effective:
        members["started"] = draft.effective["effectiveDateTime"]
    if based_on:
        members["basedOn"] = based_on
    if referrer is not None:
        members["referrer"] = referrer
    members |= draft.release.procedures([codeable(procedure, sender) for procedure in study.procedures])
    if study.description is not None:
        members["description"] = study.description
    return members


def imaging_studies(draft: Draft, based_on: list[Json], referrer: Json | None) -> dict[str, Entry]:
    """ImagingStudy of the report's own study, of each comparison, and of each other study an image is of, by UID.

    Only what the report refers to is listed, so no number of series or instances is claimed. The SR is not in it: a
    study that the server already knows would stay without it; DocumentReference tells where it is.
    """
    report = draft.report
    series = _series_of(draft)
    own = report.study.uid
    modality = first_coding(report.study.modality, report.sender)
    made = {own: _imaging_study(draft, own, _own_members(draft, based_on, referrer), series.pop(own), modality)}
    for place, comparison in enumerate(report.study.comparisons):
        if comparison.uid in made:
            where = f"/study/comparisons/{place}"
            draft.lose(where, comparison.uid, "this study stands in the report already", "fhir-study-twice")
            continue
        members = _comparison_members(draft, comparison, f"/study/comparisons/{place}")
        said = first_coding(comparison.modality, report.sender) if comparison.modality is not None else None
        made[comparison.uid] = _imaging_study(draft, comparison.uid, members, series.pop(comparison.uid, {}), said)
    for uid, parts in series.items():
        made[uid] = _imaging_study(draft, uid, {}, parts, None)
    return made
