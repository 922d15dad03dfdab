"""Whoever brings a server what several reports share goes alone, until it is known to be there.

A conditional create says "unless there is one" (R4 http.html#ccreate), but a server may look and create in two steps.
Two reports of one device, patient or study that come at the same time then leave two of it, and from there on every
report is refused, since the condition matches several (412). Within a process it knows who is under way; what others
are at it asks of who can tell.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from service.delivery.destination import Answer

_KEPT: Final = 10_000
"""So many conditions are remembered; of one that is forgotten the next report goes alone once more."""
_PAUSE_S: Final = 0.05
"""Until another process is asked for again."""


class Holds(Protocol):
    """Names that one process at a time holds."""

    def take(self, names: Iterable[str]) -> bool:
        """Hold all of these or none, without waiting; whether this process may go on."""
        ...

    def give_back(self, names: Iterable[str]) -> None:
        """Let others have them; those that are not held stay as they are."""
        ...


class Alone:
    """Where no other process delivers: every name is free."""

    def take(self, names: Iterable[str]) -> bool:  # noqa: ARG002 - there is nobody to ask
        """Go on."""
        return True

    def give_back(self, names: Iterable[str]) -> None:
        """Nothing is held."""


class Firsts:
    """What is known to be at one destination, and what is being brought there."""

    def __init__(self, longest_s: float, holds: Holds | None = None, place: str = "") -> None:
        """``longest_s``: whoever has waited so long for another goes on, since to hang behind one that hangs is worse
        than what might be doubled. ``holds`` is what processes share, ``place`` the server.
        """
        self._longest_s = longest_s
        self._holds = holds or Alone()
        self._place = place
        self._free = threading.Condition()
        self._under_way: set[str] = set()
        self._known: OrderedDict[str, None] = OrderedDict()

    def run(self, shared: frozenset[str], send: Callable[[], Answer]) -> Answer:
        """Send what brings these along, alone among those that bring one of them while it is not known to be there."""
        until = time.monotonic() + self._longest_s
        mine = self._begin(shared)
        names = {f"{self._place} {one}" for one in mine}
        try:
            while not self._holds.take(names) and time.monotonic() < until:
                threading.Event().wait(_PAUSE_S)
            answer = send()
            if answer.outcome.is_kept:
                self._keep(shared)
            return answer
        finally:
            self._holds.give_back(names)
            with self._free:
                self._under_way -= mine
                self._free.notify_all()

    def _begin(self, shared: frozenset[str]) -> frozenset[str]:
        """Wait for those who bring the same; what is new of it is this one's to bring, all of it at once."""
        with self._free:
            self._free.wait_for(lambda: not self._new(shared) & self._under_way, self._longest_s)
            mine = self._new(shared) - self._under_way
            self._under_way |= mine
            return mine

    def _new(self, shared: frozenset[str]) -> frozenset[str]:
        return frozenset(one for one in shared if one not in self._known)

    def _keep(self, shared: frozenset[str]) -> None:
        with self._free:
            for one in shared:
                self._known[one] = None
                self._known.move_to_end(one)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
