"""A file in whose handling processes end is refused after a few times, whoever begins with it; others are taken."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any, NoReturn

import pytest

from service.api.deployment import Deployment
from service.receiving import folder
from service.receiving.reception import Reception
from tests.findings import make_body
from tests.unit.receiving.conftest import kept
from tests.unit.receiving.test_folder import names, watch


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one file; what is left in working is taken up again the next time."""
    monkeypatch.setattr(folder, "ABANDONED_S", -1.0)
    made = tmp_path / "inbox"
    made.mkdir()
    (made / "a.json").write_bytes(make_body())
    return made


def killed(*_: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def dies(here: Deployment, inbox: Path) -> None:
    """A process takes the file, and is killed in the middle of it."""
    child = os.fork()
    if child == 0:
        Reception.take = killed  # type: ignore[assignment,method-assign] # of the child only
        try:
            watch(here, inbox).look()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def begun(inbox: Path) -> list[str]:
    return [note.read_text() for note in (inbox / ".begun").iterdir()]


def test_a_file_that_ended_three_processes_is_refused_with_a_reason_and_an_event(here: Deployment, inbox: Path) -> None:
    for number in ("1", "2", "3"):
        dies(here, inbox)
        assert begun(inbox) == [number]
    assert names(inbox, "working") == ["a.json"]
    assert watch(here, inbox).look() == 1
    assert names(inbox, "failed") == ["a.json", "a.json.reason.json"]
    [row] = json.loads((inbox / "failed" / "a.json.reason.json").read_text())["errors"]
    assert row["rule"] == "internal"
    assert row["detail"].startswith("a process of the service ended 3 times in the middle of it")
    assert len(here.store.audit.after(0)) == 1
    assert begun(inbox) == []


def test_one_that_was_refused_and_is_put_back_is_tried_anew(here: Deployment, inbox: Path) -> None:
    for _ in range(3):
        dies(here, inbox)
    watch(here, inbox).look()
    (inbox / "failed" / "a.json").rename(inbox / "a.json")
    assert watch(here, inbox).look() == 1
    assert names(inbox, "done") == ["a.json"]


def test_one_that_ended_two_processes_is_taken_and_nothing_of_it_is_noted_any_more(
    here: Deployment, inbox: Path
) -> None:
    dies(here, inbox)
    dies(here, inbox)
    assert watch(here, inbox).look() == 1
    assert (names(inbox, "done"), begun(inbox), kept(here)) == (["a.json"], [], 1)


def test_a_failure_that_a_process_outlives_is_no_end_of_one(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> NoReturn:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(Reception, "take", fails)
        assert [watch(here, inbox).look() for _ in range(5)] == [0] * 5
    assert begun(inbox) == []
    assert watch(here, inbox).look() == 1


def test_where_it_can_not_be_refused_yet_that_is_tried_again(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> NoReturn:
        raise OSError

    for _ in range(3):
        dies(here, inbox)
    with monkeypatch.context() as patched:
        patched.setattr(Reception, "note", fails)
        assert watch(here, inbox).look() == 0
    assert begun(inbox) == ["3"]
    assert watch(here, inbox).look() == 1
    assert names(inbox, "failed") == ["a.json", "a.json.reason.json"]


def test_a_note_of_a_file_that_is_gone_is_taken_away_since_another_may_get_its_number(
    here: Deployment, inbox: Path
) -> None:
    watching = watch(here, inbox)
    (inbox / ".begun" / "1").write_text("3")
    assert watching.look() == 1
    assert begun(inbox) == []


def test_where_no_note_can_be_made_files_are_taken(here: Deployment, inbox: Path) -> None:
    watching = watch(here, inbox)
    (inbox / ".begun" / str((inbox / "a.json").stat().st_ino)).mkdir()
    assert watching.look() == 1
    assert names(inbox, "done") == ["a.json"]


def test_where_somebody_has_removed_the_folder_of_the_notes_files_are_taken_and_it_is_made_again(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching, takes, noted = watch(here, inbox), Reception.take, []

    def take(*given: Any) -> Any:
        noted.extend(begun(inbox))
        return takes(*given)

    monkeypatch.setattr(Reception, "take", take)
    (inbox / ".begun").rmdir()
    assert watching.look() == 1
    assert (names(inbox, "done"), noted) == (["a.json"], ["1"])
