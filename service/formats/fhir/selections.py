"""ImagingSelection (R5): the images, shapes and segment of a lesion, as HL7's DICOM SR guide profiles them.

One selection holds what follows one another, is of one kind and in one series, each shape as an instance of its own
(the guide's 2D region has exactly one in an instance). So the order of the report is that of the instances. A shape
that shows a measurement stands once more in a selection of that measurement, unless the lesion's own is the same.

Coordinates are those of the SR: column and row from the top left corner of the first pixel (PS3.3 C.18.6), or
millimetres in the frame of reference (PS3.3 C.18.9). A shape in millimetres is on no image, but R5 wants an instance:
that is the SR, which holds it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, Graphic3D, ImageReference, Region2D, Region3D, SegmentReference
from service.domain.report import Lesion, Status
from service.domain.shown import measurement_of
from service.domain.uids import UuidFamily
from service.formats.fhir.codeable import Json, field_name
from service.formats.fhir.identity import Entry, dicom_identifier, reference, replace_found, resource_identifier
from service.formats.fhir.imaging import SEGMENTATION_STORAGE
from service.formats.fhir.release import Shown

if TYPE_CHECKING:
    from service.formats.fhir.draft import Draft

_SOP_CLASS = "https://dicom.nema.org/medical/dicom/current/output/chtml/part04/sect_B.5"
"""The system of SOP classes in the guide's ImagingSelections; the code is the bare UID."""
_REGION_TYPES = {Graphic.POINT: "point", Graphic.LINE: "polyline", Graphic.POLYGON: "polyline"}
_SURFACES = (Graphic3D.POLYGON, Graphic3D.ELLIPSE)


class _Item(NamedTuple):
    """One thing to select: an image as such, or a shape on it."""

    image: ImageReference
    region: Region2D[CodedTerm] | None

    @property
    def run(self) -> tuple[bool, str | None, str]:
        """Items of one run may share a selection."""
        return self.region is not None, self.image.study, self.image.series

    @property
    def kind(self) -> str:
        """The concept that says why it is selected."""
        return "image-region" if self.region is not None else "source-of-measurement"


def study_reference(study: Entry, uid: str) -> Json:
    """A reference to an ImagingStudy that also names its Study Instance UID."""
    return {**study.reference, "identifier": {"type": field_name("study-instance-uid"), **dicom_identifier(uid)}}


def select(draft: Draft, lesion: Lesion[CodedTerm], imaging: dict[str, Entry]) -> Shown:
    """Add the selections of a lesion and return the references to them."""
    report = draft.report
    issuing = UuidFamily("fhir-imaging-selection", report.sender, report.id, lesion.id)
    making = _Making(draft, imaging, issuing)
    made = Shown([])
    items = _items(lesion)
    for _, run in groupby(items, key=lambda item: item.run):
        made.selections.append(making.of_items(tuple(run)))
    for frame, shapes in groupby(lesion.regions3d, key=lambda region: region.frame_of_reference):
        made.selections.append(making.of_shapes(frame, tuple(shapes)))
    if lesion.segment is not None:
        made.selections.append(making.of_segment(lesion.segment))
    drawn = _of_numbers(lesion, items)
    for number, said in enumerate(lesion.measurements):
        selected = [making.of_items((item,)) for item in drawn.get(number, ())]
        if said.image is not None:
            selected.append(making.of_image(said.image, lesion))
        if selected:
            made.of_number[number] = selected
    return made


def _items(lesion: Lesion[CodedTerm]) -> tuple[_Item, ...]:
    found: list[_Item] = []
    for shown in lesion.images:
        of_image = [_Item(shown.image, region) for region in shown.regions] or [_Item(shown.image, None)]
        found += (item for item in of_image if item.region is not None or item not in found)
    return tuple(found)


def _of_numbers(lesion: Lesion[CodedTerm], items: tuple[_Item, ...]) -> dict[int, list[_Item]]:
    """The shapes that show each measurement."""
    found: dict[int, list[_Item]] = {}
    for item in items:
        if item.region is not None and item.region.measurement is not None:
            number = measurement_of(lesion, item.region.measurement, item.image.sop_instance)
            if number is not None:
                found.setdefault(number, []).append(item)
    return found


class _Making:
    """Adds selections to a draft; what is the same for one lesion is one resource."""

    def __init__(self, draft: Draft, imaging: dict[str, Entry], family: UuidFamily) -> None:
        self._draft, self._imaging, self._family = draft, imaging, family
        self._made: dict[object, Json] = {}

    def of_items(self, items: tuple[_Item, ...]) -> Json:
        """A selection of images or shapes of one series."""
        first = items[0]
        key = (first.kind, tuple((item.image, item.region) for item in items))
        instances = [_instance(item) for item in items]
        return self._add(key, first.kind, first.image.study, {"seriesUid": first.image.series, "instance": instances})

    def of_image(self, uid: str, lesion: Lesion[CodedTerm]) -> Json:
        """The image of a measurement, which names no frame; of one that nobody describes only its UID."""
        for image in (*(shown.image for shown in lesion.images), *self._draft.report.study.images):
            if image.sop_instance == uid:
                return self.of_items((_Item(replace(image, frames=()), None),))
        return self._add(("image", uid), "source-of-measurement", None, {"instance": [{"uid": uid}]})

    def of_shapes(self, frame: str, shapes: tuple[Region3D, ...]) -> Json:
        """A selection of shapes of one frame of reference."""
        kinds = {shape.graphic for shape in shapes}
        is_surface = kinds == {Graphic3D.ELLIPSOID} or (len(shapes) > 1 and len(kinds) == 1 and kinds <= set(_SURFACES))
        sr = self._draft.sr
        instance: Json = {"uid": sr.sop_instance, "sopClass": _sop_class(sr.sop_class)}
        instance["imageRegion3D"] = [_region3d(shape) for shape in shapes]
        said = {"seriesUid": sr.series, "frameOfReferenceUid": frame, "instance": [instance]}
        return self._add((frame, shapes), "volume-surface" if is_surface else "image-region", None, said)

    def of_segment(self, segment: SegmentReference) -> Json:
        """A selection of a segment; the series that it was made from is its focus."""
        said: Json = {"seriesUid": segment.series}
        if segment.source_series is not None:
            source = {"seriesUid": segment.source_series}
            said["focus"] = [self._add(("source", segment), "source-series-for-segmentation", None, source)]
        instance: Json = {"uid": segment.sop_instance, "sopClass": _sop_class(SEGMENTATION_STORAGE)}
        said["instance"] = [{**instance, "subset": [str(segment.number)]}]
        return self._add(("segment", segment), "referenced-segment", None, said)

    def _add(self, key: object, kind: str, study: str | None, said: Json) -> Json:
        if key in self._made:
            return self._made[key]
        draft = self._draft
        uid = study or draft.report.study.uid
        uuid = self._family.text(f"selection {len(self._made) + 1}")
        identifier = resource_identifier(uuid, draft.report.sender)
        withdrawn = draft.report.status is Status.ENTERED_IN_ERROR
        resource: Json = {
            "resourceType": "ImagingSelection",
            "identifier": [identifier],
            "status": "entered-in-error" if withdrawn else "available",
            "subject": draft.subject,
        }
        if "basedOn" in draft.observation:
            resource["basedOn"] = draft.observation["basedOn"]
        resource["code"] = field_name(kind)
        resource["studyUid"] = uid
        resource["derivedFrom"] = [study_reference(self._imaging[uid], uid)]
        draft.add(replace_found(uuid, resource | said, identifier))
        self._made[key] = reference(uuid)
        return self._made[key]


def _sop_class(uid: str) -> Json:
    if uid == SEGMENTATION_STORAGE:
        return {"system": _SOP_CLASS, "code": uid, "display": "Segmentation Storage"}
    return {"system": _SOP_CLASS, "code": uid}


def _instance(item: _Item) -> Json:
    image, region = item
    made: Json = {"uid": image.sop_instance, "sopClass": _sop_class(image.sop_class)}
    if image.frames:
        made["subset"] = [str(frame) for frame in image.frames]
    if region is not None:
        points = region.points
        if region.graphic is Graphic.POLYGON and points[0] != points[-1]:
            points = (*points, points[0])
        numbers = list(chain.from_iterable(points))
        made["imageRegion2D"] = [{"regionType": _REGION_TYPES[region.graphic], "coordinate": numbers}]
    return made


def _region3d(shape: Region3D) -> Json:
    points = shape.points
    if shape.graphic is Graphic3D.POLYGON and points[0] != points[-1]:
        points = (*points, points[0])
    return {"regionType": shape.graphic.value, "coordinate": list(chain.from_iterable(points))}
