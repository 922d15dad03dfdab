"""Places of a report moved: from those of the document that was read to those of the one it was made from."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from service.domain.report import Report

R = TypeVar("R", bound=Report[Any])


def moved(report: R, place: Callable[[str], str]) -> R:
    """The same report, every ``where`` in it as ``place`` says."""
    made: R = _moved(report, place)
    return made


def _moved(value: Any, place: Callable[[str], str]) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(item, place) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    members = {}
    for member in fields(value):
        said = getattr(value, member.name)
        members[member.name] = place(said) if member.name == "where" and said else _moved(said, place)
    return type(value)(**members)
