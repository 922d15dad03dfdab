"""What a watched folder has begun to take: how often a process ended in the middle of a file, kept beside the files.

A process that is killed, as for want of memory, can say nothing any more. So the beginning is noted before each file,
and the note taken away after it. Notes are named by the file's number in its file system, which a rename keeps. One
that is touched now and then says that its process is alive; who is told to end takes its count back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Begun:
    """The notes of one folder, which several listeners may share."""

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is not there; raises OSError where that can't be."""
        self._folder = folder
        self._lock = threading.Lock()
        self._under_way: tuple[Path, int] | None = None
        self._leaving = False
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def at(self, file: Path) -> Iterator[int]:
        """Be at a file; how often a process has ended there before. Raises FileNotFoundError where the file is gone.

        What raises is no end of a process, and leaves the number as it was.
        """
        note = self._note(file.lstat().st_ino)
        ended = left = _number(note)
        with self._lock:
            self._under_way = note, ended
            _write(note, ended if self._leaving else ended + 1)
        try:
            yield ended
            left = 0
        finally:
            with self._lock:
                self._under_way = None
                _write(note, left)

    def beat(self) -> None:
        """Say that the process lives which is at a file."""
        with self._lock, suppress(OSError):
            if self._under_way is not None:
                os.utime(self._under_way[0])

    def leave(self) -> None:
        """Count no end from now on: the process was told to end, which is no fault of the file that it is at."""
        with self._lock:
            self._leaving = True
            if self._under_way is not None:
                _write(*self._under_way)

    def alive(self, inode: int) -> float:
        """When a process at the file of this number said last that it lives, in seconds since 1970; 0 for none."""
        try:
            return self._note(inode).stat().st_mtime
        except OSError:
            return 0.0

    def forget(self, there: Collection[int], before: float) -> None:
        """Take away the notes since before then of files that are not there any more: others get their numbers."""
        names, notes = {str(one) for one in there}, list[os.DirEntry[str]]()
        with suppress(FileNotFoundError):
            notes.extend(os.scandir(self._folder))
        for note in notes:
            with suppress(OSError):
                if note.name not in names and note.stat().st_mtime < before:
                    Path(note.path).unlink()

    def _note(self, inode: int) -> Path:
        return self._folder / str(inode)


def _write(note: Path, number: int) -> None:
    """Note a number, 0 as no note at all. A full disk keeps no file from being taken.

    The folder is empty most of the time, and whoever cleans up may take it away.
    """
    with suppress(OSError):
        if number:
            note.parent.mkdir(exist_ok=True)
            note.write_text(str(number), "ascii")
        else:
            note.unlink(missing_ok=True)


def _number(note: Path) -> int:
    """What stands in a note; 0 where there is none."""
    try:
        return int(note.read_text("ascii"))
    except (OSError, ValueError):
        return 0
