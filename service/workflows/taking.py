"""Taking a batch: its lines as they come, in parts, each in the database before the next is read."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from service.domain.errors import Invalid, Problem, TooLarge
from service.domain.limits import Limits
from service.store.batches import BatchStore
from service.workflows.batching import Asked

Line = TypeVar("Line", bytes, bytearray)
PART_LINES: Final = 100
PART_BYTES: Final = 1024 * 1024
"""A part ends with the line that reaches one of these; one worker has it at a time."""


def take(kept: BatchStore, sender: str, asked: Asked, chunks: Iterable[bytes], limits: Limits) -> str:
    """Keep a batch to be worked on; its id. ``sender`` is for whom the caller speaks, empty for nobody.

    Raises TooLarge, Invalid for one without a line, and what the chunks raise: then nothing of it is kept.
    """
    batch = kept.begin(sender, asked.row())
    try:
        total = 0
        for number, (first, lines) in enumerate(_parts(_lines(chunks, limits))):
            kept.add(batch, number, first, lines)
            total += sum(1 for line in lines if line.strip())
        if not total:
            raise Invalid(Problem("", "batch", "there is no line in it"))
        kept.ready(batch, total)
    except BaseException:
        kept.drop(batch)
        raise
    return batch


def batch_too_large() -> TooLarge:
    """The refusal of a batch with more bytes than a deployment takes."""
    return TooLarge(Problem("", "limit", "the batch is larger than this deployment takes (setting limits.batch_bytes)"))


def _lines(chunks: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """The lines of a body, blank ones too; raises TooLarge for one that is longer than a document may be."""
    rest, number = bytearray(), 0
    for chunk in chunks:
        *whole, last = chunk.split(b"\n")
        for line in whole:
            number += 1
            yield _bounded(bytes(rest) + line, number, limits)
            rest.clear()
        rest += last
        _bounded(rest, number + 1, limits)
    if rest:
        yield _bounded(bytes(rest), number + 1, limits)


def _bounded(line: Line, number: int, limits: Limits) -> Line:
    if len(line) > limits.body_bytes or number > limits.batch_lines:
        what, limit = ("it", "batch_lines") if number > limits.batch_lines else ("a line of it", "body_bytes")
        why = f"{what} is longer than this deployment takes (setting limits.{limit}; line {number})"
        raise TooLarge(Problem("", "limit", why))
    return line


def _parts(lines: Iterator[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """The lines in parts, each with the number of its first line."""
    first, held, size = 1, list[bytes](), 0
    for line in lines:
        held.append(line)
        size += len(line)
        if len(held) >= PART_LINES or size >= PART_BYTES:
            yield first, held
            first, held, size = first + len(held), [], 0
    if held:
        yield first, held
