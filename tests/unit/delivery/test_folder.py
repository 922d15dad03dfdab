"""The folder destination."""

from pathlib import Path

import pytest

from service.delivery.destination import Outcome, Outgoing
from service.delivery.folder import FolderDestination
from service.delivery.settings import Folder

OUT = Outgoing("d1", "application/dicom", b"content", "report.dcm")


def destination(path: Path, **settings: str) -> FolderDestination:
    return FolderDestination(Folder(name="out", path=str(path), **settings))  # type: ignore[arg-type]  # all are texts


def test_leaves_nothing_but_the_file(tmp_path: Path) -> None:
    assert destination(tmp_path).send(OUT).outcome is Outcome.STORED
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"report.dcm": b"content"}


def test_a_half_written_file_of_a_crash_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".d1.part").write_bytes(b"con")
    assert destination(tmp_path).send(OUT).outcome is Outcome.STORED
    assert (tmp_path / "report.dcm").read_bytes() == b"content"


def test_never_replaces_a_file_with_other_content(tmp_path: Path) -> None:
    (tmp_path / "report.dcm").write_bytes(b"other")
    assert destination(tmp_path).send(OUT).outcome is Outcome.MISMATCH
    assert (tmp_path / "report.dcm").read_bytes() == b"other"


@pytest.mark.parametrize("name", ["../report.dcm", "a/b.dcm", ".hidden", "/etc/x"])
def test_refuses_a_name_that_leads_elsewhere(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    assert destination(folder).send(Outgoing("d", "x/y", b"", name)).outcome is Outcome.REFUSED
    assert list(tmp_path.rglob("*")) == [folder]


def test_a_missing_folder_is_tried_again(tmp_path: Path) -> None:
    away = destination(tmp_path / "unmounted")
    assert away.send(OUT).outcome is Outcome.NOT_SENT
    assert [echo.passed for echo in away.probe()] == [False]


def test_a_file_that_a_receiver_took_is_no_fault(tmp_path: Path) -> None:
    one = destination(tmp_path)
    one.send(OUT)
    (tmp_path / "report.dcm").unlink()
    assert one.verify(OUT).outcome is Outcome.STORED


def test_where_nothing_is_to_be_verified_nothing_is_read(tmp_path: Path) -> None:
    assert destination(tmp_path, verify="none").verify(OUT).outcome is Outcome.STORED
