"""The peers on the same content: highdicom writes the SR, fhir.resources the bundle.

They start from what our coder made (a `CodedReport`), so reading and coding cost them nothing here.
"""

import json
from io import BytesIO
from typing import Any

import highdicom
import numpy as np
import pydicom
from fhir.resources.R4B.bundle import Bundle
from highdicom import sr
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as DicomCode
from pydicom.uid import ExplicitVRLittleEndian

from benchmarks import work
from service.domain.codes import Code, CodedTerm
from service.domain.report import CodedReport, Lesion

VERSIONS = {"highdicom": highdicom.__version__, "pydicom": pydicom.__version__}


def images() -> list[Dataset]:
    """The referenced images as headers: highdicom takes its evidence from data sets."""
    return [_image(number) for number in range(work.IMAGES)]


def _image(number: int) -> Dataset:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID = work.MR_IMAGE_STORAGE, work.image_uid(number)
    image.StudyInstanceUID, image.SeriesInstanceUID = work.STUDY, work.SERIES
    image.Modality, image.Rows, image.Columns = "MR", work.ROWS, work.COLUMNS
    image.PatientID, image.PatientName = "BENCH-1", "Bench^Mark"
    image.PatientBirthDate, image.PatientSex = "19610402", "F"
    image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "20260302", "091200", "1", "A481"
    image.ReferringPhysicianName = ""
    image.PixelSpacing, image.SliceThickness, image.SpacingBetweenSlices = [1, 1], 3, 3
    image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, 3 * number], [1, 0, 0, 0, 1, 0]
    image.FrameOfReferenceUID = work.SERIES
    return image


def _code(code: Code) -> DicomCode:
    return DicomCode(code.code, code.system, code.display)


def _coded(term: CodedTerm | None) -> DicomCode:
    if term is None or term.code is None:
        raise ValueError("the benchmark's terms are all coded")
    return _code(term.code)


def _group(lesion: Lesion[CodedTerm]) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    use = lesion.images[0]
    points = np.array([*use.regions[0].points, use.regions[0].points[0]])
    source = sr.SourceImageForRegion(use.image.sop_class, use.image.sop_instance)
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=lesion.tracking_uid, identifier=lesion.id),
        referenced_region=sr.ImageRegion(sr.GraphicTypeValues.POLYLINE, points, source),
        finding_type=_coded(lesion.finding),
        finding_sites=[sr.FindingSite(anatomic_location=_coded(lesion.site), laterality=_coded(lesion.laterality))],
        measurements=[
            sr.Measurement(name=_coded(item.concept), value=float(item.value), unit=_coded(item.unit))
            for item in lesion.measurements
        ],
        qualitative_evaluations=[
            sr.QualitativeEvaluation(name=_coded(item.name), value=_coded(item.value)) for item in lesion.evaluations
        ],
    )


def _library(report: CodedReport) -> sr.ContainerContentItem:
    """The image library with one group: modality and the images of the lesions."""
    contains = sr.RelationshipTypeValues.CONTAINS
    shown = dict.fromkeys((use.image.sop_class, use.image.sop_instance) for one in report.lesions for use in one.images)
    library = sr.ContainerContentItem(name=codes.DCM.ImageLibrary, relationship_type=contains)
    group = sr.ContainerContentItem(name=codes.DCM.ImageLibraryGroup, relationship_type=contains)
    modality = sr.CodeContentItem(
        name=codes.DCM.Modality,
        value=_coded(report.study.modality),
        relationship_type=sr.RelationshipTypeValues.HAS_ACQ_CONTEXT,
    )
    images = [
        sr.ImageContentItem(
            name=codes.DCM.SourceOfMeasurement,
            referenced_sop_class_uid=sop_class,
            referenced_sop_instance_uid=sop_instance,
            relationship_type=contains,
        )
        for sop_class, sop_instance in shown
    ]
    group.ContentSequence = sr.ContentSequence([modality, *images])
    library.ContentSequence = sr.ContentSequence([group])
    return library


def write_sr(report: CodedReport, evidence: list[Dataset]) -> bytes:
    """A Comprehensive SR of the report by highdicom, as Part 10 bytes.

    Its image library is put together by hand from highdicom's content items, to hold what ours does: highdicom's own
    would add a dozen descriptors an image.
    """
    device = next(observer.device for observer in report.observers if observer.device is not None)
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(
            observer_device_context=sr.ObserverContext(
                observer_type=codes.DCM.Device,
                observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
                    uid=device.uid or "", name=device.name
                ),
            )
        ),
        procedure_reported=_coded(report.study.procedures[0]),
        imaging_measurements=[_group(lesion) for lesion in report.lesions],
        title=codes.DCM.ImagingMeasurementReport,
    )
    content[0].ContentSequence.append(_library(report))
    document = sr.ComprehensiveSR(
        evidence=evidence,
        content=content,
        series_instance_uid=pydicom.uid.generate_uid(),
        series_number=1,
        sop_instance_uid=pydicom.uid.generate_uid(),
        instance_number=1,
        manufacturer="peer",
        is_complete=True,
        is_final=True,
    )
    buffer = BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def write_fhir(bundle: dict[str, Any]) -> bytes:
    """The same bundle built as fhir.resources objects and serialised by them."""
    return Bundle.model_validate(bundle).model_dump_json(exclude_none=True).encode()


def read_sr(content: bytes) -> Any:
    """The groups of an SR by highdicom, with their measurements, evaluations and regions."""
    document: Any = sr.srread(BytesIO(content))
    groups = document.content.get_planar_roi_measurement_groups()
    return [(group, group.get_measurements(), group.get_qualitative_evaluations(), group.roi) for group in groups]


def lesions_of_sr(content: bytes) -> list[tuple[object, ...]]:
    """What highdicom reads of each lesion, for the equality check: numbers with units, fields with answers, outline."""
    return sorted(
        (
            str(group.tracking_uid),
            str(group.tracking_identifier),
            _said(group.finding_type),
            tuple(_said(site.value) for site in group.finding_sites),
            tuple((_said(one.name), float(one.value), _said(one.unit)) for one in measurements),
            tuple((_said(one.name), _said(one.value)) for one in evaluations),
            region.value.tobytes(),
        )
        for group, measurements, evaluations, region in read_sr(content)
    )


def _said(code: Any) -> str:
    return f"{code.scheme_designator} {code.value}"


def read_fhir(content: bytes) -> object:
    """A bundle read and validated by fhir.resources."""
    return Bundle.model_validate_json(content)


def as_dict(content: bytes) -> dict[str, Any]:
    """A bundle as plain dicts, the way a caller of fhir.resources has it."""
    bundle: dict[str, Any] = json.loads(content)
    return bundle
