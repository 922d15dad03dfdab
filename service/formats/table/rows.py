"""Rows of a CSV or NDJSON table, a lesion each, as the findings documents of their reports.

A row without a lesion of its own (no id, finding, measurement or descriptor) makes a report without one. What a column
says of the report, the patient or the study has to be the same in all rows of a report.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from service.domain.errors import Invalid, LesionBridgeError, Problem, TooLarge, Unreadable
from service.domain.received import Intake
from service.domain.uids import derive_uid
from service.formats.table.drafts import Draft
from service.formats.table.mapping import Column, TableMapping, mapping, precision

_DELIMITERS: Final = ",;\t|"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_EMPTY: Final = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "None"})
"""What spreadsheets and their programs write where there is nothing."""
_COUNTED: Final = 10  # digits of a count: it has 31 bits
_LESION: Final = "/lesions/"

_LINE_END: Final = re.compile("\r\n|\n|\r")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Figure(str):
    """A number of a JSON text, which has a point whatever the table's texts have (RFC 8259 6)."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """The members of an object as they came; a list is none of its values."""


Row = tuple[int, Mapping[str, str]]
"""The number of a line and its cells by column."""


def drafts(content: bytes, intake: Intake) -> Iterator[Draft | LesionBridgeError]:
    """A findings document for each report of a table, or why it has none, in the order in which they begin.

    Raises Unreadable for what is no table, Invalid for a mapping or a row that belongs to no report, TooLarge.
    """
    if len(content) > intake.limits.body_bytes:
        raise TooLarge(Problem("", "limit", "the table is larger than this deployment takes"))
    named = mapping(intake.mapping)
    reports: dict[tuple[str, ...], list[Row]] = {}
    columns: dict[str, None] = {}
    for number, cells in _rows(content, named):
        columns |= dict.fromkeys(cells)
        key = tuple(cells.get(name, "") for name in named.report)
        if named.report and not any(key):
            why = f"nothing stands in {', '.join(named.report)}, which say whose report a row is of"
            raise Invalid(Problem(f"line {number}", "table-row", why))
        reports.setdefault(key, []).append((number, cells))
    absent = [name for name in (*named.report, *named.columns) if name not in columns]
    if not reports:
        raise Unreadable(Problem("", "table", "the table has no rows"))
    if absent:
        raise Invalid(*(Problem("line 1", "table-column", f"there is no column {name!r}") for name in absent[:20]))
    taken: dict[str, str] = {}
    for key, rows in reports.items():
        try:
            yield _alone(_Report(named, intake).draft(key, rows), f"line {rows[0][0]}", taken)
        except LesionBridgeError as error:
            yield error


def _alone(made: Draft, first: str, taken: dict[str, str]) -> Draft:
    """The draft; raises Invalid where a report before has its id: both would have the same UIDs."""
    said = str(made.document.get("report", {}).get("id"))
    if taken.setdefault(said, first) != first:
        why = f"the report that begins at {taken[said]} has the same id, so both would have the same UIDs"
        raise Invalid(Problem(first, "table-report", why))
    return made


def _rows(content: bytes, named: TableMapping) -> Iterator[Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(Problem("", "table-encoding", f"a table is UTF-8; byte {error.start} is not")) from error
    if text.lstrip().startswith("{"):
        yield from _objects(text)
        return
    first = text.partition("\n")[0]
    delimiter = named.delimiter or max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) != len(header) or not any(header):
            raise Invalid(Problem("line 1", "table-column", "the columns have no names, or one name comes twice"))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                why = f"{len(cells)} cells where the table has {len(header)} columns"
                raise Invalid(Problem(f"line {reader.line_num}", "table-row", why))
            yield reader.line_num, dict(zip(header, map(str.strip, cells), strict=True))
    except csv.Error as error:
        raise Unreadable(Problem(f"line {reader.line_num}", "table", f"not CSV: {error}")) from error


def _objects(text: str) -> Iterator[Row]:
    """The lines of an NDJSON table: an object each, its members text, numbers or nothing."""
    # A text may hold what Unicode counts as line ends (U+2028), but never these (RFC 8259 7).
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(
                line, parse_float=_Figure, parse_int=_Figure, parse_constant=str, object_pairs_hook=_Members
            )
        except (ValueError, RecursionError) as error:
            raise Unreadable(Problem(f"line {number}", "table", "the line is no JSON object")) from error
        if not isinstance(value, _Members) or any(isinstance(cell, (bool, list)) for _, cell in value):
            raise Unreadable(Problem(f"line {number}", "table", "a row is an object of texts and numbers"))
        row = {name: cell if isinstance(cell, _Figure) else _stripped(cell) for name, cell in value}
        if len(row) != len(value):
            raise Invalid(Problem(f"line {number}", "duplicate-member", "Give each member once."))
        if any(_SURROGATE.search(text) for pair in row.items() for text in pair):
            raise Invalid(Problem(f"line {number}", "character", "Remove the half of a surrogate pair."))
        yield number, row


def _stripped(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


class _Report:
    """The rows of one report."""

    def __init__(self, named: TableMapping, intake: Intake) -> None:
        self.named, self.intake, self.made = named, intake, Draft()
        self.said: dict[str, str] = {}
        self.constant: set[str] = set()
        self.nameless: list[tuple[str, int]] = []
        self.unnamed: dict[str, None] = {}

    def draft(self, key: Sequence[str], rows: Sequence[Row]) -> Draft:
        """The document of the rows."""
        for pointer, value in self.named.constants.items():
            if not pointer.startswith(_LESION):
                self.made.put(pointer, value, "mapping")
                self.constant.add(pointer)
        self.made.document.setdefault("lesions", [])
        for number, cells in rows:
            self._row(number, cells)
        first = f"line {rows[0][0]}"
        for name in self.unnamed:
            why = "no column of the mapping file; name it there, or say that it is to be ignored"
            self.made.skip(f"{first}, {name}", name, why, "table-column")
        if not self.made.has("/report/id"):
            self.made.put("/report/id", "-".join(filter(None, key)) or "table", first)
        self._name_lesions()
        if not self.made.has("/study/uid"):
            why = "no column has the UID of the study: one is derived from the report's id"
            self.made.assume(first, "study UID", why, "study-uid-derived")
            said = self.made.document.get("report", {}).get("id")
            self.made.put("/study/uid", derive_uid("table-study", self.intake.sender, str(said)), first)
        return self.made

    def _row(self, number: int, cells: Mapping[str, str]) -> None:
        lesion: str | None = None
        for name, cell in cells.items():
            column = self.named.column(name)
            place = f"line {number}, {name}"
            if column is None:
                if cell not in _EMPTY:
                    self.unnamed[name] = None
                continue
            is_word = cell in self.named.values.get(name, {})
            if column.ignore or (cell in _EMPTY and not is_word):
                continue
            text = self._text(name, cell, place)
            if _is_of_lesion(column):
                lesion = lesion or self._begin(number)
                self._of_lesion(lesion, column, text, place)
            else:
                self._of_report(column, text, place)
        if lesion is not None and not self.made.has(f"{lesion}/id"):
            self.nameless.append((lesion, number))

    def _name_lesions(self) -> None:
        """Number the lesions without an id within their report: by the number alone they were another's, too."""
        report = self.made.document["report"]["id"]
        for lesion, number in self.nameless:
            where = f"line {number}"
            why = "no column has its id: it is not the same lesion in any other report"
            self.made.assume(where, "lesion", why, "table-lesion")
            self.made.put(f"{lesion}/id", f"{report}/{lesion.rpartition('/')[2]}", where)

    def _begin(self, number: int) -> str:
        made = self.made.begin("/lesions", f"line {number}")
        for pointer, value in self.named.constants.items():
            if pointer.startswith(_LESION):
                self.made.put(f"{made}/{pointer.removeprefix(_LESION)}", value, "mapping")
        return made

    def _text(self, name: str, cell: str, place: str) -> str:
        """A cell with its word exchanged, or its date in the form of findings JSON."""
        cell = self.named.values.get(name, {}).get(cell, cell)
        form = self.named.dates.get(name)
        if form is None:
            return cell
        try:
            when = datetime.strptime(cell, form)  # noqa: DTZ007 - a table's times have the zone of the site
        except ValueError as error:
            raise Invalid(Problem(place, "table-date", f"no date as the mapping file has it: {form}")) from error
        if when.tzinfo is not None:
            return when.isoformat(timespec="seconds")
        has_time = any(mark in form for mark in ("%H", "%I", "%X", "%c"))
        return self.intake.with_zone(when.strftime("%Y-%m-%dT%H:%M:%S")) if has_time else when.strftime(precision(form))

    def _of_lesion(self, lesion: str, column: Column, text: str, place: str) -> None:
        if column.measurement:
            at = self.made.begin(f"{lesion}/measurements", place)
            members = {
                "concept": column.measurement,
                "value": self._number(text, place),
                "unit": column.unit or "1",
                "method": column.method,
                "derivation": column.derivation,
            }
            for member, value in members.items():
                if value != "":
                    self.made.put(f"{at}/{member}", value, place)
        elif column.descriptor:
            self._once(f"{lesion}/descriptors/{_step(column.descriptor)}", text, place)
        else:
            member = column.member.removeprefix(_LESION)
            self._once(f"{lesion}/{member}", _counted(text) if member == "count" else text, place)

    def _once(self, pointer: str, value: str | int, place: str) -> None:
        """Set what a column says of a lesion; raises Invalid where another column of the row says something else."""
        if self.said.setdefault(pointer, str(value)) != str(value):
            raise Invalid(Problem(place, "table-row", f"{self.made.place(pointer)} says something else of the same"))
        self.made.put(pointer, value, place)

    def _of_report(self, column: Column, text: str, place: str) -> None:
        pointer = column.member or f"/report/descriptors/{_step(column.descriptor)}"
        if self.said.setdefault(pointer, text) != text:
            why = f"rows of one report say different things of {pointer}"
            raise Invalid(Problem(place, "table-row", why))
        if pointer == "/report/issued":
            text = self._instant(text, place)
        if not self.made.has(pointer) or pointer in self.constant:
            self.constant.discard(pointer)
            self.made.put(pointer, _counted(text) if pointer == "/report/version" else text, place)

    def _instant(self, text: str, place: str) -> str:
        """The time of issue: a day alone is its noon, in the zone of the site; flagged."""
        if len(text) != len("2026-03-02"):
            return text
        why = f"a day without a time is taken as its noon in {self.intake.zone}"
        self.made.assume(place, "time of issue", why, "table-issued")
        return self.intake.with_zone(f"{text}T12:00:00")

    def _number(self, text: str, place: str) -> Decimal | str:
        """The number as Decimal, its digits as written; what is none goes on as it is and is refused with its place."""
        said = text
        if self.named.decimal != "." and not isinstance(text, _Figure):
            if "." in text:
                why = f"a point in a number where {self.named.decimal!r} is the decimal sign: 1.234 may be 1234"
                raise Invalid(Problem(place, "table-number", why))
            said = text.replace(self.named.decimal, ".")
        if _NUMBER.fullmatch(said) is None:
            raise Invalid(Problem(place, "table-number", "a measurement is a number, without any other sign in it"))
        return Decimal(said)


def _is_of_lesion(column: Column) -> bool:
    is_descriptor = bool(column.descriptor) and column.level == "lesion"
    return column.member.startswith(_LESION) or bool(column.measurement) or is_descriptor


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _counted(text: str) -> int | str:
    """A whole number as such; what is none, or more than any count, stays as it is and is refused as findings JSON."""
    return int(text) if text.isdecimal() and len(text) <= _COUNTED else text
