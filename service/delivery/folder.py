"""The folder destination: each output a file, there whole or not at all, and on disk before it counts."""

import os
import threading
from pathlib import Path
from typing import Final

from service.delivery.destination import Answer, Echo, Outcome, Outgoing
from service.delivery.plain import NotPlain, plain
from service.delivery.settings import Folder

_SUFFIX: Final = ".part"
_CHUNK: Final = 65_536


class FolderDestination:
    """Writes beside the final name, syncs, renames. A file that is there with other content is never replaced."""

    def __init__(self, settings: Folder) -> None:
        """Take the settings; nothing is touched yet."""
        self.settings = settings
        self._folder = Path(settings.path)

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.settings.name

    def send(self, outgoing: Outgoing) -> Answer:
        """Write the file; the same content again changes nothing."""
        target = self._folder / outgoing.name
        if target.parent != self._folder or outgoing.name.startswith("."):
            return Answer(Outcome.REFUSED, "the name is no plain file name")
        part = self._folder / f".{outgoing.delivery}.{os.getpid()}.{threading.get_ident()}{_SUFFIX}"
        try:
            there = _same(target, outgoing.content)
            if there is None:
                _write(part, outgoing.content)
                there = _publish(part, target, outgoing.content)
        except OSError as error:
            return _failed(error)
        if there:
            return Answer(Outcome.STORED)
        return Answer(Outcome.MISMATCH, "a file of this name is there with other content")

    def verify(self, outgoing: Outgoing) -> Answer:
        """Read the file and compare; a receiver may have taken it away, which is no fault."""
        if self.settings.verify == "none":
            return Answer(Outcome.STORED)
        try:
            there = _same(self._folder / outgoing.name, outgoing.content)
        except OSError as error:
            return _failed(error)
        if there is None:
            return Answer(Outcome.STORED, "the file was taken away: its content can't be compared any more")
        if there:
            return Answer(Outcome.VERIFIED)
        return Answer(Outcome.MISMATCH, "the file has other content")

    def probe(self) -> tuple[Echo, ...]:
        """Write a file and delete it."""
        if not self._folder.is_dir():
            return (Echo("the folder is there", False, "there is no such folder, or it can't be seen"),)
        trial = self._folder / f".lesionbridge-{os.getpid()}{_SUFFIX}"
        try:
            _write(trial, b"")
            trial.unlink()
        except OSError as error:
            return (Echo("a file can be written", False, f"it can't: {error.strerror}"),)
        return (Echo("a file can be written", True, "written, synced and deleted"),)


def _same(target: Path, content: bytes) -> bool | None:
    """Whether a file has this content, which nothing but a plain file has; None where there is none."""
    try:
        with open(target, "rb", opener=plain) as file:
            if os.fstat(file.fileno()).st_size != len(content):
                return False
            return all(file.read(_CHUNK) == content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))
    except FileNotFoundError:
        return None
    except NotPlain:
        return False


def _write(path: Path, content: bytes) -> None:
    """A whole file on disk, new: what a crash left under the name, or somebody else put there, is not written to."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _publish(part: Path, target: Path, content: bytes) -> bool | None:
    """Give a whole file its name, unless another attempt was sooner; then whether that one has the same content.

    A link fails where the name is taken, and a rename would replace it. Where a file system has no links the name is
    looked at once more and renamed.
    """
    try:
        os.link(part, target)
    except FileExistsError:
        return _same(target, content)
    except OSError:
        if os.path.lexists(target):
            return _same(target, content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(target.parent)
    return True


def _sync_folder(folder: Path) -> None:
    """Put the name on disk too: a crash after the rename must not lose it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(error: OSError) -> Answer:
    """A full disk or a missing mount is over some day; nothing under the final name was touched."""
    return Answer(Outcome.NOT_SENT, f"the folder can't be used: {error.strerror}", f"errno {error.errno}")
