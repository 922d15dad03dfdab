"""The rules of profiles (``mappings/fhir_profiles.csv``), and whether a resource keeps one.

A rule is about the elements at a path. ``min`` and ``max`` count them within each element that holds them; ``all`` and
``has`` want each, or one, of them to be one of the values (``system|code``, or text); ``target`` wants each reference
to lead to a type, or (``#id``) to a resource that keeps that profile, ``reaches`` wants one to; ``check`` names a
function of `checks`. ``when`` and ``unless`` say which resources a profile is for.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what must hold at ``path`` of a resource."""

    path: str
    kind: str
    value: str

    def __str__(self) -> str:
        """The rule as a reader of the loss list sees it."""
        return " ".join(part for part in (self.path, self.kind, self.value) if part)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of a guide: ``url`` is its canonical, ``source`` the guide with its version and file."""

    url: str
    kind: str
    source: str
    rules: tuple[Rule, ...]

    @property
    def id(self) -> str:
        """The last part of the canonical."""
        return self.url.rpartition("/")[2]


@cache
def profiles(mode: str) -> tuple[Profile, ...]:
    """The profiles of a mode, in the order of the table."""
    table = files("mappings").joinpath("fhir_profiles.csv").read_text(encoding="utf-8")
    found: dict[tuple[str, str, str], list[Rule]] = {}
    for row in csv.DictReader(table.splitlines()):
        if row["mode"] == mode:
            key = (row["profile"], row["type"], row["source"])
            found.setdefault(key, []).append(Rule(row["path"], row["rule"], row["value"]))
    return tuple(Profile(*key, tuple(rules)) for key, rules in found.items())


class Context(Protocol):
    """What a rule may ask beside the resource."""

    def target(self, reference: Json) -> Json | None:
        """The resource of the bundle that a reference leads to."""

    def keeps(self, resource: Json, profile_id: str) -> bool:
        """Whether a resource of the bundle keeps a profile."""


def at(resource: Json, path: str) -> list[Any]:
    """Every element at a path, however many hold it."""
    found: list[Any] = [resource]
    for name in path.split(".") if path else ():
        found = [value for one in found if isinstance(one, dict) for value in _members(one, name)]
    return found


def _members(element: Json, name: str) -> Sequence[Any]:
    value = element.get(name, [])
    return value if isinstance(value, list) else [value]


def is_for(profile: Profile, resource: Json) -> bool:
    """Whether a profile is for a resource: its type, and what its ``when`` and ``unless`` say."""
    if profile.kind != resource["resourceType"]:
        return False
    for rule in profile.rules:
        if rule.kind in ("when", "unless"):
            values = at(resource, rule.path)
            there = any(is_one_of(one, rule.value) for one in values) if rule.value else bool(values)
            if there != (rule.kind == "when"):
                return False
    return True


def is_one_of(value: Any, wanted: str) -> bool:
    """Whether a code, Coding, CodeableConcept or text is one of some values, which blanks divide."""
    return any(one in wanted.split() for one in _said(value))


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        if "code" in value:
            yield f"{value.get('system', '')}|{value['code']}"
        for coding in value.get("coding", ()):
            yield from _said(coding)


def holds(rule: Rule, resource: Json, context: Context, checks: Mapping[str, Any]) -> bool:
    """Whether a resource keeps a rule."""
    if rule.kind in ("min", "max"):
        parent, _, name = rule.path.rpartition(".")
        counts = [len(_members(one, name)) for one in at(resource, parent)]
        wanted = int(rule.value)
        return all(count >= wanted if rule.kind == "min" else count <= wanted for count in counts)
    values = at(resource, rule.path)
    if rule.kind == "all":
        return all(is_one_of(one, rule.value) for one in values)
    if rule.kind == "has":
        return any(is_one_of(one, rule.value) for one in values)
    if rule.kind == "target":
        return all(_leads_to(one, rule.value.split(), context) for one in values)
    if rule.kind == "reaches":
        return any(_leads_to(one, rule.value.split(), context) for one in values)
    if rule.kind == "check":
        return all(checks[rule.value](one, context) for one in values)
    return True


def _leads_to(reference: Json, wanted: Sequence[str], context: Context) -> bool:
    target = context.target(reference)
    return target is not None and any(
        context.keeps(target, one[1:]) if one.startswith("#") else target["resourceType"] == one for one in wanted
    )
