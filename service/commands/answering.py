"""What a command answers, on standard output or into a file: whole, or an end with the reason.

Where standard output is closed, a command ends before it does anything. One whose reader has enough ends without a word
(click's own exit 1), as other filters do.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

import click

from service.commands.speaking import refusing, say, stop
from service.commands.streams import Closed

if TYPE_CHECKING:
    from rich.table import Table

STANDARD_OUTPUT: Final = "-"
"""The path that means it."""
_WIDE: Final = 132
"""Columns of a table where no terminal says how many there are."""


def answering(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command as `refusing` makes it, that answers on standard output, unless its option ``out`` names a file."""

    @wraps(command)
    def begun(*args: Any, **options: Any) -> Any:
        if options.get("out", STANDARD_OUTPUT) == STANDARD_OUTPUT:
            hold_open(has_out="out" in options)
        return command(*args, **options)

    return refusing(begun)


def hold_open(*, has_out: bool) -> None:
    """End where standard output is closed."""
    if isinstance(sys.stdout, Closed):
        stop(f"standard output is closed: {'give -o' if has_out else 'let it lead to a file, or to /dev/null'}")


def answer(text: str) -> None:
    """One line on standard output; ends where it can't be written."""
    with passing_on():
        click.echo(text)


def show(table: "Table", wide: int = _WIDE) -> None:
    """A table on standard output, as wide as its terminal; ends where it can't be written."""
    from rich.console import Console

    with passing_on():
        Console(width=None if Console().is_terminal else wide).print(table)


def give(content: bytes, out: str = STANDARD_OUTPUT) -> None:
    """Bytes on standard output, or into a file; ends where it can't be written, raises OSError with the file's name."""
    if out == STANDARD_OUTPUT:
        with passing_on():
            output = standard_output()
            output.write(content)
            output.flush()
    else:
        keep(content, Path(out))


def keep(content: bytes, place: Path) -> None:
    """Write a file; raises OSError with its name."""
    with naming(str(place)):
        place.write_bytes(content)


def standard_output() -> IO[bytes]:
    """Standard output; ends where it is closed."""
    hold_open(has_out=True)
    return sys.stdout.buffer


@contextmanager
def passing_on() -> Iterator[None]:
    """What fails in the block failed at standard output: an end with the reason, for click where its reader ended."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        not_written(error)


def not_written(error: OSError) -> NoReturn:
    """End with why standard output can't be written."""
    with suppress(OSError):  # what is held back would be tried again when Python ends, and fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    stop(f"standard output can't be written: {error.strerror or type(error).__name__}")


@contextmanager
def naming(file: str) -> Iterator[None]:
    """What the system says of reading or writing, and of no file, is of this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = file
        raise


@contextmanager
def done(what: str) -> Iterator[None]:
    """The answer about something that was done; where it can't be given, that it was done is said."""
    try:
        yield
    except BaseException:
        say(what)
        raise
