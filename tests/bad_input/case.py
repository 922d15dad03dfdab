"""A bad document and all that it is refused for: a text of its own, or a change of a document that is right."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from service.domain.errors import Invalid, Refused
from tests.documents import FULL, Json, as_bytes, make_lesion_document

IMAGE = {"sopClass": "1.2.3", "sop": "1.2.3.4.5", "series": "1.2.3.4"}
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"

Expected = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """A body, and all (pointer, rule) that it is refused for."""

    name: str
    body: bytes
    expected: Expected
    error: type[Refused] = Invalid


def text(name: str, body: bytes | str, *expected: tuple[str, str], error: type[Refused] = Invalid) -> Case:
    return Case(name, body if isinstance(body, bytes) else body.encode(), frozenset(expected), error)


def lesion(name: str, members: Json, *expected: tuple[str, str]) -> Case:
    """A document whose only lesion has ``members``; the pointers are those within the lesion."""
    places = frozenset((f"/lesions/0{pointer}", rule) for pointer, rule in expected)
    return Case(name, as_bytes(make_lesion_document(**members)), places)


def measured(name: str, value: Any, rule: str, pointer: str = "") -> Case:
    """A document with one measurement."""
    return lesion(name, {"measurements": {"x": value}}, (f"/measurements/x{pointer}", rule))


def changed(name: str, path: str, value: Any, rule: str, pointer: str | None = None) -> Case:
    """The full document with another value at a pointer; ``...`` removes the member."""
    document = deepcopy(FULL)
    holder: Any = document
    *steps, last = path.split("/")[1:]
    for step in steps:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if value is ...:
        del holder[last]
    else:
        holder[int(last) if isinstance(holder, list) else last] = value
    return Case(name, as_bytes(document), frozenset({(path if pointer is None else pointer, rule)}))


def within(name: str, old: bytes, new: bytes, *expected: tuple[str, str]) -> Case:
    """The smallest document with some bytes in place of others."""
    body = as_bytes(make_lesion_document(text="TEXT", measurements={"x": {"value": "VALUE", "unit": "mm"}}))
    assert old in body, old
    return Case(name, body.replace(old, new), frozenset(expected))


def shape(name: str, members: Json, *expected: tuple[str, str]) -> Case:
    """A lesion with one image that has ``members``."""
    return lesion(name, {"images": [IMAGE | members]}, *((f"/images/0{place}", rule) for place, rule in expected))
