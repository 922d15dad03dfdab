"""Anybody's ORU^R01 as a lesion report: ours with all that was written, others' with their text, ids and codes.

Item by item: what can't be read, or has no place in a report, is listed with its segment and field; the rest stands.
Refused are a message that is no ORU, one with two patients, one without an id of the patient.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from service.domain.codes import Code, Term
from service.domain.errors import Invalid, Problem
from service.domain.loss import Loss, LossKind
from service.domain.names import PersonName
from service.domain.received import Intake, Received
from service.domain.report import (
    Device,
    LesionReport,
    Observer,
    Patient,
    PatientId,
    Person,
    Sex,
    Status,
    Study,
)
from service.domain.times import DateTime
from service.domain.uids import derive_uid, is_uid
from service.formats.hl7v2 import values
from service.formats.hl7v2.content import Content, content_of
from service.formats.hl7v2.message import Components, Segment, message, part
from service.formats.hl7v2.tables import result_code, status_of
from service.formats.hl7v2.write import APPLICATION

_CAREFUL: Final = (
    Status.PRELIMINARY,
    Status.CORRECTED,
    Status.AMENDED,
    Status.APPENDED,
    Status.FINAL,
    Status.CANCELLED,
    Status.ENTERED_IN_ERROR,
)
"""Which state a report of several orders has: none that says more than the least finished of them."""
_UNFINISHED: Final = (Status.PRELIMINARY, Status.CANCELLED)
_SEX: Final = {"M": Sex.MALE, "F": Sex.FEMALE, "O": Sex.OTHER}
_UNSPECIFIED: Final = "U"
"""The type of a name that is not said (table 0200)."""
_PATIENTS: Final = ("MR", "PI", "")
"""Types of ids by which a hospital knows a patient (table 0203), and none: a social security number is no such."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_OTHER_MODALITY: Final = "OT"


class _Reading:
    """The segments of one message, and what is found wrong on the way."""

    def __init__(self, segments: Sequence[Segment], losses: list[Loss], intake: Intake) -> None:
        self.segments, self.losses, self.intake = segments, losses, intake

    def all(self, name: str) -> list[Segment]:
        """The segments of a name."""
        return [one for one in self.segments if one.name == name]

    def first(self, name: str) -> Segment:
        """The first segment of a name; an empty one where there is none."""
        return next(iter(self.all(name)), Segment(name, 1, (), "ascii"))

    def flag(self, where: str, what: str, why: str, rule: str) -> None:
        """What is assumed."""
        self.losses.append(Loss(LossKind.FLAGGED, where, what, why, rule))

    def skip(self, where: str, what: str, why: str, rule: str) -> None:
        """What is left out."""
        self.losses.append(Loss(LossKind.SKIPPED, where, what, why, rule))


def read(content: bytes, intake: Intake) -> Received:
    """The report of a message, terms with the place of each.

    Raises Unreadable, TooLarge, and Invalid for what is no ORU^R01 of one patient.
    """
    segments, losses = message(content, intake.limits)
    reading = _Reading(segments, losses, intake)
    header, request = reading.first("MSH"), reading.first("OBR")
    _held(reading, header)
    ours = is_ours(header)
    sender = header.text(4) if ours and header.text(4) else intake.sender
    found = content_of(segments, losses, intake.limits, ours=ours)
    report = LesionReport(
        id=request.text(20) if ours and request.text(20) else _report_id(reading, header, request),
        sender=sender,
        status=_status(reading, found),
        issued=_issued(reading, header, request),
        patient=_patient(reading),
        study=_study(reading, request, found, sender),
        version=_version(request) if ours else 1,
        language=_language(header),
        impression=found.impression,
        findings=found.findings,
        conclusions=tuple(found.conclusions),
        differential=tuple(found.differential),
        negatives=tuple(found.negatives),
        evaluations=tuple(found.evaluations),
        observers=tuple(_observers(reading, request, found)),
        lesions=tuple(found.lesions),
    )
    if not report.says_anything:
        why = "nothing in the message is a finding or a text: a report of it would look as if nothing had been found"
        raise Invalid(Problem("OBX", "v2-empty", why))
    _unread(reading)
    return Received(report, tuple(dict.fromkeys(losses)), processing=header.text(11))


def is_ours(header: Segment) -> bool:
    """Whether a message was written here: then it names sender, id and version of the report."""
    return header.text(3) == APPLICATION


def _held(reading: _Reading, header: Segment) -> None:
    """That it is a result, of one patient."""
    if header.text(9) != "ORU":
        raise Invalid(Problem("MSH-9", "v2-message-type", "read are results: ORU^R01", ("ORU^R01",)))
    if len(reading.all("PID")) > 1:
        raise Invalid(Problem("PID[2]", "v2-one-patient", "a message is about one patient: send one a message"))
    if not reading.first("PID").text(3):
        raise Invalid(Problem("PID-3", "v2-patient-id", "the message has no id of the patient"))
    if not reading.all("OBR"):
        raise Invalid(Problem("OBR", "v2-no-order", "the message has no OBR: it is the result of nothing"))


def _report_id(reading: _Reading, header: Segment, request: Segment) -> str:
    """The sender's id of the report: its filler order number; without one the message's control id."""
    filler = request.text(3) or reading.first("ORC").text(3)
    if filler:
        return filler
    control = header.text(10)
    if not control:
        raise Invalid(Problem("OBR-3", "v2-report-id", "neither a filler order number nor a message control id"))
    reading.flag(
        "OBR-3", "report id", "there is no filler order number: the message control id is taken", "v2-report-id"
    )
    return control


def _version(request: Segment) -> int:
    text = request.text(21)
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text) else 1


def _status(reading: _Reading, found: Content) -> Status:
    """OBR-25, and OBX-11 where every result is withdrawn as wrong, none was obtained, or one is not final."""
    said = [one.text(25) for one in reading.all("OBR") if one.text(25)] or [*filter(None, found.statuses)][:1] or [""]
    codes = {result_code(one) for one in found.statuses}
    if codes == {"W"}:
        return Status.ENTERED_IN_ERROR
    status = min(map(_status_of, said), key=_CAREFUL.index)
    if codes == {"X"} and status is not Status.CANCELLED:
        reading.flag("OBX-11", "status", "no result was obtained (X): the report is cancelled", "v2-status")
        return Status.CANCELLED
    if len({_status_of(one) for one in said}) > 1:
        reading.flag("OBR-25", "status", f"the orders have several: the report is {status}", "v2-status")
    if any(status_of(one) is None for one in said):
        reading.flag("OBR-25", "status", "no status that is known: taken as preliminary", "v2-status")
    elif any(_status_of(one) is Status.PRELIMINARY and not one.upper().startswith("P") for one in said):
        why = "results that are not yet final are taken as preliminary"
        reading.flag("OBR-25", "status", why, "v2-status")
    if status not in _UNFINISHED and any(status_of(one) is Status.PRELIMINARY for one in found.statuses):
        why = "an observation is not final, and the order says that all are: the report is preliminary"
        reading.flag("OBX-11", "status", why, "v2-status")
        return Status.PRELIMINARY
    return status


def _status_of(said: str) -> Status:
    return status_of(said) or Status.PRELIMINARY


def _zoned(reading: _Reading, when: DateTime | None, where: str) -> DateTime | None:
    """A time without a zone in that of MSH-7, the default of a message (2.14.9.7), else in the site's; flagged."""
    if when is None or not when.has_time or when.has_zone:
        return when
    sent = values.moment(reading.first("MSH").text(7))
    if sent is not None and sent.has_zone:
        why = "a time without a zone is taken as of that of MSH-7, which holds for the whole message"
        reading.flag(where, "time zone", why, "zone-assumed")
        return DateTime(when.text + sent.text[-6:])
    why = f"a time without a zone is taken as of {reading.intake.zone}, the zone of this deployment"
    reading.flag(where, "time zone", why, "zone-assumed")
    return DateTime(reading.intake.with_zone(when.text))


def _issued(reading: _Reading, header: Segment, request: Segment) -> DateTime:
    """When the results were reported; a day alone begins at midnight."""
    for segment, field, where in ((request, 22, "OBR-22"), (header, 7, "MSH-7"), (request, 7, "OBR-7")):
        when = values.moment(segment.text(field))
        if when is None or len(when.date) < len("2026-03-02"):
            continue
        if not when.has_time:
            reading.flag(where, "time of issue", "a day without a time is taken as its midnight", "v2-issued")
            when = DateTime(f"{when.date}T00:00:00")
        zoned = _zoned(reading, when, where)
        assert zoned is not None  # noqa: S101 - a time that is there keeps being there
        return zoned
    raise Invalid(Problem("OBR-22", "v2-issued", "no time of the report: neither OBR-22 nor MSH-7 nor OBR-7"))


def _language(header: Segment) -> str:
    said = header.text(19)
    return said if _LANGUAGE.fullmatch(said) else "en-US"


def _patient(reading: _Reading) -> Patient:
    """PID: the first id of a patient, the others beside it; a sex that DICOM has no letter for is unknown."""
    pid = reading.first("PID")
    said = sorted(pid.repetitions(3), key=lambda one: part(one, 5) not in _PATIENTS)
    ids = [PatientId(part(one, 1), values.issuer(one[3]) if len(one) > 3 else None) for one in said if part(one, 1)]
    born = values.moment(pid.text(7), day_only=True)
    if pid.text(7) and born is None:
        reading.skip("PID-7", "birth date", "no date that exists", "v2-value")
    sex = pid.text(8).upper()
    if sex and sex not in _SEX:
        reading.skip("PID-8", "sex", "none of M, F, O: left out, which is unknown", "v2-value")
    names = pid.repetitions(5)
    name = values.name(names, at=1, kind=8)
    _names(reading, "PID-5", names, name)
    return Patient(ids[0].id, ids[0].issuer, name, born, _SEX.get(sex), tuple(ids[1:]))


def _names(reading: _Reading, where: str, said: tuple[Components, ...], name: PersonName | None) -> None:
    groups = 0 if name is None else _groups(name)
    if len([one for one in said if part(one, 7) != _UNSPECIFIED]) > groups:
        reading.skip(where, "name", "another name, or none that DICOM can hold", "v2-name")


def _groups(name: PersonName) -> int:
    return sum(bool(str(one)) for one in (name.alphabetic, name.ideographic, name.phonetic))


def _study(reading: _Reading, request: Segment, found: Content, sender: str) -> Study[Term]:
    """OBR, with the study's UID from OBX or ZDS; one that nobody said is derived from the order."""
    order = request.text(3) or reading.first("ORC").text(3) or reading.first("MSH").text(10)
    uid = found.study_uid or reading.first("ZDS").text(1)
    if not uid or not is_uid(uid):
        reading.flag("OBX", "study UID", "the message has none: one is derived from the order", "study-uid-derived")
        uid = derive_uid("hl7v2-study", sender, order)
    procedures = [
        found_term for one in reading.all("OBR") if (found_term := values.term(one.components(4), f"{one.place}-4"))
    ]
    procedures += found.procedures
    if not procedures:
        reading.flag("OBR-4", "procedure", "no procedure is named: an imaging procedure", "v2-procedure")
        procedures = [Term("imaging-procedure", None, "OBR-4")]
    authority = request.components(3)
    is_own_id = is_ours(reading.first("MSH")) and not request.text(18)
    return Study(
        uid,
        found.modality or _modality(reading, request),
        tuple(procedures),
        None if is_own_id else request.text(3) or None,
        None if is_own_id else values.issuer(tuple(part(authority, at) for at in (2, 3, 4))),
        _zoned(reading, values.moment(request.text(7)), "OBR-7"),
        referring_physician=_referring(reading, request),
        technique=tuple(found.technique),
    )


def _referring(reading: _Reading, request: Segment) -> Person[Term] | None:
    """OBR-16: the first person; a report has one."""
    said = request.repetitions(16)
    person = values.provider(said)
    name = person.name if person is not None else None
    if len(said) > (0 if name is None else _groups(name)):
        reading.skip("OBR-16", "provider", "another person, or none with a name that DICOM can hold", "v2-name")
    return person


def _modality(reading: _Reading, request: Segment) -> Term:
    """OBR-24 where it is a modality (senders write it there beside table 0074), else other."""
    said = {"NMR": "MR", "RUS": "US", "NMS": "NM", "RX": "RG"}.get(request.text(24), request.text(24))
    if re.fullmatch(r"[A-Z]{2}", said) and said not in ("SR", "SP"):
        return Term(said, Code("DCM", said, ""), "OBR-24")
    reading.flag("OBR-24", "modality", "no modality is named: other", "v2-modality")
    return Term("other", Code("DCM", _OTHER_MODALITY, ""), "OBR-24")


def _observers(reading: _Reading, request: Segment, found: Content) -> Iterable[Observer[Term]]:
    """Interpreters, then devices; of an own message with one of each nobody said that they observed together."""
    for field in (32, 33):
        for one in request.repetitions(field):
            person: Person[Term] | None = values.interpreter(one)
            if person is not None:
                yield Observer(person=person)
            else:
                reading.skip(f"OBR-{field}", "interpreter", "no name that DICOM can hold", "v2-name")
    for members in found.devices.values():
        name = members.get("name")
        if name is None:
            reading.skip("OBX", "device", "a device has no name", "v2-device")
            continue
        yield Observer(device=Device(**{**members, "name": name}))


_FRAMEWORK: Final = {
    "MSH": frozenset(range(1, 22)),
    "PID": frozenset({1}),
    "ORC": frozenset({1, 3}),
    "OBR": frozenset({1, 18, 24}),
    "OBX": frozenset({1, 2, 11}),
}
"""Fields that are about the message and its order, not about the patient or the findings."""


def _unread(reading: _Reading) -> None:
    """What nobody asked for, field by field: a lesion report has no place for it."""
    for segment in reading.segments:
        for field in segment.unread():
            if field not in _FRAMEWORK.get(segment.name, ()):
                why = "a lesion report has no place for it"
                reading.skip(f"{segment.place}-{field}", f"{segment.name}-{field}", why, "v2-no-place")
