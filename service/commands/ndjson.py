"""A run over NDJSON: output, side files, journal, progress and summary.

A file can be gone on with after a kill, by its journal. What comes on standard input comes once, and has none.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

import orjson

from service.commands.conversion import Wish
from service.commands.identity import identity, said_changed
from service.commands.inputs import NDJSON, STANDARD_INPUT, into, named
from service.commands.journal import Begun, Growing, Journal, Mark, OtherRun, Passing, Running
from service.commands.lines import Converted, Killed, Refusal, Work, converted, parts
from service.commands.speaking import counted, lasting, problems_said, say, stop
from service.pipeline import Format

MARK_S: Final = 2.0
"""How often a mark is made: so much is done again after a kill."""
SAY_S: Final = 10.0
"""How often progress is said where there is no terminal."""
MAX_REFUSALS_SAID: Final = 100
BEGUN: Final = "a conversion into this was interrupted: `--resume` goes on with it"
STANDARD_OUTPUT: Final = "-"
SMALL: Final = 256 * 1024
"""A file up to this is converted by one process: more would take longer to begin."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The options of `convert` that are about NDJSON."""

    out: str
    errors: Path | None = None
    losses: Path | None = None
    jobs: int = 0
    resume: bool = False
    masks: tuple[str, ...] = ()
    """The names of the wish's masks."""


def run(wish: Wish, path: str, ask: Ask) -> int:
    """Convert every line; the number of those refused."""
    into_one = ask.out == STANDARD_OUTPUT or Path(ask.out).suffix.lower() in NDJSON
    place = Path(f"{ask.out.rstrip('/')}.journal")
    _possible(wish, path, ask, place, into_one=into_one)
    size = None if path == STANDARD_INPUT else Path(path).stat().st_size
    if not into_one:
        into(ask.out)
    work = Work(wish, path, None if into_one else Path(ask.out), losses=ask.losses is not None)
    mark = _once(work, ask) if size is None else _kept(work, ask, place, size)
    where = "standard output" if ask.out == STANDARD_OUTPUT else ask.out
    say(f"{mark.made} converted, {mark.refused} refused, {counted(mark.lost, 'loss', 'losses')}; in {where}")
    return mark.refused


def _once(work: Work, ask: Ask) -> Mark:
    """Convert what comes on standard input, to its end."""
    mark = Mark()
    files = _Files(mark, ask, folder=work.folder is not None)
    try:
        with _progress(mark, None) as progress:
            for mark in _marks(work, sys.stdin.buffer, files, Mark(), ask=ask):
                progress.at(mark)
        files.finish()
    except Killed:
        stop("a process was killed (out of memory?); what came on standard input has to come again")
    return mark


def _kept(work: Work, ask: Ask, place: Path, size: int) -> Mark:
    """Convert a file, from where an interrupted run stood where it is gone on with."""
    path = work.path
    journal = _journal(place, identity(work.wish, path, ask), work.wish, resume=ask.resume)
    mark = journal.mark
    try:
        files = _begun(journal, place, lambda: _Files(journal.mark, ask, folder=work.folder is not None))
        with Path(path).open("rb") as file, _progress(mark, size) as progress:
            file.seek(mark.read)
            noted = time.monotonic()
            for mark in _marks(work, file, files, journal.mark, ask=ask, small=size <= SMALL):
                progress.at(mark)
                if time.monotonic() - noted > MARK_S:
                    files.settle()
                    journal.note(mark)
                    noted = time.monotonic()
        files.finish()
        journal.end(place)
    except OtherRun:
        stop(f"a file of the interrupted run is shorter than {place} says: remove that and begin anew")
    except Killed:
        stop("a process was killed (out of memory?); `--resume` goes on from the last mark")
    except KeyboardInterrupt:
        say("interrupted; `--resume` goes on from the last mark")
        raise
    finally:
        journal.close()
    return mark


def _marks(
    work: Work, file: IO[bytes], files: "_Files", mark: Mark, *, ask: Ask, small: bool = False
) -> Iterator[Mark]:
    """Convert the rest of a file behind a mark; where it is after each part, once that is written."""
    found = parts(file, work.wish.deployment.limits.body_bytes, mark.lines, mark.read)
    jobs = 1 if small else ask.jobs or len(os.sched_getaffinity(0))
    said = mark.refused
    for part, made in converted(work, found, jobs):
        if ask.errors is None:
            said = _refusals_said(named(work.path), made.refusals, said)
        files.add(made)
        mark = files.mark(mark, part.last, part.end, made)
        yield mark


def _possible(wish: Wish, path: str, ask: Ask, place: Path, *, into_one: bool) -> None:
    """End where what is asked for can't be done."""
    comes_once, passes = path == STANDARD_INPUT, ask.out == STANDARD_OUTPUT
    if passes and not comes_once:
        stop("many documents need a folder: give -o FOLDER, or -o FILE.ndjson")
    if into_one and wish.to in (Format.SR, Format.PDF):
        stop("it is no line of text: give -o FOLDER")
    if comes_once and ask.resume:
        stop("--resume is for a file: what comes on standard input comes once")
    if comes_once and not passes and place.exists():
        stop(f"{BEGUN}; to begin anew remove {place}")
    written = [
        *(() if passes else (Path(ask.out).resolve(), place.resolve())),
        *(one.resolve() for one in (ask.errors, ask.losses) if one is not None),
    ]
    if (not comes_once and Path(path).resolve() in written) or len(set(written)) < len(written):
        stop("the input, the output, its journal and each side file are files of their own")


def _journal(place: Path, run_of: Mapping[str, str], wish: Wish, *, resume: bool) -> Journal:
    try:
        return Journal.open(place, run_of, resume=resume)
    except Running:
        stop("another process is at this conversion")
    except Begun:
        stop(f"{BEGUN}; to begin anew remove {place}")
    except OtherRun as error:
        stop(
            f"{place} is of another run: since then {said_changed(error.changed, wish.deployment)}. "
            "Put back what it was, or remove it to begin anew"
        )
    except (ValueError, TypeError):
        stop(f"{place} can't be read as the journal of a run: remove it to begin anew")


def _begun(journal: Journal, place: Path, opened: "Callable[[], _Files]") -> "_Files":
    """The files of a run; where they can't be opened, one that did nothing yet leaves no journal to go on with."""
    try:
        return opened()
    except OSError:
        if journal.mark == Mark():
            journal.end(place)
        raise


class _Files:
    """What a run writes, beside the files of a folder."""

    def __init__(self, mark: Mark, ask: Ask, *, folder: bool) -> None:
        self._folder = folder
        self._out: Passing | Growing = (
            Passing() if ask.out == STANDARD_OUTPUT else Growing(None if folder else Path(ask.out), mark.out)
        )
        self._errors = Growing(ask.errors, mark.errors)
        self._losses = Growing(ask.losses, mark.losses)
        self._as_lines = ask.losses is not None and ask.losses.suffix.lower() in NDJSON

    def add(self, made: Converted) -> None:
        """Write what became of a part."""
        for line in made.out:
            self._out.add(line + b"\n")
        for refused in made.refusals:
            self._errors.add(b"".join(_row(refused)))
        for loss in made.losses:
            self._losses.add(loss + b"\n" if self._as_lines else (b",\n" if self._losses.length else b"[\n") + loss)

    def mark(self, before: Mark, lines: int, read: int, made: Converted) -> Mark:
        """Where the run is once this part is written."""
        return Mark(
            lines=lines,
            read=read,
            out=self._out.length,
            errors=self._errors.length,
            losses=self._losses.length,
            made=before.made + made.made,
            refused=before.refused + len(made.refusals),
            lost=before.lost + made.lost,
        )

    def settle(self) -> None:
        """All of it is on the disk when this returns."""
        for file in (self._out, self._errors, self._losses):
            file.settle()
        if self._folder:
            os.sync()  # the files of a folder were written by others, thousands of them

    def finish(self) -> None:
        """Write the ends and close."""
        if not self._as_lines:
            self._losses.add(b"\n]\n" if self._losses.length else b"[]\n")
        self.settle()
        for file in (self._out, self._errors, self._losses):
            file.close()


def _row(refused: Refusal) -> Iterator[bytes]:
    for problem in refused.problems:
        row = {"line": refused.line, "pointer": problem.pointer, "rule": problem.rule, "detail": problem.detail}
        more = {"candidates": list(problem.candidates)} if problem.candidates else {}
        yield orjson.dumps({**row, **more}) + b"\n"


def _refusals_said(path: str, refusals: list[Refusal], said: int) -> int:
    """Say those that there is room for; how many were met by now."""
    for refused in refusals:
        if said < MAX_REFUSALS_SAID:
            problems_said(f"{path}, line {refused.line}", refused.title, refused.problems)
        elif said == MAX_REFUSALS_SAID:
            say("further refusals are counted only; `--errors FILE` takes them all")
        said += 1
    return said


class _Progress(Protocol):
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
def _progress(mark: Mark, size: int | None) -> Iterator[_Progress]:
    """A bar with rate and time left, where a size is known, on a terminal, lines elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Spoken(mark, size)
        return
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("line {task.fields[line]:,}, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("converting", total=size, completed=mark.read, line=mark.lines, rate=0.0)
        began, first = time.monotonic(), mark.lines

        class Bar:
            def at(self, mark: Mark) -> None:
                rate = (mark.lines - first) / max(0.001, time.monotonic() - began)
                bars.update(task, completed=mark.read, line=mark.lines, rate=rate)

        yield Bar()
