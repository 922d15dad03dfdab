"""`lesionbridge route`: what a rule makes of a document before it comes."""

from pathlib import Path

import pytest

from tests.findings import make_body
from tests.unit.cli.conftest import Run

RECEIVING = """
[[routes]]
name = "what north sends over DICOM"
source = ["dicom"]
sender = ["north"]
deliver = []

[[routes]]
name = "all else"
deliver = []
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A document, with rules for it."""
    (tmp_path / "receiving.toml").write_text(RECEIVING, encoding="utf-8")
    monkeypatch.setenv("LESIONBRIDGE_RECEIVING_FILE", str(tmp_path / "receiving.toml"))
    made = tmp_path / "a.json"
    made.write_bytes(make_body())
    return made


def test_says_which_rule_takes_effect_and_what_kept_others_from_it(run: Run, file: Path) -> None:
    said = run("route", file, "--source", "dicom").stderr
    assert "what north sends over DICOM: no, its sender is another" in said
    assert "all else: takes effect" in said


def test_a_document_is_tried_as_that_of_a_site(run: Run, file: Path) -> None:
    assert (
        "what north sends over DICOM: takes effect"
        in run("route", file, "--source", "dicom", "--sender", "north").stderr
    )


def test_a_way_that_there_is_not_is_refused(run: Run, file: Path) -> None:
    assert run("route", file, "--source", "fax").exit_code == 2


def test_says_first_which_rules_may_never_take_effect(run: Run, file: Path) -> None:
    rules = RECEIVING.replace('"north"', '"north"]\nmodality = ["XY"')
    (file.parent / "receiving.toml").write_text(rules, encoding="utf-8")
    done = run("route", file)
    assert done.exit_code == 0
    assert "routes[0].modality: no modality is called 'XY'" in done.stderr


def test_a_file_that_can_not_be_used_is_called_what_it_is(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file.parent / "receiving.toml").write_text(RECEIVING.replace('"dicom"', '"fax"'), encoding="utf-8")
    done = run("route", file)
    assert (done.exit_code, done.stderr.splitlines()[0]) == (2, "lesionbridge: receiving file that can't be used")
    (file.parent / "destinations.toml").write_text('[destinations.pacs]\nkind = "fax"\n', encoding="utf-8")
    monkeypatch.setenv("LESIONBRIDGE_DESTINATIONS_FILE", str(file.parent / "destinations.toml"))
    done = run("route", file)
    assert (done.exit_code, done.stderr.splitlines()[0]) == (2, "lesionbridge: destinations that can't be used")
