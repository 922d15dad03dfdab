"""The files of a release, read as they come: members of a zip or a tar.gz, or a plain file; bounded before and during.

A bomb is refused by what its directory says (members, size, ratio), and again by what really comes out.
"""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from service.coding.releases.refusing import mixed, too_large, truncated
from service.domain.limits import Limits

_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, tarfile.TarError, NotImplementedError)
_LINE_CHARACTERS: Final = 1 << 20
_HEARD: Final = 0x3FFF
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a release: ``name`` for messages, ``size`` in bytes unpacked, ``mark`` tells its content apart."""

    name: str
    size: int
    mark: str
    source: Path
    member: str = ""

    @property
    def base(self) -> str:
        """The file's name without its folders."""
        return PurePosixPath(self.member or self.source.name).name

    def open(self) -> IO[bytes]:
        """The bytes, unpacked; raises zipfile.BadZipFile where they are damaged."""
        if not self.member:
            return self.source.open("rb")
        return io.BufferedReader(_Member(zipfile.ZipFile(self.source), self.member, self.size))


class _Member(io.RawIOBase):
    """A member of a zip that holds no more than the directory says, and closes the zip with itself."""

    def __init__(self, archive: zipfile.ZipFile, name: str, size: int) -> None:
        self._archive, self._file, self._left = archive, archive.open(name), size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._file.read(len(buffer))
        self._left -= len(found)
        if self._left < 0:
            raise zipfile.BadZipFile("there is more in it than its directory says")
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        super().close()
        self._file.close()
        self._archive.close()


class _Unpacked(gzip.GzipFile):
    """The bytes of a tar as it is unpacked: in pieces, and no more of them than a deployment takes.

    A tar's long names and pax headers are files of their own that no member counts, and that are read whole.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(path, "rb")
        self._path, self._limits, self._size = path, limits, path.stat().st_size

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _PIECE:
            raise tarfile.ReadError(f"a name or a header of more than {_PIECE} bytes")
        found = super().read(size)
        _bound(self._path.name, self.tell(), self._limits)
        if self.tell() > 1 << 24 and self.tell() > self._limits.release_ratio * self._size:
            ratio = self._limits.release_ratio
            too_large(self._path.name, f"unpacks to more than {ratio} times its size (limits.release_ratio)")
        return found


def entries(path: Path, limits: Limits) -> list[Entry]:
    """The files in a zip, or the file itself; refuses what is damaged or passes a limit."""
    if not zipfile.is_zipfile(path):
        if path.suffix.lower() == ".zip":
            truncated(path.name, 0, "it is called .zip and is no whole zip file: fetch it again")
        size = path.stat().st_size
        _bound(path.name, size, limits)
        return [Entry(path.name, size, _digest(path), path)]
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
    except _BROKEN as error:
        truncated(path.name, 0, f"the zip file is damaged: {error}")
    names = Counter(one.filename for one in members)
    if len(names) < len(members):
        mixed(f"{path.name}/{names.most_common(1)[0][0]}", 0, "two files of the package have this name")
    if len(members) > limits.release_files:
        too_large(path.name, f"{len(members)} files, the limit is {limits.release_files} (limits.release_files)")
    _bound(path.name, sum(one.file_size for one in members), limits)
    for one in members:
        if one.file_size > 1 << 20 and one.file_size > limits.release_ratio * max(one.compress_size, 1):
            why = f"unpacks to more than {limits.release_ratio} times its size (limits.release_ratio)"
            too_large(f"{path.name}/{one.filename}", why)
        if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Of bzip2 and LZMA a few bytes unpack to gigabytes at once, whatever the directory says.
            truncated(f"{path.name}/{one.filename}", 0, "it is not packed by deflate: unpack it first")
        if one.flag_bits & 1:
            truncated(f"{path.name}/{one.filename}", 0, "it is encrypted: unpack it first")
    return [
        Entry(f"{path.name}/{one.filename}", one.file_size, f"{one.CRC:08x}-{one.file_size}", path, one.filename)
        for one in members
    ]


@contextmanager
def damaged(name: str) -> Iterator[None]:
    """Refuse a packed file that turns out to be damaged while it is read."""
    try:
        yield
    except _BROKEN as error:
        truncated(name, 0, f"the packed file is damaged: {error}")


def texts(entry: Entry, encoding: str, newline: str) -> Generator[str, None, None]:
    """Lines with their ends, none longer than a megabyte: a file without line ends would be held whole."""
    with damaged(entry.name), entry.open() as raw, io.TextIOWrapper(raw, encoding=encoding, newline=newline) as text:
        for line in iter(partial(text.readline, _LINE_CHARACTERS), ""):
            if len(line) == _LINE_CHARACTERS:
                too_large(entry.name, f"a line of more than {_LINE_CHARACTERS} characters: it is no table")
            yield line


def lines(entry: Entry, heard: Callable[[int], None], encoding: str = "utf-8-sig") -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; raises Unreadable for what is damaged, not text, or ends in mid-line."""
    number = 0
    read = 0
    last = "\n"
    try:
        for last in texts(entry, encoding, "\n"):
            number += 1
            read += len(last)
            if not number & _HEARD:
                heard(read)
            yield number, last.rstrip("\r\n")
    except UnicodeDecodeError:
        truncated(entry.name, number + 1, "it is not UTF-8")
    if not last.endswith("\n"):
        truncated(entry.name, number, "the last line has no line end: the file was cut off")
    heard(entry.size)


def unpacked(path: Path, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The JSON files of a FHIR package (.tgz), one at a time; refuses bombs and what is damaged."""
    total = count = 0
    try:
        with _Unpacked(path, limits) as unzipped, tarfile.open(fileobj=unzipped, mode="r:") as archive:
            for member in archive:
                if member.size < 0:
                    raise tarfile.ReadError("a file of a negative size")
                count += 1
                total += member.size
                if count > limits.release_files:
                    too_large(path.name, f"more than {limits.release_files} files (limits.release_files)")
                _bound(path.name, total, limits)  # before it is read past
                if member.isfile() and member.name.endswith(".json"):
                    _bound_json(f"{path.name}/{member.name}", member.size, limits)
                    content = archive.extractfile(member)
                    pieces = iter(partial(content.read, _PIECE), b"") if content is not None else ()
                    yield f"{path.name}/{member.name}", b"".join(pieces)
    except (*_BROKEN, OSError, RecursionError) as error:
        truncated(path.name, 0, f"the package is damaged: {error}")


def whole(entry: Entry, limits: Limits) -> bytes:
    """A JSON file that must be held whole."""
    _bound_json(entry.name, entry.size, limits)
    with damaged(entry.name), entry.open() as raw:
        return raw.read()


def _bound(name: str, size: int, limits: Limits) -> None:
    if size > limits.release_bytes:
        too_large(name, f"{size} bytes unpacked, the limit is {limits.release_bytes} (limits.release_bytes)")


def _bound_json(name: str, size: int, limits: Limits) -> None:
    if size > limits.release_json_bytes:
        too_large(name, f"{size} bytes, a resource may have {limits.release_json_bytes} (limits.release_json_bytes)")


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
