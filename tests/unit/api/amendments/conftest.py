"""The application that the tests of amendments share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from service.api.deployment import Deployment
from service.app import create_app
from service.config import Settings

DESTINATIONS = """
[destinations.pacs]
kind = "folder"
path = "/nonexistent"
takes = "sr"

[destinations.ehr]
kind = "folder"
path = "/nonexistent"
takes = "fhir-r5"

[destinations.ris]
kind = "folder"
path = "/nonexistent"
takes = "hl7v2"
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application with three destinations."""
    file = tmp_path / "destinations.toml"
    file.write_text(DESTINATIONS)
    url = f"sqlite:///{tmp_path / 'api.sqlite3'}"
    made = create_app(Settings(database_url=url, destinations_file=str(file), log_level="error"))
    here = made.extensions["lesionbridge"]
    assert isinstance(here, Deployment)
    here.store.migrate()
    yield made
    here.store.close()
