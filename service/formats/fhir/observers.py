"""Who observed, verified and referred: the people and devices of a report as entries, and how they are referred to."""

from dataclasses import dataclass, field, replace

from service.domain.codes import CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.names import PersonName
from service.domain.report import CodedReport, Person
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


def named_once(report: CodedReport) -> tuple[CodedReport, tuple[Loss, ...]]:
    """The report with one name for each id: a person with the id of another one goes without, which is a loss.

    As one Practitioner the second would stand under the first one's name, whatever each of them said or verified.
    """
    names: dict[str, PersonName] = {}
    losses: list[Loss] = []

    def plain(person: Person[CodedTerm], where: str) -> Person[CodedTerm]:
        if person.id is None or names.setdefault(person.id, person.name) == person.name:
            return person
        why = "the report gives this id to another name, too: the first one has it, this one is a person without an id"
        losses.append(Loss(LossKind.LOST, f"{where}/id", "id of a person", why, "fhir-person-id"))
        return replace(person, id=None)

    observers = tuple(
        one if one.person is None else replace(one, person=plain(one.person, f"/observers/{place}/person"))
        for place, one in enumerate(report.observers)
    )
    study = report.study
    if study.referring_physician is not None:
        asked = plain(study.referring_physician, "/study/referringPhysician")
        study = replace(study, referring_physician=asked)
    return (replace(report, observers=observers, study=study) if losses else report), tuple(losses)


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
