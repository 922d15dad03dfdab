"""Files whose names clash with each other, with the input or with the terminal: none is lost, none is believed."""

from pathlib import Path

import pytest

from tests.findings import make_body
from tests.unit.cli.conftest import Run


def fill(folder: Path, *names: str) -> None:
    folder.mkdir()
    for number, name in enumerate(names):
        (folder / name).write_bytes(make_body(report__id=f"R{number}"))


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("files", "made"),
    [
        (("a.json", "b.json"), {"a.hl7", "b.hl7"}),
        (("a.json", "a.dcm", "a.json.json"), {"a.json.hl7", "a.dcm.hl7", "a.json.json.hl7"}),
        (("a.json", "A.json"), {"a.json.hl7", "A.json.hl7"}),
    ],
)
def test_each_document_of_a_folder_has_an_output_of_its_own(
    run: Run, tmp_path: Path, files: tuple[str, ...], made: set[str]
) -> None:
    fill(tmp_path / "in", *files)
    assert run("convert", "in", "--to", "hl7v2", "-o", "out").exit_code == 0
    assert names(tmp_path / "out") == made
    assert len({(tmp_path / "out" / name).read_bytes() for name in made}) == len(files)


@pytest.mark.parametrize("out", ["in", "in/../in", "linked"])
def test_no_output_takes_the_place_of_an_input(run: Run, tmp_path: Path, out: str) -> None:
    fill(tmp_path / "in", "a.json", "b.json")
    (tmp_path / "linked").symlink_to(tmp_path / "in")
    before = {file.name: file.read_bytes() for file in (tmp_path / "in").iterdir()}
    done = run("convert", "in", "--to", "findings", "-o", out)
    assert done.exit_code == 2
    assert "a.json is an input: give another folder" in done.stderr
    assert {file.name: file.read_bytes() for file in (tmp_path / "in").iterdir()} == before


def test_a_name_of_a_sender_does_not_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    name = "a\x1b]0;owned\x07\x9b2J\u202e\u2028.json"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(b"{")
    said = run("convert", "in", "--to", "sr", "-o", "out").stderr
    assert "a<U+001B>]0;owned<U+0007><U+009B>2J<U+202E><U+2028>.json" in said
    assert not set(said) & set("\x1b\x07\x9b\u202e\u2028")


def test_a_column_of_a_sender_does_not_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("/report/id,/lesions/x\x1b[31m/y\nR,1\n")
    said = run("convert", "t.csv", "--to", "sr", "-o", "out").stderr
    assert "\x1b" not in said
    assert "character" in said
