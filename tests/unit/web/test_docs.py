"""/docs: complete, and nothing from outside."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.api.problems import kinds, slug
from service.app import create_app
from service.config import Settings


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """A client of the service."""
    return create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", log_level="error")).test_client()


@pytest.fixture
def page(client: FlaskClient) -> str:
    """The page."""
    answer = client.get("/docs")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return answer.text


def test_loads_nothing_and_runs_nothing(page: str) -> None:
    assert "<script" not in page
    assert "<link" not in page
    assert re.findall(r"(?:src|href)=\"(?!/|#)", page) == []
    assert "url(" not in page


def test_shows_every_route(client: FlaskClient, page: str) -> None:
    spec = client.get("/openapi.json").json
    assert spec is not None
    for path in spec["paths"]:
        assert f">{path}<" in page


def test_every_error_has_the_place_that_its_type_names(page: str) -> None:
    for kind in kinds():
        assert f'id="{slug(kind)}"' in page
