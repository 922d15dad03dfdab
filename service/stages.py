"""The stages of the way through, timed, and who is told how long each took.

Nobody listens to a conversion on the command line; the API counts the seconds (`service.api.observe`).
"""

from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Final

STAGES: Final = ("read", "code", "write-sr", "write-fhir", "write-html", "write-findings", "check", "store")
"""The stages that a conversion or a publication may have, in their order; a further format adds its own ``write-``."""
Listener = Callable[[str, float], None]
"""Takes the name of a stage and its seconds."""
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Tell the listener of every stage from now on; a second time changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


class Stage:
    """One stage, timed as a ``with`` block; one that ends in an error is timed too."""

    __slots__ = ("_began", "name")

    def __init__(self, name: str) -> None:
        """A stage of this name."""
        self.name = name

    @classmethod
    def writing(cls, form: str) -> "Stage":
        """The writing of a format; the releases of one standard are one stage."""
        return cls(f"write-{form.partition('-')[0]}")

    def __enter__(self) -> None:
        """Begin."""
        self._began = perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell who listens."""
        seconds = perf_counter() - self._began
        for listener in _listeners:
            listener(self.name, seconds)
