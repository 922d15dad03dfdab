"""The tables of ``terminology`` and ``mappings`` as rows that know their line; nothing is judged here but the form."""

import csv
import io
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources.abc import Traversable
from sys import intern
from typing import Any, Final, NamedTuple

from service.domain.errors import Problem, TableError

RULE: Final = "table"
VALUE_SETS: Final = "value_sets"
LABELS: Final = "labels"
"""Folders of tables that all have the same columns."""


class Defects:
    """What is wrong with the tables, each defect at a file and line, raised together."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        """Start with none."""
        self.found: list[Problem] = []

    def add(self, file: str, line: int, why: str) -> None:
        """Note one defect."""
        self.found.append(Problem(f"{file}:{line}", RULE, why))

    def check(self) -> None:
        """Raise TableError with all of them, if there are any."""
        if self.found:
            raise TableError(*self.found)


COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "code_systems.csv": ("designator", "uri", "oid", "name", "licence", "source"),
    "concepts.csv": ("key", "group", "definition", "source"),
    "codings.csv": ("concept", "system", "code", "display", "equivalence", "part", "status", "source"),
    "designations.csv": ("concept", "language", "use", "field", "term"),
    "translations.csv": ("from_system", "from_code", "to_system", "to_code", "relationship", "source"),
    "spellings.csv": ("british", "american", "source"),
    "zones.csv": ("concept", "zone", "source"),
    "issuers.csv": ("key", "uri", "oid", "source"),
    VALUE_SETS: ("concept", "source"),
    LABELS: ("concept", "label", "status", "source"),
}
"""The columns that each table has, in order."""


class Line(NamedTuple):
    """One line of a table: its cells by column order, and where it stands."""

    file: str
    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TomlRow:
    """One ``[key]`` of a TOML table with its members; ``line`` finds a member's line again."""

    file: str
    key: str
    members: Mapping[str, Any]
    line: Callable[[str], int]


def read_csv(source: Traversable, defects: Defects, *, columns: str | None = None) -> Iterator[Line]:
    """The lines of a table, blank ends cut off; a wrong header or number of cells is a defect, no file has no lines."""
    if not source.is_file():
        return
    file = f"{columns}/{source.name}" if columns in (VALUE_SETS, LABELS) else source.name
    wanted = COLUMNS[columns or file]
    text = _text(source, file, defects)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text), strict=True)
    header = next(reader, [])
    if tuple(header) != wanted:
        defects.add(file, 1, f"the columns are not {','.join(wanted)}")
        return
    try:
        for cells in reader:
            if len(cells) != len(wanted):
                defects.add(file, reader.line_num, f"{len(cells)} cells where the table has {len(wanted)} columns")
                continue
            yield Line(file, reader.line_num, tuple(map(intern, map(str.strip, cells))))
    except csv.Error as error:
        defects.add(file, reader.line_num, f"not CSV: {error}")


def _text(source: Traversable, file: str, defects: Defects) -> str | None:
    """What a table says, or None where it is not UTF-8."""
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        defects.add(file, 1, "the table is not UTF-8")
        return None


def read_value_sets(folder: Traversable, defects: Defects) -> dict[str, list[Line]]:
    """The lines of each value set by its name, in order of names."""
    sets = folder.joinpath(VALUE_SETS)
    if not sets.is_dir():
        return {}
    tables = sorted((entry for entry in sets.iterdir() if entry.name.endswith(".csv")), key=lambda entry: entry.name)
    return {table.name.removesuffix(".csv"): list(read_csv(table, defects, columns=VALUE_SETS)) for table in tables}


def read_toml(folder: Traversable, file: str, defects: Defects) -> list[TomlRow]:
    """The rows of a table, numbers as Decimal as written; no TOML is one defect, a missing file is empty."""
    source = folder.joinpath(file)
    if not source.is_file():
        return []
    text = _text(source, file, defects)
    if text is None:
        return []
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"line (\d+)", str(error))
        defects.add(file, int(match[1]) if match else 1, f"not TOML: {error}")
        return []
    rows = []
    for key, members in document.items():
        if isinstance(members, dict):
            rows.append(TomlRow(file, intern(key), members, _line_of(text, key)))
        else:
            defects.add(file, _line_of(text, key)(""), f"{key} is no row")
    return rows


def _line_of(text: str, key: str) -> Callable[[str], int]:
    """Where a member of the row ``key`` is written (tomllib keeps no lines): looked up only when a defect is told."""

    def line(member: str) -> int:
        lines = text.splitlines()
        header = re.compile(rf"\s*\[\s*[\"']?{re.escape(key)}[\"']?\s*\]|\s*[\"']?{re.escape(key)}[\"']?\s*=")
        start = next((number for number, content in enumerate(lines, 1) if header.match(content)), 1)
        for number, content in enumerate(lines[start:], start + 1):
            if content.startswith("["):
                break
            if member and re.match(rf"\s*{re.escape(member)}\s*=", content):
                return number
        return start

    return line
