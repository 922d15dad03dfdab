"""What would print itself, as lines of the log: warnings, records of loggers, failures of threads and of deletions.

All may quote what was received, as pydicom's warnings do with a value that it doubts, and highdicom's records with the
UIDs of an image. So class or logger, and place, are said, and no text.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from pathlib import Path

import structlog

from service.domain.errors import frames

_log = structlog.get_logger()


def confine() -> None:
    """From now on, in this process and those that it forks."""
    warnings.showwarning = _warned
    threading.excepthook = _failed
    sys.unraisablehook = _unraisable
    logging.lastResort = _Unheard(logging.WARNING)


class _Unheard(logging.Handler):
    """For loggers that nobody gave a handler; Python's own of this kind prints their texts as they are."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line as all others are."""
        say = _log.error if record.levelno >= logging.ERROR else _log.warning
        failure = {"error": record.exc_info[0].__name__} if record.exc_info and record.exc_info[0] else {}
        say("logged", logger=record.name, at=[f"{record.filename}:{record.lineno}"], **failure)


def _warned(
    message: Warning | str,  # noqa: ARG001 - Python's own signature
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,  # noqa: ARG001 - Python's own signature
    line: str | None = None,  # noqa: ARG001 - Python's own signature
) -> None:
    _log.warning("warned", kind=category.__name__, at=[f"{Path(filename).name}:{lineno}"])


def _failed(failure: threading.ExceptHookArgs) -> None:
    at = [] if failure.exc_value is None else frames(failure.exc_value)
    _log.error("thread failed", error=failure.exc_type.__name__, at=at)


def _unraisable(failure: sys.UnraisableHookArgs) -> None:
    """What fails where nobody can catch it, as in ``__del__`` or a callback of a weak reference."""
    at = [] if failure.exc_value is None else frames(failure.exc_value)
    _log.error("not raised", error=failure.exc_type.__name__, at=at)
