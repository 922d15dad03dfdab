"""An empty store of reports; a generated release, and a site that has it in use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import generated_rf2
from service.coding.releases.postgres_shelf import PostgresShelf
from service.coding.releases.shelf import Shelf
from service.store.reports import Store
from tests.conftest import Missing
from tests.databases import another, postgres, postgres_programs, with_tables
from tests.releases import SHAPE, Generated, Site


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(with_tables(f"sqlite:///{tmp_path / 'x.sqlite3'}"))


@pytest.fixture(scope="session")
def rf2(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """A SNOMED CT package of 600 concepts."""
    path = tmp_path_factory.mktemp("rf2") / "SnomedCT_GeneratedRF2_20260701.zip"
    return Generated(path, generated_rf2.write(path, SHAPE))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder."""
    return Site(Shelf(tmp_path / "terminology"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str | None]:
    """A PostgreSQL server, or None where it is not installed."""
    if postgres_programs() is None:
        yield None
        return
    with postgres() as url:
        yield url


@pytest.fixture(params=["folder", "postgresql"])
def any_site(request: pytest.FixtureRequest, site: Site, missing: Missing, tmp_path: Path) -> Site:
    """An empty site of each kind."""
    if request.param == "folder":
        return site
    server: str | None = request.getfixturevalue("postgres_url")
    if server is None:
        missing.skip("postgresql", "its server programs (initdb, pg_ctl) are not installed")
        raise AssertionError
    url = another(server, "anysite")
    return Site(PostgresShelf(url, tmp_path / "building"), url)


@pytest.fixture(scope="session")
def loaded_folder(rf2: Generated, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A folder with the package in use; nobody writes to it."""
    made = Site(Shelf(tmp_path_factory.mktemp("loaded")))
    made.load(rf2.path)
    return made


@pytest.fixture(scope="session")
def loaded_database(rf2: Generated, tmp_path_factory: pytest.TempPathFactory, postgres_url: str | None) -> Site | None:
    """A database with the package in use; nobody writes to it. None where there is no PostgreSQL."""
    if postgres_url is None:
        return None
    url = another(postgres_url, "loaded")
    made = Site(PostgresShelf(url, tmp_path_factory.mktemp("building")), url)
    made.load(rf2.path)
    return made


@pytest.fixture(params=["folder", "postgresql"])
def loaded(request: pytest.FixtureRequest, missing: Missing) -> Site:
    """The package in use, in each kind of store; nobody writes to it."""
    made: Site | None = request.getfixturevalue("loaded_folder" if request.param == "folder" else "loaded_database")
    if made is None:
        missing.skip("postgresql", "its server programs (initdb, pg_ctl) are not installed")
        raise AssertionError
    return made
