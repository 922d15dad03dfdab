"""Whoever brings a server what several reports share goes alone, until it is known to be there.

A conditional create says "unless there is one" (R4 http.html#ccreate), but a server may look and create in two steps.
Two reports of one device, patient or study that come at the same time then leave two of it, and from there on every
report is refused, since the condition matches several (412). This holds within one process; several may still meet.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from service.delivery.destination import Answer

_KEPT: Final = 10_000
"""So many conditions are remembered; of one that is forgotten the next report goes alone once more."""
_LONGEST_S: Final = 10.0
"""Whoever has waited so long goes on: to hang behind a server that hangs is worse than what might be doubled."""


class Firsts:
    """What is known to be at one destination, and what is being brought there."""

    def __init__(self, longest_s: float = _LONGEST_S) -> None:
        """``longest_s``: how long one waits for another."""
        self._longest_s = longest_s
        self._free = threading.Condition()
        self._under_way: set[str] = set()
        self._known: OrderedDict[str, None] = OrderedDict()

    def run(self, shared: frozenset[str], send: Callable[[], Answer]) -> Answer:
        """Send what brings these along, alone among those that bring one of them while it is not known to be there."""
        mine = self._begin(shared)
        try:
            answer = send()
            if answer.outcome.is_kept:
                self._keep(shared)
            return answer
        finally:
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
