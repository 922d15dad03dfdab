"""Lines that come through a pipe, as they come: whoever reads them can ask whether the next one is there."""

import os
from multiprocessing.connection import wait
from typing import Final

_AT_A_TIME: Final = 1024 * 1024


class Arriving:
    """What comes on a file descriptor, line by line; nothing else may read from it."""

    def __init__(self, descriptor: int, most: int) -> None:
        """Read nothing yet; of a line that is longer than ``most`` bytes it is enough that these are there."""
        self._descriptor, self._most = descriptor, most
        self._held = bytearray()
        self._without_end = 0  # so many bytes of it were looked through
        self._ended = False

    def fileno(self) -> int:
        """The descriptor, to be waited for."""
        return self._descriptor

    def ready(self) -> bool:
        """Whether `readline` would not wait, as at the end; raises OSError."""
        while not self._has(self._most):
            if not wait([self._descriptor], 0):
                return False
            self._read()
        return True

    def readline(self, size: int) -> bytes:
        """The next line with its end, or the first ``size`` bytes of it; nothing at the end. Raises OSError."""
        while not self._has(size):
            self._read()
        end = self._held.find(b"\n", 0, size) + 1 or min(size, len(self._held))
        line = bytes(self._held[:end])
        del self._held[:end]
        self._without_end = 0
        return line

    def _has(self, size: int) -> bool:
        if self._ended or len(self._held) >= size or self._held.find(b"\n", self._without_end) >= 0:
            return True
        self._without_end = len(self._held)
        return False

    def _read(self) -> None:
        content = os.read(self._descriptor, _AT_A_TIME)
        self._ended = not content
        self._held += content
