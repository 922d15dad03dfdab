"""`lesionbridge key` and `lesionbridge audit`."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run


def test_a_key_is_made_listed_and_revoked(run: Run) -> None:
    run("migrate")
    made = run("key", "create", "north-mirth", "--sender", "north", "--scope", "report.write", "--days", "30")
    assert made.exit_code == 0
    secret = made.stdout.strip()
    assert secret.startswith("lb_")
    shown = run("key", "list").stdout
    assert "north-mirth" in shown
    assert secret.rpartition("_")[2] not in shown
    assert run("key", "create", "north-mirth", "--scope", "convert").exit_code == 2
    assert run("key", "revoke", "north-mirth").exit_code == 0
    assert "revoked" in run("key", "list").stdout
    assert run("key", "revoke", "north-mirth").exit_code == 2


@pytest.mark.parametrize("sender", ["nor\nth", " north", "n" * 257])
def test_a_sender_that_no_report_can_have_gets_no_key(run: Run, sender: str) -> None:
    run("migrate")
    made = run("key", "create", "k", "--sender", sender, "--scope", "convert")
    assert made.exit_code == 2
    assert "printable" in made.stderr
    assert run("key", "list").stdout == ""


def test_the_overlay_of_all_senders_is_no_sender_of_a_key(run: Run) -> None:
    run("migrate")
    made = run("key", "create", "k", "--sender", "all", "--scope", "terminology.write")
    assert made.exit_code == 2
    assert "no --sender" in made.stderr
    assert run("key", "list").stdout == ""


def test_a_key_that_was_made_for_a_sender_that_none_can_be_is_said(run: Run, tmp_path: Path) -> None:
    run("migrate")
    for name in ("old", "good", "gone"):
        run("key", "create", name, "--sender", "north", "--scope", "convert")
    with closing(sqlite3.connect(tmp_path / "cli.sqlite3")) as tables:
        tables.execute("UPDATE api_keys SET sender = ? WHERE name IN ('old', 'gone')", ("nor\nth",))
        tables.commit()
    run("key", "revoke", "gone")
    shown = run("key", "list")
    assert len(shown.stdout.splitlines()) == 3
    assert "nor\\nth" in shown.stdout
    assert [line.partition(":")[0] for line in shown.stderr.splitlines()] == ["old"]


def test_a_key_of_a_sender_is_told_what_it_cannot_use(run: Run) -> None:
    run("migrate")
    scopes = ("--scope", "report.read", "--scope", "delivery.admin", "--scope", "audit.read")
    assert "can't use" not in run("key", "create", "all", *scopes).stderr
    assert "can't use audit.read, delivery.admin" in run("key", "create", "k", "--sender", "north", *scopes).stderr


def test_a_trail_begins_with_the_making_of_the_tables_and_holds(run: Run) -> None:
    run("migrate")
    assert run("audit", "verify").exit_code == 0
    [line] = run("audit", "export").stdout.splitlines()
    assert "lesionbridge migrate (no tables to" in line
    assert run("audit", "export", "--after", "1").stdout == ""


def test_a_mark_that_was_kept_is_held_and_another_is_not(run: Run) -> None:
    run("migrate")
    for name in ("a", "b"):
        run("key", "create", name, "--scope", "convert")
    mark = run("audit", "verify").stdout.strip()
    run("key", "create", "c", "--scope", "convert")
    assert run("audit", "verify", "--known", mark).exit_code == 0
    for wrong in ("2", f"0:{'0' * 64}", "x"):
        assert run("audit", "verify", "--known", wrong).exit_code == 2
