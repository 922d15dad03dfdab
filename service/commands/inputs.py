"""Where documents come from: standard input, a file, the lines of an NDJSON file, the files of a folder."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from errno import ENOENT
from os import strerror
from pathlib import Path
from typing import IO

from service.commands.speaking import stop
from service.domain.errors import Invalid, LesionBridgeError, Problem, TooLarge, Unreadable
from service.domain.received import Intake, Received
from service.doors import Format, reports

NDJSON = frozenset({".ndjson", ".jsonl"})
DOCUMENTS = frozenset({".json", ".dcm", ".hl7", ".xml"})
"""The files of a folder that are documents, by the end of their names."""
TABLES = frozenset({".csv", ".tsv"})
STANDARD_INPUT = "-"
"""The path that means it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document: ``name`` for messages, ``stem`` for the files made from it, which no other of its folder has.

    ``received`` is the report where it is one of several in a table, or why it is none.
    """

    name: str
    stem: str
    body: bytes
    received: Received | LesionBridgeError | None = None


def named(path: str) -> str:
    """What a path is called in messages."""
    return "(standard input)" if path == STANDARD_INPUT else path


def stem(path: str) -> str:
    """What the files are called that are made of it."""
    return "report" if path == STANDARD_INPUT else Path(path).stem


def is_many(path: str) -> bool:
    """Whether a path is a folder of documents."""
    return path not in ("-", "") and Path(path).is_dir()


def is_lines(path: str) -> bool:
    """Whether a path is an NDJSON file: a document a line."""
    return path != "-" and Path(path).suffix.lower() in NDJSON and not Path(path).is_dir()


def comes_once(path: str) -> bool:
    """Whether what a path stands for can be read once only: standard input, a pipe, a device."""
    return path == STANDARD_INPUT or (Path(path).exists() and not Path(path).is_file())


def standard_input() -> IO[bytes]:
    """Standard input; ends where it is closed."""
    if sys.stdin is None:
        stop("standard input is closed: give a file as INPUT, or send it through a pipe")
    return sys.stdin.buffer


def count(folder: str) -> int:
    """How many documents a folder holds."""
    return len(_files(Path(folder)))


def are_inputs(path: str) -> frozenset[Path]:
    """The files of a path, which no output may take the place of."""
    place = Path(path)
    return frozenset(file.resolve() for file in (_files(place) if place.is_dir() else [place]))


def documents(path: str, limit: int) -> Iterator[Document]:
    """The documents of a path, one after the other; none is held past its turn. Raises TooLarge, OSError."""
    place = Path(path)
    if path == "-":
        yield Document("(standard input)", "report", _bounded(standard_input().read(limit + 1), limit))
    elif not path:
        raise FileNotFoundError(ENOENT, strerror(ENOENT), "''")  # no file's name; Path takes it for this folder
    elif place.is_dir():
        files = _files(place)
        # Of `a.json` and `a.hl7` one output must not take the place of the other; some file systems ignore case, too.
        alone = len({file.stem.casefold() for file in files}) == len(files)
        for file in files:
            yield Document(str(file), file.stem if alone else file.name, read(file, limit))
    elif place.suffix.lower() in NDJSON:
        with place.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield Document(f"{path}, line {number}", f"{place.stem}-{number:06d}", line)
    else:
        yield Document(path, place.stem, read(place, limit))


def is_table(path: str, form: Format | None) -> bool:
    """Whether a path is a table of lesions: several reports in one file."""
    return form is Format.CSV or (form is None and Path(path).suffix.lower() in TABLES)


def of_table(path: str, intake: Intake) -> list[Document]:
    """The reports of a table; raises what is wrong with the whole, OSError."""
    place, limit = Path(path), intake.limits.body_bytes
    content = _bounded(standard_input().read(limit + 1), limit) if path == "-" else read(place, limit)
    return [
        Document(f"{path}, report {turn}", f"{stem(path)}-{turn:06d}", b"", found)
        for turn, found in enumerate(reports(content, intake), 1)
    ]


def read(path: Path, limit: int) -> bytes:
    """A file's bytes, at most ``limit``."""
    with path.open("rb") as file:
        return _bounded(file.read(limit + 1), limit)


def mapping_text(path: Path | None) -> str:
    """The text of a table's mapping file, or none; raises Unreadable, OSError."""
    try:
        return path.read_text(encoding="utf-8") if path is not None else ""
    except UnicodeDecodeError:
        raise Unreadable(Problem(str(path), "table-mapping", "the mapping file is not UTF-8")) from None


def into(folder: str) -> Path:
    """A folder to write into, made where it is not there; raises Invalid for a file, OSError."""
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise Invalid(Problem(folder, "output", "is a file, and many documents need a folder")) from None
    return place


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in DOCUMENTS and file.is_file())


def _bounded(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise TooLarge(Problem("", "limit", f"the document is larger than {limit} bytes (setting limits.body_bytes)"))
    return content
