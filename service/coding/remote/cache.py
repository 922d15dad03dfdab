"""Answers kept for a while, the longest unused ones given up first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """At most ``entries`` answers, each for ``ttl_s`` seconds of ``clock``."""

    def __init__(self, entries: int, ttl_s: float, clock: Callable[[], float]) -> None:
        """Start empty."""
        self._most = entries
        self._ttl_s = ttl_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """An answer that is not too old."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            if found[0] <= self._clock():
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, value: T) -> None:
        """Keep an answer."""
        with self._lock:
            self._kept[key] = (self._clock() + self._ttl_s, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)
