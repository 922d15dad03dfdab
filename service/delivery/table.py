"""A table of a TOML file, or of the environment, as a frozen dataclass: each member is one setting.

Text stands for any type, since the environment has nothing else. A `Secret` named ``token`` is said as ``token_file``
or ``token_environment``; a table that may have several shapes has a member ``kind``.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import time
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from service.delivery.secrets import Secret
from service.domain.errors import Problem

_SPELLED: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_WORDS: Final = {
    str: "is text",
    bool: "is true or false",
    int: "is a whole number",
    float: "is a number",
    time: "is a time of day, as 20:00",
    tuple: "is a list of texts",
}
Table = Mapping[str, Any]


class _Wrong(Exception):
    """A value that is none of its setting."""


def build(kind: Any, table: Table, place: str, problems: list[Problem]) -> Any:
    """The dataclass ``kind`` of a table; None where ``problems`` got a line."""
    before = len(problems)
    made: dict[str, Any] = {}
    left = dict(table)
    for member in members(kind):
        value = _member(member, left, place, problems)
        if value is not MISSING:
            made[member.name] = value
    problems.extend(_problem(f"{place}.{name}", _unknown(kind, name)) for name in left)
    if len(problems) > before:
        return None
    try:
        return kind(**made)
    except ValueError as error:
        problems.append(_problem(place, str(error)))
        return None


def members(kind: Any) -> tuple["Member", ...]:
    """The settings of a dataclass, in its order."""
    hints = _hints(kind)
    return tuple(Member(one, hints[one.name]) for one in fields(kind) if one.init)


class Member:
    """One setting: its name, its type, and whether it must be said."""

    def __init__(self, member: Field[Any], hint: Any) -> None:
        """Take the optional apart."""
        parts = [part for part in get_args(hint) if part is not types.NoneType] if _is_union(hint) else [hint]
        self.name = member.name
        self.shapes = tuple(parts)
        self.required = member.default is MISSING and member.default_factory is MISSING

    @property
    def is_secret(self) -> bool:
        """Whether it is said by its place."""
        return Secret in self.shapes

    @property
    def is_table(self) -> bool:
        """Whether it is a table of its own."""
        return not self.is_secret and is_dataclass(self.shapes[0])


def _member(member: Member, left: dict[str, Any], place: str, problems: list[Problem]) -> Any:
    """The value of a member, taken from ``left``; MISSING where nothing was said or it can't be used."""
    here = f"{place}.{member.name}"
    if member.is_secret:
        return _secret(member, left, here, problems)
    if member.name not in left:
        if member.required:
            problems.append(_problem(here, "is missing"))
        return MISSING
    value = left.pop(member.name)
    if not member.is_table:
        try:
            return _typed(member.shapes[0], value)
        except _Wrong as wrong:
            problems.append(_problem(here, str(wrong)))
            return MISSING
    if not isinstance(value, Mapping):
        problems.append(_problem(here, "is a table"))
        return MISSING
    shape, rest = _shape(member, dict(value), here, problems)
    return build(shape, rest, here, problems) if shape is not None else MISSING


def _shape(member: Member, table: dict[str, Any], place: str, problems: list[Problem]) -> tuple[Any, dict[str, Any]]:
    """Which dataclass a table is of."""
    if len(member.shapes) == 1:
        return member.shapes[0], table
    kinds = {shape.KIND: shape for shape in member.shapes}
    named = table.pop("kind", None)
    if named not in kinds:
        problems.append(_problem(f"{place}.kind", f"is one of {', '.join(kinds)}"))
        return None, table
    return kinds[named], table


def _secret(member: Member, left: dict[str, Any], place: str, problems: list[Problem]) -> Any:
    """A secret by its place."""
    said = {way: str(left.pop(f"{member.name}_{way}", "")) for way in ("file", "environment")}
    if not any(said.values()):
        if member.required:
            problems.append(_problem(place, f"is missing: name its place, {_places(member.name)}"))
        return MISSING
    try:
        return Secret(**said)
    except ValueError as error:
        problems.append(_problem(place, str(error)))
        return MISSING


def _typed(kind: Any, value: object) -> Any:
    """A value as its setting's type; text is read as the environment gives it."""
    if get_origin(kind) is tuple:
        listed = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(part, str) for part in listed):
            raise _Wrong(_WORDS[tuple])
        return tuple(part for part in listed if part)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise _Wrong(_WORDS[kind])
    try:
        return _SPELLED[value.lower()] if kind is bool else time.fromisoformat(value) if kind is time else kind(value)
    except (KeyError, ValueError):
        raise _Wrong(_WORDS[kind]) from None


def _unknown(kind: Any, name: str) -> str:
    """What to say of a setting that is not there; a secret written down is told how it is done."""
    if any(member.is_secret and member.name == name for member in members(kind)):
        return f"a secret does not stand in the settings: name its place, {_places(name)}"
    return "there is no such setting"


def _places(name: str) -> str:
    return f"{name}_file or {name}_environment"


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _problem(place: str, detail: str) -> Problem:
    return Problem(place, "destination", detail)
