"""The lines of a release's tables, each with the columns that its layout has."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from service.coding.releases.refusing import truncated, wrong_layout
from service.coding.releases.sources import Entry, lines, texts


def tabbed(entry: Entry, columns: Sequence[str], heard: Callable[[int], None]) -> Iterator[tuple[int, list[str]]]:
    """Numbered rows of an RF2 file: tabs between, no quoting whatever a term holds, CRLF or LF at the end."""
    source = lines(entry, heard)
    _, header = next(source, (1, ""))
    found = header.split("\t")
    if found != list(columns):
        wrong_layout(entry.name, 1, f"the columns are {', '.join(found)}; the layout has {', '.join(columns)}")
    width = len(columns)
    for number, line in source:
        cells = line.split("\t")
        if len(cells) != width:
            if not line:
                wrong_layout(entry.name, number, "an empty line")
            wrong_layout(entry.name, number, f"{len(cells)} cells where the layout has {width} columns")
        yield number, cells


def header(entry: Entry, separator: str = "\t", encoding: str = "utf-8-sig") -> list[str]:
    """The first line's cells."""
    _, first = next(lines(entry, lambda _: None, encoding), (1, ""))
    if not first:
        truncated(entry.name, 1, "the file is empty")
    return first.split(separator)


def comma_separated(
    entry: Entry, heard: Callable[[int], None], needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Numbered rows of a CSV file by column (RFC 4180); refuses a missing column and a wrong number of cells."""
    at = 1
    try:
        with closing(texts(entry, "utf-8-sig", "")) as text:
            reader = csv.reader(text, strict=True)
            columns = next(reader, [])
            missing = [name for name in needed if name not in columns]
            if missing:
                wrong_layout(entry.name, 1, f"no column {', '.join(missing)}")
            for cells in reader:
                at = reader.line_num
                if len(cells) != len(columns):
                    wrong_layout(entry.name, at, f"{len(cells)} cells where the header has {len(columns)} columns")
                if not at & 0xFFF:
                    heard(at)
                yield at, dict(zip(columns, cells, strict=True))
    except UnicodeDecodeError:
        truncated(entry.name, at, "it is not UTF-8")
    except csv.Error as error:
        truncated(entry.name, at, f"the CSV breaks off or is malformed: {error}")
