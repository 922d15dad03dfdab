"""A copy with more in it than the tables of its step: refused by name before anything is replaced."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.domain.errors import Invalid
from service.store.backup import backup, restore
from service.store.database import STEPS, migrate, open_engine
from service.store.reports import Store
from tests.unit.store.kept import ID, make_draft

ADDED = {
    "trigger": ("CREATE TRIGGER watch AFTER INSERT ON reports BEGIN DELETE FROM audit; END", "trigger watch"),
    "view": ("CREATE VIEW shown AS SELECT * FROM reports", "view shown"),
    "table": ("CREATE TABLE notes (text TEXT)", "table notes"),
    "virtual table": ("CREATE VIRTUAL TABLE found USING fts5(text)", "table found"),
    "column": ("ALTER TABLE reports ADD COLUMN note TEXT", "column reports.note"),
    "generated column": ("ALTER TABLE reports ADD COLUMN note TEXT AS (sender || 'x') VIRTUAL", "column reports.note"),
    "view of a table's name": (
        "ALTER TABLE rates RENAME TO rates2; CREATE VIEW rates AS SELECT * FROM rates2",
        "view rates",
    ),
    "long name": (f'CREATE TABLE "{"n" * 500}" (text TEXT)', "'table nnn"),
    "line in a name": ('CREATE TABLE "a\nb" (text TEXT)', r"'table a\nb'"),
}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of a database with a report; the database is closed."""
    store = Store(url(tmp_path))
    store.migrate()
    store.keep(make_draft(1))
    copy = tmp_path / "copy.sqlite3"
    backup(url(tmp_path), copy)
    store.close()
    return copy


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'live.sqlite3'}"


def change(file: Path, statements: str) -> None:
    with closing(sqlite3.connect(file)) as found:
        found.executescript(statements)


@pytest.mark.parametrize(("statements", "named"), ADDED.values(), ids=ADDED)
def test_what_the_step_does_not_have_is_refused_by_name_and_the_database_stays(
    statements: str, named: str, copied: Path, tmp_path: Path
) -> None:
    change(copied, statements)
    before = (tmp_path / "live.sqlite3").read_bytes()
    with pytest.raises(Invalid) as refused:
        restore(url(tmp_path), copied, replace=True)
    assert named in refused.value.problems[0].detail
    assert "\n" not in refused.value.problems[0].detail
    assert len(refused.value.problems[0].detail) < 300
    assert (tmp_path / "live.sqlite3").read_bytes() == before


def test_many_are_counted(copied: Path, tmp_path: Path) -> None:
    change(copied, ";".join(f"CREATE TABLE t{number} (a)" for number in range(12)))
    with pytest.raises(Invalid, match="table t4 and 7 more"):
        restore(url(tmp_path), copied, replace=True)


def test_a_view_in_the_place_of_the_steps_is_never_asked(copied: Path, tmp_path: Path) -> None:
    """It could answer for ever."""
    endless = "WITH RECURSIVE n(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM n) SELECT step, 1 AS oldest FROM n"
    change(copied, "UPDATE alembic_version SET version_num = '9999'; DROP TABLE schema_steps")
    change(copied, f"CREATE VIEW schema_steps AS {endless}")
    with pytest.raises(Invalid, match="view schema_steps"):
        restore(url(tmp_path), copied, replace=True)


def test_an_index_of_the_site_and_what_sqlite_makes_itself_stay(copied: Path, tmp_path: Path) -> None:
    change(copied, "CREATE INDEX ours ON versions (status); ANALYZE")
    restore(url(tmp_path), copied, replace=True)
    again = Store(url(tmp_path))
    assert again.faults() == ()
    assert again.get(ID.format(1)) == make_draft(1).stored
    again.close()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("by_way_of", [None, STEPS[-1]], ids=["forward", "and back"])
def test_a_copy_of_every_step_is_put_back(step: str, by_way_of: str | None, tmp_path: Path) -> None:
    older = open_engine(f"sqlite:///{tmp_path / 'older.sqlite3'}")
    for to in filter(None, (by_way_of, step)):
        migrate(older, to)
    older.dispose()
    copy = tmp_path / "copy.sqlite3"
    backup(f"sqlite:///{tmp_path / 'older.sqlite3'}", copy)
    restore(url(tmp_path), copy)
    again = open_engine(url(tmp_path))
    assert migrate(again) == ((step, STEPS[-1]) if step != STEPS[-1] else None)
    again.dispose()
