"""Request ids, headers, logs and counters; and that none of them holds a patient."""

import json
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api import observe
from service.stages import STAGES
from tests.findings import make_body
from tests.unit.api.conftest import FINDINGS

ROUTES = ("/health/live", "/docs", "/openapi.json", "/nowhere")


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_has_the_protecting_headers(client: FlaskClient, route: str) -> None:
    headers = client.get(route).headers
    for name in observe.HEADERS:
        assert headers[name]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]


def test_patient_data_is_not_for_shared_caches(client: FlaskClient) -> None:
    assert client.post("/v1/convert", data=make_body(), headers=FINDINGS).headers["Cache-Control"] == "no-store"
    created = client.post("/v1/reports", data=make_body(), headers=FINDINGS)
    assert client.get(f"{created.headers['Location']}/fhir").headers["Cache-Control"].startswith("private")


@pytest.mark.parametrize("given", ["abc-1", "A.b_c:1", "x" * 64])
def test_a_request_id_comes_back(client: FlaskClient, given: str) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "-a", 'a"b', "é"])
def test_a_request_id_that_is_none_is_replaced(client: FlaskClient, given: str) -> None:
    answered = client.get("/health/live", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert answered != given
    assert observe.REQUEST_ID.fullmatch(answered)


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines of the log."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_one_json_line(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    observe.configure_logging("info")
    client.post("/v1/convert?bundle=document", data=make_body(), headers={**FINDINGS, "X-Request-ID": "r-1"})
    [line] = logged(capsys)
    assert (line["route"], line["method"], line["status"], line["request_id"]) == ("/v1/convert", "POST", 200, "r-1")


def test_nothing_of_the_patient_is_logged_or_counted(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    observe.configure_logging("debug")
    client.post("/v1/reports", data=make_body(), headers=FINDINGS)
    client.post("/v1/convert?who=Doe", data=make_body(patient__sex="Doe"), headers=FINDINGS)
    client.post("/v1/reports/search", json={"patientId": "PID-11235"})
    client.get("/PID-11235/Doe")
    said = capsys.readouterr().err + client.get("/metrics").text
    assert "/v1/reports/search" in said
    for secret in ("Doe", "Jane", "PID-11235", "A481", "1961-04", "196104", "metastases"):
        assert secret not in said


def test_a_failure_is_logged_with_its_places_and_not_its_words(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> str:
        raise RuntimeError("Doe^Jane")

    observe.configure_logging("error")
    app.add_url_rule("/fail", view_func=fail)
    answer = app.test_client().get("/fail")
    assert answer.json is not None
    assert (answer.status_code, answer.json["rule"]) == (500, "internal")
    [line] = logged(capsys)
    assert line["error"] == "RuntimeError"
    assert any(place.startswith("test_observe.py:") for place in line["at"])
    assert "Doe" not in str(line) + answer.text


def test_requests_and_losses_are_counted(client: FlaskClient) -> None:
    before = client.get("/metrics").text
    client.post("/v1/convert", data=make_body(lesions__0__site="frontal loeb"), headers=FINDINGS)
    after = client.get("/metrics").text
    for counter in (
        'lesionbridge_requests_total{method="POST",route="/v1/convert",status="200"}',
        'lesionbridge_losses_total{kind="uncoded"}',
    ):
        assert value(after, counter) > value(before, counter)


def test_the_time_of_every_stage_is_counted(client: FlaskClient) -> None:
    client.post("/v1/reports?check=full", data=make_body(), headers=FINDINGS)
    client.post("/v1/convert", data=make_body(), headers=FINDINGS | {"Accept": FINDINGS["Content-Type"]})
    text = client.get("/metrics").text
    for stage in STAGES:
        assert value(text, f'lesionbridge_stage_seconds_count{{stage="{stage}"}}') > 0, stage


def value(text: str, counter: str) -> float:
    """A counter's value; 0 when it is not there."""
    return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(counter)), 0.0)


def test_a_log_that_can_not_be_written_fails_no_request(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, of which each write says that it is full
        monkeypatch.setattr("sys.stderr", full)
        observe.configure_logging("info")
        assert client.post("/v1/convert", data=make_body(), headers=FINDINGS).status_code == 200
        with suppress(OSError):
            full.close()
