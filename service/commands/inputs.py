"""Where documents come from: standard input, a file, the lines of an NDJSON file, the files of a folder."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.domain.errors import Problem, TooLarge

NDJSON = frozenset({".ndjson", ".jsonl"})
DOCUMENTS = frozenset({".json", ".dcm"})
"""The files of a folder that are documents, by the end of their names."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document: ``name`` for messages, ``stem`` for the files made from it."""

    name: str
    stem: str
    body: bytes


def is_many(path: str) -> bool:
    """Whether a path stands for many documents."""
    return path != "-" and (Path(path).is_dir() or Path(path).suffix.lower() in NDJSON)


def count(path: str) -> int:
    """How many documents a path of many stands for."""
    place = Path(path)
    if place.is_dir():
        return len(_files(place))
    with place.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def documents(path: str, limit: int) -> Iterator[Document]:
    """The documents of a path, one after the other; none is held past its turn. Raises TooLarge, OSError."""
    place = Path(path)
    if path == "-":
        yield Document("(standard input)", "report", _bounded(sys.stdin.buffer.read(limit + 1), limit))
    elif place.is_dir():
        for file in _files(place):
            yield Document(str(file), file.stem, read(file, limit))
    elif place.suffix.lower() in NDJSON:
        with place.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield Document(f"{path}, line {number}", f"{place.stem}-{number:06d}", line)
    else:
        yield Document(path, place.stem, read(place, limit))


def read(path: Path, limit: int) -> bytes:
    """A file's bytes, at most ``limit``."""
    with path.open("rb") as file:
        return _bounded(file.read(limit + 1), limit)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in DOCUMENTS and file.is_file())


def _bounded(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise TooLarge(Problem("", "limit", f"the document is larger than {limit} bytes (setting limits.body_bytes)"))
    return content
