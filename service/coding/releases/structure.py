"""The hierarchy of a code system laid out for questions that must be answered in microseconds.

Concepts are numbered in the order of a walk down the hierarchy, so that what lies below a concept is few runs of
numbers. Each concept keeps the sorted numbers of its ancestors (subsumption is one look into them) and the runs of its
descendants (a set of tens of thousands is a few pairs).
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NUMBER: Final = "I"
"""Type code of stored numbers: four bytes, little endian as on every machine this runs on."""


class Cycle(Exception):
    """A concept that is its own ancestor; ``index`` is its place in the list of concepts."""

    def __init__(self, index: int) -> None:
        """Keep the place."""
        super().__init__(f"concept {index} is its own ancestor")
        self.index = index


@dataclass(frozen=True, slots=True)
class Arranged:
    """Numbers by index of the concept; ancestors and runs (first, last, first, last) by number less ``first``."""

    numbers: Sequence[int]
    ancestors: Sequence[bytes]
    runs: Sequence[bytes]


def arrange(parents: Sequence[Sequence[int]], first: int) -> Arranged:
    """Number concepts from ``first`` on and close the hierarchy; raises Cycle."""
    children = _children(parents)
    numbers = _walk(parents, children, first)
    above = _close(parents, children, numbers)
    by_number = sorted(range(len(parents)), key=numbers.__getitem__)
    runs = [array(NUMBER) for _ in parents]
    for index in by_number:
        number = numbers[index]
        for ancestor in above[index]:
            run = runs[ancestor - first]
            if run and run[-1] == number - 1:
                run[-1] = number
            else:
                run.append(number)
                run.append(number)
    return Arranged(numbers, [above[index].tobytes() for index in by_number], [run.tobytes() for run in runs])


def unpack(stored: bytes) -> "array[int]":
    """Stored numbers."""
    made = array(NUMBER)
    made.frombytes(stored)
    return made


def holds(ancestors: bytes, number: int) -> bool:
    """Whether a number is among stored ancestors."""
    known = unpack(ancestors)
    place = bisect_left(known, number)
    return place < len(known) and known[place] == number


def _children(parents: Sequence[Sequence[int]]) -> list[list[int]]:
    made: list[list[int]] = [[] for _ in parents]
    for child, above in enumerate(parents):
        for parent in above:
            made[parent].append(child)
    return made


def _walk(parents: Sequence[Sequence[int]], children: Sequence[Sequence[int]], first: int) -> "array[int]":
    """Number each concept when the walk comes to it first; what no root leads to is numbered last."""
    numbers = array(NUMBER, bytes(4 * len(parents)))
    number = first
    seen = bytearray(len(parents))
    for start in range(len(parents)):
        if parents[start]:
            continue
        stack = [start]
        while stack:
            index = stack.pop()
            if seen[index]:
                continue
            seen[index] = 1
            numbers[index] = number
            number += 1
            stack.extend(reversed(children[index]))
    lost = seen.find(0)
    if lost >= 0:
        raise Cycle(lost)
    return numbers


def _close(
    parents: Sequence[Sequence[int]], children: Sequence[Sequence[int]], numbers: Sequence[int]
) -> list["array[int]"]:
    """Sorted numbers of the ancestors of each concept, parents before children."""
    above: list[array[int]] = [array(NUMBER)] * len(parents)
    waiting = array(NUMBER, [len(one) for one in parents])
    ready = [index for index, one in enumerate(parents) if not one]
    done = 0
    while ready:
        index = ready.pop()
        done += 1
        known: set[int] = set()
        for parent in parents[index]:
            known.update(above[parent])
            known.add(numbers[parent])
        above[index] = array(NUMBER, sorted(known))
        for child in children[index]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    if done < len(parents):
        raise Cycle(next(index for index, left in enumerate(waiting) if left))
    return above
