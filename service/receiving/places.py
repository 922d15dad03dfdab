"""Names in our own folders of a watched folder: a file that is moved there takes the place of no other one.

Several listeners may move files at once, and a rename replaces what has the name. So a name is made first, as an empty
file that nobody else can make (O_EXCL), and the file is renamed over that. Nobody may read it, so that it is known for
what it is where a process ends in between.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_NAME_BYTES: Final = 255  # NAME_MAX of the file systems of Linux
_SUFFIX: Final = 32
_REASON: Final = ".reason.json"


def moved(file: Path, place: Path) -> Path:
    """Move a file to the place, or near it where something is there already; where it is now. Raises OSError."""
    while True:
        found = _free(place)
        if _made(found):
            _put(file, found)
            return found


def moved_with(file: Path, place: Path, reasons: bytes) -> Path:
    """The same with reasons in a file beside it, which is there first: nobody finds a file without."""
    while True:
        found = _free(place, _REASON)
        beside = found.with_name(found.name + _REASON)
        if not _made(beside, 0o666):
            continue
        try:
            if not _made(found):
                beside.unlink()
                continue
            beside.write_bytes(reasons)
            _put(file, found)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        return found


def is_placeholder(found: os.stat_result) -> bool:
    """Whether a file is a name that was made for another, which never came."""
    return found.st_size == 0 and stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == 0


def _made(name: Path, mode: int = 0) -> bool:
    """Whether the name is ours now: an empty file that was not there."""
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    except FileExistsError:
        return False
    return True


def _put(file: Path, made: Path) -> None:
    try:
        file.rename(made)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def _free(place: Path, beside: str = "") -> Path:
    """The place, or one near it where something is there already, or where ``beside`` and its name are."""
    number, found = 1, _fitting(place, "", beside)
    while os.path.lexists(found) or (beside and os.path.lexists(found.with_name(found.name + beside))):
        number += 1
        found = _fitting(place, f"-{number}", beside)
    return found


def _fitting(place: Path, more: str, beside: str) -> Path:
    """The place with ``more`` in its name, which is cut where that and ``beside`` make it longer than a name may be."""
    stem, suffix = (place.stem, place.suffix) if len(os.fsencode(place.suffix)) <= _SUFFIX else (place.name, "")
    room = _NAME_BYTES - len(os.fsencode(suffix + more + beside))
    while len(os.fsencode(stem)) > room:  # a byte that is no character counts as one, so that some are always left
        stem = stem[:-1]
    return place.with_name(stem + more + suffix)
