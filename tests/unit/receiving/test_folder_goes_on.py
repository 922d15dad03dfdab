"""The watched folder goes on: no name and no failure of one file ends it, and its log tells nothing of the file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from structlog.testing import CapturingLogger

from service.api.deployment import Deployment
from service.domain.errors import LesionBridgeError
from service.receiving import folder, places
from service.receiving.folder import FolderWatch
from service.receiving.reception import Reception
from service.receiving.settings import FolderListener
from tests.findings import make_body
from tests.unit.receiving.test_folder import names, watch

SAID = "Doe^Jane in a.json"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "inbox"
    made.mkdir()
    return made


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    """What the folder logs."""
    made = CapturingLogger()
    monkeypatch.setattr(folder, "_log", made)
    return made


def failing(path: Path) -> None:
    if path.name == "a.json":
        raise ValueError(SAID)


def errors(log: CapturingLogger) -> list[str]:
    """The classes of what went wrong; each line has its place, and nothing of the file."""
    found = [call for call in log.calls if call.method_name == "error"]
    assert "Doe" not in repr(found)
    assert "a.json" not in repr(found)
    assert all(call.kwargs["at"][-1].startswith("test_folder_goes_on.py:") for call in found)
    return [call.kwargs["error"] for call in found]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"\xff" * 250, id="no character"),
        pytest.param(b"\xff" * 250 + b".json", id="no character, with a suffix"),
        pytest.param("é".encode() * 125 + b".json", id="two bytes a character"),
        pytest.param(b"a" * 240 + "é".encode() + b"\xff" * 8, id="cut within a character"),
        pytest.param(b"a." + b"\xff" * 250, id="a long suffix"),
    ],
)
def test_a_name_that_is_cut_is_seen_and_has_its_reasons(here: Deployment, inbox: Path, name: bytes) -> None:
    watching = watch(here, inbox)
    for _ in range(2):
        (inbox / os.fsdecode(name)).write_bytes(b"nothing")
        assert watching.look() == 1
    assert names(inbox, "working") == []
    found = [os.fsencode(one) for one in names(inbox, "failed")]
    files = [one for one in found if not one.endswith(b".reason.json")]
    assert len(files) == 2
    assert sorted(found) == sorted([*files, *(one + b".reason.json" for one in files)])
    assert all(one[:200] == name[:200] and len(one) > 230 for one in files)


def test_a_character_is_cut_off_as_a_whole(here: Deployment, inbox: Path) -> None:
    (inbox / ("é" * 127)).write_bytes(b"nothing")
    watch(here, inbox).look()
    assert names(inbox, "failed") == ["é" * 121, "é" * 121 + ".reason.json"]


def test_a_file_that_fails_while_it_is_taken_keeps_no_other_waiting(
    here: Deployment, inbox: Path, log: CapturingLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = FolderWatch._publish

    def broken(self: FolderWatch, file: Path) -> list[LesionBridgeError]:
        failing(file)
        return publish(self, file)

    monkeypatch.setattr(FolderWatch, "_publish", broken)
    for name in ("a.json", "z.json"):
        (inbox / name).write_bytes(make_body())
    assert watch(here, inbox).look() == 1
    assert (names(inbox, "done"), names(inbox, "working")) == (["z.json"], ["a.json"])
    assert errors(log) == ["ValueError"]


def test_a_file_that_fails_while_it_is_picked_up_keeps_no_other_waiting(
    here: Deployment, inbox: Path, log: CapturingLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = places.moved

    def broken(file: Path, place: Path) -> Path:
        failing(place)
        return move(file, place)

    monkeypatch.setattr(folder, "moved", broken)
    for name in ("0.json", "a.json", "z.json"):
        (inbox / name).write_bytes(make_body())
    assert watch(here, inbox).look() == 2
    assert names(inbox, "done") == ["0.json", "z.json"]
    assert (inbox / "a.json").is_file()
    assert errors(log) == ["ValueError"]


def test_the_thread_outlives_whatever_fails(
    here: Deployment, inbox: Path, log: CapturingLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Semaphore(0)

    def broken(_self: FolderWatch) -> int:
        looked.release()
        raise ValueError(SAID)

    monkeypatch.setattr(FolderWatch, "look", broken)
    settings = FolderListener(path=str(inbox), poll_s=0.01, settle_s=0.0)
    watching = FolderWatch(Reception(here, "folder"), settings)
    watching.start()
    try:
        assert all(looked.acquire(timeout=60) for _ in range(3))
    finally:
        watching.stop()
    assert errors(log)[:2] == ["ValueError", "ValueError"]
