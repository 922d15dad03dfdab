"""The folder of a site's terminology: the stores, and one small file that says which of them are in use.

``current.json`` is replaced in one rename, so a reader sees the old set or the new one, never a mixture. A store is
never changed once it is named there; the one it replaces is deleted after the switch, which readers that still have it
open do not notice.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from service.coding.releases.build import Progress
from service.coding.releases.sqlite import SqliteReleaseStore
from service.coding.releases.tablestore import TableStore
from service.domain.errors import NotFound, Problem, Unavailable

_CURRENT: Final = "current.json"
SUFFIX: Final = ".sqlite3"


@dataclass(frozen=True, slots=True)
class Placed:
    """One release in use: ``name`` is its slot (a new release of the same name replaces it), ``file`` its store."""

    name: str
    file: str
    kind: str
    systems: tuple[tuple[str, str, int], ...]
    """Designator, version and number of concepts of each code system."""
    imported: str
    sources: tuple[str, ...]
    bytes: int


class ReleaseShelf(Protocol):
    """Where the stores of a site stand, and which of them are in use."""

    @property
    def work(self) -> Path:
        """The folder where stores are built."""

    def stamp(self) -> tuple[int, int]:
        """Changes when the set in use changes; (0, 0) for none."""

    def current(self) -> tuple[Placed, ...]:
        """The releases in use, in the order of their names."""

    def open(self, placed: Placed) -> TableStore:
        """One of them, to be asked; raises Unavailable."""

    def importing(self) -> AbstractContextManager[None]:
        """Hold the shelf for one import; raises Unavailable while another one is at work."""

    def place(self, work: Path, placed: Placed, progress: Progress) -> Placed:
        """Put a finished store into use in place of the one of its name; ``placed.file`` is the name it would have."""

    def remove(self, name: str) -> None:
        """Take a release out of use and delete it; raises NotFound."""


class Shelf:
    """A folder of SQLite stores."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it need not be there."""
        self.folder = folder

    @property
    def work(self) -> Path:
        """Where stores are built."""
        return self.folder / "work"

    def path(self, placed: Placed) -> Path:
        """The file of a release."""
        return self.folder / placed.file

    def stamp(self) -> tuple[int, int]:
        """Changes when the set in use changes; (0, 0) for none."""
        try:
            found = (self.folder / _CURRENT).stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def current(self) -> tuple[Placed, ...]:
        """The releases in use, in the order of their names; raises Unavailable for a pointer that can't be read."""
        try:
            content = (self.folder / _CURRENT).read_bytes()
        except FileNotFoundError:
            return ()
        try:
            rows = json.loads(content)["releases"]
            return tuple(
                Placed(
                    row["name"],
                    row["file"],
                    row["kind"],
                    tuple((str(a), str(b), int(c)) for a, b, c in row["systems"]),
                    row["imported"],
                    tuple(row["sources"]),
                    row["bytes"],
                )
                for row in rows
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(Problem(_CURRENT, "terminology", "the list of releases can't be read")) from error

    def open(self, placed: Placed) -> TableStore:
        """One of them, to be asked; raises Unavailable."""
        return SqliteReleaseStore(self.path(placed), placed.name)

    def place(self, work: Path, placed: Placed, progress: Progress) -> Placed:  # noqa: ARG002 - a rename takes no time
        """Name the finished store, sync it to disk, and switch; then delete what nothing names."""
        with work.open("rb") as written:
            os.fsync(written.fileno())
        made = replace(placed, bytes=work.stat().st_size)
        work.replace(self.path(made))
        self._switch(made)
        return made

    def remove(self, name: str) -> None:
        """Take a release out of use and delete it; raises NotFound."""
        if not self.folder.is_dir():
            raise missing(name)
        with self.importing():
            left = [one for one in self.current() if one.name != name]
            if len(left) == len(self.current()):
                raise missing(name)
            self._write(left)

    def _switch(self, placed: Placed) -> None:
        releases = sorted(
            [*(one for one in self.current() if one.name != placed.name), placed], key=lambda one: one.name
        )
        self._write(releases)

    def _write(self, releases: Sequence[Placed]) -> None:
        """Name the releases that are in use, in one rename; then delete what nothing names."""
        new = self.folder / f"{_CURRENT}.new"
        with new.open("w", encoding="utf-8") as file:
            json.dump({"releases": [asdict(one) for one in releases]}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / _CURRENT)
        _sync(self.folder)
        self._sweep({one.file for one in releases})

    def _sweep(self, kept: set[str]) -> None:
        for file in self.folder.glob(f"*{SUFFIX}"):
            if file.name not in kept:
                file.unlink(missing_ok=True)

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Hold the folder for one import; raises Unavailable while another one is at work."""
        self.work.mkdir(parents=True, exist_ok=True)
        with (self.folder / "import.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                why = "another import into this folder is under way"
                raise Unavailable(Problem(str(self.folder), "terminology", why)) from error
            yield


def missing(name: str) -> NotFound:
    """What is said of a slot that holds nothing."""
    return NotFound(Problem("", "not-found", f"there is no release {name[:64]!r}: `lesionbridge terminology list`"))


def _sync(folder: Path) -> None:
    """Make a rename last (fsync of the folder)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
