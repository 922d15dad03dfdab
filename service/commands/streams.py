"""Standard streams that are closed: their numbers are held, so that no file that is opened later gets one of them."""

import os
import sys
from errno import EBADF
from io import TextIOBase
from typing import Final

_STREAMS: Final = 3


class Closed(TextIOBase):
    """Standard output where it is closed: Python has none then, and what is written to none is lost unsaid."""

    def write(self, text: str) -> int:  # noqa: ARG002 - the stream's signature
        """Refuse; raises OSError."""
        raise OSError(EBADF, "it is closed")


def hold_closed() -> None:
    """Put something in the place of each standard stream that is closed.

    Standard input stays none. What is said on standard error is thrown away: who closed it wants it so.
    """
    for number in range(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = Closed()  # Python has none where the descriptor is closed
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a name of a device; for as long as the process lives
