"""A service with an empty database of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api.deployment import Deployment
from service.app import create_app
from service.config import Settings
from tests.databases import with_tables
from tests.unit.api.guarded import Service

FINDINGS = {"Content-Type": "application/vnd.lesionbridge.findings+json"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """The application, its tables made."""
    return create_app(Settings(database_url=with_tables(f"sqlite:///{tmp_path / 'api.sqlite3'}"), log_level="error"))


@contextmanager
def deployed(folder: Path, destinations: str) -> Iterator[Flask]:
    """The application with these destinations (TOML), its tables made in the folder."""
    file = folder / "destinations.toml"
    file.write_text(destinations)
    url = with_tables(f"sqlite:///{folder / 'api.sqlite3'}")
    made = create_app(Settings(database_url=url, destinations_file=str(file), log_level="error"))
    here = made.extensions["lesionbridge"]
    assert isinstance(here, Deployment)
    yield made
    here.store.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of it."""
    return app.test_client()


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service that asks who calls."""
    return Service(tmp_path)
