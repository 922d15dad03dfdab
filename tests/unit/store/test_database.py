"""Opening the database, its migrations, and what is said when it can't be used."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service.domain.errors import Invalid, Unavailable
from service.store import database
from service.store.reports import Store
from service.store.tables import Base


def test_the_migrations_make_the_tables(database_url: str) -> None:
    engine = database.open_engine(database_url)
    database.migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_the_head_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [database.HEAD]
    assert [one.revision for one in scripts.walk_revisions()][::-1] == list(database.STEPS)


def test_migrating_again_changes_nothing(database_url: str) -> None:
    store = Store(database_url)
    store.migrate()
    store.migrate()
    assert store.faults() == ()
    store.close()


def test_tables_that_are_up_to_date_need_no_alembic(database_url: str) -> None:
    store = Store(database_url)
    store.migrate()
    store.close()
    script = (
        "import sys; from service.store.reports import Store; store = Store(sys.argv[1]); store.migrate();"
        "store.close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, database_url], check=False).returncode == 0


def test_goes_back_to_an_older_step_and_forward_again(database_url: str) -> None:
    store = Store(database_url)
    store.migrate()
    store.migrate("0001")
    assert "at step 0001" in store.faults()[0]
    store.migrate()
    assert store.faults() == ()
    with pytest.raises(Invalid):
        store.migrate("head")
    store.close()


def test_says_that_the_tables_are_missing(database_url: str) -> None:
    store = Store(database_url)
    assert store.faults() == ("the database has no tables yet: run `lesionbridge migrate`",)
    store.close()


def test_says_that_the_tables_are_older_or_newer(database_url: str) -> None:
    engine = database.open_engine(database_url)
    database.migrate(engine)
    with database.transaction(engine, writes=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    assert "at step other" in database.faults(engine)[0]
    engine.dispose()


def test_says_that_the_server_is_away(tmp_path: Path) -> None:
    store = Store(f"postgresql://nobody@/none?host={tmp_path}")
    assert "can not be used" in store.faults()[0]
    with pytest.raises(Unavailable) as raised:
        store.find("local", "R1", 1)
    assert raised.value.retryable
    store.close()


def test_says_that_the_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"this is a letter to the editor" * 100)
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    assert "can not be used" in store.faults()[0]
    store.close()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u@h/d", "oracle://u@h/d", "postgresql+nosuch://h/d"])
def test_refuses_a_url_that_is_no_database(url: str) -> None:
    with pytest.raises(ValueError, match="database"):
        database.open_engine(url)


def test_an_error_of_the_database_never_repeats_a_row(database_url: str) -> None:
    engine = database.open_engine(database_url)
    with pytest.raises(Unavailable) as raised, database.transaction(engine) as connection:
        connection.execute(text("SELECT :name FROM nowhere"), {"name": "Doe^Jane"})
    assert "Doe" not in str(raised.value)
    assert raised.value.__cause__ is None
    engine.dispose()


def test_sqlite_holds_references_and_writes_ahead(tmp_path: Path) -> None:
    engine = database.open_engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with database.transaction(engine) as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2}
    engine.dispose()
