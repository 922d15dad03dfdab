"""How a destination is dealt with, as values: time-outs, retries, rate, windows."""

import math
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, without a byte, and for one attempt in all."""

    connect_s: float = 5.0
    read_s: float = 30.0
    total_s: float = 120.0

    def __post_init__(self) -> None:
        """Hold that each is a time."""
        if not all(0 < seconds < math.inf for seconds in (self.connect_s, self.read_s, self.total_s)):
            raise ValueError("each time-out is above 0 seconds, and has an end")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again: the pause grows by ``factor`` from ``first_s`` to ``most_s``; ``attempts`` counts the first.

    ``jitter`` is the part of a pause that is left to luck, so that what failed together does not come back together.
    """

    attempts: int = 20
    first_s: float = 2.0
    factor: float = 2.0
    most_s: float = 900.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        """Hold the ranges."""
        if self.attempts < 1 or not 0 < self.first_s <= self.most_s < math.inf:
            raise ValueError("attempts is 1 or more, first_s above 0, and most_s not below first_s")
        if not 1 <= self.factor < math.inf or not 0 <= self.jitter <= 1:
            raise ValueError("factor is 1 or more, jitter 0 to 1")

    def pause_s(self, attempt: int, luck: float, asked_s: float | None = None) -> float:
        """Seconds to wait after attempt number ``attempt`` (from 1); ``luck`` is 0 to 1, ``asked_s`` the peer's wish.

        A peer that asks for a pause gets at least that (Retry-After, RFC 9110 10.2.3), even beyond ``most_s``.
        """
        steps = min(attempt - 1, 64)  # a float has room for that many doublings
        pause = min(self.most_s, self.first_s * self.factor**steps)
        pause *= 1 - self.jitter * luck
        return max(pause, asked_s or 0.0)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``deliveries`` in ``per_s`` seconds; 0 deliveries: no limit."""

    deliveries: int = 0
    per_s: float = 1.0

    def __post_init__(self) -> None:
        """Hold the ranges."""
        if self.deliveries < 0 or not 0 < self.per_s < math.inf:
            raise ValueError("deliveries is 0 or more, per_s above 0")


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of a day in which a backfill may run; ``opens`` after ``closes`` is a window over midnight."""

    opens: time
    closes: time
    zone: str = "UTC"

    def __post_init__(self) -> None:
        """Hold that there are hours in it, told by the clock of the zone, and that the zone is one."""
        if self.opens.tzinfo is not None or self.closes.tzinfo is not None:
            raise ValueError("opens and closes are times of day without an offset: `zone` says where")
        if self.opens == self.closes:
            raise ValueError("opens and closes are two times; without a window it is always open")
        try:
            ZoneInfo(self.zone)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("zone is the IANA name of a time zone, as Europe/Berlin") from error

    def is_open(self, now: datetime) -> bool:
        """Whether work may start at this instant."""
        there = now.astimezone(ZoneInfo(self.zone)).time()
        if self.opens <= self.closes:
            return self.opens <= there < self.closes
        return there >= self.opens or there < self.closes
