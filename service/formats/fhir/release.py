"""What differs between the releases of FHIR: one method each, and everything else in this room is the same for all.

`service.formats.fhir.r4` and `service.formats.fhir.r5` say how each release has it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from service.domain.codes import CodedTerm
from service.domain.report import Device, Lesion, Measurement, Status
from service.formats.fhir.codeable import Json

if TYPE_CHECKING:
    from service.formats.fhir.draft import Draft
    from service.formats.fhir.identity import Entry


class Shown:
    """Where a lesion is seen: components of its Observation, and references for its and its measurements' derivedFrom.

    ``of_number`` holds those of the n-th measurement.
    """

    __slots__ = ("components", "of_number", "selections")

    def __init__(self, components: list[Json]) -> None:
        """Seen in ``components``, and nowhere else as yet."""
        self.components: Final = components
        self.selections: Final[list[Json]] = []
        self.of_number: Final[dict[int, list[Json]]] = {}


class Release(ABC):
    """One release of FHIR; every method returns what stands at that place in it, members of an element as a dict."""

    name: str
    media_type: str
    study: str
    """The member of DiagnosticReport that names the study."""

    @abstractmethod
    def document_status(self, status: Status) -> str:
        """Composition.status, and docStatus of DocumentReference."""

    @abstractmethod
    def device_name(self, device: Device) -> Json:
        """What a Device is called."""

    @abstractmethod
    def device_property(self, value: str) -> Json:
        """The value of a Device's property that is text."""

    @abstractmethod
    def ordered(self, code: object) -> object:
        """ServiceRequest.code."""

    @abstractmethod
    def modality(self, coding: Json) -> Json:
        """A modality of an ImagingStudy or of a series of it; ``coding`` may be a display alone."""

    @abstractmethod
    def procedures(self, codes: list[Any]) -> Json:
        """What was done in an ImagingStudy."""

    @abstractmethod
    def structure(self, lesion: Lesion[CodedTerm], sender: str) -> Json:
        """Site, side and topography in a BodyStructure."""

    @abstractmethod
    def site(self, lesion: Lesion[CodedTerm], structure: Json, sender: str) -> Json:
        """Where a lesion is, in its Observation; ``structure`` is the reference to its BodyStructure."""

    @abstractmethod
    def part_of(self, draft: Draft, study: Entry) -> Json:
        """What every Observation is a part of."""

    @abstractmethod
    def kind(self, key: str) -> Json:
        """What tells the Observation of a lesion and that of an evaluation from others: ``key`` is a concept."""

    @abstractmethod
    def show(self, draft: Draft, lesion: Lesion[CodedTerm], imaging: dict[str, Entry]) -> Shown:
        """The images, shapes and segment of a lesion; what the release can't carry is named as lost."""

    @abstractmethod
    def measured_on(self, item: Measurement[CodedTerm]) -> list[Json]:
        """The components that name the image of a measurement."""

    @abstractmethod
    def master_identifier(self, identifier: Json) -> Json:
        """The identifier of the document that a DocumentReference is of, beside ``identifier``."""

    @abstractmethod
    def authenticated(self, person: Json, time: str) -> Json:
        """Who verified the document, and when, in a DocumentReference."""

    @abstractmethod
    def replaces(self) -> object:
        """The code of DocumentReference.relatesTo for *replaces*."""

    @abstractmethod
    def document_format(self, coding: Json) -> Json:
        """The format of a document, in DocumentReference.content."""

    @abstractmethod
    def document_context(self, related: list[Json]) -> Json:
        """What a document is of, in a DocumentReference."""

    @abstractmethod
    def composed(self, identifier: Json, subject: Json) -> tuple[object, object]:
        """Identifier and subject of a Composition."""

    @abstractmethod
    def attested(self) -> object:
        """The mode in which a professional attested a Composition."""
