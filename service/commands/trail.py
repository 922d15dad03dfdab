"""What an operator does on the command line, in the audit trail: beside what is done over REST and by listeners."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from service.access.events import Arrival, Came, Concern, arrived, is_ours, rule_of
from service.commands.speaking import REFUSED, say
from service.domain.errors import LesionBridgeError

if TYPE_CHECKING:
    from service.config import Settings
    from service.store.reports import Store

STOPPED = "input"
"""The rule of what a command ended over by itself: a file that can't be read or written, a table that can't stand."""

INTERRUPTED = "interrupted"
"""The rule of what somebody ended with Ctrl-C: a part of it may be done, as the event then says."""


@dataclass(slots=True)
class Act:
    """Something that changes what is kept: what it is, in which words of ours, and with what of ours.

    ``changes`` false: it is only asked for, or there was nothing to do, and nothing is written down. What is done part
    by part says in ``command`` and ``concerns`` how far it came: it may break off.
    """

    what: Arrival
    command: str
    concerns: tuple[Concern, ...] = ()
    changes: bool = True

    def about(self, *concerns: Concern) -> None:
        """Name things of ours that it is about, as soon as they are known."""
        self.concerns = (*self.concerns, *concerns)


@contextmanager
def acting(here: Settings, kept: Store, act: Act) -> Iterator[Act]:
    """Do something, and write down that it was done, or that and by which rule it was refused or broke off.

    A command line that can't be read (click's errors) is no act. Where nothing can be written down, that is said.
    """
    try:
        yield act
    except click.ClickException:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            _noted(here, kept, act, INTERRUPTED)
        elif isinstance(error, OSError) or (isinstance(error, SystemExit) and error.code == REFUSED):
            _noted(here, kept, act, STOPPED)
        elif not isinstance(error, SystemExit):
            _noted(here, kept, act, rule_of(error), is_ours=is_ours(error))
        raise
    _noted(here, kept, act)


def _noted(here: Settings, kept: Store, act: Act, rule: str = "", *, is_ours: bool = False) -> None:
    """Write down what was done with what, or why it was not; where that can't be, say so: it is over already."""
    if not here.audit or not act.changes:
        return
    said = f"lesionbridge {act.command}"
    came = Came(kept.now(), str(uuid4()), act.what, said, _who(), "", "", rule, is_ours=is_ours, concerns=act.concerns)
    it = "this refusal" if rule else "this"
    try:
        if kept.is_there():
            kept.audit.add(arrived(came))
            return
    except LesionBridgeError:
        say(f"{it} is not in the audit trail, which can't be written")
        return
    say(f"{it} is not in the audit trail: there is no database yet (lesionbridge migrate makes it)")


def _who() -> str:
    """The user of this machine; in a container there may be a number only."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()} (command line)"
