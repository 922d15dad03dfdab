"""The lines of an NDJSON file, however many, converted on all cores; no more than a window of them is in memory.

Lines are dealt out in parts and taken back in their order. A line that is refused is a row of the errors; the others go
on. What one process does not survive ends the run, which can be gone on with.
"""

import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, Any, Final

import orjson

from service.commands.answering import keep
from service.commands.arriving import Arriving
from service.commands.conversion import Conversion, Wish
from service.commands.inputs import STANDARD_INPUT, Document, named, stem
from service.domain.errors import LesionBridgeError, Problem, TooLarge
from service.doors import suffix
from service.store.receipt import loss_row

PART_LINES: Final = 16
PART_BYTES: Final = 512 * 1024
"""A part ends with the line that reaches one of these."""
WINDOW: Final = 3
"""Parts under way for each process."""
_SKIPPED: Final = 65_536


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number from 1, without its end; ``body`` None: it is longer than a document may be."""

    number: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that are converted together, and where the file goes on behind them."""

    lines: tuple[Line, ...]
    last: int
    end: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line was refused."""

    line: int
    title: str
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Converted:
    """What became of a part: lines of output where they go into one file, refusals, rows of losses."""

    out: list[bytes] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    losses: list[bytes] = field(default_factory=list)
    made: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What is done with each line: a file in ``folder``, or where that is None a line of output.

    ``once``: the lines come through a pipe, whose name names no file.
    """

    conversion: Conversion
    path: str
    folder: Path | None
    losses: bool
    once: bool = False

    @property
    def wish(self) -> Wish:
        """What is wanted of each line."""
        return self.conversion.wish


def parts(file: IO[bytes] | Arriving, limit: int, after: int, end: int = 0) -> Iterator[Part]:
    """The rest of a file in parts, with ``after`` lines of ``end`` bytes before it; a line over ``limit`` is read past,
    not held. Where lines arrive, a part ends, too, where the next one is not there yet.
    """
    number, held, size = after, [], 0
    while raw := file.readline(limit + 2):
        number += 1
        end += len(raw)
        body: bytes | None = raw.rstrip(b"\r\n")
        if len(body or b"") > limit:
            body = None
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(_SKIPPED)
                end += len(raw)
        if body is None or body.strip():
            held.append(Line(number, body))
            size += len(body or b"")
        late = bool(held) and isinstance(file, Arriving) and not file.ready()
        if late or len(held) >= PART_LINES or size >= PART_BYTES:
            yield Part(tuple(held), number, end)
            held, size = [], 0
    if held or number > after:
        yield Part(tuple(held), number, end)


def converted(
    work: Work, found: Iterator[Part], jobs: int, arriving: Arriving | None = None
) -> Iterator[tuple[Part, Converted]]:
    """Each part with what became of it, in order; raises Killed, OSError.

    ``arriving``: what they are found in, where nothing that is done may wait for more to come.
    """
    if jobs == 1:
        for part in found:
            yield part, _part(work, part)
        return
    crew = _Crew(work, jobs)
    try:
        yield from crew.take(found, arriving)
    finally:
        crew.end()


class Killed(Exception):
    """A process of the crew is gone."""


class _Crew:
    """Processes that convert parts, each with a pipe of its own: one that is killed is seen, and blocks nobody."""

    def __init__(self, work: Work, jobs: int) -> None:
        context = get_context("fork")
        self._pipes: list[Connection[Any, Any]] = []
        self._processes = []
        for _ in range(jobs):
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            serve = context.Process(target=_serve, args=(work, theirs, tuple(self._pipes)), daemon=True)
            serve.start()
            theirs.close()
            self._processes.append(serve)

    def take(self, found: Iterator[Part], arriving: Arriving | None) -> Iterator[tuple[Part, Converted]]:
        """The parts in their order; no process has more than one, and no more than the window are not yet given out."""
        idle, at = list(self._pipes), {}
        late: list[int] = []  # the input, where nothing of it is there for one who is idle
        done: dict[int, tuple[Part, Converted]] = {}
        given = dealt = 0
        while True:
            late.clear()
            while idle and dealt - given < len(self._pipes) * WINDOW:
                if arriving is not None and not arriving.ready():
                    late.append(arriving.fileno())
                    break
                if (part := next(found, None)) is None:
                    break
                pipe = idle.pop()
                at[pipe] = (dealt, Part((), part.last, part.end))
                dealt += 1
                with suppress(BrokenPipeError, ConnectionResetError):  # seen below, where its answer is missing
                    pipe.send(part)
            if given in done:  # whoever was idle has something to do before the next one is given out
                yield done.pop(given)
                given += 1
            elif not at and not late:
                return
            else:
                ready = wait([*at, *late])
                for pipe in [one for one in at if one in ready]:
                    turn, part = at.pop(pipe)
                    done[turn] = part, _answer(pipe)
                    idle.append(pipe)

    def end(self) -> None:
        """End them, whatever they are at."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.terminate()
            process.join()


def _answer(pipe: "Connection[Any, Any]") -> Converted:
    try:
        made = pipe.recv()
    except (EOFError, OSError):  # an answer that was begun, too, ends in an OSError
        raise Killed from None
    if isinstance(made, OSError):
        raise made
    converted: Converted = made
    return converted


def _serve(work: Work, pipe: "Connection[Any, Any]", of_others: Sequence[Any]) -> None:
    """What a process of the crew does, until the one that began it closes the pipe or ends."""
    from service.commands.serve import settle_memory

    for other in of_others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever began it may have a way of its own to end
    settle_memory()
    with suppress(EOFError, OSError):  # whoever began it is gone, perhaps in the middle of a part
        while True:
            part = pipe.recv()
            try:
                made: Converted | OSError = _part(work, part)
            except OSError as error:
                made = error
            pipe.send(made)


def _part(work: Work, part: Part) -> Converted:
    """Convert the lines of a part; an error of ours in one of them is a refusal of that one."""
    made = Converted()
    for line in part.lines:
        try:
            _line(work, line, made)
        except LesionBridgeError as error:
            made.refusals.append(Refusal(line.number, error.title, error.problems))
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect that one line finds must not cost the others
            problem = Problem("", "internal", f"the service failed over this line ({type(error).__name__})")
            made.refusals.append(Refusal(line.number, LesionBridgeError.title, (problem,)))
    return made


def _line(work: Work, line: Line, made: Converted) -> None:
    name = f"{named(work.path)}, line {line.number}"
    if line.body is None:
        limit = work.wish.deployment.limits.body_bytes
        raise TooLarge(Problem("", "limit", f"the line is longer than {limit} bytes (setting limits.body_bytes)"))
    wish, made_as = work.wish, f"{stem(STANDARD_INPUT if work.once else work.path)}-{line.number:06d}"
    outcome = work.conversion(Document(name, made_as, line.body))
    content = outcome.outputs[wish.to].content
    if work.folder is not None:
        keep(content, work.folder / f"{made_as}{suffix(wish.to, wish.options)}")
    else:
        made.out.append(one_line(content, suffix(wish.to, wish.options)))
    made.made += 1
    made.lost += len(outcome.losses)
    if work.losses:
        made.losses.extend(orjson.dumps({"source": name, **loss_row(lost)}) for lost in outcome.losses)


def one_line(content: bytes, end: str) -> bytes:
    """A text as one line of NDJSON: JSON as it is, anything else as a JSON string."""
    return content.replace(b"\n", b"") if end.endswith(".json") else orjson.dumps(content.decode())
