"""How often a caller may ask: so many requests a minute, counted by each process for itself in a moving window."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from service.domain.errors import Problem, Throttled


class Rates:
    """The requests of each caller; ``per_minute`` 0: without bound."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.time) -> None:
        """Take the bound of callers that have none of their own."""
        self._per_minute, self._now = per_minute, now

    @cached_property
    def _limiter(self) -> Any:
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        return MovingWindowRateLimiter(MemoryStorage())

    def count(self, name: str, own: int) -> None:
        """Count a request; raises Throttled with the seconds until the next one is taken."""
        most = own or self._per_minute
        if most == 0:
            return
        from limits import RateLimitItemPerMinute

        item = RateLimitItemPerMinute(most)
        if not self._limiter.hit(item, name):
            wait = max(1, int(self._limiter.get_window_stats(item, name).reset_time - self._now()) + 1)
            why = f"more than {most} requests a minute; the next one is taken in {wait} s"
            raise Throttled(Problem("", "rate", why), after_s=wait)
