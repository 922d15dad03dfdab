"""The watched folder against what may lie in one: links, pipes, names of every kind. Nothing of it stops the others."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from service.api.deployment import Deployment
from service.receiving import folder
from service.receiving.folder import FolderWatch
from tests.findings import make_body
from tests.unit.receiving.conftest import kept
from tests.unit.receiving.test_folder import names, watch

LONG = "a" * 250 + ".json"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "inbox"
    made.mkdir()
    return made


@pytest.mark.parametrize("place", [".", "working"])
def test_links_pipes_and_folders_are_left_alone(
    here: Deployment, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(folder, "ABANDONED_S", -1.0)
    outside = tmp_path / "outside.json"
    outside.write_bytes(make_body())
    watching = watch(here, inbox)
    (inbox / place / "link.json").symlink_to(outside)
    (inbox / place / "gone.json").symlink_to(tmp_path / "nowhere")
    (inbox / place / "folder.json").mkdir()
    os.mkfifo(inbox / place / "pipe.json")
    (inbox / "z.json").write_bytes(make_body())
    assert watching.look() == 1
    assert sorted(one.name for one in (inbox / place).iterdir() if one.name.split(".")[0] in ("link", "gone", "pipe"))
    assert names(inbox, "done") == ["z.json"]
    assert outside.read_bytes() == make_body()


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_takes_the_place_of_a_file_is_not_opened(
    here: Deployment, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(make_body())
    picked = FolderWatch._picked

    def swapped(self: FolderWatch) -> list[Path]:
        found = list(picked(self))
        for file in found:
            file.unlink()
            os.mkfifo(file) if kind == "pipe" else file.symlink_to(outside)
        return found

    monkeypatch.setattr(FolderWatch, "_picked", swapped)
    (inbox / "a.json").write_bytes(make_body())
    watch(here, inbox).look()
    [reason] = json.loads((inbox / "failed" / "a.json.reason.json").read_text())["errors"]
    assert reason["detail"] == "this is no plain file"
    assert kept(here) == 0


@pytest.mark.parametrize(
    "name",
    [
        b"a\nb.json",
        b"..a.json"[1:],
        b"-rf.json",
        b"\xff\xfe.json",
        b"a b;$(x).json",
        b"\x1b[31m.json",
        b"a." + b"x" * 200,
    ],
)
def test_odd_names_are_kept_as_they_are(here: Deployment, inbox: Path, name: bytes) -> None:
    name = name.lstrip(b".")
    for content, place in ((make_body(), "done"), (b"nothing", "failed")):
        (inbox / os.fsdecode(name)).write_bytes(content)
        assert watch(here, inbox).look() == 1
        assert os.fsdecode(name) in names(inbox, place)


def test_names_as_long_as_a_name_may_be_are_taken_and_have_their_reasons(here: Deployment, inbox: Path) -> None:
    for content in (make_body(), b"nothing", make_body(), b"nothing else"):
        (inbox / LONG).write_bytes(content)
        assert watch(here, inbox).look() == 1
    assert names(inbox, "working") == []
    assert [len(one) for one in names(inbox, "done")] == [255, 255]
    failed = names(inbox, "failed")
    assert len(failed) == 4
    assert sorted(one + ".reason.json" for one in failed if not one.endswith(".reason.json")) == sorted(
        one for one in failed if one.endswith(".reason.json")
    )


def test_a_name_that_can_not_be_parted_keeps_no_other_waiting(here: Deployment, inbox: Path) -> None:
    watching = watch(here, inbox)
    (inbox / "working" / LONG).write_bytes(make_body())  # somebody is at it
    for name in (LONG, "z.json"):
        (inbox / name).write_bytes(make_body())
    assert watching.look() == 2


def test_reasons_replace_no_file_of_a_sender(here: Deployment, inbox: Path) -> None:
    (inbox / "a.reason.json").write_bytes(b"of a sender")
    watch(here, inbox).look()
    (inbox / "a").write_bytes(b"nothing")
    watch(here, inbox).look()
    assert (inbox / "failed" / "a.reason.json").read_bytes() == b"of a sender"
    assert (inbox / "failed" / "a-2.reason.json").is_file()


def test_many_files_are_taken(here: Deployment, inbox: Path) -> None:
    for number in range(300):
        (inbox / f"{number}.json").write_bytes(b"nothing")
    assert watch(here, inbox).look() == 300
    assert len(names(inbox, "failed")) == 600
