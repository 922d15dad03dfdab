"""The overlays of a running service: mounted files and uploaded versions, taken up when they change.

A change is noticed by a stamp: of the folder's files, and of the newest upload. It is looked at when a report is coded,
at most once a second for mounted files, and all that is in use is replaced at once, so that no report sees half of it.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final, Protocol

from service.coding.lookup import Vocabulary
from service.coding.overlays.layers import Layer, Layers, OverlayText, layer
from service.coding.overlays.rows import CONCEPT_MAP, CSV
from service.coding.releases.shelf import ReleaseShelf
from service.coding.releases.site import SiteReleases
from service.coding.retired import Historical
from service.domain.errors import Problem, TableError, Unavailable

INTERVAL_S: Final = 1.0
"""How long a change of a mounted file, or of an upload in another process, may go unseen by what keeps nothing."""
MAX_BYTES: Final = 16 * 1024 * 1024
_SUFFIXES: Final = {".csv": CSV, ".json": CONCEPT_MAP}
_AWAY: Final = (-1, 0)
_Stamp = tuple[tuple[str, int, int, int], ...]
_Stamps = tuple[_Stamp, int, tuple[int, int]]


class Uploaded(Protocol):
    """An overlay as it was uploaded."""

    @property
    def sender(self) -> str:
        """A sender, or ``all``."""

    @property
    def version(self) -> int:
        """From 1."""

    @property
    def media_type(self) -> str:
        """One of `service.coding.overlays.rows.MEDIA_TYPES`."""

    @property
    def content(self) -> bytes:
        """Its bytes."""


class Uploads(Protocol):
    """Where uploaded overlays are kept."""

    def stamp(self) -> int:
        """A number that every upload makes larger."""

    def current(self) -> Sequence[Uploaded]:
        """The newest version of each sender's overlay."""


class SiteOverlays:
    """The overlays of one deployment; safe between threads, each process looks for changes by itself."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        folder: Path | None = None,
        *,
        releases: Historical | None = None,
        switched: Callable[[], tuple[int, int]] = lambda: (0, 0),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Take the tables and the folder of mounted files; raises TableError with every defect of those.

        ``switched`` changes when other releases are in use.
        """
        self._folder = folder
        self._switched = switched
        self._clock = clock
        self._lock = Lock()
        self._stamps: _Stamps = ((), 0, switched())
        self._looked = clock()
        self._uploaded: tuple[Layer, ...] = ()
        self._mounted: tuple[Layer, ...] = ()
        self.faults: tuple[Problem, ...] = ()
        """What keeps changed files from being taken up; the ones before stay in use."""
        self._layers = Layers(vocabulary, (), releases)
        if folder is not None:
            stamp = _stamp(folder)
            self._mounted = _mount(folder, stamp, vocabulary)
            self._use((stamp, 0, self._stamps[2]))

    @classmethod
    def open(cls, vocabulary: Vocabulary, folder: str, shelf: ReleaseShelf) -> "SiteOverlays":
        """Those of a deployment: its folder of mounted files, empty for none, and its shelf of loaded releases."""
        releases = SiteReleases(shelf, vocabulary.designations.words)
        mounted = Path(folder) if folder else None

        def switched() -> tuple[int, int]:
            """The shelf's stamp; another one while its database is away, so that what is known is asked for again."""
            try:
                return shelf.stamp()
            except Unavailable:
                return _AWAY

        return cls(vocabulary, mounted, releases=releases, switched=switched)

    def layers(self, uploads: Uploads | None = None, *, now: bool = False) -> Layers:
        """The overlays in use, after a look for changes: of uploads every time with ``now``, else once a second."""
        moment = self._clock()
        due = moment - self._looked >= INTERVAL_S
        if not now and not due:
            return self._layers
        files = self._files() if due else self._stamps[0]
        switched = self._switched() if due else self._stamps[2]
        newest = uploads.stamp() if uploads is not None else self._stamps[1]
        if due:
            self._looked = moment
        stamps = (files, newest, switched)
        if stamps != self._stamps:
            with self._lock:
                if stamps != self._stamps:
                    self._change(stamps, uploads)
        return self._layers

    def of(
        self, sender: str, uploads: Uploads | None = None, *, now: bool = False
    ) -> tuple[Vocabulary, tuple[str, ...]]:
        """The vocabulary for a sender, and the names of the overlays that hold for it."""
        return self.layers(uploads, now=now).of(sender)

    def _files(self) -> _Stamp:
        """The mounted files; those before, where the folder can't be read."""
        if self._folder is None:
            return ()
        try:
            return _stamp(self._folder)
        except TableError as error:
            self.faults = error.problems
            return self._stamps[0]

    def _change(self, stamps: _Stamps, uploads: Uploads | None) -> None:
        """Take up what changed, once for all threads. What was remembered of codes goes with the old layers."""
        files, newest, _ = stamps
        vocabulary = self._layers.vocabulary
        if files != self._stamps[0] and self._folder is not None:
            try:
                self._mounted, self.faults = _mount(self._folder, files, vocabulary), ()
            except TableError as error:
                self.faults = error.problems
        if newest != self._stamps[1] and uploads is not None:
            # Checked when it came; tables that changed since may have left a row behind, which is then not applied.
            known = {one.text: one for one in self._uploaded}
            texts = [OverlayText(one.sender, one.version, one.media_type, one.content) for one in uploads.current()]
            self._uploaded = tuple(known.get(text) or layer(text, vocabulary) for text in texts)
        self._use(stamps)

    def _use(self, stamps: _Stamps) -> None:
        before = self._layers
        self._layers = Layers(before.vocabulary, (*self._uploaded, *self._mounted), before.releases)
        self._stamps = stamps


def _stamp(folder: Path) -> _Stamp:
    """Names, times, sizes and inodes of the overlay files of a folder; raises TableError where it can't be read."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.name, entry.stat())
                for entry in entries
                if Path(entry.name).suffix in _SUFFIXES and entry.is_file()
            ]
    except OSError as error:
        raise TableError(Problem(folder.name, "overlay", f"the folder can't be read ({error.strerror})")) from None
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in found))


def _mount(folder: Path, stamp: _Stamp, vocabulary: Vocabulary) -> tuple[Layer, ...]:
    """The overlays of mounted files, each named after its sender; raises TableError with every defect."""
    made, problems = [], []
    senders: dict[str, str] = {}
    for name, _, size, _ in stamp:
        file = folder / name
        if size > MAX_BYTES:
            problems.append(Problem(name, "limit", f"an overlay has at most {MAX_BYTES} bytes"))
            continue
        other = senders.setdefault(file.stem, name)
        if other != name:
            problems.append(Problem(name, "overlay-duplicate", f"{other} is the overlay of {file.stem}, too"))
            continue
        try:
            found = layer(OverlayText(file.stem, 0, _SUFFIXES[file.suffix], file.read_bytes()), vocabulary)
        except OSError as error:
            problems.append(Problem(name, "overlay", f"the file can't be read ({type(error).__name__})"))
            continue
        problems.extend(found.problems)
        made.append(found)
    if problems:
        raise TableError(*problems)
    return tuple(made)
