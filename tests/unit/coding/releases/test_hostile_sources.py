"""Archives that lie: about sizes, names and headers. Each is refused before what it claims is held in memory."""

import gzip
import resource
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.coding.releases.sources import entries, lines, unpacked, whole
from service.domain.errors import Invalid, TooLarge, Unreadable
from service.domain.limits import Limits

MEGABYTE = bytes(1 << 20)
END = bytes(1024)


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    """No more than some megabytes are taken."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 << 10


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    made = tarfile.TarInfo(name)
    made.size, made.type = size, kind
    return made.tobuf(format=tarfile.GNU_FORMAT)


def packed(path: Path, *parts: bytes, megabytes: int = 0, after: bytes = b"") -> Path:
    """A .tgz of parts, then of zeros, then of what comes after."""
    with gzip.open(path, "wb") as file:
        for part in (*parts, *[MEGABYTE] * megabytes, after, END):
            file.write(part)
    return path


FILE = header("package/a.json", 2) + b"{}" + bytes(510)


def test_the_files_of_a_package_come_one_by_one(tmp_path: Path) -> None:
    path = packed(tmp_path / "p.tgz", FILE, header("../b.json", 0, tarfile.SYMTYPE), header("/c.json", 0))
    assert list(unpacked(path, Limits())) == [("p.tgz/package/a.json", b"{}"), ("p.tgz//c.json", b"")]


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_name_or_header_of_megabytes_is_refused(tmp_path: Path, kind: bytes) -> None:
    path = packed(tmp_path / "p.tgz", header("x", 96 << 20, kind), megabytes=96, after=FILE)
    with pytest.raises(Unreadable, match="a header of more than"):
        list(unpacked(path, Limits()))


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    name = header("x", 512, tarfile.GNUTYPE_LONGNAME) + bytes(512)
    with pytest.raises(Unreadable, match="damaged"):
        list(unpacked(packed(tmp_path / "p.tgz", name * 5_000, after=FILE), Limits()))


def test_what_no_member_counts_is_counted_as_it_is_unpacked(tmp_path: Path) -> None:
    many = b"".join(header("x", 1 << 19, tarfile.XHDTYPE) + bytes(1 << 19) + FILE for _ in range(40))
    with pytest.raises(TooLarge, match="release_ratio"):
        list(unpacked(packed(tmp_path / "p.tgz", many), Limits()))
    with pytest.raises(TooLarge, match="release_bytes"):
        list(unpacked(packed(tmp_path / "q.tgz", many), Limits(release_bytes=1 << 20)))


def test_a_negative_size_is_no_way_back(tmp_path: Path) -> None:
    block = bytearray(header("a.json", 0))
    block[124:136] = (-1_536).to_bytes(12, "big", signed=True)
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:512]) + 8 * 32)
    with pytest.raises(Unreadable, match="negative size"):
        list(unpacked(packed(tmp_path / "p.tgz", FILE, bytes(block)), Limits(release_files=50)))


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_zip_that_says_less_than_it_holds_is_refused_when_that_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "lie.zip", {"b.json": bytes(96 << 20)})
    path.write_bytes(path.read_bytes().replace((96 << 20).to_bytes(4, "little"), (1_000).to_bytes(4, "little")))
    (entry,) = entries(path, Limits())
    with pytest.raises(Unreadable, match="damaged"):
        whole(entry, Limits())
    with pytest.raises(Unreadable, match="damaged"):
        list(lines(entry, lambda _: None))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_to_gigabytes_at_once_is_not_opened(tmp_path: Path, method: int) -> None:
    with pytest.raises(Unreadable, match="not packed by deflate"):
        entries(zipped(tmp_path / "x.zip", {"a": b"x"}, method), Limits())


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"one.txt": b"a\n", "two.txt": b"b\n"})
    path.write_bytes(path.read_bytes().replace(b"two.txt", b"one.txt"))
    with pytest.raises(Invalid, match="two files of the package have this name"):
        entries(path, Limits())


def test_a_path_in_a_zip_is_a_name_and_nothing_else(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"../../slip.txt": b"a\n", "/abs.txt": b"b\n"})
    found = {entry.base: list(lines(entry, lambda _: None)) for entry in entries(path, Limits())}
    assert found == {"slip.txt": [(1, "a")], "abs.txt": [(1, "b")]}
    assert [one.name for one in tmp_path.iterdir()] == ["x.zip"]
