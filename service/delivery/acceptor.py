"""Associations that others open to us: how many, how large a message, and how long it and each PDU of it may take.

Of connections over the number that is served, some are rejected as the standard wants it (PS3.8 9.3.4, local limit
exceeded); of many more each would cost threads and time, so these are closed at once. One that has not asked for an
association, or is rejected or released, makes room for the next; so does one that stalls in a message where all that
are served are taken.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
from typing import Any, Final
from weakref import WeakKeyDictionary

from service.delivery.handshake import shake
from service.delivery.pdus import hold
from service.delivery.room import BACKLOG, Ended, Place, Room
from service.delivery.unanswered import Lacks, answer, guard

_CONNECTED: Final = 2
"""So many times the associations that are served may be connected, to be rejected."""
_WAITING: Final = 1
"""Messages that may wait while one is answered: without a negotiated window there is none (PS3.7 D.3.3.3)."""
_LOCAL_LIMIT: Final = (2, 3, 2)
"""Rejected transient, by the presentation related service provider: local limit exceeded (PS3.8 9.3.4)."""


class _Coming:
    """What comes over an association: bytes of the message under way, when it began, requests not answered yet.

    Two threads change it, one that receives and one that answers: ``lock`` is for what they tell the room.
    """

    __slots__ = ("address", "begun", "come", "lock", "unanswered")

    def __init__(self, address: str) -> None:
        self.address = address
        self.come = self.unanswered = 0
        self.begun: float | None = None
        self.lock = threading.Lock()

    def is_whole(self) -> None:
        self.come, self.begun = 0, None


class Acceptor:
    """The bounds of one listener of pynetdicom for ``associations``; ``ended`` is told why a connection was ended."""

    def __init__(
        self,
        associations: int,
        timeout_s: float,
        most: int,
        *,
        way: str,
        message_s: float,
        ended: Ended = lambda _, __: None,
        lacks: Lacks = lambda _, __: None,
    ) -> None:
        """``timeout_s``: for one PDU; ``message_s``: for one message, with its command and all PDUs that carry it;
        ``most``: bytes of one; ``way``: its name in the log.
        """
        self._timeout_s, self._most, self._ended, self._lacks = timeout_s, most, ended, lacks
        self._way, self._message_s = way, message_s
        self._room = Room(_CONNECTED * associations, ended, associations)
        self._coming: WeakKeyDictionary[Any, _Coming] = WeakKeyDictionary()
        self._places: WeakKeyDictionary[Any, Place] = WeakKeyDictionary()

    def handlers(self) -> list[tuple[Any, Any]]:
        """For ``evt_handlers`` of the listener."""
        from pynetdicom import evt

        over = (evt.EVT_REJECTED, evt.EVT_RELEASED, evt.EVT_ABORTED)
        return [
            (evt.EVT_CONN_OPEN, self._opened),
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_DIMSE_RECV, self._whole),
            (evt.EVT_DIMSE_SENT, self._answered),
            (evt.EVT_CONN_CLOSE, self._closed),
            *((one, self._over) for one in over),
        ]

    def bound(self, server: Any) -> None:
        """Hold a listener, which runs already, to the number of connections, and let those that come at once wait."""

        def has_room(connected: Any, peer: Any) -> bool:
            place = self._room.take(connected, str(peer[0]))
            if place is not None:
                self._places[connected] = place
            return place is not None

        server.verify_request = has_room
        server.socket.listen(BACKLOG)
        server.ae.maximum_associations = sys.maxsize  # it would count those, too, that asked for none

    def _opened(self, event: Any) -> None:
        association, address = event.assoc, str(event.address[0])
        place = self._places.get(association.dul.socket.socket)
        if place is not None:
            self._places[association] = place
        self._coming[association] = coming = _Coming(address)

        def heard(count: int) -> None:
            with coming.lock:
                if place is not None and not coming.unanswered:
                    self._room.hears(place, count)

        hold(association, self._timeout_s, lambda count: self._allows(coming, count), heard)
        self._secure(association.dul.socket, address)
        guard(association, lambda why: self._ended(why, address))

    def _allows(self, coming: _Coming, count: int) -> bool:
        """Whether a peer may send on: asked at the head of each PDU, and before the rest of it."""
        now = time.monotonic()
        coming.begun = coming.begun or now
        coming.come += count
        if coming.come > self._most:
            self._ended("the object is too large", coming.address)
        elif now - coming.begun > self._message_s:
            self._ended("the message takes too long", coming.address)
        else:
            return True
        return False

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
        self._coming[association].is_whole()
        if place is None or (self._room.has_whole(place) and self._room.serves(place)):
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
        coming, place = self._coming[event.assoc], self._places.get(event.assoc)
        with coming.lock:
            coming.is_whole()
            coming.unanswered += "MessageIDBeingRespondedTo" not in event.message.command_set
            is_anothers = place is not None and not self._room.has_whole(place)
        if is_anothers:  # it sends again
            event.assoc.dul.socket.close()
            return
        if event.assoc.dimse.msg_queue.qsize() > _WAITING:
            self._ended("it waits for no answer", coming.address)
            event.assoc.dul.socket.close()
            return
        answer(event, self._lacks, lambda why: self._ended(why, coming.address))

    def _answered(self, event: Any) -> None:
        """What is sent here is answers only. Where the next message has begun meanwhile, it waits from now on.

        So does one that has not: pynetdicom counts a peer as idle since what came last, also while that is answered.
        """
        event.assoc.dul._idle_timer.restart()
        coming, place = self._coming[event.assoc], self._places.get(event.assoc)
        with coming.lock:
            coming.unanswered = max(0, coming.unanswered - 1)
            if place is not None and not coming.unanswered and coming.begun is not None:
                self._room.hears(place, 0)
