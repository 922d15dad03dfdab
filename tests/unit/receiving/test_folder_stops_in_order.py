"""Who is stopped in order, or works for long, is no process that a file has ended."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from service.api.deployment import Deployment
from service.receiving import folder
from service.receiving.reception import Reception
from tests.findings import make_body
from tests.unit.receiving.conftest import kept
from tests.unit.receiving.test_folder import names, watch

PATIENCE_S = 60.0
HOUR_S = 3600.0


class Blocked:
    """Keeps whoever takes a file until it is released, as a commit that waits for a standby."""

    def __init__(self, takes: Any) -> None:
        """Take what is done after that."""
        self.takes, self.begun, self.released = takes, Event(), Event()

    def __call__(self, *given: Any) -> Any:
        """Wait, then take it."""
        self.begun.set()
        assert self.released.wait(PATIENCE_S)
        return self.takes(*given)


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blocked]:
    """Every file that is taken waits."""
    made = Blocked(Reception.take)

    def take(*given: Any) -> Any:  # a function gets the reception that it is called at, an object would not
        return made(*given)

    monkeypatch.setattr(Reception, "take", take)
    yield made
    made.released.set()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder with one file."""
    made = tmp_path / "inbox"
    made.mkdir()
    (made / "a.json").write_bytes(make_body())
    return made


def ends(watching: folder.FolderWatch) -> None:
    watching._thread.join(PATIENCE_S)
    watching._beats.join(PATIENCE_S)
    assert not watching._thread.is_alive()
    assert not watching._beats.is_alive()


def test_a_file_whose_listener_is_stopped_three_times_in_the_middle_of_it_is_taken(
    here: Deployment, inbox: Path, blocked: Blocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(folder, "ABANDONED_S", -1.0)
        patched.setattr(folder, "_BEATS", -1)  # once a second still
        stopped = []
        for _ in range(3):
            blocked.begun.clear()
            stopped.append(watch(here, inbox))
            stopped[-1].start()
            assert blocked.begun.wait(PATIENCE_S)
            stopped[-1].stop(0.0)
            assert list((inbox / ".begun").iterdir()) == []
        blocked.released.set()
        for one in stopped:
            ends(one)
    assert (names(inbox, "done"), names(inbox, "failed"), kept(here)) == (["a.json"], [], 1)


def test_what_was_counted_before_a_stop_still_counts(here: Deployment, inbox: Path, blocked: Blocked) -> None:
    watching = watch(here, inbox)
    note = inbox / ".begun" / str((inbox / "a.json").stat().st_ino)
    note.write_text("1")
    watching.start()
    assert blocked.begun.wait(PATIENCE_S)
    assert note.read_text() == "2"
    watching.stop(0.0)
    assert note.read_text() == "1"
    blocked.released.set()
    ends(watching)


def test_who_works_at_a_file_says_so_until_it_is_over(
    here: Deployment, inbox: Path, blocked: Blocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "ABANDONED_S", 0.05)
    watching = watch(here, inbox)
    watching.start()
    assert blocked.begun.wait(PATIENCE_S)
    [note] = (inbox / ".begun").iterdir()
    os.utime(note, (0, 0))
    until = time.monotonic() + PATIENCE_S
    while note.stat().st_mtime == 0 and time.monotonic() < until:
        Event().wait(0.01)
    assert note.stat().st_mtime > 0
    blocked.released.set()
    watching.stop(PATIENCE_S)
    ends(watching)


@pytest.mark.parametrize(("said_s", "taken"), [(HOUR_S - 200.0, 0), (HOUR_S - 400.0, 1)])
def test_a_file_is_taken_up_by_another_listener_once_nobody_has_said_for_long_that_he_is_at_it(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch, said_s: float, taken: int
) -> None:
    working = inbox / "working" / "a.json"
    watching = watch(here, inbox)
    (inbox / "a.json").rename(working)
    note = inbox / ".begun" / str(working.stat().st_ino)
    note.write_text("1")
    now = time.time()
    os.utime(note, (now + said_s, now + said_s))
    later = SimpleNamespace(time=lambda: now + HOUR_S, monotonic=time.monotonic)
    monkeypatch.setattr(folder, "time", later)
    assert watching.look() == taken
