"""The folder where the processes of one `serve` keep their counters, and what killed ones left of theirs.

A killed one removes nothing. Its id says nothing either: another process may have it by now, and where a temporary
folder is shared by containers each has ids of its own. So a folder is locked for as long as any process of its service
lives: the lock ends with the last of them, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final

_PREFIX: Final = "lesionbridge-"
_LOCK: Final = "serving"


@contextmanager
def counters_folder() -> Iterator[str]:
    """A folder of this service while the block runs; those of services that are gone are removed first.

    A worker that ends in good order leaves the block, too: gunicorn forks it within. It removes nothing.
    """
    for left in Path(gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is somebody else's, or serves, or goes just now
            _remove_unused(left)
    maker = os.getpid()
    folder, lock = _made()
    try:
        yield folder
    finally:
        if os.getpid() == maker:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _made() -> tuple[str, int]:
    """A new folder and its lock, which processes that are forked from now on hold, too."""
    while True:
        folder = mkdtemp(prefix=_PREFIX)
        lock = os.open(Path(folder, _LOCK), os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return folder, lock
        os.close(lock)  # one that starts just now took it for unused, before it was locked


def _remove_unused(folder: Path) -> None:
    """Remove a folder of ours whose service is gone; raises OSError where it is none of those."""
    if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(lock)
