"""Associations that others open to us: how many, how large a message, and how long a PDU may take to come.

Of connections over the number that is served, some are rejected as the standard wants it (PS3.8 9.3.4, local limit
exceeded); of many more each would cost threads and time, so these are closed at once. One that has not asked for an
association, or is rejected or released, makes room for the next.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from service.delivery.handshake import shake
from service.delivery.pdus import hold
from service.delivery.room import Place, Room
from service.delivery.unanswered import Lacks, answer, guard

_CONNECTED: Final = 2
"""So many times the associations that are served may be connected, to be rejected."""
_WAITING: Final = 1
"""Messages that may wait while one is answered: without a negotiated window there is none (PS3.7 D.3.3.3)."""
_LOCAL_LIMIT: Final = (2, 3, 2)
"""Rejected transient, by the presentation related service provider: local limit exceeded (PS3.8 9.3.4)."""


class Acceptor:
    """The bounds of one listener of pynetdicom for ``associations``; ``ended`` is told why a connection was ended."""

    def __init__(
        self,
        associations: int,
        timeout_s: float,
        most: int,
        *,
        way: str,
        ended: Callable[[str], None] = lambda _: None,
        lacks: Lacks = lambda _, __: None,
    ) -> None:
        """``most``: bytes of one message, with its command and all PDUs that carry it; ``way``: its name in the log."""
        self._timeout_s, self._most, self._ended, self._lacks = timeout_s, most, ended, lacks
        self._way = way
        self._room = Room(_CONNECTED * associations, ended, associations)
        self._come: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._places: WeakKeyDictionary[Any, Place] = WeakKeyDictionary()

    def handlers(self) -> list[tuple[Any, Any]]:
        """For ``evt_handlers`` of the listener."""
        from pynetdicom import evt

        over = (evt.EVT_REJECTED, evt.EVT_RELEASED, evt.EVT_ABORTED)
        return [
            (evt.EVT_CONN_OPEN, self._opened),
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_DIMSE_RECV, self._whole),
            (evt.EVT_CONN_CLOSE, self._closed),
            *((one, self._over) for one in over),
        ]

    def bound(self, server: Any) -> None:
        """Hold a listener, which runs already, to the number of connections."""

        def has_room(connected: Any, peer: Any) -> bool:
            place = self._room.take(connected, str(peer[0]))
            if place is not None:
                self._places[connected] = place
            return place is not None

        server.verify_request = has_room
        server.ae.maximum_associations = sys.maxsize  # it would count those, too, that asked for none

    def _opened(self, event: Any) -> None:
        association = event.assoc
        place = self._places.get(association.dul.socket.socket)
        if place is not None:
            self._places[association] = place

        def allows(count: int) -> bool:
            self._come[association] = come = self._come.get(association, 0) + count
            if come > self._most:
                self._ended("the object is too large")
            return come <= self._most

        hold(association, self._timeout_s, allows)
        self._secure(association.dul.socket, str(event.address[0]))
        guard(association, self._ended)

    def _secure(self, line: Any, address: str) -> None:
        """Over TLS, begin what is received with the handshake."""
        receive, connected = line.recv, line.socket

        def first(count: int) -> bytearray:
            line.recv = receive
            shake(connected, self._way, address, self._timeout_s)
            received: bytearray = receive(count)
            return received

        if isinstance(connected, ssl.SSLSocket):
            line.recv = first

    def _requested(self, event: Any) -> None:
        """Reject an association over the number that is served, as pynetdicom does with one that it counts."""
        from pynetdicom import evt

        association = event.assoc
        place = self._places.get(association)
        if place is None or self._room.serves(place):
            return
        association.requestor.ae_title = association.requestor.primitive.calling_ae_title
        association.acse.send_reject(*_LOCAL_LIMIT)
        evt.trigger(association, evt.EVT_REJECTED, {})
        association.kill()

    def _over(self, event: Any) -> None:
        place = self._places.get(event.assoc)
        if place is not None:
            self._room.has_served(place)

    def _closed(self, event: Any) -> None:
        """End the thread of an association that was never asked for: it would wait for the request all the same."""
        if event.assoc.requestor.primitive is None:
            event.assoc.dul.to_user_queue.put(None)

    def _whole(self, event: Any) -> None:
        """A message is there: the next one is counted anew, and waits for its turn."""
        self._come[event.assoc] = 0
        if event.assoc.dimse.msg_queue.qsize() > _WAITING:
            self._ended("it waits for no answer")
            event.assoc.dul.socket.close()
            return
        answer(event, self._lacks, self._ended)
