"""What gunicorn says, as lines of the log: its words, and of what it puts into them numbers and names of signals only.

The rest may be what was received, as the path of a request, or the text of an exception.
"""

import logging
import signal
from typing import Any, Final

import structlog
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # gunicorn ships no types

from service.domain.errors import frames

_SIGNALS: Final = frozenset(signal.Signals.__members__)
_log = structlog.get_logger()


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's logger, for its setting ``logger_class``."""

    def setup(self, cfg: Any) -> None:
        """Give its log our handler in place of its own, again with each reload."""
        super().setup(cfg)
        self.error_log.handlers[:] = [_Said()]


class _Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """One line as all others are."""
        say = _log.error if record.levelno >= logging.ERROR else _log.warning
        failure = record.exc_info[1] if record.exc_info else None
        where = {} if failure is None else {"error": type(failure).__name__, "at": frames(failure)}
        say("server", said=_words(record), **where)


def _words(record: logging.LogRecord) -> str:
    """Its words; of an exception in place of them its class."""
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    shown = tuple(_shown(one) for one in record.args) if isinstance(record.args, tuple) else ()
    try:
        return record.msg % shown if shown else record.msg
    except (TypeError, ValueError):
        return record.msg


def _shown(argument: object) -> object:
    if isinstance(argument, int) or (isinstance(argument, str) and argument in _SIGNALS):
        return argument
    return "..."
