"""GET /v1/terms."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.api.deployment import Deployment
from service.app import create_app
from service.config import Settings
from tests.releases import Generated, Site


@pytest.fixture
def served(loaded: Site, tmp_path: Path) -> FlaskClient:
    """A service whose site has loaded a release."""
    database = loaded.database_url or f"sqlite:///{tmp_path / 'terms.sqlite3'}"
    folder = "" if loaded.database_url else str(loaded.folder)
    app = create_app(Settings(database_url=database, terminology_folder=folder, log_level="error"))
    assert isinstance(app.extensions["lesionbridge"], Deployment)
    return app.test_client()


def test_answers_the_concepts_best_first(client: FlaskClient) -> None:
    answer = client.get("/v1/terms?q=frontl+lobe&field=site&limit=3")
    assert answer.status_code == 200
    assert answer.json is not None
    first = answer.json["terms"][0]
    assert (first["label"], first["concept"], first["how"], first["inField"]) == (
        "frontal lobe",
        "frontal-lobe",
        "spelling",
        True,
    )
    assert first["codes"][0]["system"] == "SCT"
    assert len(answer.json["terms"]) <= 3


def test_finds_what_only_the_release_has(served: FlaskClient, rf2: Generated) -> None:
    answer = served.get("/v1/terms", query_string={"q": rf2.made.names[-1], "lang": "en-US"})
    assert answer.json is not None
    first = answer.json["terms"][0]
    assert (first["source"], first["concept"], first["codes"][0]["code"]) == ("sct", None, rf2.made.codes[-1])


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "?q"),
        ("q=", "?q"),
        ("q=a&limit=0", "?limit"),
        ("q=a&limit=101", "?limit"),
        ("q=a&lang=!", "?lang"),
        ("q=a&field=none", "?field"),
        ("q=a&other=1", "?other"),
        ("q=" + "a" * 257, "?q"),
    ],
)
def test_refuses_a_parameter_at_its_place(query: str, pointer: str, client: FlaskClient) -> None:
    answer = client.get(f"/v1/terms?{query}")
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["pointer"] == pointer


@pytest.mark.parametrize("text", ["?!", '"', "*", "a AND b OR (", "\u0000", "漢字"])
def test_no_text_breaks_the_search(text: str, served: FlaskClient) -> None:
    assert served.get("/v1/terms", query_string={"q": text}).status_code == 200
