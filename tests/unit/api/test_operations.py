"""/health and /metrics."""

from pathlib import Path

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.config import Settings


def test_is_live_and_ready(client: FlaskClient) -> None:
    for route in ("/health/live", "/health/ready"):
        assert (client.get(route).status_code, client.get(route).json) == (200, {"status": "ok", "faults": []})


def test_is_live_but_not_ready_without_tables_and_says_what_to_do(tmp_path: Path) -> None:
    client = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", log_level="error")).test_client()
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert answer.json is not None
    assert answer.status_code == 503
    assert "lesionbridge migrate" in answer.json["faults"][0]


def test_a_database_that_is_away_is_503_and_may_be_tried_again(tmp_path: Path) -> None:
    settings = Settings(database_url=f"postgresql://x@/y?host={tmp_path}", log_level="error")
    answer = create_app(settings).test_client().get("/v1/reports/00000000-0000-4000-8000-000000000000")
    assert answer.json is not None
    assert (answer.status_code, answer.json["retryable"], answer.headers["Retry-After"]) == (503, True, "5")


def test_metrics_are_in_prometheus_text(client: FlaskClient) -> None:
    client.get("/health/live")
    answer = client.get("/metrics")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"lesionbridge_requests", "lesionbridge_request_seconds"} <= names
