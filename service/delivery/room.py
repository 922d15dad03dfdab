"""The places of a listener: peers that say nothing hold one only until somebody else wants it.

A time-out alone, as the ARTIM timer of PS3.8 is one, leaves a few of them to keep all others out until then. So where
all places are taken, a newcomer gets that of the one silent the longest, of the address that has the most of them, its
own counted: whoever connects again and again takes one place of others, and then pushes out itself. Where nobody is
silent it gets that of one that has begun a message and stalls, or drips, by the same rule; never that of one that is
answered.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

STALLS_S: Final = 5.0
"""So long without a byte in a message is a stall: a packet that is sent again takes a second or three."""

LEAST_BYTES: Final = 500
"""Fewer than these in `STALLS_S` are a stall, too: below 100 bytes a second nobody sends who wants to be heard."""

TLS_STALLS_S: Final = (16_384 + 2_048 + 5) * STALLS_S / LEAST_BYTES
"""Over TLS, where nothing is heard of a record until it is whole and the system does not say what came below it: as
long as the largest takes at that rate, with what protects it (at most 2,048 bytes up to TLS 1.2, fewer since, RFC 8449
1) and its head (RFC 8446 5.1)."""

BACKLOG: Final = 128
"""Connections that the system holds for a listener until it takes them. Where there are more, each waits a second or
longer until its handshake is sent again; socketserver, and so pynetdicom, asks for five."""

_TCP_INFO: Final = struct.Struct("=52xI72xQ")
"""Of tcp_info (Linux, include/uapi/linux/tcp.h): tcpi_last_data_recv in ms, tcpi_bytes_received."""


Ended = Callable[[str, str], None]
"""Is told why a connection was ended, and the address it came from."""


class Place:
    """A connection of a listener."""

    __slots__ = ("address", "below", "come", "connected", "is_silent", "waits_since")

    def __init__(self, connected: Any, address: str) -> None:
        """It has said nothing.

        ``waits_since`` is since when a message waits that is not whole yet, ``come`` the bytes of it that came since;
        ``below``: over TLS, when it was looked at last what comes below, and how many bytes had come by then.
        """
        self.connected, self.address, self.is_silent, self.come = connected, address, True, 0
        self.waits_since: float | None = None
        self.below: tuple[float, int] | None = None

    def waits(self, now: float) -> None:
        """A message waits from now on."""
        self.waits_since, self.come = now, 0
        came = _came(self.connected)
        self.below = (now, came[0]) if came is not None else None

    def stalls(self, now: float) -> bool:
        """Whether fewer than `LEAST_BYTES` of its message came in `STALLS_S`; over TLS below it, where that is seen.

        What comes faster is counted anew from here, so that who sent much once does not drip for long.
        """
        if self.waits_since is None or now - self.waits_since < STALLS_S:
            return False
        if not isinstance(self.connected, ssl.SSLSocket):
            return True
        came = _came(self.connected)
        if came is None or self.below is None:
            return now - self.waits_since >= TLS_STALLS_S
        (total, quiet_s), (since, before) = came, self.below
        if quiet_s >= STALLS_S or now - since < STALLS_S:
            return quiet_s >= STALLS_S
        self.below = (now, total)
        return total - before < LEAST_BYTES * (now - since) / STALLS_S


def _came(connected: Any) -> tuple[int, float] | None:
    """Over TLS, the bytes that came below it by now, and the seconds since the last of them; None where nobody says."""
    if not isinstance(connected, ssl.SSLSocket):
        return None
    try:
        quiet_ms, total = _TCP_INFO.unpack(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size))
    except (OSError, AttributeError, struct.error):  # no TCP, another system, or a Linux before 4.1
        return None
    return int(total), quiet_ms / 1000


class Room:
    """So many connections, of which so many are served at a time; used from several threads."""

    def __init__(
        self,
        places: int,
        ended: Ended,
        served: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """All places are free; ``ended`` is told why a connection was; without ``served`` each may be served."""
        self._clock = clock
        self._most, self._ended, self._served = places, ended, served or places
        self._lock = threading.Lock()
        self._places: list[Place] = []

    def take(self, connected: Any, address: str) -> Place | None:
        """A place for who connected; None where none is free, and nobody silent."""
        with self._lock:
            self._places = [one for one in self._places if one.connected.fileno() >= 0]
            if len(self._places) >= self._most and not self._make_room(address):
                self._ended("too many connections", address)
                return None
            made = Place(connected, address)
            self._places.append(made)
            return made

    def serves(self, place: Place) -> bool:
        """It has said what it wants: whether it is served. Where not, it goes when somebody else comes."""
        with self._lock:
            busy = sum(not one.is_silent and one.connected.fileno() >= 0 for one in self._places if one is not place)
            place.is_silent = busy >= self._served and not self._stalled_gives_way(place.address)
            return not place.is_silent

    def has_served(self, place: Place) -> None:
        """It is served no more, and may go when somebody else comes."""
        place.is_silent = True

    def hears(self, place: Place, count: int) -> None:
        """So many bytes of a message came, and more have to."""
        place.come += count
        if place.waits_since is None or place.come >= LEAST_BYTES:
            place.waits(self._clock())

    def has_whole(self, place: Place) -> bool:
        """A message of it is whole and will be answered; false where its place was given to another before."""
        with self._lock:
            place.waits_since = None
            return place in self._places

    def _make_room(self, address: str) -> bool:
        silent = [one for one in self._places if one.is_silent]
        said = "it said nothing, and its place was wanted"
        return self._gives_way(silent, address, said) or self._stalled_gives_way(address)

    def _stalled_gives_way(self, address: str) -> bool:
        now = self._clock()
        stalled = [one for one in self._places if one.stalls(now)]
        stalled.sort(key=lambda one: one.waits_since or 0.0)
        return self._gives_way(stalled, address, "it stalled in a message, and its place was wanted")

    def _gives_way(self, found: Sequence[Place], address: str, why: str) -> bool:
        """End one of these, of which the oldest is the first; whether there was one."""
        if not found:
            return False
        of_each = Counter([address, *(one.address for one in found)])
        # Who comes counts, and goes before others that have as many; the first of those that are equal is the oldest.
        gone = max(found, key=lambda one: (of_each[one.address], one.address == address))
        self._places.remove(gone)
        self._ended(why, gone.address)
        with suppress(OSError):  # it is gone already
            socket.socket.shutdown(gone.connected, socket.SHUT_RDWR)  # below TLS, which its own thread speaks
        return True
