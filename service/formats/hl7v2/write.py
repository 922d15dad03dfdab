"""A coded report as ORU^R01, version 2.5.1 (chapter 7.3.1), in UTF-8: the same report gives the same bytes.

The message control id is derived from what the message says, so one that is sent again is the same message, and
another content is another one. MSH-7 is the time of issue: no clock is asked.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from service.domain.codes import CodedTerm
from service.domain.emitted import Emitted, SrReference
from service.domain.loss import LossKind
from service.domain.report import CodedReport, Person, Status
from service.domain.uids import derive_uuid
from service.formats.hl7v2.fields import (
    Field,
    Value,
    authority,
    escape,
    identifier,
    interpreter,
    moment,
    named,
    names,
    provider,
    segment,
)
from service.formats.hl7v2.observations import Observations, encapsulated, key, observations
from service.formats.hl7v2.tables import WRITTEN
from service.formats.hl7v2.withdrawn import with_deleted

MEDIA_TYPE: Final = "application/hl7-v2; charset=utf-8"
APPLICATION: Final = "LESIONBRIDGE"
"""MSH-3 of every message."""
_CONTROL_ID_CHARACTERS: Final = 20  # MSH-10 (2.14.9.10)
_NO_NAME: Final = ("", "", "", "", "", "", "U")
"""PID-5 is required: a name that is not said, type unspecified (table 0200)."""
_SERVICE_SECTION: Final = "RAD"  # table 0074


def write(
    report: CodedReport,
    sr: SrReference | None = None,
    document: Emitted | None = None,
    earlier: Sequence[Emitted] = (),
) -> Emitted:
    """The message, segments ended by a carriage return, with what it can't carry as losses.

    ``sr`` is pointed to, ``document`` is the report as PDF and goes along, where they are given. ``earlier`` are
    messages of the versions before it, as emitted, the newest first: what only they have is deleted.
    """
    made = observations(report, sr)
    if document is not None:
        made.add("ED", key("diagnostic-imaging-report"), encapsulated(document.content))
        made.losses.extend(document.losses)
    _left_out(made, report)
    body = "\r".join([_patient(report), _order(report), _request(report), *with_deleted(made.segments, earlier)])
    digest = sha256(body.encode()).hexdigest()
    control = derive_uuid("hl7v2", report.sender, report.id, report.version, digest).hex[:_CONTROL_ID_CHARACTERS]
    content = f"{_header(report, control)}\r{body}\r".encode()
    return Emitted(MEDIA_TYPE, content, tuple(dict.fromkeys(made.losses)))


def _header(report: CodedReport, control: str) -> str:
    """MSH (2.14.9): the application answers once it has read the message (MSH-16 AL), not before (MSH-15 NE)."""
    return "|".join(
        [
            "MSH",
            "^~\\&",
            APPLICATION,
            escape(report.sender),
            "",
            "",
            moment(report.issued),
            "",
            "ORU^R01^ORU_R01",
            control,
            "P",
            "2.5.1",
            "",
            "",
            "NE",
            "AL",
            "",
            "UNICODE UTF-8",
            f"{escape(report.language)}^^RFC5646",
        ]
    )


def _patient(report: CodedReport) -> str:
    """PID (3.4.2)."""
    patient = report.patient
    ids: list[Value] = [_patient_id(patient.id, authority(patient.issuer))]
    ids += [_patient_id(other.id, authority(other.issuer)) for other in patient.other_ids]
    sex = str(patient.sex) if patient.sex is not None else ""
    return segment("PID", "1", "", ids, "", names(patient.name) or [_NO_NAME], "", moment(patient.birth_date), sex)


def _patient_id(text: str, issuer: tuple[str, ...]) -> Value:
    """CX (2A.14): the id, its assigning authority, type internal (table 0203)."""
    return (text, "", "", issuer or "", "PI")


def _filler(report: CodedReport) -> Value:
    """OBR-3 and ORC-3: the accession number; without one the report's id."""
    study = report.study
    if study.accession is not None:
        return identifier(study.accession, study.accession_issuer)
    return (report.id, report.sender)


def _order(report: CodedReport) -> str:
    """ORC (4.5.1): observations to follow."""
    return segment("ORC", "RE", "", _filler(report))


def _request(report: CodedReport) -> str:
    """OBR (7.4.1)."""
    people = [observer.person for observer in report.observers if observer.person is not None]
    fields: dict[int, Field] = {
        1: "1",
        3: _filler(report),
        4: named(report.study.procedures[0]),
        7: moment(report.study.started),
        16: provider(report.study.referring_physician),
        18: report.study.accession or "",  # Placer Field 1: where IHE's radiology profiles have it, too
        20: report.id,
        21: str(report.version),
        22: moment(report.issued),
        24: _SERVICE_SECTION,
        25: WRITTEN[report.status][0],
        32: interpreter(people[0]) if people else "",
        33: [interpreter(person) for person in people[1:]],
    }
    return segment("OBR", *(fields.get(number, "") for number in range(1, 34)))


def _left_out(made: Observations, report: CodedReport) -> None:
    """What has no place beside the observations."""
    study = report.study
    for code in study.procedures[0].codes[2:]:
        why = "a CWE has places for two codes (HL7 v2.5.1, 2A.89)"
        made.lose(study.procedures[0].where, f"{code.system} {code.code}", why, "v2-third-code")
    if report.status in (Status.AMENDED, Status.APPENDED):
        why = "tables 0085 and 0123 have one code for what is changed after it was final: C"
        made.lose("/report/status", str(report.status), why, "v2-status", LossKind.FLAGGED)
    if study.started is not None and study.started.has_time and not study.started.has_zone:
        why = "a time without a zone is taken as of that of MSH-7 (HL7 v2.5.1, 2.14.9.7)"
        made.lose("/study/started", "time zone", why, "v2-zone", LossKind.FLAGGED)
    why = "HL7 v2 has no place for it"
    for where, what, there in (
        ("/report/predecessor", "predecessor", report.predecessor),
        ("/study/comparisons", "comparison studies", study.comparisons),
        ("/study/description", "study description", study.description),
        ("/study/images", "images", study.images),
        ("/study/accessionIssuer", "issuer without an accession number", _is_alone(report)),
    ):
        if there:
            made.lose(where, what, why, "v2-no-place")
    for turn, observer in enumerate(report.observers):
        if observer.person is not None:
            _of_person(made, observer.person, f"/observers/{turn}/person", is_interpreter=True)
        if observer.person is not None and observer.device is not None:
            why = "HL7 v2 does not say that a person observed with a device"
            made.lose(f"/observers/{turn}", "person and device together", why, "v2-no-place")
    if study.referring_physician is not None:
        _of_person(made, study.referring_physician, "/study/referringPhysician", is_interpreter=False)


def _is_alone(report: CodedReport) -> bool:
    return report.study.accession is None and report.study.accession_issuer is not None


def _of_person(made: Observations, person: Person[CodedTerm], where: str, *, is_interpreter: bool) -> None:
    groups = sum(bool(str(group)) for group in (person.name.alphabetic, person.name.ideographic, person.name.phonetic))
    for what, there in (
        ("organization", person.organization),
        ("role", person.role),
        ("time of verification", person.verified_at),
        ("how the name is written", is_interpreter and (groups > 1 or not str(person.name.alphabetic))),
    ):
        if there:
            made.lose(where, what, "HL7 v2 has no place for it beside the name", "v2-person")
