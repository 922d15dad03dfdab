"""`lesionbridge batch`: batches of the service: one sent, which there are, how far each is, and no more of one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final
from uuid import UUID

import click

from service.access.events import Arrival
from service.commands.answering import answer, answering, done
from service.commands.inputs import opened
from service.commands.speaking import COUNT, REFUSED, counted, lasting, refusing, say, settings, stop, store
from service.commands.trail import Act, acting
from service.commands.writing import BUNDLE, DIALECT, LANGUAGE, PROFILE
from service.domain.errors import Unavailable
from service.pipeline import IODS, READERS, Format, Options

if TYPE_CHECKING:
    from service.domain.limits import Limits
    from service.store.batches import Batch, BatchStore

LOOK_S: Final = 1.0
"""How often one that is followed is looked at."""
SAY_S: Final = 10.0
"""How often progress is said where there is no terminal."""
CHUNK: Final = 65_536
"""Bytes of a file that are read at a time."""
OF_LINES: Final = [
    str(one) for one in READERS if one in {Format.FINDINGS, Format.FHIR_R4, Format.FHIR_R5, Format.DCMQI}
]
"""Formats of which a document stands in one line."""
INTERRUPTED: Final = 130
"""The exit code of who waits and is interrupted, as a shell has it: 128 and the number of SIGINT."""
STATES: Final = ("running", "done", "cancelled")
"""The words of `service.store.batches`, which comes with the database."""


@click.group("batch")
def command() -> None:
    """Batches of reports that the service keeps and delivers (docs/batches.md)."""


@command.command("send")
@click.argument("path", metavar="FILE")
@click.option("--deliver", metavar="NAMES", default="", help="Where to, divided by commas; by the rules when absent.")
@click.option("--from", "form", type=click.Choice(OF_LINES), help="Of every line; found out when absent.")
@click.option("--sender", metavar="NAME", default="", help="Only reports of this sender are taken.")
@DIALECT
@BUNDLE
@PROFILE
@LANGUAGE
@click.option("--iod", type=click.Choice(IODS), help="Of the SR; by need when absent.")
@click.option("--check", is_flag=True, help="Read SR and FHIR of each back and compare them with the report first.")
@click.option("--validate", is_flag=True, help="Hold FHIR documents to FHIR's definitions (fhir.resources) first.")
@answering
def send(path: str, *, deliver: str, form: str | None, sender: str, validate: bool, **options: Any) -> None:
    """Give the service a batch: FILE (NDJSON, or `-`), one report a line. Its id is the output.

    It is as `POST /v1/batches`, and ends once all lines are in the database; `batch follow` waits for what becomes of
    them. Exit 2: refused as a whole, and nothing of it is kept.
    """
    from service.destinations import load
    from service.workflows.accepting import chosen
    from service.workflows.batching import Asked
    from service.workflows.taking import take

    here = settings()
    everything = store(here)
    with acting(here, everything, Act(Arrival.DOCUMENT, "batch send")) as act, opened(path) as file:
        if deliver:
            chosen(deliver, load(here.destinations_file, os.environ))
        asked = Asked(Options(**options), form or "", deliver, validate)
        made = take(everything.batches, sender, asked, _chunks(file, here.limits), here.limits)
        act.about(("batch", made))
    with done(f"the batch is kept as {made}"):
        answer(made)
    say(f"{counted(everything.batches.get(made).lines, 'line')} to be worked on")


def _chunks(file: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """A file as it is read; raises TooLarge."""
    from service.workflows.taking import batch_too_large

    came = 0
    while chunk := file.read(CHUNK):
        came += len(chunk)
        if came > limits.batch_bytes:
            raise batch_too_large()
        yield chunk


@command.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--limit", type=COUNT, default=20, show_default=True, help="The newest so many.")
@answering
def list_(state: str | None, limit: int) -> None:
    """List batches, the newest first: id, state, when it came, lines done and in all, kept, known, refused."""
    found = store(settings()).batches.list(state, limit=limit)
    for one in found:
        numbers = (f"{one.done}/{one.lines}", one.kept, one.known, one.refused)
        answer("\t".join(map(str, (one.id, one.state, one.created, *numbers))))
    say(counted(len(found), "batch", "batches"))


@command.command("show")
@click.argument("id", metavar="ID")
@click.option("--refused", is_flag=True, help="Also why lines were refused: line, pointer, rule and detail.")
@click.option("--limit", type=COUNT, default=100, show_default=True, help="So many refused lines at most.")
@answering
def show(id: str, *, refused: bool, limit: int) -> None:  # noqa: A002 - as the other commands name it
    """Say how far a batch is, a name and a value a line."""
    from service.store.batches import REFUSED as LINE_REFUSED

    kept = store(settings()).batches
    one = kept.get(_id(id))
    said: dict[str, object] = {
        "id": one.id,
        "state": one.state,
        "created": one.created,
        "settled": one.settled,
        "total": one.lines,
    }
    said |= {"done": one.done, "kept": one.kept, "known": one.known, "refused": one.refused}
    said |= {"rate": one.rate and round(one.rate, 3), "leftSeconds": one.left_s and round(one.left_s)}
    for name, value in said.items():
        answer(f"{name}\t{'' if value is None else value}")
    for at in kept.outcomes(one.id, limit=limit, outcome=LINE_REFUSED) if refused else ():
        for problem in at.problems:
            answer(f"line {at.line}\t{problem.pointer}\t{problem.rule}\t{problem.detail}")


@command.command("follow")
@click.argument("id", metavar="ID")
@refusing
def follow(id: str) -> None:  # noqa: A002 - as the other commands name it
    """Wait until a batch is over, with its progress on standard error.

    Exit 0: done, and no line was refused; 2: lines were refused, or it was cancelled, or is not there. Ctrl-C ends the
    waiting only (exit 130).
    """
    name = _id(id)
    try:
        one = _over(store(settings()).batches, name)
    except KeyboardInterrupt:
        say(f"the batch goes on: `lesionbridge batch follow {name}` waits again, `batch cancel` ends it")
        sys.exit(INTERRUPTED)
    say(f"{one.state}: {_numbers(one)}")
    if one.state != "done" or one.refused:
        sys.exit(REFUSED)


def _over(kept: BatchStore, name: str) -> Batch:
    """A batch once nothing more of it is worked on; how far it is is said meanwhile."""
    one = kept.get(name)
    with _progress(one) as tell:
        while one.state == "running":
            time.sleep(LOOK_S)
            one = _looked(kept, one)
            tell(one)
    return one


@command.command("cancel")
@click.argument("id", metavar="ID")
@refusing
def cancel(id: str) -> None:  # noqa: A002 - as the other commands name it
    """Take up no further line of a batch; what is kept stays, and is delivered."""
    here = settings()
    everything = store(here)
    with acting(here, everything, Act(Arrival.NO_FURTHER, "batch cancel")) as act:
        one = everything.batches.cancel(_id(id))
        act.about(("batch", one.id))
    say(f"cancelled: {_numbers(one)}; {counted(one.lines - one.done, 'line')} not taken up")


def _id(said: str) -> str:
    try:
        return str(UUID(said))
    except ValueError:
        stop("a batch is named by its id, as `lesionbridge batch list` has it")


def _looked(kept: BatchStore, before: Batch) -> Batch:
    """How far it is now; a database that is away for a while ends no waiting."""
    try:
        return kept.get(before.id)
    except Unavailable:
        return before


def _numbers(one: Batch) -> str:
    return f"{one.done} of {counted(one.lines, 'line')}, {one.kept} kept, {one.known} known, {one.refused} refused"


def _paced(one: Batch) -> str:
    """The rate and the time left, where they are known."""
    if one.rate is None or one.left_s is None:
        return "not begun yet: is a worker running?" if not one.done else ""
    return f"{one.rate:,.1f} lines a second, about {lasting(one.left_s)} left"


@contextmanager
def _progress(first: Batch) -> Iterator[Callable[[Batch], None]]:
    """A bar on a terminal, a line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        said = time.monotonic() - SAY_S

        def tell(one: Batch) -> None:
            nonlocal said
            if time.monotonic() - said >= SAY_S and one.state == "running":
                said = time.monotonic()
                say(", ".join(part for part in (_numbers(one), _paced(one)) if part))

        yield tell
        return
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(_paced(first), total=first.lines, completed=first.done)
        yield lambda one: bars.update(task, completed=one.done, description=f"{_numbers(one)} {_paced(one)}")
