"""`lesionbridge terminology check`: the gate as a command."""

from pathlib import Path

from click.testing import CliRunner

from service.cli import main
from service.coding import vocabulary
from tests.unit.coding.small import write_tables

CHECK = ("terminology", "check")


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
