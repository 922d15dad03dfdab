"""How far a run over NDJSON is: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from service.commands.journal import Mark
from service.commands.speaking import lasting, say

SAY_S: Final = 10.0
"""How often progress is said where there is no bar."""


class Progress(Protocol):
    def at(self, mark: Mark) -> None:
        """The run is here now."""
        ...


class _Spoken:
    """A line now and then: how much, how fast, how long still; ``size`` None: nobody knows."""

    def __init__(self, mark: Mark, size: int | None) -> None:
        self._from, self._size = mark, size
        self._began = self._said = time.monotonic()

    def at(self, mark: Mark) -> None:
        now = time.monotonic()
        if now - self._said >= SAY_S:
            self._said = now
            passed = now - self._began
            rate = (mark.lines - self._from.lines) / passed
            if self._size is None:
                say(f"line {mark.lines:,}, {rate:,.0f} lines a second")
                return
            left = passed * (self._size - mark.read) / max(1, mark.read - self._from.read)
            share = 100 * mark.read // max(1, self._size)
            say(f"{share} %, line {mark.lines:,}, {rate:,.0f} lines a second, about {lasting(left)} left")


@contextmanager
def progress(mark: Mark, size: int | None, *, passes: bool) -> Iterator[Progress]:
    """A bar with rate and time left, where a size is known, on a terminal, lines elsewhere.

    ``passes``: what is made goes to standard output; where that is a terminal, a bar would stand among it.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not console.is_terminal or (passes and sys.stdout.isatty()):
        yield _Spoken(mark, size)
        return
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("line {task.fields[line]:,}, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task("converting", total=size, completed=mark.read, line=mark.lines, rate=0.0)
        began, first = time.monotonic(), mark.lines

        class Bar:
            def at(self, mark: Mark) -> None:
                rate = (mark.lines - first) / max(0.001, time.monotonic() - began)
                bars.update(task, completed=mark.read, line=mark.lines, rate=rate)

        yield Bar()
