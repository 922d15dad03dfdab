"""The places of a listener: peers that say nothing hold one only until somebody else wants it.

A time-out alone, as the ARTIM timer of PS3.8 is one, leaves a few of them to keep all others out until then. So where
all places are taken, a newcomer gets that of the one silent the longest, of the address that has the most of them, its
own counted: whoever connects again and again takes one place of others, and then pushes out itself.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Place:
    """A connection of a listener."""

    __slots__ = ("address", "connected", "is_silent")

    def __init__(self, connected: Any, address: str) -> None:
        """It has said nothing."""
        self.connected, self.address, self.is_silent = connected, address, True


class Room:
    """So many connections, of which so many are served at a time; used from several threads."""

    def __init__(self, places: int, ended: Callable[[str], None], served: int | None = None) -> None:
        """All places are free; ``ended`` is told why a connection was; without ``served`` each may be served."""
        self._most, self._ended, self._served = places, ended, served or places
        self._lock = threading.Lock()
        self._places: list[Place] = []

    def take(self, connected: Any, address: str) -> Place | None:
        """A place for who connected; None where none is free, and nobody silent."""
        with self._lock:
            self._places = [one for one in self._places if one.connected.fileno() >= 0]
            if len(self._places) >= self._most and not self._make_room(address):
                self._ended("too many connections")
                return None
            made = Place(connected, address)
            self._places.append(made)
            return made

    def serves(self, place: Place) -> bool:
        """It has said what it wants: whether it is served. Where not, it goes when somebody else comes."""
        with self._lock:
            busy = sum(not one.is_silent and one.connected.fileno() >= 0 for one in self._places if one is not place)
            place.is_silent = busy >= self._served
            return not place.is_silent

    def has_served(self, place: Place) -> None:
        """It is served no more, and may go when somebody else comes."""
        place.is_silent = True

    def _make_room(self, address: str) -> bool:
        silent = [one for one in self._places if one.is_silent]
        if not silent:
            return False
        of_each = Counter([address, *(one.address for one in silent)])
        # Who comes counts, and goes before others that have as many; the first of those that are equal is the oldest.
        gone = max(silent, key=lambda one: (of_each[one.address], one.address == address))
        self._places.remove(gone)
        self._ended("it said nothing, and its place was wanted")
        with suppress(OSError):  # it is gone already
            socket.socket.shutdown(gone.connected, socket.SHUT_RDWR)  # below TLS, which its own thread speaks
        return True
