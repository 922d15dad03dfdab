"""Overlays read from their bytes: a CSV table, or a FHIR ConceptMap (R4). Only the form is judged here."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from service.coding.checks import EQUIVALENT
from service.coding.lookup import Vocabulary
from service.coding.overlays.conceptmap import read_map
from service.coding.overlays.rows import COLUMNS, CONCEPT_MAP, CSV, MEDIA_TYPES, Faults, OverlayRow

MAX_ROWS: Final = 50_000
_NEEDED: Final = ("field", "term", "source")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a cell."""


def read(content: bytes, media_type: str, name: str, vocabulary: Vocabulary) -> tuple[tuple[OverlayRow, ...], Faults]:
    """The rows of an overlay, and what is wrong with its form; raises ValueError for another media type."""
    faults = Faults(name)
    if media_type == CSV:
        return read_table(content, faults), faults
    if media_type == CONCEPT_MAP:
        return read_map(content, vocabulary, faults, MAX_ROWS), faults
    raise ValueError(f"an overlay is one of {', '.join(MEDIA_TYPES)}")


def read_table(content: bytes, faults: Faults) -> tuple[OverlayRow, ...]:
    """The rows of a CSV table: a header with columns of `COLUMNS` in any order, then a row a line."""
    rows: list[OverlayRow] = []
    for number, cells in read_cells(content, COLUMNS, _NEEDED, faults):
        if len(rows) >= MAX_ROWS:
            faults.refuse(faults.line(number), "limit", f"an overlay has at most {MAX_ROWS} rows")
            break
        members: dict[str, Any] = {column: plain(cell) for column, cell in cells.items()}
        members["relationship"] = members.get("relationship") or EQUIVALENT
        rows.append(OverlayRow(**members, where=faults.line(number)))
    return tuple(rows)


def read_cells(
    content: bytes, columns: tuple[str, ...], needed: tuple[str, ...], faults: Faults
) -> list[tuple[int, dict[str, str]]]:
    """The lines of a CSV table by their number, each cell by its column, blank ends cut off; empty lines are none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        faults.refuse(faults.line(1), "csv", "the table is not UTF-8")
        return []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, dict[str, str]]] = []
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if not set(needed) <= set(header) <= set(columns) or len(set(header)) != len(header):
            why = f"the columns are, separated by commas, of {','.join(columns)}; needed are {','.join(needed)}"
            faults.refuse(faults.line(1), "csv", why)
            return []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                why = f"{len(cells)} cells where the header has {len(header)} columns"
                faults.refuse(faults.line(reader.line_num), "csv", why)
                continue
            lines.append((reader.line_num, dict(zip(header, map(str.strip, cells), strict=True))))
    except csv.Error as error:
        faults.refuse(faults.line(reader.line_num), "csv", f"not CSV: {error}")
    return lines


def write_table(rows: tuple[OverlayRow, ...]) -> bytes:
    """Rows as a CSV table with all columns of `COLUMNS`."""
    return write_cells(COLUMNS, [row.cells for row in rows])


def write_cells(columns: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> bytes:
    """Lines as a CSV table; no cell is a formula to a spreadsheet, since terms come from outside."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")  # RFC 4180, 2
    writer.writerow(columns)
    writer.writerows([[f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in line] for line in lines])
    return made.getvalue().encode()


def plain(cell: str) -> str:
    """A cell without the apostrophe that `write_cells` put before a formula's first character."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
