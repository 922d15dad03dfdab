"""Copies of the database that are none, under names that mean something in a URI: nothing is replaced by them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.domain.errors import Invalid
from service.store.backup import backup, restore
from service.store.reports import Store
from tests.unit.store.kept import ID, make_draft

STRANGE = ["a#b.sqlite3", "a?mode=rwc.sqlite3", "a%41.sqlite3", "a b;c.sqlite3", "ä\u2028.sqlite3"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An embedded database with a report in it."""
    made = f"sqlite:///{tmp_path / 'live.sqlite3'}"
    store = Store(made)
    store.migrate()
    store.keep(make_draft(1))
    store.close()
    return made


@pytest.mark.parametrize("name", STRANGE)
def test_a_copy_of_any_name_is_checked_and_put_back(url: str, tmp_path: Path, name: str) -> None:
    backup(url, tmp_path / name)
    restore(url, tmp_path / name, replace=True)
    again = Store(url)
    assert again.get(ID.format(1)) == make_draft(1).stored
    again.close()


def test_another_file_than_the_one_that_is_put_back_is_never_checked_instead(url: str, tmp_path: Path) -> None:
    backup(url, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "foreign")) as other:
        other.execute("CREATE TABLE notes (text)")
    (tmp_path / "foreign").rename(tmp_path / "copy#2")
    with pytest.raises(Invalid, match="no whole copy"):
        restore(url, tmp_path / "copy#2", replace=True)
    again = Store(url)
    assert again.get(ID.format(1)) == make_draft(1).stored
    again.close()


@pytest.mark.parametrize(
    "altered",
    [
        ("DELETE FROM alembic_version",),
        ("INSERT INTO alembic_version VALUES ('zzz')",),
        ("DROP TABLE alembic_version", "CREATE TABLE alembic_version (x)"),
        ("UPDATE alembic_version SET version_num = x'00ff'",),
        ("UPDATE alembic_version SET version_num = char(27) || '[31m'",),
        ("UPDATE alembic_version SET version_num = '9999'", "DROP TABLE schema_steps", "CREATE TABLE schema_steps (a)"),
        ("ALTER TABLE reports RENAME TO r2", "CREATE VIEW reports AS SELECT * FROM r2"),
    ],
)
def test_a_copy_that_was_altered_is_refused_in_a_sentence(url: str, tmp_path: Path, altered: tuple[str, ...]) -> None:
    backup(url, tmp_path / "copy")
    shutil.copy(tmp_path / "copy", tmp_path / "altered")
    with closing(sqlite3.connect(tmp_path / "altered")) as copy:
        for statement in altered:
            copy.execute(statement)
        copy.commit()
    with pytest.raises(Invalid, match="no whole copy"):
        restore(url, tmp_path / "altered", replace=True)
