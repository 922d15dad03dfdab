"""A circuit breaker: after some failures in a row nothing is asked for a while, then one question tries again."""

import threading
from collections.abc import Callable


class Circuit:
    """Closed while all is well; ``clock`` gives seconds that never go back."""

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float]) -> None:
        """Open after so many failures in a row, for so many seconds."""
        self._most = failures
        self._open_s = open_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self._trying = False

    def allows(self) -> bool:
        """Whether to ask now; after the pause one caller is let through, the others wait for how it goes."""
        with self._lock:
            if self._failures < self._most:
                return True
            if self._trying or self._clock() < self._until:
                return False
            self._trying = True
            return True

    def succeeded(self) -> None:
        """It answered."""
        with self._lock:
            self._failures, self._trying = 0, False

    def failed(self) -> None:
        """It did not answer."""
        with self._lock:
            self._failures += 1
            self._trying = False
            if self._failures >= self._most:
                self._until = self._clock() + self._open_s
