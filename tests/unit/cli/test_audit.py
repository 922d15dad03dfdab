"""`audit verify`: what it says of a trail that was changed, and of one that was cut off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from service.store.database import transaction
from service.store.reports import Store
from tests.unit.cli.conftest import Run


@pytest.fixture
def store(run: Run) -> Store:
    """A database whose trail has four events."""
    assert run("migrate").exit_code == 0
    made = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    for number in range(3):
        made.audit.add(b'{"outcome": "%d"}' % number)
    return made


def change(store: Store, statement: str) -> None:
    """What somebody does who may write into the database."""
    with transaction(store.audit._engine, writes=True) as connection:
        connection.execute(text(statement))


def test_a_whole_trail_holds_and_has_a_mark_of_its_end(run: Run, store: Store) -> None:
    done = run("audit", "verify")
    last = store.audit.last()
    assert last is not None
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"4:{last.hash}\n", "the chain holds\n")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM audit WHERE position = 4", "the trail was cut off, or its end written anew: it ended at 4:"),
        ("DELETE FROM audit", "the trail was cut off, or its end written anew: it ended at 4:"),
        ("DELETE FROM audit_end", "the row that says where the trail ends is gone"),
        ("UPDATE audit SET event = '{}' WHERE position = 2", "the chain is broken at position 2"),
        ("DELETE FROM audit WHERE position = 2", "the chain is broken at position 3"),
    ],
)
def test_a_trail_that_was_changed_is_told_without_any_mark(run: Run, store: Store, statement: str, says: str) -> None:
    change(store, statement)
    done = run("audit", "verify")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(says)


def test_who_cuts_off_both_tables_is_found_by_a_mark_alone(run: Run, store: Store) -> None:
    mark = run("audit", "verify").stdout.strip()
    change(store, "DELETE FROM audit WHERE position = 4")
    change(
        store,
        "UPDATE audit_end SET position = 3, previous = (SELECT previous FROM audit WHERE position = 3),"
        " hash = (SELECT hash FROM audit WHERE position = 3)",
    )
    assert run("audit", "verify").exit_code == 0
    done = run("audit", "verify", "--known", mark)
    assert (done.exit_code, "does not hold what is known of it" in done.stderr) == (2, True)


def test_events_of_an_older_program_are_said_to_be_beyond_the_end_that_is_noted(run: Run, store: Store) -> None:
    change(store, "UPDATE audit_end SET position = 2, hash = (SELECT hash FROM audit WHERE position = 2)")
    done = run("audit", "verify")
    assert done.exit_code == 0
    assert "what stands after 2 was added by an older program, and may be cut off unseen" in done.stderr
    assert done.stdout.startswith("4:")


def test_a_copy_that_is_put_back_has_the_end_of_its_trail(run: Run, store: Store, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "copy.sqlite3").exit_code == 0
    for number in range(3):
        store.audit.add(b"after the copy %d" % number)
    store.close()
    assert run("restore", tmp_path / "copy.sqlite3", "--replace").exit_code == 0
    done = run("audit", "verify")
    assert (done.exit_code, done.stdout.partition(":")[0]) == (0, "5")
