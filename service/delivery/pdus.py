"""What comes over an association, held to a size and a time: pynetdicom reads a PDU as long as it says that it is.

Its own reading takes the 4 GB that a PDU may announce (PS3.8 9.3.1), and waits without end for one that was begun: none
of its time-outs ends that wait, nor one for a peer that reads no answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

_CHUNK: Final = 65_536

Allows = Callable[[int], bool]
"""Whether so many bytes more are taken of a peer."""
Heard = Callable[[int], None]
"""Is told how many bytes came, each time that some did."""


def hold(association: Any, timeout_s: float, allows: Allows, heard: Heard = lambda _: None) -> None:
    """Hold an association whose connection stands, in a handler of ``EVT_CONN_OPEN``.

    ``timeout_s``: for one PDU to come whole, and for the peer to take what is sent. Past a bound the connection ends.
    """
    line = association.dul.socket
    line.socket.settimeout(timeout_s)
    line.recv = lambda count: _received(line.socket, count, timeout_s, allows, heard)


class Allowance:
    """So many bytes, and so many seconds, for all that a peer says on an association of ours."""

    def __init__(self, most: int, total_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin now."""
        self._left, self._clock, self._until = most, clock, clock() + total_s

    def __call__(self, count: int) -> bool:
        """Take ``count`` bytes, where there is room and time for them."""
        self._left -= count
        return self._left >= 0 and self._clock() < self._until


def _received(sock: Any, count: int, timeout_s: float, allows: Allows, heard: Heard) -> bytearray:
    """``count`` bytes, fewer where the peer hung up; raises OSError, which ends the connection (PS3.8 9.2, AA-4)."""
    if not allows(count):
        raise OSError("more than is taken of a peer")
    until = time.monotonic() + timeout_s
    come = bytearray()
    try:
        while len(come) < count:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
            more = sock.recv(min(count - len(come), _CHUNK))
            if not more:
                break
            come += more
            heard(len(more))
    finally:
        sock.settimeout(timeout_s)
    return come
