"""`lesionbridge destination`."""

from pathlib import Path

import pytest

from service.delivery.settings import KINDS
from tests.faults import faulty, http
from tests.unit.cli.conftest import Run
from tests.unit.delivery.test_settings import SMALLEST


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "destinations.toml"
    path.write_text("\n".join(f'[destinations.my-{kind}]\nkind = "{kind}"\n{SMALLEST[kind]}' for kind in KINDS))
    monkeypatch.setenv("LESIONBRIDGE_DESTINATIONS_FILE", str(path))
    return path


def test_lists_each_destination_with_its_place(run: Run, file: Path) -> None:
    lines = run("destination", "list").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"my-{kind}" for kind in KINDS]
    assert lines[1] == "my-cstore: cstore, takes sr, PACS@pacs.example.org:11112, verify: commitment"


def test_no_destination_is_an_empty_list_that_says_so(run: Run) -> None:
    done = run("destination", "list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "none is set up (setting destinations_file)\n"


def test_tries_a_destination_and_says_how_it_went(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONBRIDGE_DESTINATION__MY_FOLDER__PATH", str(tmp_path))
    done = run("destination", "test", "my-folder")
    assert (done.exit_code, done.stdout) == (0, "ok     a file can be written: written, synced and deleted\n")


def test_says_what_is_wrong_with_one(run: Run, file: Path) -> None:
    done = run("destination", "test", "my-folder")
    assert done.exit_code == 1
    assert "FAILED the folder is there: there is no such folder" in done.stdout


def test_a_name_that_is_not_set_up_is_told_with_those_that_are(run: Run, file: Path) -> None:
    done = run("destination", "test", "pacs")
    assert done.exit_code == 2
    assert "my-stow" in done.stderr


def test_settings_that_can_not_be_used_are_told_with_their_place(run: Run, file: Path) -> None:
    file.write_text('[destinations.a]\nkind = "fax"')
    done = run("destination", "list")
    assert done.exit_code == 2
    assert "destinations.a.kind" in done.stderr


def test_what_only_a_report_can_show_is_open_and_no_failure(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty() as server:
        server.answer = http("404 Not Found")
        monkeypatch.setenv("LESIONBRIDGE_DESTINATION__MY_WEBHOOK__URL", server.url)
        done = run("destination", "test", "my-webhook")
    assert done.exit_code == 0, done.stderr
    marks = [line[:6].strip() for line in done.stdout.splitlines()]
    assert (marks, "only a POST can show that" in done.stdout) == (["ok", "open", "ok"], True)
