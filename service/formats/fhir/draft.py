"""A bundle in the making: what every resource of one report shares."""

from dataclasses import dataclass, field
from typing import Final

import orjson

from service.domain.emitted import SrReference
from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport, Status
from service.domain.uids import UuidFamily
from service.formats.fhir.codeable import Json, date_time, hl7_concept
from service.formats.fhir.identity import Entry, own_system, reference
from service.formats.fhir.release import Release

OBSERVATION_STATUS = {
    Status.PRELIMINARY: "preliminary",
    Status.FINAL: "final",
    Status.AMENDED: "amended",
    Status.CORRECTED: "corrected",
    Status.APPENDED: "amended",  # observation-status has no appended
    Status.CANCELLED: "cancelled",
    Status.ENTERED_IN_ERROR: "entered-in-error",
}
"""Status of an Observation, of a report in this state."""


_NIL: Final = "00000000-0000-0000-0000-000000000000"
"""The UUID of no resource (RFC 9562 5.9): it stands for that of any Observation."""
_SAID: Final = b"\0"
"""What stands where an Observation says something: no JSON has it."""
REFERENCES: Final = b'[{"reference":"urn:uuid:%b"}]'
"""A list with a reference to the entry of a UUID, in JSON."""


@dataclass(slots=True)
class Draft:
    """The report, the references that all its resources carry, and the entries and losses gathered so far.

    ``kind`` is a kind of bundle (`service.formats.fhir.write.KINDS`); entries are JSON as it has them.
    ``language`` is that of the narrative where it is not the report's.
    """

    report: CodedReport
    sr: SrReference
    release: Release
    kind: str
    language: str = ""
    entries: dict[bytes, bytes] = field(default_factory=dict)  # by UUID: what is said twice is one resource
    losses: list[Loss] = field(default_factory=list)
    subject: Json = field(init=False)
    effective: Json = field(init=False)
    observation: Json = field(init=False)
    studied: bytes = b""
    """The list of references with the report's own study alone, in JSON."""
    _frames: dict[str, tuple[list[bytes], list[bytes]]] = field(default_factory=dict)
    system: str = field(init=False)
    bodies: UuidFamily = field(init=False)
    observations: UuidFamily = field(init=False)
    """By the id of a lesion, null for what is said of the whole report, and what is said: the same in every version."""

    def __post_init__(self) -> None:
        """Say once what every Observation says."""
        report = self.report
        self.subject = {}
        self.effective = {}
        if report.study.started is not None:
            self.effective["effectiveDateTime"] = date_time(report.study.started, "/study/started", self.losses)
        self.observation = {}
        self.system = own_system("resource", report.sender)
        patient = report.patient
        issuer = patient.issuer.key if patient.issuer is not None else None
        self.bodies = UuidFamily("fhir-body-structure", report.sender, issuer, patient.id)
        self.observations = UuidFamily("fhir-observation", report.sender, report.id)

    def add(self, entry: Entry) -> Json:
        """Take an entry in unless it is there, and return the reference to it."""
        self.entries.setdefault(entry.uuid.encode(), self.written(entry))
        return reference(entry.uuid)

    def written(self, entry: Entry) -> bytes:
        """An entry as the kind of bundle has it, in JSON."""
        made: Json = {"fullUrl": f"urn:uuid:{entry.uuid}"}
        if self.kind == "single":
            made |= entry.request
        made["resource"] = entry.resource
        if self.kind == "transaction":
            made["request"] = entry.request
        return orjson.dumps(made)

    def lose(self, where: str, what: str, why: str, rule: str) -> None:
        """Name what the release can't carry."""
        self.losses.append(Loss(LossKind.LOST, where, what, why, rule))

    def begin_observations(
        self, based_on: list[Json], study: Entry, performers: list[Json], device: Json | None
    ) -> None:
        """Fix what every Observation of this report has in common."""
        shared: Json = {"basedOn": based_on} if based_on else {}
        self.studied = REFERENCES % study.uuid.encode()
        shared |= self.release.part_of(self, study)
        shared["status"] = OBSERVATION_STATUS[self.report.status]
        shared["category"] = [hl7_concept("observation-category", "imaging", "Imaging")]
        shared["subject"] = self.subject
        shared |= self.effective
        shared["issued"] = self.report.issued.text
        if performers:
            shared["performer"] = performers
        if device is not None:
            shared["device"] = device
        self.observation = shared

    def _frame(self, kind: str) -> tuple[list[bytes], list[bytes]]:
        """What the entries of the Observations of a kind have in common, before and after what each one says.

        Both are parted where its UUID stands.
        """
        told = self.release.kind(kind) if kind else {}
        identifier = {"system": self.system, "value": _NIL}
        shared = {"resourceType": "Observation", "identifier": [identifier], **self.observation, **told}
        resource = orjson.Fragment(orjson.dumps(shared)[:-1] + b"," + _SAID + b"}")
        # As `replace_found`; an OID and a UUID need no encoding.
        request = {"method": "PUT", "url": f"Observation?identifier={self.system}|{_NIL}"}
        before, after = self.written(Entry(_NIL, resource, request)).split(_SAID)
        made = self._frames[kind] = before.split(_NIL.encode()), after.split(_NIL.encode())
        return made

    def observe(self, uuid: bytes, said: tuple[bytes, ...], kind: str = "") -> None:
        """Add an Observation that says ``said``, members in JSON in parts; ``kind`` is a concept.

        A report has a hundred of these: what they share is JSON already.
        """
        before, after = self._frames.get(kind) or self._frame(kind)
        self.entries.setdefault(uuid, b"".join((uuid.join(before), *said, uuid.join(after))))
