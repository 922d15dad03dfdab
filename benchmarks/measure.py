"""Timing: rounds that take each contestant in turn, so that a slow moment of the machine hits all of them.

Seconds are of processor time: nobody waits for anything, and a busy neighbour counts less. What runs in a process of
its own tells its own; of a program that is started each time, start and end count too.
"""

import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from service.commands.serve import settle_memory

_FAST_S = 0.1  # work quicker than this is repeated within a round, so that it is timed as it runs on and on


class Contestant(Protocol):
    """Somebody who does the work."""

    def seconds(self, repeats: int) -> float:
        """Processor seconds for one of so many repeats."""
        ...


@dataclass(frozen=True)
class Here:
    """Work in this process."""

    work: Callable[[], object]

    def seconds(self, repeats: int) -> float:
        """Do it."""
        gc.collect()
        began = time.process_time()
        for _ in range(repeats):
            self.work()
        return (time.process_time() - began) / repeats


class Beside:
    """A process that stays, in another language or environment: a line in with the work, a line out with its seconds.

    Its first line names itself: what works it does, and its versions.
    """

    def __init__(self, command: Sequence[str], folder: Path, **variables: str) -> None:
        """Start it, with these environment variables besides."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=os.environ | variables,
        )
        self.about: dict[str, object] = self._line()

    def _line(self) -> dict[str, object]:
        assert self._process.stdout is not None
        said: dict[str, object] = json.loads(self._process.stdout.readline())
        return said

    def ask(self, **said: object) -> dict[str, object]:
        """One line in, one line out."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        return self._line()

    def work(self, name: str) -> "Asked":
        """One of its works as a contestant."""
        return Asked(self, name)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@dataclass(frozen=True)
class Asked:
    """One work of a process beside this one."""

    process: Beside
    name: str

    def seconds(self, repeats: int) -> float:
        """Ask for it."""
        return float(str(self.process.ask(work=self.name, repeats=repeats)["seconds"])) / repeats


@dataclass(frozen=True)
class Program:
    """A program that is started for each document."""

    command: tuple[str, ...]

    def seconds(self, repeats: int) -> float:
        """Run it."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(repeats):
            subprocess.run(self.command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / repeats


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


def interleaved(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, Timing]:
    """Each contestant once a round, after one warm-up."""
    repeats = {name: _repeats(contestant) for name, contestant in contestants.items()}
    settle_memory()  # as our server does once it has loaded everything; for all who work here alike
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            seconds[name].append(contestant.seconds(repeats[name]))
    return {name: Timing(name, tuple(values)) for name, values in seconds.items()}


def _repeats(contestant: Contestant) -> int:
    contestant.seconds(1)
    return max(1, int(_FAST_S / max(contestant.seconds(1), 1e-6)))


def machine() -> dict[str, object]:
    """What ran and with which versions."""
    packages = ("highdicom", "pydicom", "fhir.resources", "orjson", "marshmallow", "numpy")
    return {
        "machine": _model() or platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": sys.version.split()[0],
        **{name: version(name) for name in packages},
    }


def _model() -> str:
    """The name of the processor (Linux)."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
