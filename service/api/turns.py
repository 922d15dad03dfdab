"""One conversion at a time in a process: threads that compute side by side only take the interpreter from each other.

A thread that answers gives the interpreter up with every message that it sends, and gets it back when the next one has
done its conversion; so each of two answers took as long as both. Who has waited for a while goes on without a turn: a
client that takes its answer slowly holds up nobody for longer than that.
"""

from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING, Final

from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE_S: Final = 0.05
_KEY: Final = "lesionbridge.turn"


class Turn:
    """The turn of one request: it lasts from when it is taken until the answer is sent."""

    def __init__(self, one: Lock, patience_s: float) -> None:
        """Nothing is taken before it is asked for."""
        self._one, self._patience_s, self._held = one, patience_s, False

    def take(self) -> None:
        """Wait until it is this request's turn, but not for long."""
        if not self._held:
            self._held = self._one.acquire(timeout=self._patience_s)

    def end(self) -> None:
        """Let the next one go on."""
        if self._held:
            self._held = False
            self._one.release()


class Turns:
    """An application whose conversions take turns; forked processes have turns of their own."""

    def __init__(self, app: "WSGIApplication", patience_s: float = PATIENCE_S) -> None:
        """Take the application."""
        self._app, self._one, self._patience_s = app, Lock(), patience_s

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer a request; its turn, if it takes one, ends with the answer."""
        turn = environ[_KEY] = Turn(self._one, self._patience_s)
        try:
            return ClosingIterator(self._app(environ, start), turn.end)
        except BaseException:
            turn.end()
            raise


def take(environ: "WSGIEnvironment") -> None:
    """Wait for the turn of a request, where turns are taken."""
    turn: Turn | None = environ.get(_KEY)
    if turn is not None:
        turn.take()
