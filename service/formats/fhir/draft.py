"""A bundle in the making: what every resource of one report shares."""

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Draft:
    """The report, the references that all its resources carry, and the entries and losses gathered so far."""

    report: CodedReport
    sr: SrReference
    release: Release
    entries: dict[str, Entry] = field(default_factory=dict)  # by UUID: what is said twice is one resource
    losses: list[Loss] = field(default_factory=list)
    subject: Json = field(init=False)
    effective: Json = field(init=False)
    observation: Json = field(init=False)
    _identified: bytes = b""
    _kinds: dict[str, bytes] = field(default_factory=dict)
    system: str = field(init=False)
    bodies: UuidFamily = field(init=False)

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

    def add(self, entry: Entry) -> Json:
        """Take an entry in unless it is there, and return the reference to it."""
        self.entries.setdefault(entry.uuid, entry)
        return reference(entry.uuid)

    def lose(self, where: str, what: str, why: str, rule: str) -> None:
        """Name what the release can't carry."""
        self.losses.append(Loss(LossKind.LOST, where, what, why, rule))

    def begin_observations(
        self, based_on: list[Json], study: Entry, performers: list[Json], device: Json | None
    ) -> None:
        """Fix what every Observation of this report has in common."""
        shared: Json = {"basedOn": based_on} if based_on else {}
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
        begins = orjson.dumps({"resourceType": "Observation", "identifier": [{"system": self.system, "value": ""}]})
        self._identified = begins.removesuffix(b'"}]}')

    def _shared(self, kind: str) -> bytes:
        """What the Observations of a kind have in common, as JSON members behind the identifier."""
        told = self.release.kind(kind) if kind else {}
        made = self._kinds[kind] = b'"}],' + orjson.dumps({**self.observation, **told})[1:-1] + b","
        return made

    def family(self, lesion_id: str | None) -> UuidFamily:
        """The UUIDs of the Observations of a lesion, or of the whole report: the same in every version of it."""
        return UuidFamily("fhir-observation", self.report.sender, self.report.id, lesion_id)

    def observe(self, uuid: str, said: bytes, kind: str = "") -> Json:
        """Add an Observation that says ``said``, a JSON object, and return the reference to it; ``kind`` is a concept.

        A report has a hundred of these: what they share is JSON already.
        """
        name = uuid.encode()
        shared = self._kinds.get(kind) or self._shared(kind)
        resource = orjson.Fragment(b"".join((self._identified, name, shared, said[1:])))
        # As `replace_found`; an OID and a UUID need no encoding.
        request = {"method": "PUT", "url": f"Observation?identifier={self.system}|{uuid}"}
        self.entries.setdefault(uuid, Entry(uuid, resource, request))
        return {"reference": f"urn:uuid:{uuid}"}
