"""A findings document as it grows, with the place in the source of each of its members."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import orjson

from service.domain.errors import Invalid, Problem
from service.domain.loss import Loss, LossKind

_DEEPEST: Final = 16
"""Steps of a pointer: findings JSON has fewer."""
_INDEX: Final = 7
"""Digits of a place in a list."""
_SHOWN: Final = 64
_IN_THE_WAY: Final = "another column has a value where this one wants members, or the other way round"


@dataclass(slots=True)
class Draft:
    """Members by JSON pointer; ``places`` says where each came from, ``losses`` what was left out or assumed."""

    document: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def put(self, pointer: str, value: Any, place: str = "") -> None:
        """Set a member, with the objects on the way; lists are begun by `begin`.

        Raises Invalid where a member is in the way, or where it would stand deeper than any.
        """
        steps = pointer.lstrip("/").split("/")
        if len(steps) > _DEEPEST:
            raise _no_member(place or pointer[:_SHOWN], "no member stands so deep")
        at: Any = self.document
        made = ""
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            key: Any = _key(at, step, place or pointer)
            made += f"/{step}"
            if after is None:
                if isinstance(at, dict) and isinstance(at.get(key), (dict, list)):
                    raise _no_member(place or pointer, _IN_THE_WAY)
                at[key] = value
                self.places[made] = place
                return
            at = at[key] if isinstance(at, list) else at.setdefault(key, {})

    def begin(self, pointer: str, place: str) -> str:
        """Add an empty object to a list; its pointer. Raises Invalid where a member is in the way."""
        *path, last = pointer.lstrip("/").split("/")
        at: Any = self.document
        for step in path:
            key: Any = _key(at, step, place)
            at = at[key] if isinstance(at, list) else at.setdefault(key, {})
        items = at.setdefault(last, []) if isinstance(at, dict) else None
        if not isinstance(items, list):
            raise _no_member(place, _IN_THE_WAY)
        items.append({})
        made = f"{pointer}/{len(items) - 1}"
        self.places[made] = place
        return made

    def has(self, pointer: str) -> bool:
        """Whether a member was set."""
        return pointer in self.places

    def skip(self, place: str, what: str, why: str, rule: str) -> None:
        """Say what is left out."""
        self.losses.append(Loss(LossKind.SKIPPED, place, what, why, rule))

    def assume(self, place: str, what: str, why: str, rule: str) -> None:
        """Say what is taken where nothing was said."""
        self.losses.append(Loss(LossKind.FLAGGED, place, what, why, rule))

    def body(self) -> bytes:
        """The document as JSON; a Decimal keeps its digits."""
        return orjson.dumps(self.document, default=_number)

    def place(self, pointer: str) -> str:
        """Where a member came from: its own place, or that of the nearest one around it."""
        at = pointer
        while at:
            if self.places.get(at):
                return self.places[at]
            at = at.rpartition("/")[0]
        return pointer


def _key(at: Any, step: str, place: str) -> int | str:
    """The key of a step within what stands there; raises Invalid where nothing can stand below that."""
    if isinstance(at, dict):
        return step.replace("~1", "/").replace("~0", "~")
    if not isinstance(at, list) or not (step.isdecimal() and len(step) < _INDEX and int(step) < len(at)):
        raise _no_member(place, _IN_THE_WAY)
    return int(step)


def _no_member(place: str, why: str) -> Invalid:
    return Invalid(Problem(place, "table-column", why))


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError


def code(value: Mapping[str, Any]) -> dict[str, str] | None:
    """A code triple with DICOM's names as a term of findings JSON; None for what is none."""
    system, text = value.get("CodingSchemeDesignator"), value.get("CodeValue")
    meaning = value.get("CodeMeaning")
    if not (isinstance(system, str) and isinstance(text, str) and system and text):
        return None
    made = {"system": system, "code": text}
    return made | {"display": meaning} if isinstance(meaning, str) and meaning else made
