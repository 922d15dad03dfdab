"""What libraries print by themselves: lines of the log, without their texts."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable

import pytest

from service.api import observe, strays


def fail() -> None:
    raise RuntimeError("Doe^Jane")


@pytest.fixture
def confined(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes it as in a process of ours, until the test ends."""

    def call() -> None:
        for owner, name in ((warnings, "showwarning"), (threading, "excepthook")):
            monkeypatch.setattr(owner, name, getattr(owner, name))
        observe.configure_logging("info")
        strays.confine()

    return call


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
