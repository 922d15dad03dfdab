"""Associations that others open to us: how many, how large a message, and how long a PDU may take to come.

Of connections over the number that is served, some are rejected as the standard wants it (PS3.8 9.3.4, local limit
exceeded); of many more each would cost threads and time, so these are closed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

from service.delivery.pdus import hold
from service.delivery.unanswered import Lacks, answer, guard

_REJECTED: Final = 2
"""So many times the associations that are served may be connected, to be rejected."""
_WAITING: Final = 1
"""Messages that may wait while one is answered: without a negotiated window there is none (PS3.7 D.3.3.3)."""


class Acceptor:
    """The bounds of one listener of pynetdicom; ``ended`` is told why a connection was ended."""

    def __init__(
        self,
        timeout_s: float,
        most: int,
        ended: Callable[[str], None] = lambda _: None,
        lacks: Lacks = lambda _, __: None,
    ) -> None:
        """``most``: bytes of one message, with its command and all PDUs that carry it."""
        self._timeout_s, self._most, self._ended, self._lacks = timeout_s, most, ended, lacks
        self._come: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._connected: WeakSet[Any] = WeakSet()

    def handlers(self) -> list[tuple[Any, Any]]:
        """For ``evt_handlers`` of the listener."""
        from pynetdicom import evt

        return [(evt.EVT_CONN_OPEN, self._opened), (evt.EVT_DIMSE_RECV, self._whole)]

    def bound(self, server: Any, associations: int) -> None:
        """Hold a listener, which runs already, to a number of connections."""

        def has_room(connected: Any, _: Any) -> bool:
            if sum(one.fileno() >= 0 for one in self._connected) >= _REJECTED * associations:
                self._ended("too many connections")
                return False
            self._connected.add(connected)
            return True

        server.verify_request = has_room

    def _opened(self, event: Any) -> None:
        association = event.assoc

        def allows(count: int) -> bool:
            self._come[association] = come = self._come.get(association, 0) + count
            if come > self._most:
                self._ended("the object is too large")
            return come <= self._most

        hold(association, self._timeout_s, allows)
        guard(association, self._ended)

    def _whole(self, event: Any) -> None:
        """A message is there: the next one is counted anew, and waits for its turn."""
        self._come[event.assoc] = 0
        if event.assoc.dimse.msg_queue.qsize() > _WAITING:
            self._ended("it waits for no answer")
            event.assoc.dul.socket.close()
            return
        answer(event, self._lacks, self._ended)
