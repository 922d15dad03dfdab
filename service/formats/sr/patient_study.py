"""Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1), and the macros for issuers and persons.

What does not fit its VR is left out and named as a loss, except the patient's id: a report that can't say whose it is,
is refused.
"""

import re
from typing import Any

from service.domain.codes import Code, CodedTerm
from service.domain.errors import Invalid, Problem
from service.domain.loss import Loss, LossKind
from service.domain.report import Issuer, Patient, Person
from service.formats.sr import vr
from service.formats.sr.attributes import long
from service.formats.sr.draft import Draft
from service.formats.sr.times import local

Header = dict[str, Any]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

LOCAL_PERSONS = "99LOCALPERSON"
"""The scheme of person ids: senders do not say whose they are."""
UNKNOWN = "unknown"
"""What a type 1 attribute says where nobody said it."""


def line(draft: Draft, text: str | None, longest: int, where: str, what: str) -> str:
    """Words for SH or LO, on one line: what that changes is flagged, and what does not fit is left out as a loss."""
    said = (text or "").strip(" ")
    made = one_line(said)
    if made != said:
        why = "on one line in the SR: a line break or control character is a space, a backslash a slash (PS3.5 6.2)"
        draft.losses.append(Loss(LossKind.FLAGGED, where, what, why, "sr-one-line"))
    return identifier(draft, made, longest, where, what)


def one_line(text: str) -> str:
    """Words as SH and LO hold them: spaces within count; no control character or backslash can be there (PS3.5 6.2)."""
    if not text.isprintable() and _CONTROL.search(text) is not None:
        text = " ".join([words for part in _CONTROL.split(text) if (words := part.strip(" "))])
    return text.strip(" ").replace("\\", "/")


def identifier(draft: Draft, text: str | None, longest: int, where: str, what: str) -> str:
    """An id for SH or LO exactly as it is; where it does not fit it is left out and named as a loss."""
    said = text or ""
    try:
        (vr.sh if longest == vr.SH_CHARACTERS else vr.lo)(said)
    except ValueError as error:
        draft.lose(where, what, f"{error} (PS3.5 6.2)", "sr-line")
        return ""
    return said


def patient_module(draft: Draft, patient: Patient) -> Header:
    """Patient module (C.7.1.1)."""
    try:
        vr.lo(patient.id)
    except ValueError as error:
        raise Invalid(Problem("/patient/id", "sr-patient-id", f"Patient ID is LO: {error}")) from error
    born = patient.birth_date
    if born is not None and not born.da:
        why = "Patient's Birth Date is a whole day or nothing (DA, PS3.5 6.2)"
        draft.lose("/patient/birthDate", "birth date", why, "sr-partial-date")
    made: Header = {
        "PatientName": str(patient.name) if patient.name is not None else "",
        "PatientID": patient.id,
        "PatientBirthDate": born.da if born is not None else "",
        "PatientSex": patient.sex.value if patient.sex is not None else "",
    }
    made |= _issuer(draft, patient.issuer, "/patient/issuer")
    others = [
        {
            "PatientID": identifier(draft, other.id, vr.LO_CHARACTERS, "/patient/otherIds", "other id"),
            "TypeOfPatientID": "TEXT",
            **_issuer(draft, other.issuer, "/patient/otherIds"),
        }
        for other in patient.other_ids
    ]
    others = [other for other in others if other["PatientID"]]
    if others:
        made["OtherPatientIDsSequence"] = others
    return made


def _issuer(draft: Draft, issuer: Issuer | None, where: str) -> Header:
    """Issuer of Patient ID with its OID or URI (PS3.3 table 10-18)."""
    if issuer is None:
        return {}
    made: Header = {}
    key = identifier(draft, issuer.key, vr.LO_CHARACTERS, where, "issuer")
    if key:
        made["IssuerOfPatientID"] = key
    universal = entity(issuer)
    if universal:
        made["IssuerOfPatientIDQualifiersSequence"] = [universal]
    return made


def entity(issuer: Issuer) -> Header:
    """Universal Entity ID and its type, of the HL7 v2 Hierarchic Designator Macro (PS3.3 table 10-17)."""
    if issuer.oid is not None:
        return {"UniversalEntityID": issuer.oid, "UniversalEntityIDType": "ISO"}
    if issuer.uri is not None:
        return {"UniversalEntityID": issuer.uri, "UniversalEntityIDType": "URI"}
    return {}


def study_module(draft: Draft) -> Header:
    """General Study (C.7.2.1): the study that was reported on."""
    study = draft.report.study
    day, time = local(study.started, draft.report.issued) if study.started is not None else ("", "")
    referring = study.referring_physician
    accession = identifier(draft, study.accession, vr.SH_CHARACTERS, "/study/accession", "accession number")
    made: Header = {
        "StudyInstanceUID": study.uid,
        "StudyDate": day,
        "StudyTime": time,
        "AccessionNumber": accession,
        "ReferringPhysicianName": str(referring.name) if referring is not None else "",
    }
    if study.accession_issuer is not None and accession:
        made["IssuerOfAccessionNumberSequence"] = [accession_issuer(draft, study.accession_issuer)]
    elif study.accession_issuer is not None and study.accession is None:
        why = "there is no accession number that it issued"
        draft.lose("/study/accessionIssuer", "issuer of the accession number", why, "sr-accession-issuer")
    description = line(draft, study.description, vr.LO_CHARACTERS, "/study/description", "study description")
    if description:
        made["StudyDescription"] = description
    if referring is not None and referring.id is not None:
        made["ReferringPhysicianIdentificationSequence"] = [identified(draft, referring, "/study/referringPhysician")]
    elif referring is not None and referring.organization is not None:
        why = "the organization stands beside an identification only (PS3.3 table 10-1)"
        draft.lose("/study/referringPhysician/organization", "organization", why, "sr-referring-organization")
    if referring is not None and referring.role is not None:
        why = "no attribute of an SR holds the role of the referring physician (PS3.3 C.7.2.1)"
        draft.lose("/study/referringPhysician/role", "role", why, "sr-referring-role")
    if study.started is not None and not day:
        why = "Study Date is a whole day or nothing (DA, PS3.5 6.2)"
        draft.lose("/study/started", "start of the study", why, "sr-partial-date")
    if study.started is not None and time and not study.started.has_zone:
        # One offset holds for every time of the data set (PS3.3 C.12.1.1.8).
        why = f"no zone is said; in the SR it stands in that of the report, {draft.report.issued.offset}"
        draft.losses.append(Loss(LossKind.FLAGGED, "/study/started", "time of the study", why, "sr-time-zone"))
    return made


def accession_issuer(draft: Draft, issuer: Issuer) -> Header:
    """Hierarchic Designator Macro (PS3.3 table 10-17): the issuer's own word, and its OID or URI."""
    key = identifier(draft, issuer.key, vr.LO_CHARACTERS, "/study/accessionIssuer", "issuer")
    return {**({"LocalNamespaceEntityID": key} if key else {}), **entity(issuer)}


def identified(draft: Draft, person: Person[CodedTerm], where: str) -> Header:
    """Person Identification Macro (PS3.3 table 10-1); the institution is type 1."""
    institution = line(draft, person.organization, vr.LO_CHARACTERS, f"{where}/organization", "organization")
    return {
        "PersonIdentificationCodeSequence": person_code(draft, "PersonIdentificationCodeSequence", person),
        "InstitutionName": institution or UNKNOWN,
    }


def person_code(draft: Draft, keyword: str, person: Person[CodedTerm]) -> bytes:
    """The person's id as a code: nobody said of which scheme, so it is a local one."""
    said = str(person.name.alphabetic) or str(person.name.ideographic) or str(person.name)
    code = Code(LOCAL_PERSONS, person.id or "", said)
    return long(keyword, draft.entry((code,)).item)
