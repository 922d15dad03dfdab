"""One coded lesion report in the middle.

``Report[Term]`` is what the sender said (`LesionReport`), ``Report[CodedTerm]`` the same with every term resolved
(`CodedReport`). The structure is written once; the type parameter says whether its terms are resolved.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from service.domain.codes import CodedTerm, Term
from service.domain.geometry import ImageReference
from service.domain.lesion import CountKind, Evaluation, Lesion, Measurement, ReferenceRange, TimePoint
from service.domain.loss import Loss
from service.domain.names import PersonName
from service.domain.times import DateTime
from service.domain.uids import check_uid

__all__ = [
    "CodedReport",
    "Comparison",
    "CountKind",
    "Device",
    "Evaluation",
    "Issuer",
    "Lesion",
    "LesionReport",
    "Measurement",
    "Observer",
    "Patient",
    "PatientId",
    "Person",
    "Predecessor",
    "ReferenceRange",
    "Report",
    "Sex",
    "Status",
    "Study",
    "TimePoint",
]

T = TypeVar("T")


class Status(StrEnum):
    """Of a report, as FHIR's diagnostic-report-status names it."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    APPENDED = "appended"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class Sex(StrEnum):
    """Patient's Sex (0010,0040): male, female, other; unknown is said by leaving it out."""

    MALE = "M"
    FEMALE = "F"
    OTHER = "O"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issued an id: a key of the issuer table with its URI and OID, or only the sender's own word for it."""

    key: str
    uri: str | None = None
    oid: str | None = None


@dataclass(frozen=True, slots=True)
class PatientId:
    """One more id of the patient."""

    id: str
    issuer: Issuer | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient; without an issuer the id matches nobody at the EHR."""

    id: str
    issuer: Issuer | None = None
    name: PersonName | None = None
    birth_date: DateTime | None = None
    sex: Sex | None = None
    other_ids: tuple[PatientId, ...] = ()


@dataclass(frozen=True, slots=True)
class Person(Generic[T]):
    """A physician; as an observer ``verified_at`` says that this person verified the report then."""

    name: PersonName
    id: str | None = None
    organization: str | None = None
    role: T | None = None
    verified_at: DateTime | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device or program that observed; ``uid`` is derived when the sender has none (TID 1004 wants one)."""

    name: str
    version: str | None = None
    uid: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Observer(Generic[T]):
    """Who observed: a device, a person, or both together."""

    device: Device | None = None
    person: Person[T] | None = None

    def __post_init__(self) -> None:
        """Somebody observed."""
        if self.device is None and self.person is None:
            raise ValueError("an observer is a device, a person or both")


@dataclass(frozen=True, slots=True)
class Comparison(Generic[T]):
    """A prior study that the report compares with."""

    uid: str
    started: DateTime | None = None
    accession: str | None = None
    modality: T | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        """Hold the UID."""
        check_uid(self.uid)


@dataclass(frozen=True, slots=True)
class Study(Generic[T]):
    """The imaging study reported on; ``procedures`` has at least one."""

    uid: str
    modality: T
    procedures: tuple[T, ...]
    accession: str | None = None
    accession_issuer: Issuer | None = None
    started: DateTime | None = None
    description: str | None = None
    referring_physician: Person[T] | None = None
    technique: tuple[T, ...] = ()
    comparisons: tuple[Comparison[T], ...] = ()
    images: tuple[ImageReference, ...] = ()

    def __post_init__(self) -> None:
        """Hold the UID; a report is of a procedure."""
        check_uid(self.uid)
        if not self.procedures:
            raise ValueError("a study has at least one procedure")


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The SR document that this one replaces (Predecessor Documents Sequence, PS3.3 C.17.2)."""

    sop_instance: str
    series: str
    sop_class: str
    study: str | None = None

    def __post_init__(self) -> None:
        """Hold the UIDs."""
        for uid in (self.sop_instance, self.series, self.sop_class):
            check_uid(uid)
        if self.study is not None:
            check_uid(self.study)


@dataclass(frozen=True, slots=True)
class Report(Generic[T]):
    """A lesion report of one imaging study, one version of it."""

    id: str
    sender: str
    status: Status
    issued: DateTime
    patient: Patient
    study: Study[T]
    version: int = 1
    language: str = "en-US"
    predecessor: Predecessor | None = None
    impression: str | None = None
    findings: str | None = None
    conclusions: tuple[T, ...] = ()
    differential: tuple[T, ...] = ()
    negatives: tuple[T, ...] = ()
    evaluations: tuple[Evaluation[T], ...] = ()
    observers: tuple[Observer[T], ...] = ()
    lesions: tuple[Lesion[T], ...] = ()

    def __post_init__(self) -> None:
        """Hold what a version and an issue time are, and that one id names one lesion."""
        if self.version < 1:
            raise ValueError("versions count from 1")
        if not self.issued.is_instant:
            raise ValueError("issued needs a day, a time and a zone")
        if len({lesion.id for lesion in self.lesions}) != len(self.lesions):
            raise ValueError("two lesions have the same id")

    @property
    def is_complete(self) -> bool:
        """Whether the report is a finished statement (Completion Flag COMPLETE, PS3.3 C.17.2)."""
        return self.status not in (Status.PRELIMINARY, Status.CANCELLED)

    @property
    def says_anything(self) -> bool:
        """Whether anything is said of the patient; a report that is withdrawn says that, and may be empty."""
        said = self.lesions or self.evaluations or self.conclusions or self.differential or self.negatives
        has_text = self.findings is not None or self.impression is not None
        return bool(said) or has_text or self.status in (Status.CANCELLED, Status.ENTERED_IN_ERROR)

    @property
    def verifier(self) -> Person[T] | None:
        """The person who verified it, if one did."""
        people = (observer.person for observer in self.observers)
        return next((person for person in people if person is not None and person.verified_at is not None), None)


class LesionReport(Report[Term]):
    """A report in the sender's terms."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CodedReport(Report[CodedTerm]):
    """A report with every term resolved, and the list of what was left as text or found doubtful."""

    losses: tuple[Loss, ...] = ()
