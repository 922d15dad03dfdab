"""One element of a FHIR document: its value, its place as FHIRPath, and which of its members were read.

Reading marks what it takes. What is not marked when all is read, and is no infrastructure (`read_unread`), is listed as
skipped: so nothing is dropped silently, whoever wrote the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from service.domain.loss import Loss, LossKind
from service.domain.quick import interpreted
from service.domain.received import Intake
from service.formats.decimals import has_digits

Json = dict[str, Any]
_FRAME = frozenset({"resourceType", "contained"})
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number of XML: Python's own would take other scripts' digits, and underscores (R4 datatypes.html#decimal)."""
UNREAD = "fhir-unread"
"""The rule of an element that a lesion report has no place for."""


class Inexact(Exception):
    """A number came as a float and its digits are not known: the document has to be parsed exactly."""


@interpreted
class Lexical(str):
    """A primitive of an XML document: its text may stand for a number or a truth value."""

    __slots__ = ()


@dataclass(slots=True)
class Noted:
    """What one reading of one document shares: what the deployment adds, and the losses found so far.

    ``literals`` are the digits of its floats, where it was parsed by the quick way.
    """

    intake: Intake
    literals: dict[float, Decimal | None] | None = None
    losses: list[Loss] = field(default_factory=list)

    def exactly(self, number: float) -> Decimal:
        """The digits of a float as they were written; raises Inexact where they can't be told."""
        made = (self.literals or {}).get(number)
        if made is None:
            raise Inexact
        return made

    def skip(self, where: str, what: str, why: str, rule: str = UNREAD) -> None:
        """List what could not be read."""
        self.losses.append(Loss(LossKind.SKIPPED, where, what, why, rule))

    def flag(self, where: str, what: str, why: str, rule: str) -> None:
        """List what was read and is doubtful, or was not said and is taken from elsewhere."""
        self.losses.append(Loss(LossKind.FLAGGED, where, what, why, rule))


class Node:
    """An object of the document; ``kind`` is the type of a resource (or Bundle.entry), else empty."""

    __slots__ = ("_seen", "kind", "noted", "path", "value")

    def __init__(self, value: Json, path: str, noted: Noted, kind: str = "") -> None:
        """Nothing of it is read yet."""
        self.value = value
        self.path = path
        self.noted = noted
        self.kind = kind
        # By name what was read, with its objects where it was read object by object.
        self._seen: dict[str, list[Node] | None] = {}

    def __contains__(self, name: str) -> bool:
        """Whether a member is there."""
        return name in self.value

    def at(self, name: str) -> str:
        """The place of a member."""
        return f"{self.path}.{name}"

    def take(self, *names: str) -> None:
        """Mark members as read with all that is in them."""
        for name in names:
            self._seen[name] = None

    def raw(self, name: str) -> Any:
        """A member as it came, read with all that is in it."""
        self.take(name)
        return self.value.get(name)

    def skip(self, name: str, why: str, rule: str = UNREAD) -> None:
        """List a member as skipped, for a better reason than that it has no place."""
        if name in self.value:
            self.take(name)
            self.noted.skip(self.at(name), name, why, rule)

    def first_of(self, *names: str) -> str | None:
        """The first of these members that is there."""
        for name in names:
            if name in self.value:
                return name
        return None

    def string(self, name: str) -> str | None:
        """A text without white space around; None where there is none."""
        value = self.value.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.skip(name, "it is no text", "fhir-type")
            return None
        self._seen[name] = None
        return value.strip() or None

    def strings(self, name: str) -> list[str]:
        """Texts of a member that repeats."""
        value = self.raw(name)
        listed = value if isinstance(value, list) else [value]
        for place, item in enumerate(listed):
            if item is not None and not isinstance(item, str):
                self.noted.skip(f"{self.at(name)}[{place}]", name, "it is no text", "fhir-type")
        return [item.strip() for item in listed if isinstance(item, str) and item.strip()]

    def number(self, name: str) -> Decimal | None:
        """A number with its digits as written."""
        value = self.value.get(name)
        if value is None:
            return None
        made = self.noted.exactly(value) if isinstance(value, float) else _number(value)
        if made is None or not made.is_finite() or not has_digits(made, self.noted.intake.limits.digits):
            self.skip(name, "it is no number, or has more digits than a report takes", "fhir-type")
            return None
        self._seen[name] = None
        return made

    def integer(self, name: str) -> int | None:
        """A whole number."""
        made = self.number(name)
        if made is not None and made != made.to_integral_value():
            self.skip(name, "it is no whole number", "fhir-type")
            return None
        return None if made is None else int(made)

    def node(self, name: str) -> Node | None:
        """A member that is an object; of a list the first, and the rest stays unread."""
        found = self.nodes(name)
        return found[0] if found else None

    def nodes(self, name: str) -> list[Node]:
        """The objects of a member; one alone is a list of one (in XML nothing tells the two apart)."""
        value = self.value.get(name)
        if value is None:
            return []
        if name in self._seen:
            return self._seen[name] or []
        made: list[Node] = []
        here = self.at(name)
        if isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, dict):
                    made.append(Node(item, f"{here}[{place}]", self.noted))
                else:
                    self.noted.skip(f"{here}[{place}]", name, "it is no object", "fhir-type")
        elif isinstance(value, dict):
            made.append(Node(value, here, self.noted))
        else:
            self.noted.skip(here, name, "it is no object", "fhir-type")
        self._seen[name] = made
        return made

    def extensions(self, *urls: str) -> list[Node]:
        """The extensions of these URLs."""
        return [one for one in self.nodes("extension") if one.value.get("url") in urls]

    def is_read(self) -> bool:
        """Whether anything of a resource was read but its type and that there are others within."""
        return not self._seen.keys() <= _FRAME

    def is_taken(self, name: str) -> bool:
        """Whether a member was read."""
        return name in self._seen

    @property
    def is_touched(self) -> bool:
        """Whether anything of it was read."""
        return bool(self._seen)

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read, member by member."""
        return self.value.keys() <= self._seen.keys() and not any(self._seen.values())

    def unread(self) -> Sequence[str]:
        """The members that were not read, in their order."""
        if self.value.keys() <= self._seen.keys():
            return ()
        return [name for name in self.value if name not in self._seen]

    def asked(self) -> Iterable[tuple[str, list[Node]]]:
        """The members that were read object by object."""
        return [(name, kids) for name, kids in self._seen.items() if kids]


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Lexical) and _DECIMAL.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None
