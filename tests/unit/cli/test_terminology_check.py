"""`lesionbridge terminology check`: the gate as a command."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import main
from service.coding import vocabulary
from tests.releases import Generated
from tests.unit.cli.conftest import Run
from tests.unit.coding.small import write_tables

CHECK = ("terminology", "check")


@pytest.fixture(autouse=True)
def no_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that has loaded nothing."""
    monkeypatch.setenv("LESIONBRIDGE_TERMINOLOGY_FOLDER", str(tmp_path / "none"))


def test_shows_what_every_group_covers() -> None:
    done = CliRunner().invoke(main, CHECK, catch_exceptions=False)

    assert done.exit_code == 0
    groups = {concept.group for concept in vocabulary().concepts.values()}
    assert not {group for group in groups if group not in done.stdout}
    assert f" {len(vocabulary().concepts)} " in done.stdout


def test_a_defect_ends_with_1_and_its_file_and_line(tmp_path: Path) -> None:
    folders = write_tables(tmp_path, add={"terminology/concepts.csv": "left,laterality,,a source\n"})
    named = ("--terminology", str(folders[0]), "--mappings", str(folders[1]))

    done = CliRunner().invoke(main, [*CHECK, *named], catch_exceptions=False)

    assert done.exit_code == 1
    assert "concepts.csv:" in done.stderr
    assert "left is there twice" in done.stderr
    assert "1 defect" in done.stderr


def test_codes_are_held_to_the_releases_that_are_loaded(
    run: Run, rf2: Generated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONBRIDGE_TERMINOLOGY_FOLDER", str(tmp_path))
    assert run("terminology", "import", rf2.path).exit_code == 0

    done = run("terminology", "check")

    assert done.exit_code == 1
    assert "brain-metastasis: SCT 94225005 is not in the loaded release" in done.stderr
    assert "RADLEX" not in done.stderr
