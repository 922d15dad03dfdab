"""Timing: rounds that take each contestant in turn, so that a slow moment of the machine hits all of them.

Seconds are of processor time: all contestants work in one thread and wait for nothing; a busy neighbour counts less.
"""

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

_FAST_S = 0.02  # work quicker than this is repeated within a round, so that the clock's grain does not show


@dataclass(frozen=True, slots=True)
class Timing:
    """Processor seconds of one piece of work over the rounds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    def line(self) -> dict[str, object]:
        """As one line of output, in milliseconds."""
        return {
            "work": self.name,
            "median_ms": round(self.median * 1e3, 4),
            "min_ms": round(min(self.seconds) * 1e3, 4),
            "max_ms": round(max(self.seconds) * 1e3, 4),
            "rounds": len(self.seconds),
        }


def ratio(slow: Timing, quick: Timing) -> dict[str, object]:
    """How many times quicker, round by round: the median of the ratios, the least and the greatest."""
    ratios = [one / other for one, other in zip(slow.seconds, quick.seconds, strict=True)]
    return {
        "ratio": f"{slow.name} / {quick.name}",
        "median": round(statistics.median(ratios), 1),
        "min": round(min(ratios), 1),
        "max": round(max(ratios), 1),
    }


def interleaved(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Each contestant once a round, after one warm-up."""
    repeats = {name: _repeats(work) for name, work in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            seconds[name].append(_once(work, repeats[name]))
    return {name: Timing(name, tuple(values)) for name, values in seconds.items()}


def _repeats(work: Callable[[], object]) -> int:
    work()
    return max(1, int(_FAST_S / max(_once(work, 1), 1e-6)))


def _once(work: Callable[[], object], repeats: int) -> float:
    gc.collect()
    began = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - began) / repeats


def machine() -> dict[str, object]:
    """What ran and with which versions."""
    packages = ("highdicom", "pydicom", "fhir.resources", "orjson", "marshmallow", "numpy")
    return {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        **{name: version(name) for name in packages},
    }
