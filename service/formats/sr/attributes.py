"""The attributes that an SR of ours has: keyword, tag and VR (PS3.6), and how an element of them is encoded.

A data set is a plain dict of keyword to value here: str, int, or a list of such dicts for a sequence; bytes are a whole
element. ``encode_dataset`` gives it in explicit VR little endian, tags ascending, lengths explicit (PS3.5 7.1, 7.5).
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from service.formats.sr import vr

ATTRIBUTES: dict[str, tuple[int, str]] = {
    "SpecificCharacterSet": (0x00080005, "CS"),
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "StudyDate": (0x00080020, "DA"),
    "ContentDate": (0x00080023, "DA"),
    "StudyTime": (0x00080030, "TM"),
    "ContentTime": (0x00080033, "TM"),
    "AccessionNumber": (0x00080050, "SH"),
    "IssuerOfAccessionNumberSequence": (0x00080051, "SQ"),
    "Modality": (0x00080060, "CS"),
    "Manufacturer": (0x00080070, "LO"),
    "InstitutionName": (0x00080080, "LO"),
    "InstitutionCodeSequence": (0x00080082, "SQ"),
    "ReferringPhysicianName": (0x00080090, "PN"),
    "ReferringPhysicianIdentificationSequence": (0x00080096, "SQ"),
    "CodeValue": (0x00080100, "SH"),
    "CodingSchemeDesignator": (0x00080102, "SH"),
    "CodeMeaning": (0x00080104, "LO"),
    "MappingResource": (0x00080105, "CS"),
    "CodingSchemeIdentificationSequence": (0x00080110, "SQ"),
    "CodingSchemeName": (0x00080115, "ST"),
    "LongCodeValue": (0x00080119, "UC"),
    "URNCodeValue": (0x00080120, "UR"),
    "EquivalentCodeSequence": (0x00080121, "SQ"),
    "TimezoneOffsetFromUTC": (0x00080201, "SH"),
    "StudyDescription": (0x00081030, "LO"),
    "SeriesDescription": (0x0008103E, "LO"),
    "ManufacturerModelName": (0x00081090, "LO"),
    "ReferencedStudySequence": (0x00081110, "SQ"),
    "ReferencedPerformedProcedureStepSequence": (0x00081111, "SQ"),
    "ReferencedSeriesSequence": (0x00081115, "SQ"),
    "ReferencedSOPClassUID": (0x00081150, "UI"),
    "ReferencedSOPInstanceUID": (0x00081155, "UI"),
    "ReferencedFrameNumber": (0x00081160, "IS"),
    "ReferencedSOPSequence": (0x00081199, "SQ"),
    "PatientName": (0x00100010, "PN"),
    "PatientID": (0x00100020, "LO"),
    "IssuerOfPatientID": (0x00100021, "LO"),
    "TypeOfPatientID": (0x00100022, "CS"),
    "IssuerOfPatientIDQualifiersSequence": (0x00100024, "SQ"),
    "PatientBirthDate": (0x00100030, "DA"),
    "PatientSex": (0x00100040, "CS"),
    "OtherPatientIDsSequence": (0x00101002, "SQ"),
    "DeviceUID": (0x00181002, "UI"),
    "SoftwareVersions": (0x00181020, "LO"),
    "ContributingEquipmentSequence": (0x0018A001, "SQ"),
    "ContributionDescription": (0x0018A003, "ST"),
    "StudyInstanceUID": (0x0020000D, "UI"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "StudyID": (0x00200010, "SH"),
    "SeriesNumber": (0x00200011, "IS"),
    "InstanceNumber": (0x00200013, "IS"),
    "RequestedProcedureDescription": (0x00321060, "LO"),
    "RequestedProcedureCodeSequence": (0x00321064, "SQ"),
    "LocalNamespaceEntityID": (0x00400031, "UT"),
    "UniversalEntityID": (0x00400032, "UT"),
    "UniversalEntityIDType": (0x00400033, "CS"),
    "MeasurementUnitsCodeSequence": (0x004008EA, "SQ"),
    "RequestedProcedureID": (0x00401001, "SH"),
    "PersonIdentificationCodeSequence": (0x00401101, "SQ"),
    "PlacerOrderNumberImagingServiceRequest": (0x00402016, "LO"),
    "FillerOrderNumberImagingServiceRequest": (0x00402017, "LO"),
    "RelationshipType": (0x0040A010, "CS"),
    "VerifyingOrganization": (0x0040A027, "LO"),
    "VerificationDateTime": (0x0040A030, "DT"),
    "ValueType": (0x0040A040, "CS"),
    "ConceptNameCodeSequence": (0x0040A043, "SQ"),
    "ContinuityOfContent": (0x0040A050, "CS"),
    "VerifyingObserverSequence": (0x0040A073, "SQ"),
    "VerifyingObserverName": (0x0040A075, "PN"),
    "AuthorObserverSequence": (0x0040A078, "SQ"),
    "ObserverType": (0x0040A084, "CS"),
    "VerifyingObserverIdentificationCodeSequence": (0x0040A088, "SQ"),
    "DateTime": (0x0040A120, "DT"),
    "Date": (0x0040A121, "DA"),
    "Time": (0x0040A122, "TM"),
    "PersonName": (0x0040A123, "PN"),
    "UID": (0x0040A124, "UI"),
    "TextValue": (0x0040A160, "UT"),
    "FloatingPointValue": (0x0040A161, "FD"),
    "ConceptCodeSequence": (0x0040A168, "SQ"),
    "PurposeOfReferenceCodeSequence": (0x0040A170, "SQ"),
    "MeasuredValueSequence": (0x0040A300, "SQ"),
    "NumericValue": (0x0040A30A, "DS"),
    "PredecessorDocumentsSequence": (0x0040A360, "SQ"),
    "ReferencedRequestSequence": (0x0040A370, "SQ"),
    "PerformedProcedureCodeSequence": (0x0040A372, "SQ"),
    "CurrentRequestedProcedureEvidenceSequence": (0x0040A375, "SQ"),
    "PertinentOtherEvidenceSequence": (0x0040A385, "SQ"),
    "CompletionFlag": (0x0040A491, "CS"),
    "CompletionFlagDescription": (0x0040A492, "LO"),
    "VerificationFlag": (0x0040A493, "CS"),
    "PreliminaryFlag": (0x0040A496, "CS"),
    "ContentTemplateSequence": (0x0040A504, "SQ"),
    "ContentSequence": (0x0040A730, "SQ"),
    "TemplateIdentifier": (0x0040DB00, "CS"),
    "ReferencedSegmentNumber": (0x0062000B, "US"),
    "GraphicData": (0x00700022, "FL"),
    "GraphicType": (0x00700023, "CS"),
    "ReferencedFrameOfReferenceUID": (0x30060024, "UI"),
}
"""Keyword to tag and VR, in the order of the tags."""

Dataset = Mapping[str, Any]
ITEM = b"\xfe\xff\x00\xe0"
_ORDER = {keyword: position for position, keyword in enumerate(ATTRIBUTES)}
_CODECS: dict[str, Callable[[Any], bytes]] = {
    "CS": vr.cs,
    "DA": vr.da,
    "DS": vr.ds,
    "DT": vr.dt,
    "FD": vr.fd,
    "IS": vr.is_,
    "LO": vr.lo,
    "PN": vr.pn,
    "SH": vr.sh,
    "ST": vr.st,
    "TM": vr.tm,
    "UC": vr.uc,
    "UI": vr.ui,
    "UR": vr.ur,
    "US": vr.us,
    "UT": vr.ut,
}


@cache
def head(keyword: str) -> bytes:
    """Tag and VR of an element, with the two reserved bytes of a long form (PS3.5 7.1.2)."""
    tag, representation = ATTRIBUTES[keyword]
    made = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little") + representation.encode()
    return made + b"\0\0" if representation in vr.LONG_FORM else made


def short(keyword: str, value: bytes) -> bytes:
    """An element of a VR with a 16 bit length."""
    return head(keyword) + len(value).to_bytes(2, "little") + value


def long(keyword: str, value: bytes) -> bytes:
    """An element of a VR with a 32 bit length."""
    return head(keyword) + len(value).to_bytes(4, "little") + value


def item(value: bytes) -> bytes:
    """One item of a sequence, with its length."""
    return ITEM + len(value).to_bytes(4, "little") + value


def element(keyword: str, value: Any) -> bytes:
    """One element; None or an empty value gives it no value (type 2). Raises ValueError naming the attribute."""
    representation = ATTRIBUTES[keyword][1]
    if representation == "SQ":
        return long(keyword, b"".join([item(encode_dataset(one)) for one in value or ()]))
    try:
        made = b"" if value is None or value == "" else _CODECS[representation](value)
    except ValueError as error:
        raise ValueError(f"{keyword}: {error}") from error
    return (long if representation in vr.LONG_FORM else short)(keyword, made)


def encode_elements(dataset: Dataset) -> dict[str, bytes]:
    """Each element by its keyword; a value that is bytes already is taken as the whole element."""
    return {
        keyword: value if isinstance(value, bytes) else element(keyword, value) for keyword, value in dataset.items()
    }


def in_order(elements: Mapping[str, bytes]) -> dict[str, bytes]:
    """The elements with their tags ascending."""
    return {keyword: elements[keyword] for keyword in sorted(elements, key=_ORDER.__getitem__)}


def encode_dataset(dataset: Dataset) -> bytes:
    """A data set with its tags ascending."""
    return b"".join(in_order(encode_elements(dataset)).values())
