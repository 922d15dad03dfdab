"""How often a caller may ask: so many requests a minute, counted in the database for all processes together.

A caller without a bound costs nothing. While the database is away each process counts for itself, so that what needs
no database goes on and is bounded.
"""

import math
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from service.domain.errors import Problem, Throttled, Unavailable


class Rates:
    """The requests of each caller; ``per_minute`` 0: without bound.

    ``shared`` counts a request of a caller for all processes: 0 where it may be, else the seconds until one may.
    """

    def __init__(
        self, per_minute: int, shared: Callable[[str, int], float], now: Callable[[], float] = time.time
    ) -> None:
        """Take the bound of callers that have none of their own."""
        self._per_minute, self._shared, self._now = per_minute, shared, now

    def count(self, name: str, own: int) -> None:
        """Count a request; raises Throttled with the seconds until the next one is taken."""
        most = own or self._per_minute
        if most == 0:
            return
        try:
            left = self._shared(name, most)
        except Unavailable:
            left = self._alone(name, most)
        if left > 0:
            wait = math.ceil(left)
            why = f"more than {most} requests a minute; the next one is taken in {wait} s"
            raise Throttled(Problem("", "rate", why), after_s=wait)

    @cached_property
    def _limiter(self) -> Any:
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        return MovingWindowRateLimiter(MemoryStorage())

    def _alone(self, name: str, most: int) -> float:
        """The same for this process alone."""
        from limits import RateLimitItemPerMinute

        item = RateLimitItemPerMinute(most)
        if self._limiter.hit(item, name):
            return 0.0
        return max(1.0, float(self._limiter.get_window_stats(item, name).reset_time) - self._now())
