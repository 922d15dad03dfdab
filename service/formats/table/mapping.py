"""The mapping file of a table (TOML): which column is which member of findings JSON, and what no column has.

[table]       report = ["PATIENT", "DATE"]   columns whose values together are one report
              delimiter = ";"   decimal = ","   (found out, and a point, when absent)
[constants]   "/report/status" = "final"     a member of findings JSON for every report
[columns]     SITE = "/lesions/site"         a member by its pointer, without the lesion's number
              VOL = {measurement = "volume", unit = "cm3"}        method, derivation may stand beside
              EDEMA = {descriptor = "edema"}                      of the lesion; level = "report" for one of the report
              SCANNER = {ignore = true}      left out on purpose
[values.SIDE] L = "left"                     words of a column, exchanged before they are looked up
[dates]       DATE = "%d.%m.%Y"              how a column writes a date (Python's strptime)
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from service.domain.errors import Invalid, Problem

RULE: Final = "table-mapping"
_BORN: Final = "/patient/birthDate"
_SHORT_YEARS: Final = ("%y", "%x", "%c")
_DECIMALS: Final = (".", ",")
_TABLES: Final = ("table", "constants", "columns", "values", "dates")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is: one of ``member`` (a pointer), ``measurement``, ``descriptor``, or left out on purpose."""

    member: str = ""
    measurement: str = ""
    unit: str = ""
    method: str = ""
    derivation: str = ""
    descriptor: str = ""
    level: str = "lesion"
    ignore: bool = False

    def __post_init__(self) -> None:
        """One of them, and a measurement has its unit."""
        said = [bool(self.member), bool(self.measurement), bool(self.descriptor), self.ignore]
        if sum(said) != 1:
            raise ValueError("a column is one of a member, a measurement, a descriptor, or ignored")
        if self.measurement and not self.unit:
            raise ValueError('a measurement has a unit; unit = "1" where it has none')
        if self.member and not self.member.startswith(("/report/", "/patient/", "/study/", "/observer/", "/lesions/")):
            raise ValueError("a member is a pointer into findings JSON, as /lesions/site")
        if self.level not in ("lesion", "report"):
            raise ValueError("level is lesion or report")


@dataclass(frozen=True, slots=True)
class TableMapping:
    """A mapping file, checked."""

    report: tuple[str, ...] = ()
    delimiter: str = ""
    decimal: str = "."
    constants: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """What a column is: as the file says, or as its own name says where that is a pointer."""
        if name in self.columns:
            return self.columns[name]
        try:
            return Column(member=name) if name.startswith("/") else None
        except ValueError:
            return None


def precision(form: str) -> str:
    """How precisely a form of strptime says a day, as a form of findings JSON: what it leaves out is not made up."""
    if any(mark in form for mark in ("%d", "%j", "%x", "%c")):
        return "%Y-%m-%d"
    return "%Y-%m" if any(mark in form for mark in ("%m", "%b", "%B")) else "%Y"


def _misdated(form: str, column: Column | None) -> str:
    """Why a form of dates leads to wrong ones; empty where it does not."""
    if "%Y" in form:
        return ""
    if not any(mark in form for mark in _SHORT_YEARS):
        return "a date has its year (%Y)"
    if column is not None and column.member == _BORN:
        return "a birth date has four digits of its year (%Y): 26 may be 1926 or 2026"
    return ""


@lru_cache(maxsize=16)
def mapping(text: str) -> TableMapping:
    """The mapping that a file's text says; raises Invalid with every fault, its pointer ``mapping:table.key``."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(Problem("mapping", RULE, f"the mapping file is not TOML: {error}")) from error
    problems = [Problem(f"mapping:{name}", RULE, "no such table") for name in said if name not in _TABLES]
    columns: dict[str, Column] = {}
    for name, value in said.get("columns", {}).items():
        try:
            columns[name] = Column(member=value) if isinstance(value, str) else Column(**value)
        except (TypeError, ValueError) as error:
            problems.append(Problem(f"mapping:columns.{name}", RULE, f"no column of a table: {error}"))
    problems += [
        Problem(f"mapping:dates.{name}", RULE, why)
        for name, form in said.get("dates", {}).items()
        if (why := _misdated(str(form), columns.get(name, Column(member=name) if name.startswith(_BORN) else None)))
    ]
    table = said.get("table", {})
    if table.get("decimal", ".") not in _DECIMALS:
        problems.append(Problem("mapping:table.decimal", RULE, "the decimal sign is a point or a comma"))
    unknown = set(table) - {"report", "delimiter", "decimal"}
    problems += [Problem(f"mapping:table.{name}", RULE, "no such member") for name in sorted(unknown)]
    problems += [
        Problem(f"mapping:constants.{name}", RULE, "a constant is named by its pointer into findings JSON")
        for name in said.get("constants", {})
        if not name.startswith("/")
    ]
    if problems:
        raise Invalid(*problems)
    return TableMapping(
        tuple(table.get("report", ())),
        table.get("delimiter", ""),
        table.get("decimal", "."),
        said.get("constants", {}),
        columns,
        said.get("values", {}),
        said.get("dates", {}),
    )
