"""SR files as other makers write them, put together by pydicom: item by item, with what is odd about them."""

from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

STUDY = "1.2.826.0.1.3680043.10.1561.3"
SERIES = f"{STUDY}.1"
IMAGE = f"{STUDY}.1.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"
BASIC_TEXT = "1.2.840.10008.5.1.4.1.1.88.11"

Code = tuple[str, str, str]
ROOT: Code = ("126000", "DCM", "Imaging Measurement Report")
MEASUREMENTS: Code = ("126010", "DCM", "Imaging Measurements")
GROUP: Code = ("125007", "DCM", "Measurement Group")
TRACKING: Code = ("112039", "DCM", "Tracking Identifier")
TRACKING_UID: Code = ("112040", "DCM", "Tracking Unique Identifier")
FINDING: Code = ("121071", "DCM", "Finding")
METASTASIS: Code = ("94225005", "SCT", "Metastatic malignant neoplasm to brain")
LONG_AXIS: Code = ("103339001", "SCT", "Long Axis")
MM: Code = ("mm", "UCUM", "millimeter")


def coded(code: Code) -> Dataset:
    """A coded entry."""
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = code
    return made


def item(kind: str, relation: str | None, name: Code | None, *children: Dataset, **value: Any) -> Dataset:
    """A content item; ``value`` are attributes by keyword."""
    made = Dataset()
    if relation is not None:
        made.RelationshipType = relation
    made.ValueType = kind
    if name is not None:
        made.ConceptNameCodeSequence = Sequence([coded(name)])
    for keyword, said in value.items():
        setattr(made, keyword, said)
    if children:
        made.ContentSequence = Sequence(children)
    return made


def container(name: Code | None, *children: Dataset, relation: str | None = "CONTAINS") -> Dataset:
    """A container."""
    return item("CONTAINER", relation, name, *children, ContinuityOfContent="SEPARATE")


def text(name: Code | None, value: str, *children: Dataset, relation: str = "CONTAINS") -> Dataset:
    """A text."""
    return item("TEXT", relation, name, *children, TextValue=value)


def answer(name: Code | None, value: Code, *children: Dataset, relation: str = "CONTAINS") -> Dataset:
    """A CODE."""
    return item("CODE", relation, name, *children, ConceptCodeSequence=Sequence([coded(value)]))


def uid(name: Code | None, value: str, relation: str = "HAS OBS CONTEXT") -> Dataset:
    """A UIDREF."""
    return item("UIDREF", relation, name, UID=value)


def num(name: Code | None, value: str | None, unit: Code | None, *children: Dataset) -> Dataset:
    """A NUM; None leaves the value, or its unit, out."""
    made = item("NUM", "CONTAINS", name, *children)
    measured = Dataset()
    if value is not None:
        measured.NumericValue = value
    if unit is not None:
        measured.MeasurementUnitsCodeSequence = Sequence([coded(unit)])
    made.MeasuredValueSequence = Sequence([measured] if value is not None or unit is not None else [])
    return made


def image(instance: str = IMAGE, sop_class: str = MR, relation: str = "SELECTED FROM", **more: Any) -> Dataset:
    """An IMAGE without a name."""
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = sop_class, instance
    for keyword, said in more.items():
        setattr(reference, keyword, said)
    return item("IMAGE", relation, None, ReferencedSOPSequence=Sequence([reference]))


def shape(kind: str, points: list[float], *children: Dataset, relation: str = "INFERRED FROM") -> Dataset:
    """A SCOORD."""
    return item("SCOORD", relation, None, *(children or (image(),)), GraphicType=kind, GraphicData=points)


def by_reference(relation: str, *path: int) -> Dataset:
    """An item that stands for another."""
    made = Dataset()
    made.RelationshipType = relation
    made.ReferencedContentItemIdentifier = list(path)
    return made


def group(*children: Dataset, identifier: str = "L1", finding: Code = METASTASIS) -> Dataset:
    """A measurement group with its tracking identifier and finding."""
    return container(GROUP, text(TRACKING, identifier, relation="HAS OBS CONTEXT"), answer(FINDING, finding), *children)


def evidence(instances: tuple[str, ...] = (IMAGE,), sop_class: str = MR) -> Dataset:
    """One study with one series of these instances."""
    references = []
    for instance in instances:
        one = Dataset()
        one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = sop_class, instance
        references.append(one)
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = SERIES, Sequence(references)
    study = Dataset()
    study.StudyInstanceUID, study.ReferencedSeriesSequence = STUDY, Sequence([series])
    return study


def document(*children: Dataset, root: Code = ROOT, syntax: str = ExplicitVRLittleEndian, **header: Any) -> bytes:
    """A whole file; ``header`` sets attributes, None takes one away."""
    made = container(root, *children, relation=None)
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = ENHANCED, f"{STUDY}.2.1"
    made.StudyInstanceUID, made.SeriesInstanceUID = STUDY, f"{STUDY}.2"
    made.ContentDate, made.ContentTime, made.TimezoneOffsetFromUTC = "20260302", "104100", "+0100"
    made.PatientID, made.PatientName, made.Modality = "P1", "Doe^Jane", "SR"
    made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
    made.StudyDescription = "MR brain with contrast"
    made.CurrentRequestedProcedureEvidenceSequence = Sequence([evidence()])
    for keyword, said in header.items():
        if said is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, said)
    return encoded(made, syntax)


def encoded(made: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A data set as a Part 10 file of a transfer syntax."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = made.get("SOPClassUID", ENHANCED)
    meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID", "1.2.3")
    made.file_meta = meta
    out = BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def measured(*children: Dataset, **header: Any) -> bytes:
    """A document with one measurement group."""
    return document(container(MEASUREMENTS, group(*children)), **header)
