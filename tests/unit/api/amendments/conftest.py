"""The application that the tests of amendments share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.unit.api.conftest import deployed

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
    with deployed(tmp_path, DESTINATIONS) as made:
        yield made
