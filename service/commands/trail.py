"""What an operator does on the command line, in the audit trail: beside what is done over REST and by listeners."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING
from uuid import uuid4

from service.access.events import Arrival, Came, Concern, arrived
from service.commands.speaking import say
from service.domain.errors import LesionBridgeError

if TYPE_CHECKING:
    from service.config import Settings
    from service.store.reports import Store


def noted(here: Settings, kept: Store, what: Arrival, command: str, *concerns: Concern) -> None:
    """Write down what was done with what; where that can't be, it is said: it is done already."""
    if not here.audit:
        return
    came = Came(kept.now(), str(uuid4()), what, f"lesionbridge {command}", _who(), "", "", concerns=concerns)
    try:
        kept.audit.add(arrived(came))
    except LesionBridgeError:
        say("this is not in the audit trail, which can't be written")


def _who() -> str:
    """The user of this machine; in a container there may be a number only."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()} (command line)"
