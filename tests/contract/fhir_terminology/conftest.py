"""The service with a small terminology."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api import terminology
from service.app import create_app
from service.config import Settings
from tests.terminology import loinc, many, small_terminology, snomed


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    database = tmp_path_factory.mktemp("fhir") / "x.sqlite3"
    return create_app(Settings(database_url=f"sqlite:///{database}", log_level="error"))


@pytest.fixture
def app(service: Flask) -> Flask:
    terminology.install(service, Settings(), small_terminology(snomed(), loinc(), many(1_200)))
    return service


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
