"""The data set around the tree: patient, study, times, state and evidence, with stand-ins for what must be there.

A report has a patient with an id, a study with a UID and an instant of issue. What a document lacks of these is derived
from what it has, the same for the same document, and each stand-in is named in the list of losses.
"""

from collections.abc import Iterator
from typing import Final

from service.domain.codes import Code, Term
from service.domain.emitted import SrReference
from service.domain.report import Issuer, Patient, PatientId, Person, Predecessor, Sex, Status
from service.domain.times import DateTime
from service.domain.uids import derive_uid, derive_uuid, is_uid
from service.formats.sr.content import TAG
from service.formats.sr.document import MANUFACTURER, MODEL_NAME
from service.formats.sr.elements import Elements
from service.formats.sr.read_notes import Notes
from service.formats.sr.read_people import first_value, identified, issuer, organization, person_name
from service.formats.sr.read_times import clock, day, moment, zone

_LETTERS: Final = 16
_TIMES: Final = (
    ("ContentDate", "ContentTime"),
    ("InstanceCreationDate", "InstanceCreationTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "StudyTime"),
)
_EVIDENCE: Final = (
    "CurrentRequestedProcedureEvidenceSequence",
    "PertinentOtherEvidenceSequence",
    "IdenticalDocumentsSequence",
)
_SEXES: Final = {"M": Sex.MALE, "F": Sex.FEMALE, "O": Sex.OTHER}
_NO_DAY: Final = "19000101"


class Header:
    """The attributes of one document outside its tree."""

    __slots__ = ("_digest", "elements", "notes", "offset")

    def __init__(self, notes: Notes, elements: Elements, digest: str) -> None:
        """Take the data set; ``digest`` is of the whole document."""
        self.notes, self.elements, self._digest = notes, elements, digest
        self.offset = notes.tree.line(elements, TAG["TimezoneOffsetFromUTC"])
        notes.study = self.study_uid()
        self._instances()

    def line(self, keyword: str) -> str:
        """An attribute of ASCII characters."""
        return self.notes.tree.line(self.elements, TAG[keyword])

    def text(self, keyword: str) -> str:
        """An attribute in the characters of the document."""
        return self.notes.tree.text(self.elements, TAG[keyword])

    def first(self, keyword: str) -> str:
        """The first value of an attribute that has one (PS3.6); that there are more is flagged."""
        return first_value(self.notes, self.elements, keyword)

    def _lack(self, keyword: str, what: str, why: str, rule: str) -> None:
        self.notes.lack(keyword, what, why, rule)

    def study_uid(self) -> str:
        """Study Instance UID; without one, one derived from the document."""
        said = self.line("StudyInstanceUID")
        if is_uid(said):
            return said
        why = "no Study Instance UID is said: it is derived, and none that an archive knows"
        self._lack("StudyInstanceUID", said[:64] or "study", why, "sr-study")
        return derive_uid("unknown-study", said or self._digest)

    def reference(self) -> SrReference | None:
        """The document itself; None where its UIDs are none, so that nothing can refer to it."""
        sop_class, instance, series = (
            self.line(keyword) for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")
        )
        if all(map(is_uid, (sop_class, instance, series))):
            return SrReference(sop_class, instance, series, self.notes.study)
        why = "class, instance or series of the document is no UID: nothing can refer to it, so another SR is made"
        self._lack("SOPInstanceUID", "document", why, "sr-identity")
        return None

    def report_id(self) -> str:
        """The SR has no attribute for the id of the report: its SOP Instance UID stands for it."""
        instance = self.line("SOPInstanceUID")
        return instance if is_uid(instance) else derive_uid("unknown-report", instance or self._digest)

    def _instances(self) -> None:
        """SOP class, series and study of each instance that the evidence sequences name (C.17.2)."""
        tree, known = self.notes.tree, self.notes.instances
        for keyword in _EVIDENCE:
            for study in tree.items(self.elements, TAG[keyword]):
                uid = tree.line(study, TAG["StudyInstanceUID"])
                for series in tree.items(study, TAG["ReferencedSeriesSequence"]):
                    own = tree.line(series, TAG["SeriesInstanceUID"])
                    if not is_uid(own):
                        continue
                    for instance in tree.items(series, TAG["ReferencedSOPSequence"]):
                        place = (
                            tree.line(instance, TAG["ReferencedSOPClassUID"]),
                            own,
                            uid if is_uid(uid) else self.notes.study,
                        )
                        known.setdefault(tree.line(instance, TAG["ReferencedSOPInstanceUID"]), place)

    def issued(self) -> DateTime:
        """Content Date and Time, else another time of the document."""
        for date, time in _TIMES:
            if not day(self.line(date)):
                continue
            if date != "ContentDate":
                self._lack("ContentDate", "time of the report", f"there is none; {date} stands for it", "sr-issued")
            at = self.line(time)
            if not clock(at):
                self._lack(time, "time of the report", "no time of the day is said: midnight", "sr-issued")
                at = "000000"
            return self._instant(self.line(date), at)
        self._lack("ContentDate", "time of the report", "the document has no date: 1900-01-01", "sr-issued")
        return self._instant(_NO_DAY, "000000")

    def _instant(self, date: str, time: str) -> DateTime:
        if not zone(self.offset):
            where = self.notes.intake.zone
            self._lack("TimezoneOffsetFromUTC", "zone", f"none is said: times are those of {where}", "sr-zone")
        made = moment(date, time, self.offset, self.notes.intake)
        assert made is not None  # noqa: S101 - for the type checker; the day was held by the caller
        return made

    def started(self) -> DateTime | None:
        """Study Date and Time."""
        return moment(self.line("StudyDate"), self.line("StudyTime"), self.offset, self.notes.intake)

    def status(self) -> Status:
        """The state by Completion and Preliminary Flag, and by the description where that names one."""
        said = self.text("CompletionFlagDescription").casefold()
        named = next((status for status in Status if status.value == said), None)
        if named is not None:
            return named
        if self.line("PreliminaryFlag") == "PRELIMINARY" or self.line("CompletionFlag") == "PARTIAL":
            return Status.PRELIMINARY
        return Status.FINAL

    def patient(self) -> Patient:
        """Patient module (C.7.1.1)."""
        own = self.first("PatientID")
        if not own:
            why = "no Patient ID is said: it is derived from the study, and nothing is matched on it"
            self._lack("PatientID", "patient", why, "sr-patient-id")
            own = f"unknown-{derive_uuid('unknown-patient', self.notes.study).hex[:_LETTERS]}"
        sex = self.line("PatientSex")
        if sex and sex not in _SEXES:
            self.notes.flag("PatientSex", "sex", "neither M, F nor O (C.7.1.1): left out", "sr-sex")
        born = day(self.line("PatientBirthDate"))
        if self.line("PatientBirthDate") and not born:
            self.notes.flag("PatientBirthDate", "birth date", "no day that exists: left out", "sr-date")
        return Patient(
            own,
            self.issuer("IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence"),
            person_name(self.notes, self.person("PatientName"), "PatientName"),
            DateTime(born) if born else None,
            _SEXES.get(sex),
            tuple(self._others()),
        )

    def person(self, keyword: str) -> str:
        """An attribute that names a person."""
        return self.notes.tree.person(self.elements, TAG[keyword])

    def issuer(self, keyword: str, sequence: str) -> Issuer | None:
        """Who issued an id of the document."""
        return issuer(self.notes, self.elements, keyword, sequence)

    def _others(self) -> Iterator[PatientId]:
        tree = self.notes.tree
        for item in tree.items(self.elements, TAG["OtherPatientIDsSequence"]):
            other = tree.text(item, TAG["PatientID"])
            if other:
                whose = issuer(self.notes, item, "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence")
                yield PatientId(other, whose)
        for other in self.text("OtherPatientIDs").split("\\"):
            if other.strip():
                yield PatientId(other.strip())

    def referring(self) -> Person[Term] | None:
        """Referring physician (C.7.2.1)."""
        name = person_name(self.notes, self.person("ReferringPhysicianName"), "ReferringPhysicianName")
        if name is None:
            return None
        items = self.notes.tree.items(self.elements, TAG["ReferringPhysicianIdentificationSequence"])
        if not items:
            return Person(name)
        at = organization(self.notes.tree.text(items[0], TAG["InstitutionName"]))
        return Person(name, identified(self.notes, items[0], "PersonIdentificationCodeSequence"), at)

    def procedures(self, description: str) -> tuple[Term, ...]:
        """What was performed by the header: its codes, else those that were asked for, else the study's description."""
        tree, term = self.notes.tree, self.notes.term
        performed, asked = "PerformedProcedureCodeSequence", "ReferencedRequestSequence"
        found = [term(said, performed) for said in tree.sequence(self.elements, performed)] or [
            term(said, asked)
            for request in tree.items(self.elements, TAG[asked])
            for said in tree.sequence(request, "RequestedProcedureCodeSequence")
        ]
        if not found and description:
            why = "the description of the study stands for its procedure"
            self._lack("PerformedProcedureCodeSequence", "procedure", why, "sr-procedure")
            found.append(Term(description, None, "StudyDescription"))
        if not found:
            self._lack(
                "PerformedProcedureCodeSequence",
                "procedure",
                "an imaging procedure, which is all that is known",
                "sr-procedure",
            )
            code = self.notes.vocabulary.code("imaging-procedure")
            found.append(
                Term(code.display, Code(code.system, code.code, code.display), "PerformedProcedureCodeSequence")
            )
        return tuple(found)

    def predecessors(self) -> tuple[Predecessor, ...]:
        """The documents whose content this one goes on from (C.17.2), in their order; itself is none of them."""
        tree, found = self.notes.tree, []
        itself = self.line("SOPInstanceUID")
        for study in tree.items(self.elements, TAG["PredecessorDocumentsSequence"]):
            uid = tree.line(study, TAG["StudyInstanceUID"])
            for series in tree.items(study, TAG["ReferencedSeriesSequence"]):
                own = tree.line(series, TAG["SeriesInstanceUID"])
                for item in tree.items(series, TAG["ReferencedSOPSequence"]):
                    instance = tree.line(item, TAG["ReferencedSOPInstanceUID"])
                    sop_class = tree.line(item, TAG["ReferencedSOPClassUID"])
                    if instance == itself and is_uid(instance):
                        why = "a document does not replace itself: left out"
                        self.notes.flag("PredecessorDocumentsSequence", instance, why, "sr-predecessor")
                    elif all(map(is_uid, (own, instance, sop_class))):
                        where = uid if is_uid(uid) and uid != self.notes.study else None
                        found.append(Predecessor(instance, own, sop_class, where))
        for other in found[:-1]:
            why = "a report replaces one document; this one is left out"
            self.notes.flag("PredecessorDocumentsSequence", other.sop_instance, why, "sr-predecessor")
        return tuple(found)

    def version(self) -> int:
        """Of ours the Instance Number, which is the report's version; of others 1."""
        said = self.line("InstanceNumber")
        return int(said) if self.notes.own and said.isdecimal() and 0 < int(said) < 2**31 else 1


def is_own(manufacturer: str, model: str) -> bool:
    """Whether our writer made the document."""
    return (manufacturer, model) == (MANUFACTURER, MODEL_NAME)
