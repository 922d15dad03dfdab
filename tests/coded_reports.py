"""Coded reports compared as what they say: not where it stood in the source, not how a term was found."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from service.domain.codes import CodedTerm
from service.domain.report import CodedReport
from service.domain.times import DateTime

_LEFT_OUT = {"losses"}


def facts(report: CodedReport) -> dict[str, Any]:
    """Every fact of a report by its place; of a term its words and codes."""
    return dict(_facts(report, ""))


def _facts(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, CodedTerm):
        yield place, (value.text, value.codes, value.concept, value.broader)
    elif isinstance(value, DateTime):
        yield place, value.text.replace("Z", "+00:00")
    elif is_dataclass(value) and not isinstance(value, type):
        for member in fields(value):
            if member.compare and member.name not in _LEFT_OUT:
                yield from _facts(getattr(value, member.name), f"{place}/{member.name}")
    elif isinstance(value, tuple):
        for turn, item in enumerate(value):
            yield from _facts(item, f"{place}/{turn}")
    elif value is not None:
        yield place, value


def terms_in(item: Any) -> Iterator[CodedTerm]:
    """Every coded term of a report, wherever it stands, in order."""
    if isinstance(item, CodedTerm):
        yield item
    elif isinstance(item, tuple):
        for part in item:
            yield from terms_in(part)
    elif is_dataclass(item):
        for member in fields(item):
            yield from terms_in(getattr(item, member.name))
