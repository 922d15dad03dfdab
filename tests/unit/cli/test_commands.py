"""The other commands."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import COMMANDS, main
from service.config import Settings
from service.pipeline import Options, Source
from service.publishing import publish
from service.store.reports import Store
from tests.databases import with_tables
from tests.findings import make_body
from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


def test_lists_the_commands() -> None:
    done = CliRunner().invoke(main, ["--help"], catch_exceptions=False)
    assert all(name in done.stdout for name in COMMANDS)


def test_an_unknown_command_is_an_error() -> None:
    assert CliRunner().invoke(main, ["fly"]).exit_code == 2


def test_code_prints_concept_and_codes(run: Run) -> None:
    done = run("code", "left", "--field", "laterality")
    assert done.exit_code == 0
    assert "SCT  7771000" in done.stdout


def test_code_suggests_for_what_it_does_not_know(run: Run) -> None:
    done = run("code", "frontal loeb", "--field", "site")
    assert done.exit_code == 2
    assert "frontal lobe" in done.stderr


def test_code_refuses_a_field_that_is_not_there(run: Run) -> None:
    assert run("code", "left", "--field", "nowhere").exit_code == 2


def test_migrate_makes_the_tables(run: Run, tmp_path: Path) -> None:
    assert run("migrate").exit_code == 0
    store = Store(f"sqlite:///{tmp_path / 'cli.sqlite3'}")
    assert store.faults() == ()
    store.close()


def test_migrate_names_a_database_that_is_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_DATABASE_URL", "mysql://x/y")
    done = run("migrate")
    assert done.exit_code == 2
    assert "database_url" in done.stderr


@pytest.fixture
def stored(run: Run, tmp_path: Path) -> str:
    """Two versions of a report; our id of the second."""
    store = Store(with_tables(f"sqlite:///{tmp_path / 'cli.sqlite3'}"))
    sender = Settings().default_sender
    for version in (1, 2):
        receipt = publish(Source(make_body(report__version=version), default_sender=sender), Options(), store)
    store.close()
    return str(receipt.id)


def test_report_prints_the_receipt_by_our_id(run: Run, stored: str) -> None:
    assert json.loads(run("report", stored).stdout_bytes)["id"] == stored


def test_report_finds_the_newest_version_by_the_senders_id(run: Run, stored: str) -> None:
    assert json.loads(run("report", "MR-2026-000481").stdout_bytes)["id"] == stored


def test_report_prints_an_output(run: Run, stored: str) -> None:
    assert run("report", stored, "--get", "findings").stdout_bytes == make_body(report__version=2)


def test_report_says_that_there_is_none(run: Run, stored: str) -> None:
    for name in ("00000000-0000-4000-8000-000000000000", "unknown"):
        done = run("report", name)
        assert done.exit_code == 2
        assert "stored" in done.stderr
