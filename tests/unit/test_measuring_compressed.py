"""Compressed masks in a form: measured as plain ones, or flagged with the reason and no number."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from service.app import create_app
from service.config import Settings
from service.pipeline import Format, Options, Source, convert
from tests.unit.imaging.test_compressed import LABELS, by_jpeg_ls, by_pillow, frames, packed, run_lengths
from tests.unit.test_measuring import VOLUME, body, form, measurements

JPEG = packed(LABELS, JPEGBaseline8Bit, frames(LABELS, by_pillow("JPEG", quality=75)))


@pytest.fixture
def client() -> FlaskClient:
    app: Flask = create_app(Settings(database_url="sqlite:////nonexistent/x.sqlite3", log_level="error"))
    return app.test_client()


@pytest.mark.parametrize(
    ("syntax", "made"),
    [(RLELossless, run_lengths(LABELS)), (JPEGLSLossless, frames(LABELS, by_jpeg_ls))],
    ids=["RLE", "JPEG-LS"],
)
def test_without_loss_it_is_measured(client: FlaskClient, syntax: UID, made: list[bytes]) -> None:
    parts = form(report=(body(), "application/json"), seg=(packed(LABELS, syntax, made), "application/dicom"))
    answer = client.post("/v1/convert", data=parts, headers={"Accept": "application/json"})
    assert measurements(answer.data)["volume"]["value"] == pytest.approx(VOLUME)


def test_with_losses_it_is_flagged_and_gives_no_number(client: FlaskClient) -> None:
    parts = form(report=(body(), "application/json"), seg=(JPEG, "application/dicom"))
    answer = client.post("/v1/convert", data=parts, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert measurements(answer.data) == {}
    losses = convert(Source(body(), masks=(JPEG,)), (Format.FINDINGS,), Options()).losses
    [why] = [loss.why for loss in losses if loss.rule == "mask-unreadable"]
    assert "compressed as masks are not read (JPEG Baseline (Process 1))" in why
