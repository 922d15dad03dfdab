"""What an archive knows of a study: patient, issuers, accession and study attributes, by its Study Instance UID.

Over DICOMweb by QIDO-RS (PS3.18 10.6), and where an archive's answer leaves the issuer out, by the metadata of one
instance (10.4); over DIMSE by C-FIND (Study Root, STUDY level; PS3.4 C.6.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from service.delivery.destination import Failed, Outcome
from service.delivery.dicomweb import NotDicomJson, datasets, sequence, text
from service.delivery.dimse import STUDY_ROOT_FIND, TRANSFER_SYNTAXES, associated, status_of, written
from service.delivery.http import HttpPeer, Reply
from service.delivery.settings import CStore, DestinationSettings, Stow
from service.domain.errors import DestinationsError, Problem

if TYPE_CHECKING:
    from pydicom import Dataset

_ANSWER_BYTES: Final = 4 * 1024 * 1024
_JSON: Final = {"Accept": "application/dicom+json"}
_PENDING: Final = frozenset({0xFF00, 0xFF01})


@dataclass(frozen=True, slots=True)
class StudyContext:
    """Attributes of a study as an archive has them; empty where it has none. Issuers are a name and an OID or URI."""

    patient_id: str = ""
    patient_issuer: str = ""
    patient_issuer_uid: str = ""
    patient_name: str = ""
    birth_date: str = ""
    sex: str = ""
    accession: str = ""
    accession_issuer: str = ""
    accession_issuer_uid: str = ""
    study_date: str = ""
    study_time: str = ""
    offset: str = ""
    description: str = ""
    referring_physician: str = ""


_PLAIN: Final = {
    "patient_id": ("00100020", "PatientID"),
    "patient_issuer": ("00100021", "IssuerOfPatientID"),
    "patient_name": ("00100010", "PatientName"),
    "birth_date": ("00100030", "PatientBirthDate"),
    "sex": ("00100040", "PatientSex"),
    "accession": ("00080050", "AccessionNumber"),
    "study_date": ("00080020", "StudyDate"),
    "study_time": ("00080030", "StudyTime"),
    "offset": ("00080201", "TimezoneOffsetFromUTC"),
    "description": ("00081030", "StudyDescription"),
    "referring_physician": ("00080090", "ReferringPhysicianName"),
}
"""Member to tag and keyword."""
_NAMES: Final = frozenset({"patient_name", "referring_physician"})
_PATIENT_QUALIFIERS: Final = ("00100024", "IssuerOfPatientIDQualifiersSequence")
_ACCESSION_ISSUER: Final = ("00080051", "IssuerOfAccessionNumberSequence")
_ENTITY: Final = ("00400032", "UniversalEntityID")
_LOCAL: Final = ("00400031", "LocalNamespaceEntityID")

Archive = Callable[[str], StudyContext | None]
"""Gives what an archive knows of a study, None where it does not know it; raises Failed."""


class Asked:
    """An archive, its name, and since when it does not answer (UTC): empty where it did, or was not asked yet."""

    def __init__(self, name: str, ask: Archive) -> None:
        """Take the archive."""
        self.name, self._ask = name, ask
        self.away_since = ""

    def __call__(self, study: str) -> StudyContext | None:
        """What it knows of a study; raises Failed."""
        try:
            found = self._ask(study)
        except Failed as failed:
            is_answer = failed.answer.outcome is Outcome.REFUSED
            self.away_since = "" if is_answer else self.away_since or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            raise
        self.away_since = ""
        return found


def archive(destinations: Mapping[str, DestinationSettings], name: str) -> Asked | None:
    """The archive that the setting ``study_context`` names; raises DestinationsError where it can't be asked."""
    if not name:
        return None
    settings = destinations.get(name)
    if isinstance(settings, Stow):
        return Asked(name, WebArchive(HttpPeer(settings.timeouts, settings.tls, settings.auth), settings.url))
    if isinstance(settings, CStore):
        return Asked(name, FoundArchive(settings))
    known = [one.name for one in destinations.values() if isinstance(one, Stow | CStore)]
    detail = "names a destination of the kind stow or cstore"
    raise DestinationsError(Problem("study_context", "destination", detail, tuple(known)))


class WebArchive:
    """An archive with DICOMweb."""

    def __init__(self, peer: HttpPeer, url: str) -> None:
        """Take where it is; nothing is connected yet."""
        self._peer = peer
        self._base = url.rstrip("/")

    def __call__(self, study: str) -> StudyContext | None:
        """What it knows of a study."""
        tags = [tag for tag, _ in _PLAIN.values()] + [_PATIENT_QUALIFIERS[0], _ACCESSION_ISSUER[0]]
        more = "".join(f"&includefield={tag}" for tag in tags)
        listed = self._asked(f"studies?StudyInstanceUID={quote(study)}{more}")
        found = [one for one in listed if text(one, "0020000D") == study]
        if not found:
            return None
        context = _one([_of_json(one) for one in found])
        return context if context.patient_issuer or context.patient_issuer_uid else self._with_instance(study, context)

    def _with_instance(self, study: str, context: StudyContext) -> StudyContext:
        """The context with what only the metadata of an instance says."""
        listed = self._asked(f"studies/{quote(study)}/instances?limit=1")
        series, instance = (text(listed[0], tag) if listed else "" for tag in ("0020000E", "00080018"))
        if not series or not instance:
            return context
        place = f"studies/{quote(study)}/series/{quote(series)}/instances/{quote(instance)}/metadata"
        held = [_of_json(one) for one in self._asked(place)[:1]]
        if not held or held[0].patient_id != context.patient_id:
            return context
        return StudyContext(
            **{one.name: getattr(context, one.name) or getattr(held[0], one.name) for one in fields(StudyContext)}
        )

    def _asked(self, path: str) -> list[Mapping[str, Any]]:
        reply: Reply = self._peer.ask("GET", f"{self._base}/{path}", _JSON, most=_ANSWER_BYTES)
        if reply.status in (204, 404):
            return []
        if reply.status != 200:
            unhappy = self._peer.unhappy(reply)
            raise Failed(unhappy.outcome, f"status {reply.status}: {unhappy.reason}")
        try:
            return datasets(reply)
        except NotDicomJson as error:
            raise Failed(Outcome.UNKNOWN, f"its answer can't be read ({error})") from error


class FoundArchive:
    """An archive that is asked with C-FIND."""

    def __init__(self, settings: CStore) -> None:
        """Take where it is; nothing is connected yet."""
        self._settings = settings

    def __call__(self, study: str) -> StudyContext | None:
        """What it knows of a study."""
        found = []
        with associated(self._settings, [(STUDY_ROOT_FIND, syntax) for syntax in TRANSFER_SYNTAXES[:2]]) as made:
            for told, match in made.send_c_find(_wanted(study), STUDY_ROOT_FIND):
                status = status_of(told)
                if status in _PENDING and match is not None and match.get("StudyInstanceUID") == study:
                    found.append(_of_dataset(match))
                elif status not in _PENDING and status != 0:
                    raise Failed(Outcome.UNKNOWN, f"C-FIND ends with status {written(status)}")
        return _one(found) if found else None


def _one(found: list[StudyContext]) -> StudyContext:
    """The one context of a study; raises Failed where an archive has it under several patients.

    An id of two issuers is of two patients, as a number of two issuers is two numbers (PS3.3 C.7.1.1 and 10.14).
    What else the answers differ in is an attribute of several values.
    """
    if len({one.patient_id for one in found}) > 1 or _differ(found, "patient_issuer", "patient_issuer_uid"):
        raise Failed(Outcome.REFUSED, "the archive has this study under several patients")
    issuers = ("accession_issuer", "accession_issuer_uid")
    told = {one.name: "\\".join(_told(found, one.name)) for one in fields(StudyContext) if one.name not in issuers}
    if told["accession"] and _differ(found, *issuers):
        return StudyContext(**{**told, "accession": "\\".join(one.accession for one in found)})
    return StudyContext(**told, **{name: next(iter(_told(found, name)), "") for name in issuers})


def _told(found: list[StudyContext], name: str) -> dict[str, None]:
    """What the answers say for a member, each once."""
    return dict.fromkeys(said for one in found if (said := getattr(one, name)))


def _differ(found: list[StudyContext], *names: str) -> bool:
    """Whether the answers say different things for one of these members."""
    return any(len(_told(found, name)) > 1 for name in names)


def _of_json(told: Mapping[str, Any]) -> StudyContext:
    """A context of a data set in DICOM JSON."""
    plain = {member: _values(told, tag, named=member in _NAMES) for member, (tag, _) in _PLAIN.items()}
    patient = next(iter(sequence(told, _PATIENT_QUALIFIERS[0])), {})
    accession = next(iter(sequence(told, _ACCESSION_ISSUER[0])), {})
    return StudyContext(
        **plain,
        patient_issuer_uid=text(patient, _ENTITY[0]),
        accession_issuer=text(accession, _LOCAL[0]),
        accession_issuer_uid=text(accession, _ENTITY[0]),
    )


def _of_dataset(match: Dataset) -> StudyContext:
    """A context of a match of C-FIND."""
    plain = {member: _said(match, keyword) for member, (_, keyword) in _PLAIN.items()}
    patient = next(iter(match.get(_PATIENT_QUALIFIERS[1]) or ()), None)
    accession = next(iter(match.get(_ACCESSION_ISSUER[1]) or ()), None)
    return StudyContext(
        **plain,
        patient_issuer_uid=_said(patient, _ENTITY[1]),
        accession_issuer=_said(accession, _LOCAL[1]),
        accession_issuer_uid=_said(accession, _ENTITY[1]),
    )


def _said(item: Any, keyword: str) -> str:
    """An attribute as it stands in the data set: several values parted by a backslash (PS3.5 6.4)."""
    from pydicom.multival import MultiValue

    value = item.get(keyword) if item is not None else None
    if isinstance(value, MultiValue):
        return "\\".join(map(str, value)).strip()
    return str(value or "").strip()


def _values(told: Mapping[str, Any], tag: str, *, named: bool) -> str:
    """An attribute in DICOM JSON; several values are parted by a backslash, as `_said` has them."""
    found = told.get(tag)
    values = found.get("Value") if isinstance(found, dict) else None
    if not isinstance(values, list):
        return ""
    each = [_name(value) if named else text({tag: {"Value": [value]}}, tag) for value in values]
    return "\\".join(each).strip()


def _name(value: Any) -> str:
    """A person name with all its groups, as PN has them (PS3.18 F.2.2); an older archive has them in one text."""
    if not isinstance(value, dict):
        return value.strip() if isinstance(value, str) else ""
    groups = [value.get(group) for group in ("Alphabetic", "Ideographic", "Phonetic")]
    return "=".join(group if isinstance(group, str) else "" for group in groups).rstrip("=")


def _wanted(study: str) -> Dataset:
    """The identifier of a query for one study, with all that is to be answered."""
    from pydicom import Dataset

    made = Dataset()
    made.QueryRetrieveLevel = "STUDY"
    made.StudyInstanceUID = study
    for _, keyword in _PLAIN.values():
        setattr(made, keyword, "")
    for (_, keyword), keys in ((_PATIENT_QUALIFIERS, (_ENTITY,)), (_ACCESSION_ISSUER, (_LOCAL, _ENTITY))):
        item = Dataset()
        for _, key in keys:
            setattr(item, key, "")
        setattr(made, keyword, [item])
    return made
