"""`lesionbridge terminology import`, `list`, `remove` and `search`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.releases import Generated

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site's folder."""
    made = tmp_path / "terminology"
    monkeypatch.setenv("LESIONBRIDGE_TERMINOLOGY_FOLDER", str(made))
    return made


def test_an_import_says_what_is_in_use_now(run: Run, folder: Path, rf2: Generated) -> None:
    told = run("terminology", "import", rf2.path)
    assert told.exit_code == 0
    assert "SCT 20260701: 600 concepts" in told.output
    assert f"in use as sct (1 MB in {folder})" in told.output


def test_the_list_names_slot_system_version_and_source(run: Run, folder: Path, rf2: Generated) -> None:
    run("terminology", "import", rf2.path, "--name", "national")
    told = run("terminology", "list")
    assert told.exit_code == 0
    for part in ("national", "rf2", "SCT", "20260701", rf2.path.name[:20], "600"):
        assert part in told.output
    assert folder.is_dir()


def test_an_empty_list_says_how_to_fill_it(run: Run, folder: Path) -> None:
    told = run("terminology", "list")
    assert told.exit_code == 0
    assert f"no release is loaded in {folder}: lesionbridge terminology import FILE..." in told.output


def test_a_refusal_names_file_line_and_rule(run: Run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "icd10cm_order_2026.txt"
    path.write_text("00001 X10     0 Short                                                        Long\nnonsense\n")
    told = run("terminology", "import", path)
    assert told.exit_code == 2
    assert "icd10cm_order_2026.txt:2: not a line of the order file" in told.output
    assert "[release-layout]" in told.output
    assert not (folder / "current.json").exists()


def test_a_name_that_is_none_is_refused(run: Run, folder: Path, rf2: Generated) -> None:
    told = run("terminology", "import", rf2.path, "--name", "../up")
    assert told.exit_code == 2
    assert "--name" in told.output
    assert not folder.exists()


def test_a_release_is_removed_by_its_slot(run: Run, folder: Path, rf2: Generated) -> None:
    run("terminology", "import", rf2.path)
    told = run("terminology", "remove", "sct")
    assert (told.exit_code, f"removed sct from {folder}" in told.output) == (0, True)
    assert "no release is loaded" in run("terminology", "list").output
    assert list(folder.glob("*.sqlite3")) == []
    again = run("terminology", "remove", "sct")
    assert (again.exit_code, "there is no release 'sct'" in again.output) == (2, True)


def test_a_search_shows_label_codes_and_source(run: Run, folder: Path, rf2: Generated) -> None:
    run("terminology", "import", rf2.path)
    told = run("terminology", "search", "frontl lobe", "--field", "site", "--limit", "3")
    assert told.exit_code == 0
    for part in ("frontal-lobe", "SCT 83251001", "spelling", "lesionbridge"):
        assert part in told.output
    name = next(n for n, state in zip(rf2.made.names[20:], rf2.made.active[20:], strict=True) if state)
    assert " sct " in run("terminology", "search", name).output


def test_a_search_that_finds_nothing_says_so(run: Run, folder: Path) -> None:
    told = run("terminology", "search", "qqqqqqq")
    assert (told.exit_code, "nothing is called 'qqqqqqq'" in told.output) == (2, True)
    assert run("terminology", "search", "mets", "--field", "nowhere").exit_code == 2
