"""Opening the database, its migrations, and what is said when it can't be used."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, func, insert, inspect, select, text
from sqlalchemy.exc import InvalidatePoolError

from service.app import create_app
from service.config import Settings
from service.domain.errors import Invalid, Unavailable
from service.store import database
from service.store.reports import Store
from service.store.tables import METADATA, RATES
from tests.findings import make_body


def test_the_migrations_make_the_tables(database_url: str) -> None:
    engine = database.open_engine(database_url)
    database.migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
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


OURS = database.HEAD
NEXT_STEP = f"{int(database.HEAD) + 1:04}"
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{head}"
branch_labels = None
depends_on = None
{marker}


def upgrade() -> None:
    op.add_column("versions", sa.Column("more", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("versions", "more")
"""


@contextmanager
def newer_program(tmp_path: Path, marker: str) -> Iterator[None]:
    """The program of the next version: it has one more step."""
    folder = tmp_path / "newer"
    shutil.copytree(Path(database.__file__).parent / "migrations", folder / "migrations")
    made = NEXT.format(marker=marker, next=NEXT_STEP, head=database.HEAD)
    (folder / "migrations" / "versions" / f"m{NEXT_STEP}_next.py").write_text(made, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "__file__", str(folder / "database.py"))
        patch.setattr(database, "HEAD", NEXT_STEP)
        patch.setattr(database, "STEPS", (*database.STEPS, NEXT_STEP))
        yield


def test_an_older_program_works_on_while_the_tables_are_a_step_ahead(database_url: str, tmp_path: Path) -> None:
    app = create_app(Settings(database_url=database_url, log_level="error"))
    store = Store(database_url)
    store.migrate()
    client = app.test_client()

    def publish(report: str) -> int:
        head = {"Content-Type": "application/json"}
        body = make_body(report__id=report, study__accession=report)
        return client.post("/v1/reports", data=body, headers=head).status_code

    assert publish("before") == 201
    with newer_program(tmp_path, f'oldest_program = "{database.HEAD}"'):
        store.migrate(NEXT_STEP)
    assert client.get("/health/ready").status_code == 200
    assert publish("ahead") == 201
    assert publish("before") == 200
    store.migrate()  # what `serve` of the older program does when it is started anew
    assert store.faults() == ()
    with newer_program(tmp_path / "again", f'oldest_program = "{database.HEAD}"'):
        store.migrate(OURS)
    assert (client.get("/health/ready").status_code, publish("ahead")) == (200, 200)
    with database.transaction(store._engine) as connection:
        assert [*connection.execute(text("SELECT step FROM schema_steps"))] == [
            (one,) for one in database.STEPS if one >= "0007"
        ]
    store.close()


@pytest.mark.parametrize("marker", ["", f'oldest_program = "{NEXT_STEP}"'])
def test_a_newer_step_that_older_programs_may_not_use_says_so(database_url: str, tmp_path: Path, marker: str) -> None:
    store = Store(database_url)
    store.migrate()
    with newer_program(tmp_path, marker):
        store.migrate(NEXT_STEP)
    [fault] = store.faults()
    said = f"the database is at step {NEXT_STEP}, for programs of step {NEXT_STEP} or later; this one is of {OURS}"
    assert fault == said
    with pytest.raises(Invalid) as raised:
        store.migrate()
    assert "newer one" in raised.value.problems[0].detail
    store.close()


def _shape(engine: Engine) -> dict[str, dict[str, tuple[str, bool]]]:
    """Type of every column of every table, and whether it has to be given."""
    found = inspect(engine)
    return {
        name: {
            one["name"]: (str(one["type"]), not one["nullable"] and one["default"] is None)
            for one in found.get_columns(name)
        }
        for name in found.get_table_names()
        if name not in ("alembic_version", "schema_steps")
    }


def _unique(engine: Engine, table: str) -> set[tuple[str, ...]]:
    found = inspect(engine)
    keys = [tuple(one["column_names"]) for one in found.get_unique_constraints(table)]
    return {
        *keys,
        *(tuple(str(name) for name in one["column_names"]) for one in found.get_indexes(table) if one["unique"]),
    }


def test_a_step_only_adds_to_what_the_oldest_program_that_may_run_on_it_has(database_url: str) -> None:
    engine = database.open_engine(database_url)
    database.migrate(engine)
    with database.transaction(engine) as connection:
        rows = [(row[0], row[1]) for row in connection.execute(text("SELECT step, oldest_program FROM schema_steps"))]
    assert rows
    for step, oldest in rows:
        assert oldest <= step
        assert all(before <= oldest for other, before in rows if other < step), "what was given up is not taken back"
        database.migrate(engine, oldest)
        before, keys = _shape(engine), {name: _unique(engine, name) for name in _shape(engine)}
        database.migrate(engine, step)
        after = _shape(engine)
        for table, columns in before.items():
            assert {name: after[table].get(name) for name in columns} == columns
            assert not [name for name in after[table].keys() - columns.keys() if after[table][name][1]]
            assert _unique(engine, table) == keys[table]
    engine.dispose()


def test_says_that_the_server_is_away(tmp_path: Path) -> None:
    store = Store(f"postgresql://nobody@/none?host={tmp_path}")
    assert "nobody listens at the address of the database" in store.faults()[0]
    with pytest.raises(Unavailable) as raised:
        store.around("local", "R1", 1)
    assert raised.value.retryable
    store.close()


def test_says_that_the_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"this is a letter to the editor" * 100)
    store = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    assert "the file is no database of SQLite" in store.faults()[0]
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


def test_a_value_that_the_database_does_not_take_is_refused_and_not_tried_again(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite takes every text")
    store = Store(database_url)
    store.migrate()
    with pytest.raises(Invalid) as refused:
        store.around("local", "R\0001", 1)
    assert refused.value.problems[0].rule == "database-value"
    assert not refused.value.retryable
    store.close()


def test_sqlite_holds_references_and_writes_ahead(tmp_path: Path) -> None:
    engine = database.open_engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with database.transaction(engine) as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2}
    engine.dispose()


def test_a_pool_in_which_none_is_free_is_unavailable(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "CONNECTIONS", 1)
        engine = database.open_engine(database_url)
        patch.setattr(engine.pool, "_timeout", 0.05)
        with engine.connect(), pytest.raises(Unavailable) as raised, database.transaction(engine):
            pass
    assert "in use" in raised.value.problems[0].detail
    engine.dispose()


def test_connections_that_the_server_has_ended_fail_no_request(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    store = Store(database_url)
    store.migrate()
    assert store.around("local", "R1", 1).before is None
    with psycopg.connect(database_url, autocommit=True) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    assert ended
    assert store.around("local", "R1", 1).before is None
    store.close()


@pytest.mark.parametrize("way", [database.transaction, database.reading, database.writing_once])
def test_a_database_that_ends_each_connection_at_once_is_unavailable(way: Any, tmp_path: Path) -> None:
    engine = database.open_engine(f"sqlite:///{tmp_path}/ended.sqlite3")

    def ended(*_: object) -> None:
        raise InvalidatePoolError

    event.listen(engine, "checkout", ended)
    with pytest.raises(Unavailable, match="ends each connection"), way(engine):
        pass
    engine.dispose()


def test_a_reading_sees_what_others_commit_meanwhile(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite reads in a transaction: it shows what was committed when that began")
    engine = database.open_engine(database_url)
    database.migrate(engine)
    rates = select(func.count()).select_from(RATES)
    with database.reading(engine) as connection:
        assert connection.execute(rates).scalar() == 0
        with database.transaction(engine, writes=True) as writing:
            writing.execute(insert(RATES).values(caller="somebody", due=0.0))
        assert connection.execute(rates).scalar() == 1
    engine.dispose()
