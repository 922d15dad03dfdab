"""A file whose handling fails, and nobody foresaw how, is refused after a few times; a failure of ours it waits out."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from service.api.deployment import Deployment
from service.domain.errors import Problem, Unavailable
from service.publishing import Receipt
from service.receiving import folder
from service.receiving.reception import Reception
from tests.findings import make_body
from tests.unit.receiving.test_folder import names, watch

SAID = "Doe^Jane"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder with one file."""
    made = tmp_path / "inbox"
    made.mkdir()
    (made / "a.json").write_bytes(make_body())
    return made


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in working is taken up again the next time."""
    monkeypatch.setattr(folder, "ABANDONED_S", -1.0)


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int = 100) -> None:
    """Let what takes a document fail."""
    take = Reception.take
    left = [error] * times

    def broken(self: Reception, *said: Any) -> Receipt:
        if left:
            raise left.pop()
        return take(self, *said)

    monkeypatch.setattr(Reception, "take", broken)


def test_a_file_that_always_fails_is_refused_with_a_reason_and_an_event(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, ValueError(SAID))
    watching = watch(here, inbox)
    assert [watching.look() for _ in range(4)] == [0, 0, 1, 0]
    assert names(inbox, "working") == []
    assert names(inbox, "failed") == ["a.json", "a.json.reason.json"]
    assert (inbox / "failed" / "a.json").read_bytes() == make_body()
    reason = (inbox / "failed" / "a.json.reason.json").read_text()
    assert SAID not in reason
    [row] = json.loads(reason)["errors"]
    assert (row["rule"], row["detail"]) == ("internal", "the service failed 3 times; its log has it")
    [event] = here.store.audit.after(0)
    assert SAID.encode() not in event.event


def test_one_that_fails_twice_is_taken(here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ValueError(SAID), times=2)
    watching = watch(here, inbox)
    assert [watching.look() for _ in range(3)] == [0, 0, 1]
    assert names(inbox, "done") == ["a.json"]


def test_another_file_of_the_same_name_has_attempts_of_its_own(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, ValueError(SAID), times=3)
    watching = watch(here, inbox)
    assert [watching.look(), watching.look()] == [0, 0]
    (inbox / "working" / "a.json").rename(inbox / "done" / "a.json")  # another listener took it up
    (inbox / "a.json").write_bytes(make_body(report__id="R2"))
    assert [watching.look(), watching.look()] == [0, 1]
    assert names(inbox, "done") == ["a-2.json", "a.json"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        Unavailable(Problem("", "database", "away")),
        MemoryError(),
    ],
)
def test_a_failure_of_ours_is_waited_out(
    here: Deployment, inbox: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, error, times=7)
    watching = watch(here, inbox)
    assert [watching.look() for _ in range(8)] == [0] * 7 + [1]
    assert names(inbox, "done") == ["a.json"]
    assert names(inbox, "failed") == []
