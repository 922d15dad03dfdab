"""Segments measured by the masks that come along: over the pipeline, the command line and REST."""

import json
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.measuring import LONG_METHOD
from service.pipeline import Format, Options, Source, convert
from tests.findings import make_body
from tests.seg_files import box, seg

SEG = "1.2.826.0.1.3680043.10.1561.6.2"
SEGMENT = {"sop": f"{SEG}.1", "series": SEG, "number": 1, "sourceSeries": "1.2.826.0.1.3680043.10.1561.6.1"}
MASK = seg([box((8, 30, 30), (3, 12, 20))], (2.5, 0.75, 1.25), 20.0)
VOLUME = 3 * 12 * 20 * 2.5 * 0.75 * 1.25


def body(**lesion: Any) -> bytes:
    """The example with a segment and without measurements."""
    members = {"segment": SEGMENT, "images": None, "measurements": None, **lesion}
    return make_body(**{f"lesions__0__{name}": value for name, value in members.items()})


def measurements(content: bytes) -> dict[str, dict[str, Any]]:
    return {one["concept"]: one for one in json.loads(content)["lesions"][0].get("measurements", [])}


def test_volume_and_axes_come_from_the_mask_with_their_methods() -> None:
    source = Source(body(), masks=(MASK,))
    outcome = convert(source, (Format.FINDINGS, Format.SR, Format.FHIR_R4), Options(check=True))
    found = measurements(outcome.outputs[Format.FINDINGS].content)
    assert found["volume"]["value"] == pytest.approx(VOLUME)
    assert found["volume"]["method"] == "segmented-voxel-method"
    assert found["long-axis"]["unit"] == "mm"
    assert found["long-axis"]["method"] == LONG_METHOD
    assert found["long-axis"]["value"] > found["short-axis"]["value"]


def test_what_the_sender_measured_stays() -> None:
    source = Source(body(measurements={"volume": "1450 mm3"}), masks=(MASK,))
    found = measurements(convert(source, (Format.FINDINGS,), Options()).outputs[Format.FINDINGS].content)
    assert found["volume"]["value"] == 1450
    assert "long-axis" in found


@pytest.mark.parametrize(
    ("masks", "segment", "rule"),
    [
        ((b"no SEG",), SEGMENT, "mask-unreadable"),
        ((MASK,), {**SEGMENT, "number": 9}, "mask-unmeasured"),
        ((MASK,), {**SEGMENT, "sop": "1.2.3"}, "mask-missing"),
    ],
)
def test_a_mask_that_tells_nothing_is_flagged(masks: tuple[bytes, ...], segment: dict[str, Any], rule: str) -> None:
    outcome = convert(Source(body(segment=segment), masks=masks), (Format.FINDINGS,), Options())
    assert rule in {loss.rule for loss in outcome.losses}
    assert measurements(outcome.outputs[Format.FINDINGS].content) == {}


@pytest.fixture
def client() -> FlaskClient:
    app: Flask = create_app(Settings(database_url="sqlite:////nonexistent/x.sqlite3", log_level="error"))
    return app.test_client()


def form(**parts: Any) -> dict[str, Any]:
    return {name: (BytesIO(content), f"{name}.bin", kind) for name, (content, kind) in parts.items()}


def test_a_form_brings_the_document_and_its_masks(client: FlaskClient) -> None:
    parts = form(report=(body(), "application/json"), seg=(MASK, "application/dicom"))
    answer = client.post("/v1/convert", data=parts, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert measurements(answer.data)["volume"]["value"] == pytest.approx(VOLUME)


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        (form(seg=(MASK, "application/dicom")), 422),
        (form(report=(body(), "application/json"), other=(b"x", "text/plain")), 422),
        (form(report=(body(), "text/plain")), 415),
    ],
)
def test_a_form_of_other_parts_is_refused(client: FlaskClient, parts: dict[str, Any], status: int) -> None:
    assert client.post("/v1/convert", data=parts).status_code == status


def test_what_is_no_form_is_refused(client: FlaskClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/v1/convert", data=b"--y\r\nz", headers=headers).status_code in (400, 422)
