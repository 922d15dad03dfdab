"""Where documents come from: standard input, a file, the lines of an NDJSON file, the files of a folder."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from errno import ENOENT
from os import strerror
from pathlib import Path
from threading import Timer
from typing import IO, Final

from service.commands.answering import naming
from service.commands.speaking import mention, shown, stop
from service.domain.errors import Invalid, LesionBridgeError, Problem, TooLarge, Unreadable
from service.domain.received import Intake, Received
from service.doors import Format, reports

NDJSON = frozenset({".ndjson", ".jsonl"})
DOCUMENTS = frozenset({".json", ".dcm", ".hl7", ".xml"})
"""The files of a folder that are documents, by the end of their names."""
TABLES = frozenset({".csv", ".tsv"})
PATIENCE_S: Final = 3.0
"""So long nothing is said of a pipe that nobody writes into."""
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
    return "(standard input)" if path == STANDARD_INPUT else shown(path)


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
    return frozenset(real(file) for file in (_files(place) if place.is_dir() else [place]))


def real(path: Path) -> Path:
    """Where a path leads to; of a link that leads to itself as far as it goes."""
    return Path(os.path.realpath(path))


def documents(path: str, limit: int) -> Iterator[Document]:
    """The documents of a path, one after the other; none is held past its turn.

    One that is too large, or one of a folder that can't be read, comes with the reason and keeps no other from coming.
    Raises OSError where the path itself can't be read.
    """
    place = Path(path)
    if path == STANDARD_INPUT:
        yield _document(path, limit)
    elif not path:
        raise FileNotFoundError(ENOENT, strerror(ENOENT), "''")  # no file's name; Path takes it for this folder
    elif place.is_dir():
        files = _files(place)
        # Of `a.json` and `a.hl7` one output must not take the place of the other; some file systems ignore case, too.
        alone = len({file.stem.casefold() for file in files}) == len(files)
        for file in files:
            yield _one_of(file, file.stem if alone else file.name, limit)
    elif place.suffix.lower() in NDJSON:
        with place.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield Document(f"{named(path)}, line {number}", f"{place.stem}-{number:06d}", line)
    else:
        yield _document(path, limit)


def is_table(path: str, form: Format | None) -> bool:
    """Whether a path is a table of lesions: several reports in one file."""
    return form is Format.CSV or (form is None and Path(path).suffix.lower() in TABLES)


def of_table(path: str, intake: Intake) -> list[Document]:
    """The reports of a table; raises what is wrong with the whole, OSError."""
    limit = intake.limits.body_bytes
    content = read(path, limit)
    return [
        Document(f"{named(path)}, report {turn}", f"{stem(path)}-{turn:06d}", b"", found)
        for turn, found in enumerate(reports(content, intake), 1)
    ]


def read(path: str | Path, limit: int) -> bytes:
    """The bytes of a file or of standard input; raises TooLarge where they are more than ``limit``, OSError."""
    with opened(path) as file, naming(named(str(path))):
        content = file.read(limit + 1)
    if len(content) > limit:
        raise TooLarge(Problem("", "limit", f"the document is larger than {limit} bytes (setting limits.body_bytes)"))
    return content


def opened(path: str | Path) -> AbstractContextManager[IO[bytes]]:
    """A file, standard input, or a pipe once somebody writes into it; that it waits is said. Raises OSError."""
    if path == STANDARD_INPUT:
        return nullcontext(standard_input())
    place = Path(path)
    if not place.is_fifo():
        return place.open("rb")
    waits = Timer(
        PATIENCE_S, mention, [f"{shown(place)}: a pipe that nobody writes into yet: waiting (Ctrl-C ends it)"]
    )
    waits.daemon = True
    waits.start()
    try:
        return place.open("rb")
    finally:
        waits.cancel()


def mapping_text(path: Path | None) -> str:
    """The text of a table's mapping file, or none; raises Unreadable, OSError."""
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Unreadable(Problem(shown(path), "table-mapping", "the mapping file is not UTF-8")) from None


def into(folder: str) -> Path:
    """A folder to write into, made where it is not there; raises Invalid for a file, OSError."""
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise Invalid(Problem(folder, "output", "is a file, and many documents need a folder")) from None
    return place


def _files(folder: Path) -> list[Path]:
    """Its documents, with links that lead nowhere: somebody wanted them read."""
    named_so = (file for file in folder.iterdir() if file.suffix.lower() in DOCUMENTS)
    return sorted(file for file in named_so if file.is_file() or (file.is_symlink() and not file.exists()))


def _document(path: str, limit: int) -> Document:
    try:
        return Document(named(path), stem(path), read(path, limit))
    except TooLarge as error:
        return Document(named(path), stem(path), b"", error)


def _one_of(file: Path, made_as: str, limit: int) -> Document:
    try:
        return replace(_document(str(file), limit), stem=made_as)
    except OSError as error:
        why = f"it can't be read ({error.strerror or type(error).__name__})"
        return Document(named(str(file)), made_as, b"", Unreadable(Problem("", "input", why)))
