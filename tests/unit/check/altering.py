"""Every single thing that a report, an SR or a bundle says, altered one at a time."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from pydicom.datadict import keyword_for_tag

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, Region2D
from service.domain.names import PersonName
from service.domain.times import DateTime

Path = tuple[str | int, ...]
OTHER_TERM = CodedTerm("something else")
OTHER_NAME = PersonName.parse("Somebody^Else")
OTHER_TIME = DateTime("2001-02-03T04:05:06+01:00")
_LEAVES = (CodedTerm, PersonName, DateTime, Enum, str, int, float, Decimal)
UNSAID = frozenset({"losses", "row", "where"})
"""Fields that no output has: they say where a thing was read, or by which row."""
_NUMBER = "@number:"
_LONG = frozenset({b"SQ", b"UT", b"UC", b"UR"})


class Leaf(NamedTuple):
    """One thing said in a report: where, of which field, and what."""

    path: Path
    field: str
    value: Any


def leaves(value: Any, path: Path = (), field: str = "") -> Iterator[Leaf]:
    """All that a report says, by the class and field that say it."""
    if isinstance(value, _LEAVES):
        yield Leaf(path, field, value)
    elif is_dataclass(value):
        for one in fields(value):
            if one.name == "graphic" and isinstance(value, Region2D):
                yield Leaf(path, "Region2D.graphic", value)  # another shape has another number of points
            elif one.name not in UNSAID:
                owner = f"{type(value).__name__.removeprefix('Coded')}.{one.name}"
                yield from leaves(getattr(value, one.name), (*path, one.name), owner)
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place), field)


def other(value: Any) -> Any:
    """Something else of the same kind."""
    if isinstance(value, Region2D):
        return replace(value, graphic=Graphic.POINT, points=value.points[:1])
    if isinstance(value, CodedTerm):
        return OTHER_TERM
    if isinstance(value, PersonName):
        return OTHER_NAME
    if isinstance(value, DateTime):
        return OTHER_TIME
    if isinstance(value, Enum):
        return next(member for member in type(value) if member is not value)
    if isinstance(value, str):
        return f"{value}.9" if re.fullmatch(r"[0-9.]+", value) else f"{value}x"
    return value + 1


def altered(value: Any, path: Path, new: Any) -> Any:
    """A report that says ``new`` at a path."""
    if not path:
        return new
    step, *rest = path
    if isinstance(step, str):
        return replace(value, **{step: altered(getattr(value, step), tuple(rest), new)})
    return (*value[:step], altered(value[step], tuple(rest), new), *value[step + 1 :])


def said_fields(value: Any) -> Iterator[str]:
    """The fields of the domain that a report says something in, those that hold others too."""
    for item in value if isinstance(value, tuple) else (value,):
        if is_dataclass(item) and not isinstance(item, _LEAVES):
            for one in fields(item):
                inner = getattr(item, one.name)
                if inner not in (None, ()):
                    yield f"{type(item).__name__.removeprefix('Coded')}.{one.name}"
                    yield from said_fields(inner)


class Alteration(NamedTuple):
    """An output with one value altered: what was, as a pattern of places, and the bytes."""

    place: str
    content: bytes


def altered_bundles(content: bytes) -> Iterator[Alteration]:
    """A bundle with one value altered, the first of each pattern of members; numbers keep their digits."""
    bundle = json.loads(content, parse_float=_NUMBER.__add__, parse_int=_NUMBER.__add__)
    seen: set[str] = set()
    for path in _json_paths(bundle):
        place = _json_place(bundle, path)
        if place in seen:
            continue
        seen.add(place)
        holder = bundle
        for step in path[:-1]:
            holder = holder[step]
        kept = holder[path[-1]]
        holder[path[-1]] = f"{kept}1" if kept.startswith(_NUMBER) else f"{kept}X"
        yield Alteration(place, re.sub(f'"{_NUMBER}([^"]*)"', r"\1", json.dumps(bundle)).encode())
        holder[path[-1]] = kept


def _json_paths(node: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _json_paths(value, (*path, name))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _json_paths(value, (*path, place))
    else:
        yield path


def _json_place(bundle: Any, path: Path) -> str:
    """A path without its positions; of an Observation by its code too, since each is a statement of its own."""
    members = ".".join(step for step in path if isinstance(step, str))
    if path[0] != "entry":
        return members
    resource = bundle["entry"][path[1]]["resource"]
    about = resource["code"]["text"] if resource["resourceType"] == "Observation" else ""
    return f"{resource['resourceType']} {about}".strip() + ": " + members.removeprefix("entry.")


def altered_documents(content: bytes) -> Iterator[Alteration]:
    """An SR with one character or byte of one value altered, value by value."""
    start = 144 + int.from_bytes(content[140:144], "little")
    for place, representation, begin, length in _elements(content, start, len(content)):
        found = _other_byte(content, representation, begin, length)
        if found is not None:
            at, byte = found
            yield Alteration(place, content[:at] + byte + content[at + 1 :])


def _elements(content: bytes, position: int, end: int, path: str = "") -> Iterator[tuple[str, str, int, int]]:
    while position < end:
        group, element = (int.from_bytes(content[position + at : position + at + 2], "little") for at in (0, 2))
        representation = content[position + 4 : position + 6]
        is_long = representation in _LONG
        at, size = (8, 4) if is_long else (6, 2)
        length = int.from_bytes(content[position + at : position + at + size], "little")
        begin = position + at + size
        position = begin + length
        keyword = f"{path}{keyword_for_tag(group << 16 | element)}"
        if representation != b"SQ":
            if length:
                yield keyword, representation.decode(), begin, length
            continue
        item = begin
        while item < position:
            inner = int.from_bytes(content[item + 4 : item + 8], "little")
            yield from _elements(content, item + 8, item + 8 + inner, f"{keyword}.")
            item += 8 + inner


def _other_byte(content: bytes, representation: str, begin: int, length: int) -> tuple[int, bytes] | None:
    if representation in ("US", "FL", "FD"):
        return begin, bytes([content[begin] ^ 1])
    for at in range(begin + length - 1, begin - 1, -1):
        byte = content[at : at + 1]
        if byte.isdigit():
            return at, b"2" if byte == b"1" else b"1"
        if byte.isalpha():
            wanted = b"Q" if byte.isupper() else b"q"
            return at, wanted if byte != wanted else (b"R" if byte.isupper() else b"r")
    return None
