"""A run over NDJSON: output, side files, journal, progress and summary.

A file can be gone on with after a kill, by its journal. What comes on standard input or through a pipe has none.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import UnsupportedOperation
from pathlib import Path
from types import FrameType
from typing import IO, Final, NoReturn

import orjson

from service.commands.answering import STANDARD_OUTPUT, hold_open
from service.commands.arriving import Arriving
from service.commands.conversion import Conversion, Wish
from service.commands.identity import identity, said_changed
from service.commands.inputs import NDJSON, STANDARD_INPUT, comes_once, into, named, opened, real
from service.commands.journal import Begun, Growing, Journal, Mark, OtherRun, Passing, Running
from service.commands.lines import Converted, Killed, Refusal, Work, converted, parts
from service.commands.progress import progress
from service.commands.speaking import counted, problems_said, say, stop
from service.pipeline import Format

MARK_S: Final = 2.0
"""How often a mark is made: so much is done again after a kill."""
MAX_REFUSALS_SAID: Final = 100
BEGUN: Final = "a conversion into this was interrupted: `--resume` goes on with it"
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
    once = comes_once(path)
    _possible(wish, path, ask, place, into_one=into_one, once=once)
    folder = None if into_one else Path(ask.out)
    work = Work(Conversion(wish), path, folder, losses=ask.losses is not None, once=once)
    with opened(path) as file:
        if not into_one:
            into(ask.out)
        mark = _once(work, ask, file) if once else _kept(work, ask, place, file)
    where = "standard output" if ask.out == STANDARD_OUTPUT else ask.out
    say(f"{mark.made} converted, {mark.refused} refused, {counted(mark.lost, 'loss', 'losses')}; in {where}")
    return mark.refused


def _once(work: Work, ask: Ask, file: IO[bytes]) -> Mark:
    """Convert what comes once, to its end; each line is given out though no further one comes."""
    mark = Mark()
    files = _Files(mark, ask, folder=work.folder is not None)
    try:
        with _ended_in_order(), progress(mark, None, passes=ask.out == STANDARD_OUTPUT) as told:
            for mark in _marks(work, _arriving(file, work), files, Mark(), ask=ask):
                files.pass_on()
                told.at(mark)
        files.finish()
    except BaseException as error:  # whatever ends it, its files look whole
        files.end_at(mark)
        _incomplete(mark, ask)
        if isinstance(error, Killed):
            stop("a process was killed (out of memory?)")
        raise
    return mark


def _arriving(file: IO[bytes], work: Work) -> IO[bytes] | Arriving:
    """Its lines as they come, or what has no descriptor, and waits for nobody, as it is."""
    try:
        return Arriving(file.fileno(), work.wish.deployment.limits.body_bytes + 2)
    except UnsupportedOperation:
        return file


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """What asks the process to end lets it say first what it leaves behind."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}

    def end(number: int, _: FrameType | None) -> NoReturn:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for one in [one for one, way in before.items() if way is signal.SIG_DFL]:  # nohup's is to stay
        signal.signal(one, end)
    try:
        yield
    finally:
        for one, way in before.items():
            signal.signal(one, way)


def _incomplete(mark: Mark, ask: Ask) -> None:
    """Say what an interrupted run leaves, and how to go on where nothing can be read again."""
    out = "standard output" if ask.out == STANDARD_OUTPUT else ask.out
    files = [out, *(str(one) for one in (ask.errors, ask.losses) if one is not None)]
    say(
        f"interrupted behind line {mark.lines} of what came: incomplete: {', '.join(files)}. To go on, send what comes "
        f"behind that line (`tail -n +{mark.lines + 1}`), with other names for the outputs; or begin anew"
    )


def _kept(work: Work, ask: Ask, place: Path, file: IO[bytes]) -> Mark:
    """Convert a file, from where an interrupted run stood where it is gone on with."""
    size = os.fstat(file.fileno()).st_size
    journal = _journal(place, identity(work.wish, work.path, ask), work.wish, resume=ask.resume)
    mark = journal.mark
    try:
        files = _begun(journal, place, lambda: _Files(journal.mark, ask, folder=work.folder is not None))
        with progress(mark, size, passes=False) as told:
            file.seek(mark.read)
            noted = time.monotonic()
            for mark in _marks(work, file, files, journal.mark, ask=ask, small=size <= SMALL):
                told.at(mark)
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
    work: Work, file: IO[bytes] | Arriving, files: "_Files", mark: Mark, *, ask: Ask, small: bool = False
) -> Iterator[Mark]:
    """Convert the rest of a file behind a mark; where it is after each part, once that is written."""
    found = parts(file, work.wish.deployment.limits.body_bytes, mark.lines, mark.read)
    jobs = 1 if small else ask.jobs or len(os.sched_getaffinity(0))
    said = mark.refused
    for part, made in converted(work, found, jobs, file if isinstance(file, Arriving) else None):
        if ask.errors is None:
            said = _refusals_said(named(work.path), made.refusals, said)
        files.add(made)
        mark = files.mark(mark, part.last, part.end, made)
        yield mark


def _possible(wish: Wish, path: str, ask: Ask, place: Path, *, into_one: bool, once: bool) -> None:
    """End where what is asked for can't be done."""
    passes = ask.out == STANDARD_OUTPUT
    if passes and not once:
        stop("many documents need a folder: give -o FOLDER, or -o FILE.ndjson")
    if into_one and wish.to in (Format.SR, Format.PDF):
        stop("it is no line of text: give -o FOLDER")
    if once and ask.resume:
        stop("--resume is for a file: what comes on standard input or through a pipe comes once")
    if passes:
        hold_open(has_out=True)
    if once and not passes and place.exists():
        stop(f"{BEGUN}; to begin anew remove {place}")
    written = [
        *(() if passes else (real(Path(ask.out)), real(place))),
        *(real(one) for one in (ask.errors, ask.losses) if one is not None),
    ]
    source = real(Path("/dev/stdin" if path == STANDARD_INPUT else path))
    if source in written or len(set(written)) < len(written):
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
        self._place_of_losses = ask.losses
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

    def pass_on(self) -> None:
        """Whoever reads them finds all of it."""
        for file in (self._out, self._errors, self._losses):
            file.pass_on()

    def end_at(self, mark: Mark) -> None:
        """Close the files of a run that ends at a mark; the list of losses is whole JSON, or removed."""
        for file, length in ((self._out, mark.out), (self._errors, mark.errors)):
            with suppress(OSError):  # what can't be written is what ended it
                file.cut(length)
                file.close()
        try:
            self._losses.cut(mark.losses)
            self._end_losses()
            self._losses.close()
        except OSError:
            if self._place_of_losses is not None:
                self._place_of_losses.unlink(missing_ok=True)

    def finish(self) -> None:
        """Write the ends and close."""
        self._end_losses()
        self.settle()
        for file in (self._out, self._errors, self._losses):
            file.close()

    def _end_losses(self) -> None:
        if not self._as_lines:
            self._losses.add(b"\n]\n" if self._losses.length else b"[]\n")


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
