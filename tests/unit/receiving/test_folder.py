"""The watched folder: whole files, once, with their reasons; a killed process and a second listener cost nothing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from service.api.deployment import Deployment
from service.pipeline import Format
from service.receiving import folder
from service.receiving.folder import FolderWatch
from service.receiving.reception import Reception
from service.receiving.settings import FolderListener
from tests.findings import make_body
from tests.unit.receiving.conftest import kept, written


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "inbox"
    made.mkdir()
    return made


def watch(here: Deployment, inbox: Path, settle_s: float = 0.0) -> FolderWatch:
    return FolderWatch(Reception(here, "folder"), FolderListener(path=str(inbox), site="north", settle_s=settle_s))


def names(inbox: Path, folder: str) -> list[str]:
    return sorted(file.name for file in (inbox / folder).iterdir())


def test_files_of_every_format_are_taken_and_moved(here: Deployment, inbox: Path) -> None:
    forms = {"a.json": Format.FINDINGS, "b.dcm": Format.SR, "c.hl7": Format.HL7V2, "d.fhir.json": Format.FHIR_R4}
    for number, (name, form) in enumerate(forms.items()):
        (inbox / name).write_bytes(written(form, report__id=f"R{number}"))
    assert watch(here, inbox).look() == 4
    assert names(inbox, "done") == sorted(forms)
    assert names(inbox, "failed") == names(inbox, "working") == []
    assert kept(here) == 4
    assert kept(here, sender="north") >= 1


def test_a_file_that_can_not_be_taken_stands_beside_its_reasons(here: Deployment, inbox: Path) -> None:
    (inbox / "bad.json").write_bytes(make_body(lesions__0__laterality="both of them"))
    (inbox / "worse.bin").write_bytes(b"\xff\xfe\xfd")
    watch(here, inbox).look()
    assert names(inbox, "failed") == ["bad.json", "bad.json.reason.json", "worse.bin", "worse.bin.reason.json"]
    reason = json.loads((inbox / "failed" / "worse.bin.reason.json").read_text())
    assert (reason["verdict"], reason["errors"][0]["rule"]) == ("refused", "format")


def test_a_file_that_is_still_written_is_left_alone(here: Deployment, inbox: Path) -> None:
    watching = watch(here, inbox, settle_s=0.2)
    file = inbox / "a.json"
    file.write_bytes(make_body()[:100])
    assert watching.look() == 0
    time.sleep(0.3)
    file.write_bytes(make_body())
    assert watching.look() == 0
    time.sleep(0.3)
    assert watching.look() == 1
    assert names(inbox, "done") == ["a.json"]


def test_hidden_files_and_folders_are_left_alone(here: Deployment, inbox: Path) -> None:
    (inbox / ".a.json").write_bytes(make_body())
    (inbox / "link.json").symlink_to(inbox / ".a.json")
    assert watch(here, inbox).look() == 0
    assert (inbox / ".a.json").exists()


def test_while_the_database_is_away_the_file_waits(here: Deployment, inbox: Path, tmp_path: Path) -> None:
    (inbox / "a.json").write_bytes(make_body())
    here.store.close()
    database = tmp_path / "in.sqlite3"
    database.rename(tmp_path / "gone")
    watching = watch(here, inbox)
    assert [watching.look(), watching.look()] == [0, 0]
    assert (names(inbox, "working"), list(inbox.glob("*.json"))) == (["a.json"], [])
    (inbox / "a.json").write_bytes(make_body(report__id="R2"))  # its sender uses the name again
    here.store.close()
    (tmp_path / "gone").rename(database)
    assert watching.look() == 2
    assert names(inbox, "done") == ["a-2.json", "a.json"]
    assert kept(here) == 2


def test_what_a_killed_process_left_is_taken_up_and_nothing_is_doubled(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = watch(here, inbox)
    (inbox / "a.json").write_bytes(make_body())
    first.look()
    left = inbox / "working" / "a.json"
    left.write_bytes(make_body())
    assert watch(here, inbox).look() == 0  # somebody may be at it
    os.utime(left, (0, 0))
    assert watch(here, inbox).look() == 0  # it was moved just now
    monkeypatch.setattr(folder, "ABANDONED_S", -1.0)
    assert watch(here, inbox).look() == 1
    assert names(inbox, "done") == ["a-2.json", "a.json"]
    assert kept(here) == 1


def test_a_name_that_a_killed_process_made_in_working_is_no_document(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = watch(here, inbox)
    (inbox / "working" / "a.json").touch(mode=0)
    assert watching.look() == 0
    assert names(inbox, "working") == ["a.json"]  # its file may be on the way
    monkeypatch.setattr(folder, "ABANDONED_S", -1.0)
    assert watching.look() == 0
    assert names(inbox, "working") == names(inbox, "failed") == []


def test_a_table_keeps_its_good_reports_and_names_the_bad(here: Deployment, inbox: Path) -> None:
    lines = [json.loads(make_body(report__id=f"R{n}")) for n in range(2)]
    (inbox / "many.ndjson").write_text("".join(json.dumps(one) + "\n" for one in lines) + '{"no": "report"}\n')
    watch(here, inbox).look()
    assert names(inbox, "failed")[0] == "many.ndjson"


def test_a_file_of_another_user_is_taken(here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_ours(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "utime", not_ours)
    (inbox / "a.json").write_bytes(make_body())
    assert watch(here, inbox).look() == 1
    assert names(inbox, "done") == ["a.json"]


def test_a_file_that_can_not_be_moved_keeps_no_other_waiting(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def sticky(self: Path, target: Path) -> Path:
        if self.name == "a.json":
            raise PermissionError
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", sticky)
    for name in ("a.json", "b.json"):
        (inbox / name).write_bytes(make_body())
    assert watch(here, inbox).look() == 1
    assert names(inbox, "done") == ["b.json"]


def test_a_file_that_may_not_be_read_says_so(here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def secret(path: Any, *args: Any, **more: Any) -> int:
        if Path(path).name == "a.json" and not args[0] & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **more)

    (inbox / "a.json").write_bytes(make_body())
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", secret)
        watch(here, inbox).look()
    [reason] = json.loads((inbox / "failed" / "a.json.reason.json").read_text())["errors"]
    assert (reason["rule"], reason["detail"]) == ("file", "the file can't be read (Permission denied)")


def test_a_file_that_grows_while_it_is_taken_is_taken_again_whole(
    here: Deployment, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer stood still for longer than `settle_s`; it writes on into the file that was moved."""
    file = inbox / "a.json"
    file.write_bytes(make_body())
    take = Reception.take
    with file.open("ab") as writer, monkeypatch.context() as patched:

        def slow(self: Reception, *args: Any) -> Any:
            writer.write(b"\n")
            writer.flush()
            return take(self, *args)

        patched.setattr(Reception, "take", slow)
        watching = watch(here, inbox)
        assert watching.look() == 0
    assert watching.look() == 1
    assert (inbox / "done" / "a.json").read_bytes() == make_body() + b"\n"
    assert kept(here) == 1


def test_it_runs_until_it_is_stopped(here: Deployment, inbox: Path) -> None:
    watching = watch(here, inbox)
    watching.start()
    (inbox / "a.json").write_bytes(make_body())
    until = time.monotonic() + 120
    while not names(inbox, "done") and time.monotonic() < until:
        time.sleep(0.05)
    watching.stop()
    assert names(inbox, "done") == ["a.json"]
