"""The rows of ``mappings``: one field of a report each, with its values or units and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from service.coding.tables import Defects, TomlRow

REQUIRED: Final = "required"
EXTENSIBLE: Final = "extensible"
LEVELS: Final = ("lesion", "report")


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """One code system: its DICOM designator, FHIR URI and OID."""

    designator: str
    uri: str
    oid: str
    name: str


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A coded member of the report; ``values`` None means every concept may answer.

    ``prefer`` names the code systems tried first as the primary code; ``required``: an unknown term is refused.
    """

    key: str
    concept: str
    values: frozenset[str] | None
    required: bool = False
    prefer: tuple[str, ...] = ()
    source: str = ""

    @property
    def supplies(self) -> tuple[str, ...]:
        """A member's name stands for no part of a value's code."""
        return ()


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """A coded answer that a lesion or the report may have; ``supplies`` are part codes the name stands for."""

    key: str
    concept: str
    names: tuple[str, ...]
    values: frozenset[str] | None
    required: bool = False
    levels: tuple[str, ...] = ("lesion",)
    many: bool = False
    supplies: tuple[str, ...] = ()
    source: str = ""

    @property
    def prefer(self) -> tuple[str, ...]:
        """An answer's codes keep their order."""
        return ()


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """A number that a lesion may have; limits are in the first of ``units`` (UCUM).

    ``derived`` are names that say the derivation, too, each with its concept: SUVmax is the SUV, derivation maximum.
    """

    key: str
    concept: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    kind: str = ""
    at_least: Decimal | None = None
    above: Decimal | None = None
    implausible_above: Decimal | None = None
    integer: bool = False
    source: str = ""
    derived: tuple[tuple[str, str], ...] = ()


Field = MemberRow | EvaluationRow
"""A row whose answers are concepts."""

_MEMBERS: Final[dict[str, dict[str, type | tuple[type, ...]]]] = {
    "measurements.toml": {
        "concept": str,
        "names": list,
        "units": list,
        "kind": str,
        "from": (int, Decimal),
        "above": (int, Decimal),
        "implausible_above": (int, Decimal),
        "integer": bool,
        "derived": dict,
        "source": str,
    },
    "evaluations.toml": {
        "concept": str,
        "names": list,
        "values": str,
        "binding": str,
        "levels": list,
        "many": bool,
        "supplies": list,
        "source": str,
    },
    "report.toml": {"concept": str, "values": str, "binding": str, "prefer": list, "source": str},
}


class _Members:
    """The members of one TOML row, taken with a check of their type; what is wrong becomes a defect."""

    def __init__(self, row: TomlRow, defects: Defects) -> None:
        self.row = row
        self.defects = defects
        known = _MEMBERS[row.file]
        self.members: dict[str, Any] = {}
        for name, value in row.members.items():
            if name not in known:
                self.defect(name, f"[{row.key}] has an unknown member {name}")
            elif not isinstance(value, known[name]) or (isinstance(value, bool) and known[name] is not bool):
                self.defect(name, f"[{row.key}] {name} has a value of the wrong type")
            elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
                self.defect(name, f"[{row.key}] {name} is no list of strings")
            elif isinstance(value, dict) and not all(isinstance(item, str) for item in value.values()):
                self.defect(name, f"[{row.key}] {name} is no table of strings")
            else:
                self.members[name] = value
        for name in ("concept", "source"):
            if not self.members.get(name):
                self.defect(name, f"[{row.key}] has no {name}")

    def defect(self, member: str, why: str) -> None:
        """Note a defect at the member's line."""
        self.defects.add(self.row.file, self.row.line(member), why)

    def text(self, name: str) -> str:
        """A string, empty when it is not there."""
        return str(self.members.get(name, ""))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings, empty when it is not there."""
        return tuple(self.members.get(name, ()))

    def number(self, name: str) -> Decimal | None:
        """A number as written."""
        return Decimal(self.members[name]) if name in self.members else None

    def flag(self, name: str) -> bool:
        """A truth value, false when it is not there."""
        return bool(self.members.get(name, False))

    def values(self, sets: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
        """The concepts of the value set; None when none is named."""
        name = self.text("values")
        if name and name not in sets:
            self.defect("values", f"[{self.row.key}] names a value set that is not there: {name}")
        return sets.get(name)

    def required(self) -> bool:
        """Whether an unknown term is refused."""
        binding = self.text("binding") or EXTENSIBLE
        if binding not in (REQUIRED, EXTENSIBLE):
            self.defect("binding", f"[{self.row.key}] binding is neither {REQUIRED} nor {EXTENSIBLE}")
        return binding == REQUIRED


def measurement_row(row: TomlRow, defects: Defects) -> MeasurementRow:
    """A row of ``measurements.toml``."""
    members = _Members(row, defects)
    if not members.texts("units"):
        members.defect("units", f"[{row.key}] has no unit")
    return MeasurementRow(
        row.key,
        members.text("concept"),
        members.texts("names"),
        members.texts("units"),
        members.text("kind"),
        members.number("from"),
        members.number("above"),
        members.number("implausible_above"),
        members.flag("integer"),
        members.text("source"),
        tuple(members.members.get("derived", {}).items()),
    )


def evaluation_row(row: TomlRow, sets: Mapping[str, frozenset[str]], defects: Defects) -> EvaluationRow:
    """A row of ``evaluations.toml``."""
    members = _Members(row, defects)
    levels = members.texts("levels") or ("lesion",)
    if not set(levels) <= set(LEVELS):
        members.defect("levels", f"[{row.key}] levels are of {', '.join(LEVELS)}")
    return EvaluationRow(
        row.key,
        members.text("concept"),
        members.texts("names"),
        members.values(sets),
        members.required(),
        levels,
        members.flag("many"),
        members.texts("supplies"),
        members.text("source"),
    )


def member_row(row: TomlRow, sets: Mapping[str, frozenset[str]], defects: Defects) -> MemberRow:
    """A row of ``report.toml``."""
    members = _Members(row, defects)
    return MemberRow(
        row.key,
        members.text("concept"),
        members.values(sets),
        members.required(),
        members.texts("prefer"),
        members.text("source"),
    )
