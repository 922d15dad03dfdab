"""A findings document as it grows, with the place in the source of each of its members."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from service.domain.loss import Loss, LossKind


@dataclass(slots=True)
class Draft:
    """Members by JSON pointer; ``places`` says where each came from, ``losses`` what was left out or assumed."""

    document: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)

    def put(self, pointer: str, value: Any, place: str = "") -> None:
        """Set a member, with the objects on the way; lists are begun by `begin`."""
        steps = pointer.lstrip("/").split("/")
        at: Any = self.document
        made = ""
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            key: Any = int(step) if isinstance(at, list) else step.replace("~1", "/").replace("~0", "~")
            made += f"/{step}"
            if after is None:
                at[key] = value
                self.places[made] = place
                return
            at = at[key] if isinstance(at, list) else at.setdefault(key, {})

    def begin(self, pointer: str, place: str) -> str:
        """Add an empty object to a list; its pointer."""
        *path, last = pointer.lstrip("/").split("/")
        at: Any = self.document
        for step in path:
            at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
        items = at.setdefault(last, [])
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
