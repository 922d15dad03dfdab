"""Which files of an RF2 package are what, and whether they belong together (SNOMED CT Release File Specification).

A package is one edition or extension: its files end in one date. Packages given together are held against the module
dependency reference set, which names the version that each module was made for.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from service.coding.releases import layouts
from service.coding.releases.refusing import mixed, truncated, wrong_layout
from service.coding.releases.rows import header, tabbed
from service.coding.releases.sources import Entry

_NAME = re.compile(
    r"x?(?P<kind>sct2|der2)_(?P<pattern>[a-zA-Z]*?Refset_)?(?P<content>[A-Za-z0-9]+?)_?"
    r"(?P<release>Snapshot|Full|Delta)(?:-(?P<language>[a-zA-Z-]+))?_(?P<place>[A-Za-z0-9]*?)_?(?P<date>[0-9]{8})"
    r"(?:T[0-9]{6}Z)?\.txt"
)
_TABLES: Final = {
    "Concept": layouts.CONCEPT,
    "Description": layouts.DESCRIPTION,
    "TextDefinition": layouts.DESCRIPTION,
    "Relationship": layouts.RELATIONSHIP,
    "RelationshipConcreteValues": layouts.CONCRETE,
}
_REFSETS: Final = {
    layouts.LANGUAGE: "Language",
    layouts.ASSOCIATION: "Association",
    layouts.ATTRIBUTE_VALUE: "AttributeValue",
    layouts.SIMPLE: "Simple",
    layouts.MODULE_DEPENDENCY: "ModuleDependency",
}
_PATTERNS: Final = {"Refset_", "cRefset_", "ssRefset_"}
_COMPONENTS: Final = frozenset({"Concept", "Description", "Relationship"})
_NEEDED: Final = ("Concept", "Description", "Relationship", "Language")


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is read: what it holds, its columns, and the package it is of."""

    content: str
    columns: tuple[str, ...]
    entry: Entry
    package: str
    date: str


def is_rf2(entries: Iterable[Entry]) -> bool:
    """Whether there is any file named as RF2 names them."""
    return any(_NAME.fullmatch(entry.base) for entry in entries)


def tables(package: str, entries: Sequence[Entry]) -> list[Table]:
    """The snapshot files of one package; refuses one that is incomplete, of several dates, or has foreign columns."""
    found: list[Table] = []
    releases: set[str] = set()
    for entry in entries:
        match = _NAME.fullmatch(entry.base)
        if match is None:
            continue
        releases.add(match["release"])
        if match["release"] != "Snapshot":
            continue
        content, columns = match["content"], _TABLES.get(match["content"])
        if match["kind"] == "der2":
            if match["pattern"] not in _PATTERNS:
                continue
            columns = tuple(header(entry))
            if columns not in _REFSETS:
                continue
            content = _REFSETS[columns]
        if columns is not None:
            found.append(Table(content, columns, entry, package, match["date"]))
    if not found:
        said = ", ".join(sorted(releases)) or "nothing"
        truncated(package, 0, f"no Snapshot files in it (there is {said}): give the package with the snapshot")
    contents = {table.content for table in found}
    missing = [content for content in _NEEDED if content not in contents]
    if missing and contents & _COMPONENTS:  # a package of reference sets alone has none of them
        truncated(package, 0, f"the snapshot has no {', '.join(missing)} file")
    dates = sorted({table.date for table in found})
    if len(dates) > 1:
        odd = next(table for table in found if table.date != found[0].date)
        mixed(odd.entry.name, 0, f"files of several releases in one package: {', '.join(dates)}")
    return found


def check_dependencies(found: Sequence[Table], heard: Callable[[int], None]) -> dict[str, str]:
    """The version (date) of each module; refuses packages of versions that were not made for each other."""
    rows = [
        (table, number, cells)
        for table in found
        if table.content == "ModuleDependency"
        for number, cells in tabbed(table.entry, table.columns, heard)
        if cells[2] == "1"
    ]
    versions: dict[str, str] = {}
    for _, _, cells in rows:
        versions[cells[3]] = max(cells[6], versions.get(cells[3], ""))
    for table, number, cells in rows:
        module, target, wanted = cells[3], cells[5], cells[7]
        have = versions.get(target)
        if have is not None and have != wanted and cells[6] == versions[module]:
            why = f"module {module} of {cells[6]} was made for module {target} of {wanted}, and {have} is given"
            mixed(table.entry.name, number, why)
    return versions


def check_row(table: Table, number: int, cells: Sequence[str]) -> None:
    """What every row has: a date and an active flag; refuses others."""
    if cells[2] not in ("0", "1") or len(cells[1]) != 8 or not cells[1].isdigit():
        wrong_layout(table.entry.name, number, "effectiveTime is a date (YYYYMMDD) and active is 0 or 1")
