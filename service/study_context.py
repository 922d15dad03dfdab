"""A report with what the archive knows of its study: what the sender left out is filled in, what both say must agree.

It is done after coding: UIDs are derived of what the sender said, so they do not change with an archive's knowledge.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields, replace
from typing import Any, Final

from service.coding import Vocabulary
from service.delivery.destination import Failed, Outcome
from service.delivery.study_context import Archive, StudyContext
from service.domain.codes import CodedTerm
from service.domain.errors import Contradiction, LesionBridgeError, Problem, Unavailable
from service.domain.loss import Loss, LossKind
from service.domain.names import PersonName
from service.domain.received import Intake
from service.domain.report import CodedReport, Issuer, Patient, Person, Sex, Study
from service.domain.times import DateTime

RULE: Final = "study-context"
_OWN_RULES: Final = frozenset({"patient_id", "patient_issuer_uid", "accession_issuer", "accession_issuer_uid"})
"""The id has to agree; the others are of VR UT, in which a backslash is a character (PS3.5 6.2, PS3.3 10.14)."""
_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")
_TIME: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(\.\d{1,6})?")
_OFFSET: Final = re.compile(r"([+-]\d\d)(\d\d)")


def with_context(report: CodedReport, archive: Archive, vocabulary: Vocabulary, intake: Intake) -> CodedReport:
    """The report with its study's context; a study that the archive does not know is flagged.

    Raises Contradiction where the two disagree, Unavailable while the archive is away.
    """
    try:
        context = archive(report.study.uid)
    except Failed as failed:
        raise _away(failed) from failed
    if context is None:
        why = "The archive does not know this study: what the sender left out stays out."
        return replace(report, losses=(*report.losses, Loss(LossKind.FLAGGED, "/study/uid", "study", why, RULE)))
    merging = _Merging(context, vocabulary, intake)
    patient, study = merging.patient(report.patient), merging.study(report.study)
    if merging.problems:
        raise Contradiction(*merging.problems)
    return replace(report, patient=patient, study=study, losses=(*report.losses, *merging.losses))


def _away(failed: Failed) -> LesionBridgeError:
    """Why there is no context: an archive that is away may be back, one that contradicts itself stays so."""
    if failed.answer.outcome is Outcome.REFUSED:
        return Contradiction(Problem("/study/uid", RULE, str(failed)))
    return Unavailable(Problem("/study/uid", RULE, "the archive that knows the study can't be asked"))


class _Merging:
    """One report and one context; problems and losses as they are found."""

    def __init__(self, context: StudyContext, vocabulary: Vocabulary, intake: Intake) -> None:
        self.context, parted = _of_one_value(context)
        self.vocabulary = vocabulary
        self.intake = intake
        self.problems: list[Problem] = []
        why = "The archive has several values for it, where there is one: left out."
        self.losses = [Loss(LossKind.FLAGGED, "/study/uid", name, why, RULE) for name in parted]

    def patient(self, patient: Patient) -> Patient:
        """The patient, whose id has to be the archive's."""
        there = self.context
        self._agree("/patient/id", patient.id, there.patient_id)
        issuer = self._issuer(there.patient_issuer, there.patient_issuer_uid)
        if patient.issuer is not None and issuer is not None:
            self._same_issuer("/patient/issuer", patient.issuer, issuer)
        name, born, sex = _name(there.patient_name), _date(there.birth_date), _sex(there.sex)
        if patient.name is not None and name is not None and _folded(patient.name) != _folded(name):
            why = "The archive has this study under a person of another name. Kept as it came."
            self.losses.append(Loss(LossKind.FLAGGED, "/patient/name", "name", why, RULE))
        if patient.birth_date is not None and born is not None:
            said = patient.birth_date.text[: len(born.text)]  # a year or a month alone has to agree as far as it goes
            self._agree("/patient/birthDate", said, born.text[: len(said)])
        if patient.sex is not None and sex is not None:
            self._agree("/patient/sex", str(patient.sex), str(sex))
        return replace(
            patient,
            issuer=self._filled("/patient/issuer", patient.issuer, issuer),
            name=self._filled("/patient/name", patient.name, name),
            birth_date=self._filled("/patient/birthDate", patient.birth_date, born),
            sex=self._filled("/patient/sex", patient.sex, sex),
        )

    def study(self, study: Study[CodedTerm]) -> Study[CodedTerm]:
        """The study, whose accession number has to be the archive's where both have one."""
        there = self.context
        if study.accession:
            self._agree("/study/accession", study.accession, there.accession)
        started, physician = self._started(), _name(there.referring_physician)
        if study.started is not None and started is not None and study.started.date != started.date:
            why = "The archive has another day for this study. Kept as it came."
            self.losses.append(Loss(LossKind.FLAGGED, "/study/started", "started", why, RULE))
        accession = self._filled("/study/accession", study.accession or None, there.accession or None)
        issuer = study.accession_issuer
        if accession is not None and accession == there.accession:
            found = self._issuer(there.accession_issuer, there.accession_issuer_uid)
            issuer = self._filled("/study/accessionIssuer", issuer, found)
        return replace(
            study,
            accession=accession,
            accession_issuer=issuer,
            started=self._filled("/study/started", study.started, started),
            description=self._filled("/study/description", study.description, there.description or None),
            referring_physician=self._filled(
                "/study/referringPhysician",
                study.referring_physician,
                Person(physician) if physician is not None else None,
            ),
        )

    def _agree(self, member: str, said: str, there: str) -> None:
        """Refuse where both say something, and not the same. The values are for the sender, never for a log."""
        if said and there and said.strip() != there.strip():
            detail = f"the report says {said!r}, the archive has {there!r} for this study"
            self.problems.append(Problem(member, RULE, detail))

    def _same_issuer(self, member: str, said: Issuer, there: Issuer) -> None:
        """Refuse two issuers that are known to be two; names alone may be two words for one."""
        if said.oid and there.oid:
            self._agree(member, said.oid, there.oid)
        elif said.uri and there.uri and not (said.oid or there.oid):
            self._agree(member, said.uri, there.uri)

    def _filled(self, member: str, said: Any, there: Any) -> Any:
        """What the sender said; else what the archive has, which is told."""
        if said is not None or there is None:
            return said
        why = "The sender left it out; it is what the archive has for this study."
        self.losses.append(Loss(LossKind.FLAGGED, member, member.rpartition("/")[2], why, RULE))
        return there

    def _issuer(self, name: str, uid: str) -> Issuer | None:
        """An issuer of the archive: by its OID or URI, which says more than a name; else by the row of its name."""
        known = self.vocabulary.issuer_by_id(uid) if uid else self.vocabulary.issuers.get(name)
        if known is not None or not (name or uid):
            return known
        oid = uid if re.fullmatch(r"[0-9.]+", uid) else None
        uri = f"urn:oid:{oid}" if oid else uid if ":" in uid else None
        return Issuer(name or uid, uri, oid)

    def _started(self) -> DateTime | None:
        """Study Date and Time in the archive's zone, else that of the site."""
        day, clock = _date(self.context.study_date), _TIME.match(self.context.study_time)
        if day is None or clock is None:
            return day
        at = f"{day.text}T{clock[1]}:{clock[2]}:{clock[3]}"
        offset = _OFFSET.fullmatch(self.context.offset)
        try:
            return DateTime(f"{at}{offset[1]}:{offset[2]}" if offset else self.intake.with_zone(at))
        except ValueError:
            return day


def _of_one_value(context: StudyContext) -> tuple[StudyContext, list[str]]:
    """A context without what has several values (PS3.5 6.4), and the names of that; the patient's id has to agree."""
    members = [one.name for one in fields(context) if one.name not in _OWN_RULES]
    parted = [name for name in members if "\\" in getattr(context, name)]
    return replace(context, **dict.fromkeys(parted, "")), [name.replace("_", " ") for name in parted]


def _date(text: str) -> DateTime | None:
    """A date of DA; None where it is none."""
    match = _DATE.fullmatch(text)
    try:
        return DateTime("-".join(match.groups())) if match else None
    except ValueError:
        return None


def _sex(text: str) -> Sex | None:
    return Sex(text) if text in {one.value for one in Sex} else None


def _name(text: str) -> PersonName | None:
    try:
        return PersonName.parse(text) if text.strip("^= ") else None
    except ValueError:
        return None


def _folded(name: PersonName) -> tuple[str, str]:
    """Family and given name as they are compared: without case, accents and more than one given name."""
    group = name.alphabetic
    plain = (
        "".join(part for part in unicodedata.normalize("NFKD", text) if part.isalnum())
        for text in (group.family, (group.given.split() or [""])[0])
    )
    family, given = (text.casefold() for text in plain)
    return family, given
