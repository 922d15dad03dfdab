"""Segments measured by the masks that come along: over the pipeline, the command line and REST."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.pipeline import Format, Options, Source, convert
from service.store.reports import Store
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
    assert found["long-axis"]["method"] == "segmentation-longest-diameter"
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


def test_masks_of_a_form_are_left_unread_where_nobody_asks_to_measure(client: FlaskClient) -> None:
    parts = form(report=(body(), "application/json"), seg=(b"no SEG", "application/dicom"))
    answer = client.post("/v1/convert?measure=false", data=parts, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert measurements(answer.data) == {}


@pytest.fixture
def keeping(tmp_path: Path) -> FlaskClient:
    """A service with a database."""
    url = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    store = Store(url)
    store.migrate()
    store.close()
    return create_app(Settings(database_url=url, log_level="error")).test_client()


def publish(keeping: FlaskClient, document: bytes, kind: str, *masks: bytes, query: str = "?check=full") -> Any:
    parts = {"report": (BytesIO(document), "report.bin", kind)}
    segs = [(BytesIO(mask), f"{number}.dcm", "application/dicom") for number, mask in enumerate(masks)]
    return keeping.post(f"/v1/reports{query}", data={**parts, "seg": segs})


def test_a_published_report_is_kept_with_the_sizes_of_its_segments(keeping: FlaskClient) -> None:
    answer = publish(keeping, body(), "application/json", MASK)
    assert answer.status_code == 201
    links = answer.json["links"]
    kept = convert(Source(keeping.get(links["findings"]).data), (Format.FINDINGS,), Options())
    assert measurements(kept.outputs[Format.FINDINGS].content)["volume"]["value"] == pytest.approx(VOLUME)
    assert keeping.get(links["unmeasured"]).data == body()
    for link in (links["fhir"], f"{links['self']}/fhir?bundle=collection"):  # as emitted, and made anew
        assert b"1687.5" in keeping.get(link, headers={"Accept": "application/fhir+json; fhirVersion=5.0"}).data


def test_what_the_masks_told_is_no_unknown_word_of_the_sender(keeping: FlaskClient) -> None:
    receipt = publish(keeping, body(), "application/json", MASK)
    assert receipt.json is not None
    assert [loss for loss in receipt.json["losses"] if loss["kind"] == "uncoded"] == []
    unmapped = keeping.get("/v1/unmapped")
    assert unmapped.json is not None
    assert unmapped.json["terms"] == []


def test_an_sr_with_its_mask_is_published_with_an_sr_of_ours_that_has_the_sizes(keeping: FlaskClient) -> None:
    source = convert(Source(body()), (Format.SR,), Options()).outputs[Format.SR].content
    answer = publish(keeping, source, "application/dicom", MASK)
    assert answer.status_code == 201
    links = answer.json["links"]
    assert keeping.get(links["unmeasured"]).data == source
    emitted = keeping.get(links["sr"]).data
    assert emitted != source
    again = convert(Source(emitted, Format.SR), (Format.FINDINGS,), Options()).outputs[Format.FINDINGS].content
    assert measurements(again)["volume"]["value"] == pytest.approx(VOLUME)


def test_the_same_document_and_masks_give_the_same_receipt_and_others_are_a_conflict(keeping: FlaskClient) -> None:
    first, second = (publish(keeping, body(), "application/json", MASK) for _ in range(2))
    assert (second.status_code, second.json["id"]) == (200, first.json["id"])
    other = seg([box((8, 30, 30), (3, 10, 20))], (2.5, 0.75, 1.25), 20.0)
    assert publish(keeping, body(), "application/json", other).status_code == 409
    assert publish(keeping, body(), "application/json").status_code == 409


def test_a_published_report_whose_mask_tells_nothing_is_kept_as_it_came_and_flagged(keeping: FlaskClient) -> None:
    answer = publish(keeping, body(), "application/json", b"no SEG")
    assert answer.status_code == 201
    assert {"mask-unreadable", "mask-missing"} <= {loss["rule"] for loss in answer.json["losses"]}
    assert keeping.get(answer.json["links"]["findings"]).data == body()


def test_a_dry_run_says_what_the_masks_would_give_and_keeps_nothing(keeping: FlaskClient) -> None:
    assert publish(keeping, body(), "application/json", MASK, query="?dry-run=true").status_code == 200
    assert publish(keeping, body(), "application/json").status_code == 201


def test_masks_of_a_publication_are_left_unread_where_nobody_asks_to_measure(keeping: FlaskClient) -> None:
    answer = publish(keeping, body(), "application/json", MASK, query="?measure=false")
    assert answer.status_code == 201
    assert "unmeasured" not in answer.json["links"]


@pytest.mark.parametrize(
    ("spacing", "rules"),
    [
        ((2.5, 100.0, 100.0), {"implausible-value"}),
        ((1e14, 1e15, 1e15), {"mask-unmeasured"}),
    ],
)
def test_sizes_that_are_hard_to_believe_are_flagged_and_those_that_are_none_left_out(
    spacing: tuple[float, float, float], rules: set[str]
) -> None:
    mask = seg([np.ones((1, 30, 30), dtype=bool)], spacing)
    outcome = convert(Source(body(), masks=(mask,)), (Format.FINDINGS,), Options())
    assert {loss.rule for loss in outcome.losses} >= rules
    measured = measurements(outcome.outputs[Format.FINDINGS].content)
    assert bool(measured) == (rules == {"implausible-value"})
