"""People and devices: patient, observers and the physicians named in a report."""

from typing import Any, ClassVar

from service.domain.names import NameGroup, PersonName
from service.domain.report import Device, Observer, Patient, PatientId, Person, Sex
from service.formats.findings.fields import Choice, Line, Member, Organization, Precision, Reader, Uid, When, line
from service.formats.findings.members import refuse_member
from service.formats.findings.records import Part, Parts, Record, object_schema
from service.formats.findings.rules import Rule
from service.formats.findings.terms import TermMember
from service.formats.reading import Reading

_PARTS = ("family", "given", "middle", "prefix", "suffix")
_GROUPS = ("ideographic", "phonetic")
_GROUP_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {part: {"type": "string", "maxLength": 64} for part in _PARTS},
    "additionalProperties": False,
    "minProperties": 1,
}
_PN_SCHEMA: dict[str, object] = {
    "type": "string",
    "minLength": 1,
    "description": "DICOM PN: family^given^middle^prefix^suffix=ideographic=phonetic.",
}
_NAME_SCHEMA: dict[str, object] = {
    "anyOf": [
        _PN_SCHEMA,
        {
            **_GROUP_SCHEMA,
            "properties": {
                **{part: {"type": "string", "maxLength": 64} for part in _PARTS},
                **dict.fromkeys(_GROUPS, _GROUP_SCHEMA),
            },
        },
    ]
}


def _group(value: dict[str, Any], where: str, reading: Reading, known: tuple[str, ...]) -> NameGroup | None:
    before = reading.found
    parts: dict[str, str | None] = {}
    for name, item in value.items():
        if name in _PARTS:
            text = line(item, f"{where}/{name}", reading)
            if text is not None and any(mark in text for mark in "^=\\"):
                reading.refuse(f"{where}/{name}", Rule.NAME, "Write the part without ^, = and backslash.")
            parts[name] = text
        elif name not in known:
            refuse_member(name, where, reading, dict.fromkeys([*_PARTS, *known]))
    if reading.found != before:
        return None
    try:
        return NameGroup(*(parts.get(part) or "" for part in _PARTS))
    except ValueError as error:
        reading.refuse(where, Rule.NAME, f"Mend the name: {error}.")
        return None


class Name(Member):
    """The name of a person: a PN string, or its parts."""

    describes: ClassVar[dict[str, object]] = _NAME_SCHEMA

    def read(self, value: Any, where: str, reading: Reading) -> PersonName | None:
        """The name with its groups."""
        if type(value) is dict:
            return self._from_parts(value, where, reading)
        text = line(value, where, reading)
        if text is None:
            return None
        try:
            return PersonName.parse(text)
        except ValueError as error:
            reading.refuse(where, Rule.NAME, f"Mend the name: {error}.")
            return None

    def _from_parts(self, value: dict[str, Any], where: str, reading: Reading) -> PersonName | None:
        before = reading.found
        groups = [_group(value, where, reading, _GROUPS)]
        for name in _GROUPS:
            said = value.get(name, {})
            if type(said) is not dict:
                reading.refuse_type(f"{where}/{name}", said, "an object with the parts of a name")
                continue
            groups.append(_group(said, f"{where}/{name}", reading, ()))
        if reading.found != before:
            return None
        try:
            return PersonName(*[group or NameGroup() for group in groups])
        except ValueError as error:
            reading.refuse(where, Rule.NAME, f"Mend the name: {error}.")
            return None


class OtherIdSchema(Record):
    """One more id of the patient."""

    made_by = PatientId

    id = Line("The id.", required=True, example="885511")
    issuer = Organization("Who issued it: a key of the issuer table, a URI or an OID.", example="REGION")


class PatientSchema(Record):
    """The patient."""

    made_by = Patient

    id = Line("Patient ID, as the study has it.", required=True, example="PID-11235")
    issuer = Organization(
        "Who issued the id: a key of the issuer table, a URI or an OID. Without it nothing is matched on the patient.",
        example="HOSP",
    )
    name = Name("The name: a DICOM PN with its groups, or its parts.", example="Doe^Jane")
    birth_date = When(
        "The date of birth, as exact as it is known.",
        precision=Precision.DATE,
        data_key="birthDate",
        example="1961-04-02",
    )
    sex = Choice("Patient's Sex; left out when unknown.", Sex, example="F")
    other_ids = Parts(OtherIdSchema, "More ids of the patient.", data_key="otherIds")


class DeviceSchema(Record):
    """A device or program that observed."""

    made_by = Device

    name = Line("Its name.", required=True, example="MetDetect")
    version = Line("Its version.", example="2.1")
    uid = Uid("Its UID; derived when left out.", example="1.2.3.4")
    manufacturer = Line("Who makes it.", example="Example Imaging")
    model = Line("Its model.", example="MD-2")
    algorithm = Line("The algorithm that it ran.", example="UNet-3D")


class PersonSchema(Record):
    """A physician."""

    made_by = Person

    name = Name("The name: a DICOM PN with its groups, or its parts.", required=True, example="Roe^Richard^^Dr.")
    id = Line("The person's id.", example="RAD-7")
    organization = Line("Where the person works.", example="St. Example Hospital")
    role = TermMember("The part the person has in the report.", example="radiologist")


class ObserverPersonSchema(PersonSchema):
    """A person who observed, and may have verified the report."""

    verified_at = When(
        "When this person verified the report.",
        precision=Precision.DAY,
        data_key="verifiedAt",
        example="2026-03-02T10:40:00+01:00",
    )


class ObserverSchema(Record):
    """Who observed: a device, a person, or both together."""

    device = Part(DeviceSchema, "A device or program.")
    person = Part(ObserverPersonSchema, "A person.")

    def make(self, values: dict[str, Any], where: str, reading: Reading) -> Any:
        """One of the two is there."""
        if not values:
            reading.refuse(where, Rule.REQUIRED, "Give a device, a person or both.")
            return None
        return Observer(**values)


class Physician(Member):
    """A physician: the name alone, or an object."""

    describes: ClassVar[dict[str, object]] = {"anyOf": [_PN_SCHEMA, object_schema(PersonSchema())]}

    def reader(self) -> Reader:
        """A reader of either form."""
        read_person = PersonSchema().read
        read_name = Name().read

        def read(value: Any, where: str, reading: Reading) -> Any:
            if type(value) is dict:
                return read_person(value, where, reading)
            name = read_name(value, where, reading)
            return None if name is None else Person(name)

        return read
