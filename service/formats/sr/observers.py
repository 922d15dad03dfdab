"""Observer context: TID 1001 with 1002, 1003 for each person and 1004 for each device, and the algorithm, TID 4019."""

from collections.abc import Iterator
from typing import Final

from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.report import Device, Observer, Person
from service.formats.sr.coded import CodedEntry
from service.formats.sr.draft import Draft
from service.formats.sr.items import CodeItem, PersonNameItem, UidRef
from service.formats.sr.names import name
from service.formats.sr.tree import ContentItem

_CONTEXT: Final = "HAS OBS CONTEXT"
_ROLES_IN_THE_ORGANIZATION = "organizational-role"


def observer_context(draft: Draft) -> Iterator[ContentItem]:
    """Every observer, the person before the device where both observed together."""
    for number, observer in enumerate(draft.report.observers):
        yield from _observer(draft, observer, f"/observers/{number}")


def _observer(draft: Draft, observer: Observer[CodedTerm], where: str) -> Iterator[ContentItem]:
    if observer.person is not None:
        yield CodeItem(name("observer-type"), name("person"), _CONTEXT)
        yield from _person(draft, observer.person, f"{where}/person")
    if observer.device is not None:
        yield CodeItem(name("observer-type"), name("device"), _CONTEXT)
        yield from _device(draft, observer.device, f"{where}/device")


def _person(draft: Draft, person: Person[CodedTerm], where: str) -> Iterator[ContentItem]:
    """TID 1003."""
    yield PersonNameItem(name("person-observer-name"), str(person.name), _CONTEXT)
    if person.organization is not None:
        yield from draft.text(name("person-observers-organization-name"), person.organization, _CONTEXT, where)
    if person.role is not None:
        yield from draft.answer(_role_name(person.role), person.role, _CONTEXT)


def _role_name(role: CodedTerm) -> CodedEntry:
    concept = vocabulary().concepts.get(role.concept) if role.concept is not None else None
    if concept is not None and concept.group == _ROLES_IN_THE_ORGANIZATION:
        return name("person-observers-role-in-the-organization")
    return name("person-observers-role-in-this-procedure")


def _device(draft: Draft, device: Device, where: str) -> Iterator[ContentItem]:
    """TID 1004; its row 1, the UID, is mandatory, so the coder derives one where the sender has none."""
    if device.uid is None:
        raise ValueError("a coded device has a UID")
    yield UidRef(name("device-observer-uid"), device.uid, _CONTEXT)
    yield from draft.text(name("device-observer-name"), device.name, _CONTEXT, where)
    if device.manufacturer is not None:
        yield from draft.text(name("device-observer-manufacturer"), device.manufacturer, _CONTEXT, where)
    if device.model is not None:
        yield from draft.text(name("device-observer-model-name"), device.model, _CONTEXT, where)


def algorithm(draft: Draft) -> Iterator[ContentItem]:
    """TID 4019 for all measurements, where exactly one device with a version observed (both rows are M).

    With several devices nobody said which one measured what; they stand as contributing equipment.
    """
    devices = [observer.device for observer in draft.report.observers if observer.device is not None]
    if len(devices) == 1 and devices[0].version is not None:
        said = devices[0].algorithm or devices[0].name
        yield from draft.text(name("algorithm-name"), said, "HAS CONCEPT MOD", "/observers")
        yield from draft.text(name("algorithm-version"), devices[0].version, "HAS CONCEPT MOD", "/observers")
