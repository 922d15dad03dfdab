"""The data set around the tree, module by module (PS3.3 A.35): all attributes of type 1 and 2, and those of 3 we know.

Empty strings and lists are type 2 attributes without a value. The document's own words (manufacturer, series
description and number) are fixed.
"""

from functools import lru_cache

from service.coding import vocabulary
from service.domain.codes import LOCAL_SCHEME, CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.report import Device, Predecessor, Status
from service.formats.sr import vr
from service.formats.sr.attributes import encode_dataset, encode_elements, item, long
from service.formats.sr.draft import Draft
from service.formats.sr.encode import IMPLEMENTATION_VERSION_NAME
from service.formats.sr.names import name
from service.formats.sr.patient_study import (
    LOCAL_PERSONS,
    UNKNOWN,
    Header,
    accession_issuer,
    identifier,
    line,
    patient_module,
    person_code,
    study_module,
)

MANUFACTURER = "LesionBridge"
MODEL_NAME = "LesionBridge SR writer"
SERIES_DESCRIPTION = "Lesion report"
SERIES_NUMBER = 9_900
FIXED = encode_elements(
    {
        "SpecificCharacterSet": "ISO_IR 192",
        "Modality": "SR",
        "SeriesNumber": SERIES_NUMBER,
        "SeriesDescription": SERIES_DESCRIPTION,
        "ReferencedPerformedProcedureStepSequence": [],
        "Manufacturer": MANUFACTURER,
        "ManufacturerModelName": MODEL_NAME,
        "SoftwareVersions": IMPLEMENTATION_VERSION_NAME,
        "StudyID": "",
    }
)


def header(draft: Draft) -> Header:
    """All but the content, the SOP class and the document's own UIDs."""
    report = draft.report
    made: Header = {**FIXED, "InstanceNumber": report.version}
    made |= patient_module(draft, report.patient)
    made |= study_module(draft)
    made |= _general(draft)
    made |= _verification(draft)
    made |= _authors(draft)
    made |= _evidence(draft)
    devices = [observer.device for observer in report.observers if observer.device is not None]
    if draft.dialect.equipment_uid and not devices:
        why = "nobody said which algorithm made it, and AI results name each (IHE AIR 6.5.3.1)"
        draft.losses.append(Loss(LossKind.FLAGGED, "/observers", "algorithm", why, "sr-no-algorithm"))
    if devices:
        made["ContributingEquipmentSequence"] = [_equipment(draft, device) for device in devices]
    # Last: the codes above are among those whose schemes must be named.
    made["CodingSchemeIdentificationSequence"] = coding_schemes(draft)
    return made


def coding_schemes(draft: Draft) -> bytes:
    """Every private coding scheme of a document (C.12.1)."""
    schemes = (LOCAL_SCHEME, *sorted(draft.schemes))
    return long("CodingSchemeIdentificationSequence", b"".join([_scheme(scheme) for scheme in schemes]))


def _general(draft: Draft) -> Header:
    """SR Document General (C.17.2)."""
    report = draft.report
    made: Header = {
        "ContentDate": report.issued.da,
        "ContentTime": report.issued.tm,
        "TimezoneOffsetFromUTC": report.issued.offset,
        "CompletionFlag": "COMPLETE" if report.is_complete else "PARTIAL",
        "PreliminaryFlag": "PRELIMINARY" if report.status is Status.PRELIMINARY else "FINAL",
        "PerformedProcedureCodeSequence": _codes(draft, "PerformedProcedureCodeSequence", report.study.procedures),
    }
    if report.status not in (Status.FINAL, Status.PRELIMINARY):
        # The flags can't tell these apart (C.17.2): the description names the state.
        made["CompletionFlagDescription"] = report.status.value
    if report.status is Status.ENTERED_IN_ERROR:
        why = "by the flags alone it is a finished one (PS3.3 C.17.2); reject the documents before it, too"
        draft.losses.append(Loss(LossKind.FLAGGED, "/report/status", "withdrawn", why, "sr-withdrawn"))
    if report.study.accession is not None:
        made["ReferencedRequestSequence"] = [request(draft)]
    if report.predecessor is not None:
        made["PredecessorDocumentsSequence"] = [_predecessor(report.predecessor, report.study.uid)]
    return made


def _verification(draft: Draft) -> Header:
    """VERIFIED only with COMPLETE, and then with everyone who verified (C.17.2)."""
    verifiers = [
        (number, observer.person)
        for number, observer in enumerate(draft.report.observers)
        if observer.person is not None and observer.person.verified_at is not None
    ]
    if verifiers and not draft.report.is_complete:
        why = "a document that is not complete can't be verified (PS3.3 C.17.2)"
        draft.lose("/observers", "verification", why, "sr-verified-needs-complete")
        verifiers = []
    if not verifiers:
        return {"VerificationFlag": "UNVERIFIED"}
    items = []
    for number, person in verifiers:
        where = f"/observers/{number}/person/organization"
        assert person.verified_at is not None  # noqa: S101 - for the type checker; chosen by it above
        items.append(
            {
                "VerifyingObserverName": str(person.name),
                "VerifyingObserverIdentificationCodeSequence": []
                if person.id is None
                else person_code(draft, "VerifyingObserverIdentificationCodeSequence", person),
                "VerifyingOrganization": line(draft, person.organization, vr.LO_CHARACTERS, where, "organization")
                or UNKNOWN,
                "VerificationDateTime": person.verified_at.dt,
            }
        )
    return {"VerificationFlag": "VERIFIED", "VerifyingObserverSequence": items}


def _authors(draft: Draft) -> Header:
    """Author Observer Sequence: the persons who observed, where they have an id, which TID 1003 has no row for."""
    people = [observer.person for observer in draft.report.observers if observer.person is not None]
    items = [
        {
            "ObserverType": "PSN",
            "PersonName": str(person.name),
            "PersonIdentificationCodeSequence": person_code(draft, "PersonIdentificationCodeSequence", person),
            # Type 2 here (PS3.3 table C.17-3b): where nobody said it, it is empty.
            "InstitutionName": line(draft, person.organization, vr.LO_CHARACTERS, "/observers", "organization"),
            "InstitutionCodeSequence": [],
        }
        for person in people
        if person.id is not None
    ]
    return {"AuthorObserverSequence": items} if items else {}


def request(draft: Draft) -> Header:
    """Referenced Request Sequence: what is known of the order is its accession number and what was asked for."""
    study = draft.report.study
    made: Header = {
        "StudyInstanceUID": study.uid,
        "ReferencedStudySequence": [],
        "AccessionNumber": identifier(draft, study.accession, vr.SH_CHARACTERS, "/study/accession", "accession number"),
        "PlacerOrderNumberImagingServiceRequest": "",
        "FillerOrderNumberImagingServiceRequest": "",
        "RequestedProcedureID": "",
        "RequestedProcedureDescription": "",
        "RequestedProcedureCodeSequence": _codes(draft, "RequestedProcedureCodeSequence", study.procedures[:1]),
    }
    if study.accession_issuer is not None:
        made["IssuerOfAccessionNumberSequence"] = [accession_issuer(draft, study.accession_issuer)]
    return made


def _predecessor(document: Predecessor, study: str) -> Header:
    """The document that this one replaces (C.17.2.1)."""
    instance = {
        "ReferencedSOPClassUID": document.sop_class,
        "ReferencedSOPInstanceUID": document.sop_instance,
    }
    series = {"SeriesInstanceUID": document.series, "ReferencedSOPSequence": [instance]}
    return {"StudyInstanceUID": document.study or study, "ReferencedSeriesSequence": [series]}


def _codes(draft: Draft, keyword: str, terms: tuple[CodedTerm, ...]) -> bytes:
    """A sequence of the terms that have a code."""
    return long(keyword, b"".join([draft.entry(term.codes).item for term in terms if term.codes]))


def _evidence(draft: Draft) -> Header:
    """Both evidence sequences, complete; an instance is in one of them."""
    made: Header = {}
    for keyword, elements in (
        ("CurrentRequestedProcedureEvidenceSequence", draft.evidence.current()),
        ("PertinentOtherEvidenceSequence", draft.evidence.pertinent()),
    ):
        if elements:
            made[keyword] = elements
    return made


def _equipment(draft: Draft, device: Device) -> Header:
    """Contributing Equipment Sequence (C.12.1): the device with its version and algorithm, as processing equipment."""

    def short(text: str | None, what: str) -> str:
        return line(draft, text, vr.LO_CHARACTERS, "/observers", what)

    made: Header = {
        "Manufacturer": short(device.manufacturer, "manufacturer") or UNKNOWN,
        "ManufacturerModelName": short(device.model or device.name, "device"),
        "PurposeOfReferenceCodeSequence": long("PurposeOfReferenceCodeSequence", name("processing-equipment").item),
    }
    if draft.dialect.equipment_uid and device.uid is not None:
        made["DeviceUID"] = device.uid
    if device.version is not None:
        made["SoftwareVersions"] = short(device.version, "version")
    if device.algorithm is not None:
        made["ContributionDescription"] = short(device.algorithm, "algorithm")
    return made


@lru_cache(maxsize=64)
def _scheme(designator: str) -> bytes:
    """One private coding scheme (C.12.1) by its name, with the URI that FHIR knows it by where the table has one.

    Not as Coding Scheme UID: dciodvfy, which archives run on what they take in, calls every private UID there wrong.
    """
    system = vocabulary().system(designator)
    if system is not None:
        said = f"{system.name}, {system.uri}"
    else:
        said = "Local ids of persons" if designator == LOCAL_PERSONS else designator
    return item(encode_dataset({"CodingSchemeDesignator": designator, "CodingSchemeName": said}))
