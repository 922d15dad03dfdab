"""What the header of an SR states, and its two evidence sequences: attributes as ``decode`` gives them."""

from collections.abc import Iterator
from typing import Any

from service.check.sr_context import in_utc
from service.check.values import Fact, codes_value, issuer_value, said_with
from service.domain.codes import Code

Elements = dict[str, Any]
_EVIDENCE = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")


def header(said: Elements) -> Iterator[Fact]:
    """Every fact of the header; what it says twice and differently is a fact too many."""
    yield from _document(said)
    yield from _patient(said)
    yield from _study(said)
    yield from _request(said)
    yield from _people(said)
    for item in said.get("ContributingEquipmentSequence", ()):
        yield Fact(
            "observer/equipment",
            said_with(
                item["ManufacturerModelName"],
                manufacturer=item["Manufacturer"],
                version=item.get("SoftwareVersions"),
                algorithm=item.get("ContributionDescription"),
            ),
        )
    own, others = _EVIDENCE
    yield from _evidence(said, own, is_own=True)
    yield from _evidence(said, others, is_own=False)


def _document(said: Elements) -> Iterator[Fact]:
    yield Fact("report/version", str(said["InstanceNumber"]))
    yield Fact("issued", said["ContentDate"] + said["ContentTime"] + said["TimezoneOffsetFromUTC"])
    is_preliminary = said["PreliminaryFlag"] == "PRELIMINARY"
    status = said.get("CompletionFlagDescription", "preliminary" if is_preliminary else "final")
    yield Fact("status", status)
    flags = (
        "PARTIAL" if status in ("preliminary", "cancelled") else "COMPLETE",
        "PRELIMINARY" if status == "preliminary" else "FINAL",
    )
    if (said["CompletionFlag"], said["PreliminaryFlag"]) != flags:
        yield Fact("status", f"the flags say {said['CompletionFlag']} and {said['PreliminaryFlag']}")
    for document in said.get("PredecessorDocumentsSequence", ()):
        for series in document["ReferencedSeriesSequence"]:
            for one in series["ReferencedSOPSequence"]:
                place = f"in {series['SeriesInstanceUID']} of {document['StudyInstanceUID']}"
                value = f"{one['ReferencedSOPClassUID']} {one['ReferencedSOPInstanceUID']} {place}"
                yield Fact("predecessor", value)


def _patient(said: Elements) -> Iterator[Fact]:
    yield Fact("patient/id", said["PatientID"])
    if _issuer(said):
        yield Fact("patient/issuer", _issuer(said))
    for other in said.get("OtherPatientIDsSequence", ()):
        yield Fact("patient/otherId", said_with(other["PatientID"], issuer=_issuer(other)))
    for keyword, place in (
        ("PatientName", "patient/name"),
        ("PatientBirthDate", "patient/birthDate"),
        ("PatientSex", "patient/sex"),
    ):
        if said[keyword]:
            yield Fact(place, said[keyword])


def _issuer(said: Elements) -> str:
    (universal,) = said.get("IssuerOfPatientIDQualifiersSequence", ({},))
    return _named(said.get("IssuerOfPatientID", ""), universal)


def _named(key: str, universal: Elements) -> str:
    """An issuer by its word and its universal id; one of another type than it looks like is another."""
    entity = universal.get("UniversalEntityID")
    if entity is not None:
        looks = "URI" if ":" in entity else "ISO"
        if universal["UniversalEntityIDType"] != looks:
            entity = f"{entity} as {universal['UniversalEntityIDType']}"
    return issuer_value(key, entity) if key or entity else ""


def _study(said: Elements) -> Iterator[Fact]:
    yield Fact("study/uid", said["StudyInstanceUID"])
    if said["AccessionNumber"]:
        yield Fact("study/accession", said["AccessionNumber"])
    yield from _accession_issuer(said)
    if said["StudyDate"]:
        moment = said["StudyDate"] + said["StudyTime"]
        yield Fact("study/started", in_utc(moment, said["TimezoneOffsetFromUTC"]))
    elif said["StudyTime"]:
        yield Fact("study/started", said["StudyTime"])
    if said.get("StudyDescription"):
        yield Fact("study/description", said["StudyDescription"])
    if said["ReferringPhysicianName"]:
        (person,) = said.get("ReferringPhysicianIdentificationSequence", ({},))
        value = said_with(
            said["ReferringPhysicianName"],
            id=_person_id(person, "PersonIdentificationCodeSequence"),
            organization=person.get("InstitutionName"),
        )
        yield Fact("study/referringPhysician", value)
    for procedure in said["PerformedProcedureCodeSequence"]:
        yield Fact("study/performed", codes_value(entry_codes(procedure)))


def _accession_issuer(said: Elements) -> Iterator[Fact]:
    for issuer in said.get("IssuerOfAccessionNumberSequence", ()):
        yield Fact("study/accessionIssuer", _named(issuer.get("LocalNamespaceEntityID", ""), issuer))


def _request(said: Elements) -> Iterator[Fact]:
    """The request says the accession number of the study once more, with its issuer, and what was asked for."""
    for request in said.get("ReferencedRequestSequence", ()):
        for keyword, place in (("StudyInstanceUID", "study/uid"), ("AccessionNumber", "study/accession")):
            if request[keyword] != said[keyword]:
                yield Fact(place, f"the request says {request[keyword]}")
        if list(_accession_issuer(request)) != list(_accession_issuer(said)):
            yield from _accession_issuer(request)
        for procedure in request["RequestedProcedureCodeSequence"]:
            yield Fact("study/requested", codes_value(entry_codes(procedure)))


def _people(said: Elements) -> Iterator[Fact]:
    for person in said.get("AuthorObserverSequence", ()):
        value = said_with(
            person["PersonName"],
            id=_person_id(person, "PersonIdentificationCodeSequence"),
            organization=person["InstitutionName"],
        )
        yield Fact("observer/author", value)
    verifiers = said.get("VerifyingObserverSequence", ())
    if said["VerificationFlag"] != ("VERIFIED" if verifiers else "UNVERIFIED"):
        yield Fact("verified", said["VerificationFlag"])
    for person in verifiers:
        value = said_with(
            person["VerifyingObserverName"],
            id=_person_id(person, "VerifyingObserverIdentificationCodeSequence"),
            organization=person["VerifyingOrganization"],
        )
        yield Fact("verified", value)
        yield Fact("verified/at", person["VerificationDateTime"])


def _person_id(person: Elements, keyword: str) -> str | None:
    """The id of a person: the code of its local scheme."""
    for entry in person.get(keyword, ()):
        (code, *_) = entry_codes(entry)
        return code.code if code.system == "99LOCALPERSON" else f"{code.system} {code.code}"
    return None


def _evidence(said: Elements, keyword: str, *, is_own: bool) -> Iterator[Fact]:
    """Every instance by class, series and study; one in the wrong sequence is another."""
    for study in said.get(keyword, ()):
        uid = study["StudyInstanceUID"]
        misplaced = "" if (uid == said["StudyInstanceUID"]) == is_own else f" in {keyword}"
        for series in study["ReferencedSeriesSequence"]:
            for one in series["ReferencedSOPSequence"]:
                value = f"{one['ReferencedSOPClassUID']} in {series['SeriesInstanceUID']} of {uid}{misplaced}"
                yield Fact(f"image/{one['ReferencedSOPInstanceUID']}", value)


def codes_of_header(said: Elements) -> Iterator[Code]:
    """Every code of the header, wherever it stands."""
    if "CodingSchemeDesignator" in said and "CodeMeaning" in said:
        yield entry_codes(said)[0]
    for value in said.values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                yield from codes_of_header(item)


def classes_of_evidence(said: Elements) -> dict[str, str]:
    """SOP class of each instance of the evidence sequences."""
    return {
        one["ReferencedSOPInstanceUID"]: one["ReferencedSOPClassUID"]
        for keyword in _EVIDENCE
        for study in said.get(keyword, ())
        for series in study["ReferencedSeriesSequence"]
        for one in series["ReferencedSOPSequence"]
    }


def entry_codes(entry: Elements) -> list[Code]:
    """A code and its equivalents."""
    value = entry.get("CodeValue") or entry.get("LongCodeValue") or entry["URNCodeValue"]
    first = Code(entry["CodingSchemeDesignator"], value, entry["CodeMeaning"])
    return [first, *(code for other in entry.get("EquivalentCodeSequence", ()) for code in entry_codes(other))]
