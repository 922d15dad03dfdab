"""What libraries print by themselves: lines of the log, without their texts."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog

from service.api import observe, strays


def fail() -> None:
    raise RuntimeError("Doe^Jane")


@pytest.fixture
def confined(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Makes it as in a process of ours, until the test ends."""

    def call() -> None:
        hooks = ((warnings, "showwarning"), (threading, "excepthook"), (sys, "unraisablehook"), (logging, "lastResort"))
        for owner, name in hooks:
            monkeypatch.setattr(owner, name, getattr(owner, name))
        observe.configure_logging("info")
        strays.confine()

    before = structlog.get_config()
    yield call
    structlog.configure(**before)


def test_a_warning_is_a_line_without_its_text(confined: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        confined()
        warnings.warn("Invalid value for VR PN: 'Doe^Jane'", UserWarning, stacklevel=1)
    said = capsys.readouterr().err
    line = json.loads(said)
    assert (line["event"], line["kind"]) == ("warned", "UserWarning")
    assert line["at"][0].startswith("test_strays.py:")
    assert "Doe" not in said


def test_a_thread_that_fails_is_a_line_without_its_text(
    confined: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    confined()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    said = capsys.readouterr().err
    line = json.loads(said)
    assert (line["event"], line["error"]) == ("thread failed", "RuntimeError")
    assert line["at"][-1].startswith("test_strays.py:")
    assert "Doe" not in said


@pytest.mark.parametrize("level", ["warning", "error"])
def test_what_a_logger_without_handlers_says_is_a_line_without_its_text(
    level: str, confined: Callable[[], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("highdicom.image")
    monkeypatch.setattr(logger, "propagate", False)  # pytest's own handlers are those of the root
    confined()
    getattr(logger, level)("instance %s of Doe^Jane", "1.2.3")
    said = capsys.readouterr().err
    line = json.loads(said)
    assert (line["event"], line["logger"], line["level"]) == ("logged", "highdicom.image", level)
    assert line["at"][0].startswith("test_strays.py:")
    assert "Doe" not in said
    assert "1.2.3" not in said


def test_a_logged_failure_has_its_class(
    confined: Callable[[], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("highdicom.image")
    monkeypatch.setattr(logger, "propagate", False)
    confined()
    try:
        fail()
    except RuntimeError:
        logger.exception("it failed")
    said = capsys.readouterr().err
    assert json.loads(said)["error"] == "RuntimeError"
    assert "Doe" not in said


def test_a_logger_with_a_handler_is_left_to_it(
    confined: Callable[[], None], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    confined()
    logging.getLogger("highdicom.image").warning("to its own handler")
    assert caplog.messages == ["to its own handler"]
    assert capsys.readouterr().err == ""
