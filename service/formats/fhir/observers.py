"""Who observed, verified and referred: the people and devices of a report as entries, and how they are referred to."""

from dataclasses import dataclass, field

from service.domain.codes import CodedTerm
from service.domain.report import Person
from service.domain.times import DateTime
from service.formats.fhir.codeable import Json
from service.formats.fhir.draft import Draft
from service.formats.fhir.people import device_entry, organization_entry, practitioner_entry, role_entry


@dataclass(slots=True)
class Observers:
    """References to all who observed, each list in the report's order and without repeats.

    ``agents`` pairs each observer's device with its person, ``verified`` each verifying person with the time.
    """

    people: list[Json] = field(default_factory=list)
    organizations: list[Json] = field(default_factory=list)
    devices: list[Json] = field(default_factory=list)
    agents: list[tuple[Json | None, Json | None]] = field(default_factory=list)
    verified: list[tuple[Json, DateTime, str]] = field(default_factory=list)

    @property
    def authors(self) -> list[Json]:
        """People, then devices."""
        return self.people + self.devices


def person_references(draft: Draft, person: Person[CodedTerm]) -> tuple[Json, Json, Json | None]:
    """Add a person; returns references to the Practitioner, to the most that is known of it, to the Organization.

    The second is a PractitionerRole where an organization or a role is said.
    """
    sender = draft.report.sender
    practitioner = practitioner_entry(person, sender, draft.report.id)
    organization = organization_entry(person.organization, sender) if person.organization is not None else None
    plain = draft.add(practitioner)
    if organization is not None:
        draft.add(organization)
    if organization is None and person.role is None:
        return plain, plain, None
    role = draft.add(role_entry(person, practitioner, organization, sender))
    return plain, role, organization.reference if organization is not None else None


def observers_of(draft: Draft) -> Observers:
    """Add every observer of the report."""
    made = Observers()
    for place, observer in enumerate(draft.report.observers):
        device = role = None
        if observer.device is not None:
            device = draft.add(device_entry(observer.device, draft.report.sender, draft.release))
        if device is not None and device not in made.devices:
            made.devices.append(device)
        if observer.person is not None:
            plain, role, organization = person_references(draft, observer.person)
            if plain not in made.people:
                made.people.append(plain)
            if organization is not None and organization not in made.organizations:
                made.organizations.append(organization)
            if observer.person.verified_at is not None:
                where = f"/observers/{place}/person/verifiedAt"
                made.verified.append((plain, observer.person.verified_at, where))
        made.agents.append((device, role))
    return made
