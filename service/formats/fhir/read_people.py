"""Patient, persons and devices of a bundle (R4 and R5)."""

from __future__ import annotations

from typing import Final

from service.domain.codes import Term
from service.domain.errors import Invalid, Problem
from service.domain.report import Device, Patient, PatientId, Person, Sex
from service.formats.fhir.identity import own_system
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_terms import layout, terms
from service.formats.fhir.read_values import LO, dicom_uid, is_word, issuer, line, person_name, type_code, when

PERSONS: Final = ("Practitioner", "PractitionerRole")
_SEX: Final = {"male": Sex.MALE, "female": Sex.FEMALE, "other": Sex.OTHER, "unknown": None}
_MEDICAL_RECORD: Final = "MR"  # HL7 v2 table 0203
_OLD: Final = "old"  # identifier-use
_PRODUCT_NAMES: Final = ("user-friendly-name", "registered-name", "udi-label-name", "patient-reported-name", "other")


class People:
    """Reads people and devices, each once, however often it is referred to."""

    def __init__(self, document: Document, sender: str) -> None:
        """``sender`` is who may have named private schemes."""
        self._document = document
        self._sender = sender
        self._persons: dict[int, Person[Term] | None] = {}
        self._devices: dict[int, Device | None] = {}

    def patient(self, report: Node) -> tuple[Patient, Node | None]:
        """The patient of the report with its resource; raises Invalid where nothing tells who it is."""
        followed = self._document.follow(report, "subject", "Patient")
        if followed:
            resource = followed[0][0]
            return self._patient(resource), resource
        for reference in report.nodes("subject"):
            identifier = reference.node("identifier")
            said = self._identifier(identifier) if identifier is not None else None
            if said is not None:
                return Patient(said.id, said.issuer), None
            name = _last(reference.value.get("reference"))
            if name is not None:
                reference.take("reference", "type")
                why = "the patient is not in the document: its id at the server that it came from stands for it"
                report.noted.flag(reference.path, "Patient", why, "fhir-patient-id")
                return Patient(name), None
        why = "Say whose report it is: subject has to lead to a Patient of the bundle, or name one by its identifier."
        raise Invalid(Problem(report.at("subject"), "fhir-patient", why))

    def _patient(self, resource: Node) -> Patient:
        resource.take("id")
        found = [said for said in map(self._identifier, _by_type(_in_use(resource))) if said is not None]
        if not found:
            name = _last(resource.value.get("id"))
            if name is None:
                why = "Give the Patient an identifier."
                raise Invalid(Problem(resource.at("identifier"), "fhir-patient", why))
            why = "the patient has no identifier: its id at the server that it came from stands for it"
            resource.noted.flag(resource.path, "Patient", why, "fhir-patient-id")
            found = [PatientId(name)]
        first, *others = found
        sex = None
        gender = resource.string("gender")
        if gender is not None:
            sex = _SEX.get(gender)
            if gender not in _SEX:
                resource.skip("gender", "it is none of FHIR's words", "fhir-type")
        born = when(resource, "birthDate", day=True)
        return Patient(first.id, first.issuer, person_name(resource), born, sex, tuple(others))

    def _identifier(self, identifier: Node) -> PatientId | None:
        value = line(identifier, "value", LO)
        if value is None:
            return None
        identifier.take("use")
        if type_code(identifier) == _MEDICAL_RECORD:
            identifier.take("type")
        return PatientId(value, issuer(identifier))

    def person(self, resource: Node) -> Person[Term] | None:
        """A Practitioner or PractitionerRole as a person; None where no name is known."""
        key = id(resource)
        if key not in self._persons:
            self._persons[key] = None  # a cycle ends here
            self._persons[key] = self._person(resource)
        return self._persons[key]

    def practitioner(self, resource: Node) -> Node:
        """The Practitioner behind a PractitionerRole, where it is in the document; else the resource itself."""
        if resource.kind == "PractitionerRole":
            for found, _ in self._document.follow(resource, "practitioner", "Practitioner"):
                return found
        return resource

    def _person(self, resource: Node) -> Person[Term] | None:
        if resource.kind == "Practitioner":
            return self._practitioner(resource)
        plain = self.practitioner(resource)
        known = self.person(plain) if plain is not resource else None
        if known is None:
            return None
        organization = None
        for found, _ in self._document.follow(resource, "organization", "Organization"):
            organization = line(found, "name", LO)
        roles = terms(resource, "code", "role", self._sender)
        for extra in resource.nodes("code")[1:]:
            extra.noted.skip(extra.path, "role", "a person has one role in a report")
        return Person(known.name, known.id, organization, roles[0] if roles else None)

    def _practitioner(self, resource: Node) -> Person[Term] | None:
        name = person_name(resource)
        if name is None:
            resource.noted.skip(resource.path, resource.kind, "a person without a name", "fhir-value")
            return None
        for identifier in resource.nodes("identifier"):
            # By that of the sender's resources we only find our own again: it is no id of a person.
            system = identifier.value.get("system")
            if system != own_system("resource", self._sender):
                value = line(identifier, "value", LO)
                if value is not None:
                    if system == own_system("person", self._sender):
                        identifier.take("system", "assigner")
                    return Person(name, value)
        return Person(name)

    def device(self, resource: Node) -> Device | None:
        """A Device by its name; of several names the user-friendly one, the model's as model."""
        key = id(resource)
        if key not in self._devices:
            self._devices[key] = self._device(resource)
        return self._devices[key]

    def _device(self, resource: Node) -> Device | None:
        names = {}
        for member in ("deviceName", "name"):
            for given in resource.nodes(member):
                kind = given.string("type") or "user-friendly-name"
                text = line(given, "name" if member == "deviceName" and "name" in given else "value", LO)
                if text is not None and kind not in names:
                    given.take("display")
                    names[kind] = text
        model = line(resource, "modelNumber", LO) or names.pop("model-name", None)
        name = next((names.pop(kind) for kind in _PRODUCT_NAMES if kind in names), None)
        manufacturer = line(resource, "manufacturer", LO)
        version = None
        for given in resource.nodes("version"):
            if version is None:
                version = line(given, "value", LO)
        found = dicom_uid(resource)
        shown = resource.value.get("displayName")  # R5
        if shown in (name, model):
            resource.take("displayName")
        name = name or line(resource, "displayName", LO) or model
        if name is None:
            resource.noted.skip(resource.path, resource.kind, "a device without a name", "fhir-value")
            return None
        return Device(name, version, found, manufacturer, model, self._algorithm(resource))

    def _algorithm(self, resource: Node) -> str | None:
        for said in resource.nodes("property"):
            if layout(said.value.get("type")) != "algorithm-name":
                continue
            said.take("type")
            for member in ("valueCode", "valueCodeableConcept"):
                for value in said.nodes(member):
                    return line(value, "text", LO)
            return line(said, "valueString", LO)
        return None


def _in_use(resource: Node) -> list[Node]:
    """The identifiers of a patient; those that are no longer valid (R4 identifier-use *old*) are listed."""
    listed = resource.nodes("identifier")
    valid = [one for one in listed if one.value.get("use") != _OLD]
    for one in listed:
        if one.value.get("use") == _OLD:
            one.take(*one.value)
            one.noted.skip(one.path, "identifier", "it is no longer valid (use: old)", "fhir-old")
    return valid


def _by_type(identifiers: list[Node]) -> list[Node]:
    """Medical record numbers first; else in their order."""
    return sorted(identifiers, key=lambda one: type_code(one) != _MEDICAL_RECORD)


def _last(text: object) -> str | None:
    """The id at the end of a reference, where it can be the id of a patient."""
    if not isinstance(text, str):
        return None
    name = text.partition("/_history/")[0].rpartition("/")[2].strip()
    fits = is_word(name) and len(name) <= LO and ":" not in name and "\\" not in name and not name.startswith("#")
    return name if fits else None
