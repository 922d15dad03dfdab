"""POST /v1/convert."""

import gzip
import json
from base64 import b64decode
from email import message_from_bytes
from email.policy import HTTP
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydicom import Dataset, dcmread

from service.api.negotiation import OFFERS
from service.app import create_app
from service.config import Settings
from service.formats.fhir.profiles.modes import MODES
from service.pipeline import BUNDLES, DIALECTS, IODS, PROFILES
from tests.findings import make_body
from tests.unit.api.conftest import FINDINGS


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.media_type)
def test_every_offer_is_answered_with_its_media_type(client: FlaskClient, offer: object) -> None:
    media_type = offer.media_type  # type: ignore[attr-defined]  # parametrized with offers
    answer = client.post("/v1/convert", data=make_body(), headers={**FINDINGS, "Accept": media_type})
    assert (answer.status_code, answer.mimetype) == (200, media_type)
    assert answer.data


def test_a_message_holds_the_page_as_pdf_when_it_is_asked_for(client: FlaskClient) -> None:
    pdf = client.post("/v1/convert", data=make_body(), headers={**FINDINGS, "Accept": "application/pdf"}).data
    assert pdf.startswith(b"%PDF-")
    made = client.post("/v1/reports", data=make_body(), headers=FINDINGS).json
    assert made is not None
    kept = f"/v1/reports/{made['id']}/hl7v2"
    answers = [
        client.post("/v1/convert?pdf=true", data=make_body(), headers={**FINDINGS, "Accept": "application/hl7-v2"}),
        client.get(f"{kept}?pdf=true"),
    ]
    for answer in answers:
        [held] = [line.split("|")[5] for line in answer.data.decode().split("\r") if "|ED|" in line]
        assert b64decode(held.rpartition("^")[2]) == pdf
    assert b"|ED|" not in client.get(kept).data
    german = client.get(f"{kept}?pdf=true&language=de").data.decode()
    [held] = [line.split("|")[5] for line in german.split("\r") if "|ED|" in line]
    assert b"/Lang (de)" in b64decode(held.rpartition("^")[2])


def test_answers_fhir_r4_when_nothing_is_asked_for(client: FlaskClient) -> None:
    answer = client.post("/v1/convert", data=make_body(), headers=FINDINGS)
    assert answer.headers["Content-Type"] == "application/fhir+json; fhirVersion=4.0"
    assert json.loads(answer.data)["type"] == "transaction"


@pytest.mark.parametrize("version", ["4.0", "5.0"])
@pytest.mark.parametrize("encoding", ["json", "xml"])
def test_answers_in_the_release_and_the_encoding_that_are_asked_for(
    client: FlaskClient, version: str, encoding: str
) -> None:
    media_type = f"application/fhir+{encoding}; fhirVersion={version}"
    answer = client.post("/v1/convert", data=make_body(), headers={**FINDINGS, "Accept": media_type})
    assert answer.headers["Content-Type"] == media_type
    assert answer.data.startswith(b"{" if encoding == "json" else b"<?xml")
    assert (b"includedStructure" in answer.data) == (version == "5.0")


def test_keeps_a_number_as_it_was_written(client: FlaskClient) -> None:
    answer = client.post("/v1/convert", data=make_body(), headers=FINDINGS)
    assert b'"value":14.20,' in answer.data


def test_the_same_document_gives_the_same_bytes(client: FlaskClient) -> None:
    for offer in OFFERS:
        headers = {**FINDINGS, "Accept": offer.media_type}
        first, second = (client.post("/v1/convert", data=make_body(), headers=headers).data for _ in range(2))
        assert first == second


def test_dicom_json_is_the_data_set_of_the_file(client: FlaskClient) -> None:
    file, listed = (
        client.post("/v1/convert", data=make_body(), headers={**FINDINGS, "Accept": media_type}).data
        for media_type in ("application/dicom", "application/dicom+json")
    )
    (document,) = json.loads(listed)
    assert Dataset.from_json(document) == dcmread(BytesIO(file))
    assert not [tag for tag in document if tag.startswith("0002")]  # PS3.18 F.2


def test_a_multipart_answer_has_both_outputs_and_the_losses(client: FlaskClient) -> None:
    headers = {**FINDINGS, "Accept": "multipart/related"}
    answer = client.post("/v1/convert", data=make_body(lesions__0__site="somewhere odd"), headers=headers)
    raw = b"Content-Type: " + answer.headers["Content-Type"].encode() + b"\r\n\r\n" + answer.data
    fhir, sr, losses = (bytes(part.get_content()) for part in message_from_bytes(raw, policy=HTTP).iter_parts())
    bundle = json.loads(fhir)
    document = dcmread(BytesIO(sr))
    [reference] = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "DocumentReference"]
    assert f"urn:oid:{document.SOPInstanceUID}" in json.dumps(reference)
    listed = json.loads(losses)
    assert len(listed) == int(answer.headers["Lesionbridge-Losses"])
    assert {"kind", "where", "what", "why"} <= set(listed[0])
    assert ("uncoded", "/lesions/0/site") in {(loss["kind"], loss["where"]) for loss in listed}


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_kind_of_bundle_can_be_asked_for(client: FlaskClient, bundle: str) -> None:
    answer = client.post(f"/v1/convert?bundle={bundle}", data=make_body(), headers=FINDINGS)
    made = json.loads(answer.data)
    assert (made["type"] if isinstance(made, dict) else "single") == bundle


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_can_be_asked_for(client: FlaskClient, profile: str) -> None:
    mode = MODES[profile]
    version = {"R4": "4.0", "R5": "5.0"}[mode.releases[0]]
    headers = {**FINDINGS, "Accept": f"application/fhir+json; fhirVersion={version}"}
    place = f"/v1/convert?profile={profile}&bundle={mode.bundles[0]}&check=full"
    answer = client.post(place, data=make_body(), headers=headers)
    assert answer.status_code == 200
    assert mode.canonical.encode() in answer.data


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_can_be_asked_for(client: FlaskClient, dialect: str) -> None:
    headers = {**FINDINGS, "Accept": "application/dicom"}
    answer = client.post(f"/v1/convert?dialect={dialect}", data=make_body(), headers=headers)
    assert dcmread(BytesIO(answer.data)).Modality == "SR"


@pytest.mark.parametrize("iod", IODS)
def test_every_iod_can_be_asked_for(client: FlaskClient, iod: str) -> None:
    headers = {**FINDINGS, "Accept": "application/dicom"}
    answer = client.post(f"/v1/convert?iod={iod}", data=make_body(), headers=headers)
    named = str(dcmread(BytesIO(answer.data)).SOPClassUID.name).lower().replace(" ", "-")
    assert named.startswith(iod)


def test_says_that_the_check_was_passed(client: FlaskClient) -> None:
    answer = client.post("/v1/convert?check=full", data=make_body(), headers=FINDINGS)
    assert (answer.status_code, answer.headers["Lesionbridge-Checks"]) == (200, "sr-and-fhir-say-the-same")


def test_reads_gzip(client: FlaskClient) -> None:
    plain = client.post("/v1/convert", data=make_body(), headers=FINDINGS)
    headers = {**FINDINGS, "Content-Encoding": "gzip"}
    assert client.post("/v1/convert", data=gzip.compress(make_body()), headers=headers).data == plain.data


def test_needs_no_database(app: Flask, client: FlaskClient) -> None:
    deployment = app.extensions["lesionbridge"]
    assert "store" not in deployment.__dict__
    assert client.post("/v1/convert", data=make_body(), headers=FINDINGS).status_code == 200
    assert "store" not in deployment.__dict__


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("?bundle=bag", "?bundle"),
        ("?dialect=klingon", "?dialect"),
        ("?iod=x", "?iod"),
        ("?check=half", "?check"),
        ("?profile=us-core", "?profile"),
        ("?ack=sometimes", "?ack"),
    ],
)
def test_refuses_a_parameter_it_does_not_know(client: FlaskClient, query: str, pointer: str) -> None:
    answer = client.post(f"/v1/convert{query}", data=make_body(), headers=FINDINGS)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.json is not None
    assert answer.json["pointer"] == pointer


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_a_wrong_content_type_is_never_taken_for_an_empty_report(client: FlaskClient, content_type: str) -> None:
    for route in ("/v1/convert", "/v1/reports"):
        assert client.post(route, data=make_body(), headers={"Content-Type": content_type}).status_code == 415
        assert client.post(route, data=make_body()).status_code == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 422), (b"\xff\xfe", 400), (b'{"report": 1}', 422), (b"[" * 100_000, 400)],
)
def test_bad_input_is_a_problem_with_pointer_and_rule(client: FlaskClient, body: bytes, status: int) -> None:
    answer = client.post("/v1/convert", data=body, headers=FINDINGS)
    assert answer.json is not None
    assert answer.mimetype == "application/problem+json"
    assert answer.status_code in {status, 422, 400}
    assert answer.json["rule"]
    assert answer.json["retryable"] is False


def test_a_refusal_is_an_operation_outcome_where_fhir_was_asked_for(client: FlaskClient) -> None:
    headers = {**FINDINGS, "Accept": "application/fhir+json"}
    answer = client.post("/v1/convert", data=make_body(report__status="done"), headers=headers)
    assert answer.json is not None
    assert (answer.status_code, answer.json["resourceType"]) == (422, "OperationOutcome")
    assert "/report/status" in answer.json["issue"][0]["diagnostics"]


def test_always_acknowledges_when_told_so(client: FlaskClient) -> None:
    answer = client.post("/v1/convert?ack=always", data=b"{", headers=FINDINGS)
    assert answer.json is not None
    assert (answer.status_code, answer.json["status"], answer.json["verdict"]) == (200, 400, "refused")
    assert answer.json["retryable"] is False


def test_a_database_that_is_away_stops_only_what_needs_a_release(tmp_path: Path) -> None:
    away = "postgresql://nobody@127.0.0.1:9/none"
    client = create_app(Settings(database_url=away, log_level="error")).test_client()
    assert client.post("/v1/convert", data=make_body(), headers=FINDINGS).status_code == 200

    code = {"system": "http://snomed.info/sct", "code": "404684003", "display": "Clinical finding"}
    answer = client.post("/v1/convert", data=make_body(lesions__0__site=code), headers=FINDINGS)

    assert answer.status_code == 503  # whether the code is retired is not known


def test_reads_an_sr(client: FlaskClient) -> None:
    sr = client.post("/v1/convert", data=make_body(), headers={**FINDINGS, "Accept": "application/dicom"}).data
    headers = {"Content-Type": "application/dicom", "Accept": "application/json"}
    answer = client.post("/v1/convert", data=sr, headers=headers)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["lesions"][0]["finding"] == "brain-metastasis"


def test_reads_an_sr_as_dicom_json(client: FlaskClient) -> None:
    headers = {**FINDINGS, "Accept": "application/dicom+json"}
    sr = client.post("/v1/convert", data=make_body(), headers=headers).data
    headers = {"Content-Type": "application/dicom+json", "Accept": "application/json"}
    answer = client.post("/v1/convert", data=sr, headers=headers)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["lesions"][0]["finding"] == "brain-metastasis"


def test_a_broken_sr_is_refused_with_the_place(client: FlaskClient) -> None:
    answer = client.post("/v1/convert", data=b"\0" * 128 + b"DICMxx", headers={"Content-Type": "application/dicom"})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["rule"] == "dicom"
