"""Patient, Practitioner, PractitionerRole, Organization and Device."""

from service.domain.codes import CodedTerm
from service.domain.names import NameGroup, PersonName
from service.domain.report import Device, Patient, Person, Sex
from service.formats.fhir.codeable import Json, codeable, field_name
from service.formats.fhir.identity import (
    Entry,
    create_once,
    dicom_identifier,
    issued_identifier,
    issuer_system,
    own_system,
    put_by_id,
    reference,
    resource_identifier,
    uuid_of,
)
from service.formats.fhir.release import Release

_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_QUALIFIER = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-qualifier"
_GENDER = {Sex.MALE: "male", Sex.FEMALE: "female", Sex.OTHER: "other"}


def _human_name(group: NameGroup, representation: str | None) -> Json:
    made: Json = {}
    if representation is not None:
        made["extension"] = [{"url": _REPRESENTATION, "valueCode": representation}]
    if group.family:
        made["family"] = group.family
    given = [part for part in (group.given, group.middle) if part]
    for name, parts in (("given", given), ("prefix", [group.prefix]), ("suffix", [group.suffix])):
        if any(parts):
            made[name] = parts
    if group.middle and not group.given:
        # The first of `given` is the first name (R4 datatypes.html#HumanName), unless it says that it is none.
        made["_given"] = [{"extension": [{"url": _QUALIFIER, "valueCode": "MID"}]}]
    return made


def human_names(name: PersonName) -> list[Json]:
    """One HumanName a component group, the ideographic and phonetic ones marked IDE and SYL.

    The alphabetic group is marked ABC only where another stands beside it.
    """
    several = any(str(group) for group in (name.ideographic, name.phonetic))
    groups = ((name.alphabetic, "ABC" if several else None), (name.ideographic, "IDE"), (name.phonetic, "SYL"))
    return [_human_name(group, mark) for group, mark in groups if str(group)]


def patient_entry(patient: Patient, sender: str) -> Entry:
    """The patient: created once by an id whose issuer has a URI or OID, else our own record under a derived id."""
    identifiers = [issued_identifier(patient.id, patient.issuer)]
    identifiers += [issued_identifier(other.id, other.issuer) for other in patient.other_ids]
    resource: Json = {"resourceType": "Patient", "identifier": identifiers}
    if patient.name is not None:
        resource["name"] = human_names(patient.name)
    if patient.sex is not None:
        resource["gender"] = _GENDER[patient.sex]
    if patient.birth_date is not None:
        resource["birthDate"] = patient.birth_date.date
    uuid = uuid_of("patient", sender, patient.issuer.key if patient.issuer else None, patient.id)
    if issuer_system(patient.issuer) is None:
        # An id that nobody is known to have issued must not match somebody at the EHR.
        return put_by_id(uuid, resource)
    return create_once(uuid, resource, identifiers[0])


def organization_entry(name: str, sender: str) -> Entry:
    """An organization of which only the name is known: the same one wherever this sender says that name."""
    uuid = uuid_of("organization", sender, name)
    identifier = resource_identifier(uuid, sender)
    return create_once(uuid, {"resourceType": "Organization", "identifier": [identifier], "name": name}, identifier)


def practitioner_entry(person: Person[CodedTerm], sender: str, report_id: str) -> Entry:
    """A person: one for all reports where an id is given, one for this report where only a name is."""
    if person.id is not None:
        uuid = uuid_of("practitioner", sender, person.id)
        identifier: Json = {"system": own_system("person", sender), "value": person.id, "assigner": {"display": sender}}
    else:
        # Two persons may share a name: without an id they are not made one.
        uuid = uuid_of("practitioner", sender, None, report_id, str(person.name))
        identifier = resource_identifier(uuid, sender)
    names = human_names(person.name)
    return create_once(uuid, {"resourceType": "Practitioner", "identifier": [identifier], "name": names}, identifier)


def role_entry(person: Person[CodedTerm], practitioner: Entry, organization: Entry | None, sender: str) -> Entry:
    """What a person is in an organization."""
    role = person.role
    said = (role.text, *(part for code in role.codes for part in (code.system, code.code))) if role is not None else ()
    uuid = uuid_of("practitioner-role", practitioner.uuid, organization.uuid if organization else None, *said)
    identifier = resource_identifier(uuid, sender)
    resource: Json = {
        "resourceType": "PractitionerRole",
        "identifier": [identifier],
        "practitioner": reference(practitioner.uuid),
    }
    if organization is not None:
        resource["organization"] = reference(organization.uuid)
    if role is not None:
        resource["code"] = [codeable(role, sender)]
    return create_once(uuid, resource, identifier)


def device_entry(device: Device, sender: str, release: Release) -> Entry:
    """A device or program; another version of it is another Device: no report claims a version that did not make it."""
    said = (device.name, device.version, device.uid, device.manufacturer, device.model, device.algorithm)
    uuid = uuid_of("device", sender, *said)
    identifier = resource_identifier(uuid, sender)
    identifiers = [identifier] if device.uid is None else [identifier, dicom_identifier(device.uid)]
    resource: Json = {"resourceType": "Device", "identifier": identifiers}
    if device.manufacturer is not None:
        resource["manufacturer"] = device.manufacturer
    resource |= release.device_name(device)
    if device.model is not None:
        resource["modelNumber"] = device.model
    if device.version is not None:
        resource["version"] = [{"value": device.version}]
    if device.algorithm is not None:
        resource["property"] = [{"type": field_name("algorithm-name"), **release.device_property(device.algorithm)}]
    return create_once(uuid, resource, identifier)
