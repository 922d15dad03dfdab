"""Persons, issuers and observers: from the header, and from the observer context of the tree (TID 1001 to 1004)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from service.domain.codes import Term
from service.domain.names import NameGroup, PersonName
from service.domain.report import Device, Issuer, Observer, Person
from service.domain.uids import is_uid
from service.formats.sr.content import TAG, Node
from service.formats.sr.elements import Elements
from service.formats.sr.patient_study import UNKNOWN
from service.formats.sr.read_notes import SEVERAL, Notes
from service.formats.sr.read_times import date_time

_CHARACTERS: Final = 64
_DEVICE: Final = {
    "device-observer-uid": "uid",
    "device-observer-name": "name",
    "device-observer-manufacturer": "manufacturer",
    "device-observer-model-name": "model",
}
_ORGANIZATION: Final = "person-observers-organization-name"
_ROLES: Final = (
    "person-observers-role-in-the-organization",
    "person-observers-role-in-this-procedure",
    "person-role-in-procedure",
)
Known = list[tuple[str, Elements]]


def person_name(notes: Notes, text: str, where: str) -> PersonName | None:
    """A name as PN has it; one that PN can't hold is kept in one piece, shortened, and flagged. None for nothing."""
    if not text.strip("^= "):
        return None
    try:
        return PersonName.parse(text)
    except ValueError as error:
        notes.flag(where, "name", f"{error}: kept in one piece (PS3.5 6.2.1)", "sr-name")
        whole = " ".join(text.replace("^", " ").replace("=", " ").replace("\\", " ").split())
        return PersonName(NameGroup(whole[:_CHARACTERS].strip()))


def issuer(notes: Notes, elements: Elements, keyword: str, sequence: str) -> Issuer | None:
    """Who issued an id: the local word, and its OID or URI (PS3.3 table 10-17)."""
    word = first_value(notes, elements, keyword)
    for item in notes.tree.items(elements, TAG[sequence]):
        word = word or notes.tree.text(item, TAG["LocalNamespaceEntityID"])
        universal = notes.tree.text(item, TAG["UniversalEntityID"])
        kind = notes.tree.line(item, TAG["UniversalEntityIDType"])
        if kind == "ISO" and is_uid(universal):
            return Issuer(word or universal, f"urn:oid:{universal}", universal)
        if kind == "URI" and ":" in universal:
            return Issuer(word or universal, universal)
        if word and universal:
            why = f"neither an OID nor a URI, whatever its type {kind[:16]} says: left out beside {word[:64]}"
            notes.flag(sequence, universal, why, "sr-issuer")
        word = word or universal
    return Issuer(word) if word else None


def first_value(notes: Notes, elements: Elements, keyword: str) -> str:
    """The first value of an attribute that has one (PS3.6): a backslash parts values (PS3.5 6.4), which is flagged."""
    said, parted, _ = notes.tree.text(elements, TAG[keyword]).partition("\\")
    if parted:
        why = "the attribute has one value (PS3.6), and here are several: the first is taken"
        notes.flag(keyword, keyword, why, SEVERAL)
    return said.strip()


def identified(notes: Notes, elements: Elements, keyword: str) -> str | None:
    """The id of a person: the value of the code that stands for one (PS3.3 table 10-1)."""
    for said in notes.tree.sequence(elements, keyword):
        if said.code is not None:
            return said.code.code
    return None


def organization(text: str) -> str | None:
    """An organization; our writer says ``unknown`` where an attribute asks for one and nobody said it."""
    return text if text and text != UNKNOWN else None


def observers(notes: Notes, offset: str, elements: Elements) -> tuple[Observer[Term], ...]:
    """Everyone who observed: the tree's observer context, with ids and verifications from the header."""
    made = list(_context(notes))
    verified = _named(notes, elements, "VerifyingObserverSequence", "VerifyingObserverName")
    authors = _named(notes, elements, "AuthorObserverSequence", "PersonName")
    made = [_completed(notes, one, verified, authors, offset) for one in made]
    made += [Observer(person=_verifier(notes, name, item, offset)) for name, item in verified if name.strip("^= ")]
    for name, item in authors:
        if name.strip("^= ") and notes.tree.line(item, TAG["ObserverType"]) != "DEV":
            said = person_name(notes, name, "AuthorObserverSequence")
            if said is not None:
                own = identified(notes, item, "PersonIdentificationCodeSequence")
                at = organization(notes.tree.text(item, TAG["InstitutionName"]))
                made.append(Observer(person=Person(said, own, at)))
    return _equipped(notes, made, elements)


def _context(notes: Notes) -> Iterator[Observer[Term]]:
    """The items of the root in their order: a type, or a name where none is said, begins an observer."""
    person: Person[Term] | None = None
    device: dict[str, str] = {}
    where = ""
    for node in notes.tree.root.children:
        key = notes.key(node)
        starts = key in ("observer-type", "person-observer-name") or _DEVICE.get(key, "") in device
        if starts and (person is not None or device):
            yield _observer(notes, person, device, where)
            person, device = None, {}
        if key == "observer-type":
            node.taken = True
        elif key == "person-observer-name" and isinstance(node.value, str):
            name, where = person_name(notes, node.value, node.path), node.path
            node.taken = True
            person = Person(name) if name is not None else None
        elif key in _DEVICE and isinstance(node.value, str):
            where = node.path
            node.taken = True
            device[_DEVICE[key]] = node.value.strip()
        elif person is not None and key == _ORGANIZATION and isinstance(node.value, str):
            node.taken = True
            person = replace(person, organization=node.value)
        elif person is not None and key in _ROLES and person.role is None:
            person = replace(person, role=notes.answer(node))
    if person is not None or device:
        yield _observer(notes, person, device, where)


def _observer(notes: Notes, person: Person[Term] | None, device: dict[str, str], where: str) -> Observer[Term]:
    if not device:
        return Observer(person=person)
    uid = device.get("uid")
    if uid is not None and not is_uid(uid):
        notes.flag(where, uid, "the UID of the device is none (PS3.5 9.1): another is derived", "sr-uid")
        uid = None
    name = device.get("name") or device.get("model") or device.get("manufacturer") or uid
    if not device.get("name"):
        notes.lack(where, "device", "the device has no name: what else is known stands for it", "sr-device-name")
    made = Device(name or "device", None, uid, device.get("manufacturer"), device.get("model"))
    return Observer(device=made, person=person)


def _named(notes: Notes, elements: Elements, sequence: str, keyword: str) -> Known:
    items = notes.tree.items(elements, TAG[sequence])
    return [(_plain(notes.tree.person(item, TAG[keyword])), item) for item in items]


def _plain(name: str) -> str:
    """A PN without what is empty at the end of its groups."""
    return "=".join(group.rstrip("^ ") for group in name.split("=")).rstrip("=")


def _taken(known: Known, name: str) -> Elements | None:
    """The entry of a person, once."""
    for number, (said, item) in enumerate(known):
        if said == name:
            del known[number]
            return item
    return None


def _completed(notes: Notes, one: Observer[Term], verified: Known, authors: Known, offset: str) -> Observer[Term]:
    """A person with the id and the verification that the header has for the name."""
    person = one.person
    if person is None:
        return one
    name = str(person.name)
    proof, author = _taken(verified, name), _taken(authors, name)
    if author is not None:
        person = replace(person, id=identified(notes, author, "PersonIdentificationCodeSequence"))
    if proof is not None:
        said = _verifier(notes, name, proof, offset)
        person = replace(
            person,
            id=person.id or said.id,
            organization=person.organization or said.organization,
            verified_at=said.verified_at,
        )
    return replace(one, person=person)


def _verifier(notes: Notes, name: str, item: Elements, offset: str) -> Person[Term]:
    """A verifying observer (C.17.2)."""
    said = person_name(notes, name, "VerifyingObserverSequence")
    when = date_time(notes.tree.line(item, TAG["VerificationDateTime"]), offset, notes.intake)
    return Person(
        said or PersonName(NameGroup(UNKNOWN)),
        identified(notes, item, "VerifyingObserverIdentificationCodeSequence"),
        organization(notes.tree.text(item, TAG["VerifyingOrganization"])),
        None,
        when,
    )


def _equipped(notes: Notes, made: list[Observer[Term]], elements: Elements) -> tuple[Observer[Term], ...]:
    """Versions and algorithms of the devices: ours stand in their order as contributing equipment (C.12.1)."""
    found = []
    equipment = notes.tree.items(elements, TAG["ContributingEquipmentSequence"])
    for one in made:
        if one.device is None:
            found.append(one)
            continue
        wanted = one.device.model or one.device.name
        item = next((item for item in equipment if _is_on_line(_model(notes, item), wanted)), None)
        if item is None:
            found.append(one)
            continue
        equipment.remove(item)
        version = notes.tree.text(item, TAG["SoftwareVersions"]).partition("\\")[0] or None
        algorithm = notes.tree.text(item, TAG["ContributionDescription"]) or None
        found.append(replace(one, device=replace(one.device, version=version, algorithm=algorithm)))
    return tuple(found)


def _model(notes: Notes, item: Elements) -> str:
    return notes.tree.text(item, TAG["ManufacturerModelName"])


def _is_on_line(held: str, said: str) -> bool:
    """Whether LO holds these words: white space aside, and with a slash where it can't have a backslash."""
    return held.split() == said.replace("\\", "/").split()


def with_algorithm(
    notes: Notes, made: tuple[Observer[Term], ...], algorithms: list[tuple[str, str, tuple[Node, ...]]]
) -> tuple[Observer[Term], ...]:
    """The observers with the algorithms that the tree names (TID 4019).

    The one algorithm of the one device is that device's. Any other is a device of its own: nobody says which device
    ran it.
    """
    if not algorithms:
        return made
    devices = [one for one in made if one.device is not None]
    names = list(dict.fromkeys((name, version) for name, version, _ in algorithms))
    for _, _, nodes in algorithms:
        for node in nodes:
            node.taken = True
    if len(devices) == 1 and len(names) == 1:
        ((name, version),) = names
        device = devices[0].device
        assert device is not None  # noqa: S101 - for the type checker; chosen by it above
        known = {device.algorithm or device.name, device.algorithm}
        is_version = device.version is None or _is_on_line(device.version, version)
        is_algorithm = device.algorithm is None or _is_on_line(device.algorithm, name)
        if is_version and is_algorithm:  # the header has them on one line, the tree as they were written
            algorithm = device.algorithm if name in known else name
            fuller = replace(device, version=version or device.version, algorithm=algorithm or None)
            return tuple(replace(one, device=fuller) if one is devices[0] else one for one in made)
    for name, version in names:
        nodes = next(nodes for said, which, nodes in algorithms if (said, which) == (name, version))
        why = "an algorithm stands among the observers as a device of its own; which number it made is not kept"
        notes.flag(nodes[0].path, f"{name} {version}".strip(), why, "sr-algorithm")
    return (*made, *(Observer(device=Device(name, version or None, algorithm=name)) for name, version in names))
