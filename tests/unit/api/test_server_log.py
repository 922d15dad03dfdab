"""What gunicorn says: lines of the log, with numbers and signals and nothing that was received."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # gunicorn ships no types
from structlog.testing import CapturingLogger

from service.api import server_log
from service.api.server_log import ServerLog
from service.commands.serve import _gunicorn_settings
from service.config import Settings

RAW = "Doe^Jane\x1b[2J\r\n%s{}"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    """What stands in our log."""
    made = CapturingLogger()
    monkeypatch.setattr(server_log, "_log", made)
    return made


@pytest.fixture
def log(lines: CapturingLogger) -> Iterator[ServerLog]:
    """A logger of gunicorn's, which leaves Python's as they were."""
    logger = logging.getLogger("gunicorn.error")
    handlers, propagate, level = logger.handlers[:], logger.propagate, logger.level
    yield ServerLog(Config())
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)
    assert "Doe" not in repr(lines.calls)


def only(lines: CapturingLogger) -> tuple[str, dict[str, object]]:
    """Level and members of the one line."""
    [call] = lines.calls
    assert call.args == ("server",)
    return call.method_name, dict(call.kwargs)


def test_it_is_the_logger_of_serve() -> None:
    assert _gunicorn_settings(Settings())["logger_class"] is ServerLog


@pytest.mark.parametrize(
    ("words", "arguments", "said"),
    [
        ("Worker (pid:%s) was sent %s!", (17, "SIGKILL"), "Worker (pid:17) was sent SIGKILL!"),
        ("Error handling request %s %s", ("GET", RAW), "Error handling request ... ..."),
        ("Socket error processing request.", (), "Socket error processing request."),
        ("%d of %s", (1.5, RAW), "%d of %s"),
        ("bad %s", ([RAW],), "bad ..."),
    ],
)
def test_its_words_are_said_without_what_was_received(
    words: str, arguments: tuple[object, ...], said: str, log: ServerLog, lines: CapturingLogger
) -> None:
    log.error(words, *arguments)
    assert only(lines) == ("error", {"said": said})


def test_an_exception_is_its_class_and_place(
    log: ServerLog, lines: CapturingLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise OSError(RAW)
    except OSError as error:
        log.exception(error)
    level, found = only(lines)
    place = found.pop("at")
    assert (level, found) == ("error", {"said": "OSError", "error": "OSError"})
    assert isinstance(place, list)
    assert place[0].startswith("test_server_log.py:")
    assert capsys.readouterr().err == ""


def test_a_reload_leaves_it_so(log: ServerLog, lines: CapturingLogger, capsys: pytest.CaptureFixture[str]) -> None:
    log.setup(Config())
    log.warning("it took %s", RAW)
    assert only(lines) == ("warning", {"said": "it took ..."})
    assert capsys.readouterr().err == ""
