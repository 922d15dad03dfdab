"""How far a long conversion is, on the disk: what is behind a mark is never done again, what is before it is.

A journal is a file of JSON lines beside the output. The first says which run it is of; each further one is a mark, and
the last whole one counts. The files that the run writes are cut to the mark before it goes on, so that no line is in
them twice.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from service.commands.answering import give, hold_open, naming


@dataclass(frozen=True, slots=True)
class Mark:
    """Lines done and bytes of the input read, bytes of each file written, and what was counted."""

    lines: int = 0
    read: int = 0
    out: int = 0
    errors: int = 0
    losses: int = 0
    made: int = 0
    refused: int = 0
    lost: int = 0


class Begun(Exception):
    """There is a journal of a run that was interrupted, and nobody asked to go on with it."""


class OtherRun(Exception):
    """The journal is of another input or of other options: ``changed`` names what differs."""

    def __init__(self, changed: Sequence[str] = ()) -> None:
        """Take the names; none where a file of the run is not as the journal says."""
        super().__init__()
        self.changed = tuple(changed)


class Running(Exception):
    """Another process is at this run."""


class Journal:
    """The journal of one run, held by one process."""

    def __init__(self, file: IO[bytes], mark: Mark) -> None:
        """Take the open file and the mark to go on from."""
        self._file = file
        self.mark = mark

    @classmethod
    def open(cls, path: Path, run: Mapping[str, str], *, resume: bool) -> "Journal":
        """Begin a run, or go on with it when asked to; raises Running, Begun, OtherRun."""
        file = path.open("a+b")
        try:
            # A lock of the process, not of the open file: those that it starts do not hold it.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise Running from None
        file.seek(0)
        said = _whole_lines(file.read())
        if said and not resume:
            file.close()
            raise Begun
        if said and said[0] != run:
            file.close()
            raise OtherRun([name for name in {**said[0], **run} if said[0].get(name) != run.get(name)])
        journal = cls(file, Mark(**said[-1]) if len(said) > 1 else Mark())
        if not said:
            file.truncate(0)
            journal._write(run)
        else:
            file.truncate(_length(said))
        return journal

    def note(self, mark: Mark) -> None:
        """All before this mark is on the disk; so is the mark, once this returns."""
        self._write(asdict(mark))
        self.mark = mark

    def close(self) -> None:
        """Leave the run as it is, to be gone on with."""
        self._file.close()

    def end(self, path: Path) -> None:
        """The run is done: nothing is left to go on with."""
        with suppress(FileNotFoundError):
            path.unlink()
        self._file.close()

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(_line(row))
        self._file.flush()
        os.fsync(self._file.fileno())


class Passing:
    """Standard output: a line is passed on as soon as it is there, and never cut off."""

    def __init__(self) -> None:
        """Nothing has been written; ends where it is closed."""
        hold_open(has_out=True)
        self.length = 0

    def add(self, content: bytes) -> None:
        """Write and pass it on; ends where that can't be done."""
        give(content)
        self.length += len(content)

    def settle(self) -> None:
        """What is passed on is settled."""

    def pass_on(self) -> None:
        """It is."""

    def cut(self, length: int) -> None:
        """What is passed on can't be taken back."""

    def close(self) -> None:
        """It is not ours to close."""


class Growing:
    """A file that only grows; what was written behind the mark is cut off when it is opened."""

    def __init__(self, path: Path | None, length: int) -> None:
        """Open it at a length; without a path nothing is written."""
        self._file = None
        self.length = length
        if path is not None:
            self._file = path.open("r+b" if length else "wb")
            if path.stat().st_size < length:
                self._file.close()
                raise OtherRun
            self._file.truncate(length)
            self._file.seek(length)

    def add(self, content: bytes) -> None:
        """Write at the end."""
        if self._file is not None and content:
            with naming(self._file.name):
                self._file.write(content)
            self.length += len(content)

    def pass_on(self) -> None:
        """Whoever reads the file finds all that was written."""
        if self._file is not None:
            with naming(self._file.name):
                self._file.flush()

    def cut(self, length: int) -> None:
        """Take back what was written behind this length."""
        if self._file is not None:
            self._file.truncate(length)
            self._file.seek(length)
            self.length = length

    def settle(self) -> None:
        """All that was written is on the disk when this returns."""
        if self._file is not None:
            with naming(self._file.name):
                self._file.flush()
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _length(said: list[dict[str, Any]]) -> int:
    return sum(len(_line(row)) for row in said)


def _whole_lines(content: bytes) -> list[dict[str, Any]]:
    """The lines that were written to their end; the last may not have been."""
    return [json.loads(line) for line in content.split(b"\n")[:-1]]
