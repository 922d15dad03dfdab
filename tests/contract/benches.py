"""Destinations, each with a real peer, for the contract that all of them keep; the fake is its own peer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.delivery.destination import Destination, Outgoing
from service.delivery.opening import open_destination
from service.delivery.settings import Folder
from tests.destinations import RecordingDestination


@dataclass(frozen=True, slots=True)
class Bench:
    """A destination, what to send to it, and how to take its peer away.

    ``make(number)`` is the same for the same number; ``alter`` gives other content under the same identity. ``proves``:
    the destination can prove that its peer has something; ``tells_apart``: it finds out other content under an
    identity; ``count`` tells how many the peer holds.
    """

    destination: Destination
    make: Callable[[int], Outgoing]
    alter: Callable[[Outgoing], Outgoing]
    leave: Callable[[], None]
    count: Callable[[], int]
    proves: bool = True
    tells_apart: bool = True


def _text(number: int) -> Outgoing:
    return Outgoing(f"delivery-{number}", "text/html; charset=utf-8", b"<p>%d</p>" % number, f"report-{number}.html")


def _other_text(outgoing: Outgoing) -> Outgoing:
    return Outgoing(outgoing.delivery, outgoing.media_type, outgoing.content + b"<p>more</p>", outgoing.name)


@contextmanager
def recording(_: Path) -> Iterator[Bench]:
    """The fake."""
    fake = RecordingDestination()

    def leave() -> None:
        fake.away = True

    yield Bench(fake, _text, _other_text, leave, lambda: len(fake.held))


@contextmanager
def folder(path: Path) -> Iterator[Bench]:
    """A folder."""
    place = path / "out"
    place.mkdir()
    made = open_destination(Folder(name="folder", path=str(place)))
    yield Bench(made, _text, _other_text, lambda: shutil.rmtree(place), lambda: len(list(place.iterdir())))


BENCHES: Final[dict[str, Callable[[Path], AbstractContextManager[Bench]]]] = {"recording": recording, "folder": folder}
