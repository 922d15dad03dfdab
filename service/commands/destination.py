"""`lesionbridge destination`: the peers of this deployment, listed and tried."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from service.commands.answering import answer, answering
from service.commands.speaking import counted, settings, stop

if TYPE_CHECKING:
    from service.delivery.settings import DestinationSettings

FAILED = 1

_MARKS: Final = {True: "ok    ", False: "FAILED", None: "open  "}
_NOTICE: Final = "notice"
_NONE: Final = "none is set up (setting destinations_file)"


@click.group("destination")
def command() -> None:
    """Look at the peers that reports are delivered to (docs/delivery.md)."""


@command.command("list")
@answering
def listed() -> None:
    """Name each destination, with its kind, what it takes, where it is, and how arrival is proven."""
    from service.delivery.settings import place

    known = _destinations()
    for one in known.values():
        state = " (dry run)" if one.dry_run else ""
        answer(f"{one.name}: {one.KIND}, takes {one.takes}, {place(one)}, verify: {one.verify}{state}")
    if not known:
        click.echo(_NONE, err=True)


@command.command("test")
@click.argument("name", metavar="NAME")
@answering
def tested(name: str) -> None:
    """Try everything on destination NAME that needs no report. Exit 0: nothing failed; 1: what did is said."""
    from service.delivery.opening import open_destination

    known = _destinations()
    if name not in known:
        names = ", ".join(known) or _NONE
        stop(f"there is no destination {name!r}; known: {names}")
    echoes = open_destination(known[name]).probe()
    for echo in echoes:
        mark = _MARKS[echo.passed] if echo.passed is not False or echo.needed else _NOTICE
        answer(f"{mark} {echo.tried}: {echo.said}")
    wrong = sum(echo.passed is False and echo.needed for echo in echoes)
    if wrong:
        click.echo(f"{name}: {counted(wrong, 'thing')} of {len(echoes)} failed", err=True)
        raise SystemExit(FAILED)


def _destinations() -> Mapping[str, DestinationSettings]:
    from service.destinations import load

    return load(settings().destinations_file, os.environ)
