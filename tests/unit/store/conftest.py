"""Every test of the store runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from service.store.reports import Store
from tests.conftest import Missing
from tests.databases import with_tables
from tests.unit.store.kept import Clock


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, missing: Missing) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'reports.sqlite3'}"
    url: str | None = request.getfixturevalue("postgres_url")
    if url is None:
        missing.skip("postgresql", "its server programs (initdb, pg_ctl) are not installed")
        raise AssertionError
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for schema in ("public", "dbos"):
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store with its tables."""
    made = Store(with_tables(database_url))
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    """The clock of the store."""
    return Clock()


@pytest.fixture
def kept(database_url: str, clock: Clock) -> Iterator[Store]:
    """A store with its tables and a clock of the test's."""
    made = Store(with_tables(database_url), clock)
    made.migrate()
    yield made
    made.close()
