"""What libraries would print by themselves: warnings, and the failures of their threads, as lines of the log.

Both may quote what was received, as pydicom's warnings do with a value that it doubts. So class and place are said, and
no text.
"""

from __future__ import annotations

import threading
import traceback
import warnings
from pathlib import Path
from typing import Final

import structlog

_FRAMES: Final = 6
_log = structlog.get_logger()


def confine() -> None:
    """From now on, in this process and those that it forks."""
    warnings.showwarning = _warned
    threading.excepthook = _failed


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
    frames = traceback.extract_tb(failure.exc_traceback)[-_FRAMES:]
    at = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    _log.error("thread failed", error=failure.exc_type.__name__, at=at)
