"""The imaging study of a report with its order, the studies it is compared with, and the images referred to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from service.coding.modalities import modality_of
from service.domain.codes import Term
from service.domain.geometry import ImageReference
from service.domain.report import Comparison, Issuer, Study
from service.domain.sop_classes import is_no_image
from service.domain.times import DateTime
from service.domain.uids import derive_uid
from service.formats.fhir.documents import OTHER_STUDY
from service.formats.fhir.identity import own_system
from service.formats.fhir.imaging import SEGMENTATION_STORAGE
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_people import PERSONS, People
from service.formats.fhir.read_terms import of_concept, terms
from service.formats.fhir.read_values import LO, NOT_SAID, SH, bare_uid, dicom_uid, issuer, line, type_code, uid, when

_OTHER: Final = "other-modality"
_UNKNOWN: Final = "unknown"  # of data-absent-reason
ACCESSION: Final = "ACSN"  # HL7 v2 table 0203
SUPPORTING: Final = "http://hl7.org/fhir/StructureDefinition/workflow-supportingInfo"
_IMAGE: Final = re.compile(r"(?:urn:oid:)?([0-9.]{1,64})(?:#(frames|segment)=([0-9]{1,9}(?:,[0-9]{1,9})*))?")
_WITHDRAWN: Final = ("cancelled", "entered-in-error")
_STUDIES: Final = ("imagingStudy", "study")


class Instance(NamedTuple):
    """An instance that an ImagingStudy lists; ``study`` is None for the report's own."""

    sop_class: str
    series: str
    study: str | None


@dataclass(slots=True)
class Imaging:
    """What the ImagingStudies list: instances by SOP Instance UID, and the nodes of what is still unread."""

    instances: dict[str, Instance] = field(default_factory=dict)
    series: dict[str, Node] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def image(self, sop: str, frames: tuple[int, ...] = (), where: str = "") -> ImageReference | None:
        """A reference to an instance that is listed."""
        found = self.instances.get(sop)
        if found is None or is_no_image(found.sop_class):
            return None
        self.used.add(sop)
        try:
            return ImageReference(found.sop_class, sop, found.series, found.study, frames, where)
        except ValueError:
            return None

    def take_series(self, series: str) -> None:
        """A series is said elsewhere in the report."""
        node = self.series.get(series)
        if node is not None:
            node.take("uid")


class Studies:
    """Reads the ImagingStudies of a document and what they tell of the report's own study."""

    def __init__(self, document: Document, people: People, sender: str) -> None:
        """Take who reads people, and the sender who may have named private schemes."""
        self._document = document
        self._people = people
        self._sender = sender
        self.imaging = Imaging()
        self.further: list[Term] = []
        self.nodes: dict[int, str] = {}

    def study(self, report: Node, report_id: str, started: DateTime | None) -> Study[Term]:
        """The study reported on."""
        own = self._own(report)
        study_uid = dicom_uid(own) if own is not None else self._logical(report)
        if own is not None and study_uid is None:
            study_uid = uid(own, "uid")  # STU3
        if study_uid is None:
            study_uid = derive_uid("fhir-study", self._sender, report_id)
            why = "the study is not said: a UID of its own is derived, so an archive files the report as another study"
            report.noted.flag(report.path, "Study Instance UID", why, "fhir-study")
        said = own.value.get("status") if own is not None else None
        if own is not None and said in _WITHDRAWN:
            why = f"the study of the report is {said}: nothing else tells which one it is of"
            report.noted.flag(own.at("status"), "status", why, "fhir-status")
        order = self._order(report)
        accession, accession_issuer = self._accession((order, own, *self._logical_orders(report)))
        self._index(own, None)
        if own is not None:
            self._document.follow(own, "basedOn", "ServiceRequest")
        procedures = terms(report, "code", "procedure", self._sender)
        referrer = None
        for resource, member in ((order, "requester"), (own, "referrer")):
            if resource is not None:
                for found, _ in self._document.follow(resource, member, *PERSONS, "Organization"):
                    if found.kind in PERSONS:
                        referrer = referrer or self._people.person(found)
        for resource, member in ((own, "procedureCode"), (own, "procedure"), (order, "code")):
            if resource is not None:
                self.further += self._procedures(resource, member, report)
        return Study(
            study_uid,
            self._modality(own, report),
            procedures or (Term(NOT_SAID, None, report.at("code")),),
            accession,
            accession_issuer,
            self._began(own, started, report),
            line(own, "description", LO) if own is not None else None,
            referrer,
        )

    def _own(self, report: Node) -> Node | None:
        for member in _STUDIES:
            for found, _ in self._document.follow(report, member, "ImagingStudy"):
                return found
        supporting = {id(found) for found, _ in self._supporting(report)}
        alone = [one for one in self._document.of_kind("ImagingStudy") if id(one) not in supporting]
        return alone[0] if len(alone) == 1 else None

    def _logical(self, report: Node) -> str | None:
        """The UID of a study that is only named by its identifier."""
        for member in _STUDIES:
            for reference in report.nodes(member):
                identifier = reference.node("identifier")
                if identifier is not None:
                    found = bare_uid(identifier.string("value"))
                    if found is not None:
                        identifier.take("system")
                        reference.take("type")
                        return found
        return None

    def _order(self, report: Node) -> Node | None:
        orders = [found for found, _ in self._document.follow(report, "basedOn", "ServiceRequest")]
        return orders[0] if orders else next(self._document.of_kind("ServiceRequest"), None)

    def _logical_orders(self, report: Node) -> list[Node]:
        return [one for one in report.nodes("basedOn") if isinstance(one.value.get("identifier"), dict)]

    def _accession(self, resources: Iterable[Node | None]) -> tuple[str | None, Issuer | None]:
        """The accession number of the order or the study; the same one twice is read twice."""
        said: tuple[str, Issuer | None] | None = None
        for resource in resources:
            for identifier in resource.nodes("identifier") if resource is not None else ():
                if type_code(identifier) != ACCESSION:
                    continue
                value = line(identifier, "value", SH)
                if value is None or (said is not None and said[0] != value):
                    continue
                made = issuer(identifier, but=own_system("accession", self._sender))
                said = said or (value, made)
                if made != said[1]:
                    why = "the accession number stands there already, from another issuer"
                    identifier.noted.skip(identifier.path, "identifier", why, "fhir-further")
                identifier.take("type")
                if resource is not None and not resource.kind:
                    resource.take("type")  # of a reference
        return said or (None, None)

    def _procedures(self, resource: Node, member: str, report: Node) -> tuple[Term, ...]:
        """CodeableConcepts, or those of CodeableReferences (R5), but for what only repeats the report's code."""
        made = []
        for node in resource.nodes(member):
            concept = node.node("concept") if "concept" in node else node
            if concept is None or concept.value == report.value.get("code"):
                node.take(*node.value)
                continue
            said = of_concept(concept, "procedure", self._sender)
            if said is not None:
                made.append(said)
        return tuple(made)

    def _modality(self, study: Node | None, report: Node) -> Term:
        """The modality of the study, else that of its first series."""
        if study is not None:
            for owner in (study, *study.nodes("series")):
                for coding in (*owner.nodes("modality"), *owner.nodes("modalityList")):  # the second: STU3
                    said = of_concept(coding, "modality", self._sender)
                    if said is not None:
                        return said
        where = study.at("modality") if study is not None else report.path
        report.noted.flag(
            where, "modality", "no modality is said: it is taken as another than those known", "fhir-modality"
        )
        return Term(_OTHER, None, where)

    def _started(self, study: Node | None) -> DateTime | None:
        return when(study, "started") if study is not None else None

    def _began(self, own: Node | None, effective: DateTime | None, report: Node) -> DateTime | None:
        """When the study began: as the study says, else as the report does; another time of the report is listed."""
        began = self._started(own)
        if began is not None and effective is not None and not began.text.startswith(effective.text):
            why = "the ImagingStudy began at another time, which is taken"
            report.noted.skip(report.at("effectiveDateTime"), "effectiveDateTime", why, "fhir-further")
        return began or effective

    def _supporting(self, report: Node) -> list[tuple[Node, Node]]:
        """The ImagingStudies that support the report, each with the reference to it."""
        found = []
        for extension in report.extensions(SUPPORTING):
            for reference in extension.nodes("valueReference"):
                target = self._document.target(reference, report) if reference.value else None
                if target is not None and target.kind == "ImagingStudy":
                    extension.take("url")
                    found.append((target, reference))
        if "supportingInfo" in report:
            for said in report.nodes("supportingInfo"):
                for reference in said.nodes("reference"):
                    target = self._document.target(reference, report)
                    if target is not None and target.kind == "ImagingStudy":
                        said.take("type")
                        found.append((target, reference))
        return found

    def comparisons(self, report: Node) -> tuple[Comparison[Term], ...]:
        """The studies that the report compares with; a study that only an image is of is none."""
        made = []
        for resource, reference in self._supporting(report):
            study_uid = dicom_uid(resource)
            if study_uid is None:
                resource.noted.skip(resource.path, resource.kind, "a study without a UID", "fhir-value")
                continue
            self._index(resource, study_uid)
            if reference.value.get("display") == OTHER_STUDY:
                continue
            accession, _ = self._accession((resource,))
            modality = None
            for coding in resource.nodes("modality"):
                modality = modality or of_concept(coding, "modality", self._sender)
            made.append(
                Comparison(study_uid, self._started(resource), accession, modality, line(resource, "description", LO))
            )
        return tuple(made)

    def index_others(self) -> None:
        """List the instances of every other study that an Observation speaks of: images may be of it."""
        before: object = None
        for observation in self._document.of_kind("Observation"):
            for name in ("derivedFrom", "partOf"):
                listed = observation.value.get(name)
                if listed is None or (listed == before and "#" not in str(listed)):
                    continue
                before = listed
                for reference in listed if isinstance(listed, list) else [listed]:
                    found = self._document.find(reference, observation)
                    if found is not None and found.kind == "ImagingStudy" and id(found) not in self.nodes:
                        self._index(found, dicom_uid(found))

    def _index(self, resource: Node | None, study_uid: str | None) -> None:
        if resource is None or id(resource) in self.nodes:
            return
        self.nodes[id(resource)] = study_uid or ""
        for series in resource.nodes("series"):
            series_uid = bare_uid(str(series.value.get("uid", "")))
            if series_uid is None:
                continue
            self.imaging.series[series_uid] = series
            before = len(self.imaging.instances)
            for instance in series.nodes("instance"):
                self._instance(instance, series_uid, study_uid)
            listed = list(self.imaging.instances.values())[before:]
            if listed:
                series.take("uid")
            of_classes = filter(None, (modality_of(one.sop_class) for one in listed))
            known = {code.code for term in of_classes for code in term.codes}
            known |= _codes(resource, "modality", "modalityList")
            if _codes(series, "modality") <= known | {_UNKNOWN}:
                # The classes of the instances say it, or the study does; "unknown" says nothing.
                series.take("modality")

    def _instance(self, instance: Node, series_uid: str, study_uid: str | None) -> None:
        sop = bare_uid(str(instance.value.get("uid", "")))
        kind = instance.value.get("sopClass")
        sop_class = bare_uid(str(kind.get("code", ""))) if isinstance(kind, dict) else bare_uid(str(kind))
        if sop is not None and sop_class is not None:
            instance.take("uid", "sopClass")
            self.imaging.instances.setdefault(sop, Instance(sop_class, series_uid, study_uid))

    def listed(self, observation: Node) -> tuple[ImageReference, ...]:
        """The images of the study as an Observation lists them, in its order and with their frames."""
        made = []
        for component in observation.nodes("component"):
            named = named_image(component)
            image = self.imaging.image(named[0], named[2], component.path) if named is not None else None
            if image is None:
                component.skip(
                    "valueString", "no ImagingStudy of the document lists this instance as an image", "fhir-image"
                )
            else:
                made.append(image)
        return tuple(made)

    def remaining(self) -> tuple[ImageReference, ...]:
        """The instances that no lesion refers to: they are of the study itself."""
        limit = self._document.noted.intake.limits.items
        made: list[ImageReference] = []
        for sop, instance in self.imaging.instances.items():
            if sop in self.imaging.used or instance.sop_class == SEGMENTATION_STORAGE:
                continue
            if is_no_image(instance.sop_class):
                why = f"{sop} is no image by its SOP class"
                self._document.noted.skip("ImagingStudy.series.instance", "instance", why, "fhir-image")
                continue
            if len(made) == limit:
                why = f"a study of a report has at most {limit} images"
                self._document.noted.skip("ImagingStudy.series.instance", "instance", why, "limit")
                break
            made.append(ImageReference(instance.sop_class, sop, instance.series, instance.study))
        return tuple(made)


def named_image(component: Node) -> tuple[str, str, tuple[int, ...]] | None:
    """The UID that a component names, with the kind (frames, segment) and the numbers behind it; None for no such."""
    component.take("code")
    text = component.string("valueString")
    match = _IMAGE.fullmatch(text) if text is not None else None
    found = bare_uid(match[1]) if match is not None else None
    if match is None or found is None:
        return None
    numbers = tuple(int(number) for number in match[3].split(",")) if match[2] else ()
    return found, match[2] or "", numbers


def _codes(resource: Node, *members: str) -> set[str]:
    """The codes of members that are Codings (R4) or CodeableConcepts (R5), whatever was read of them."""
    found: set[str] = set()
    for member in members:
        value = resource.value.get(member)
        for coding in value if isinstance(value, list) else [value]:
            inner = coding.get("coding", coding) if isinstance(coding, dict) else None
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, dict):
                    found.add(str(one.get("code")))
    return found
