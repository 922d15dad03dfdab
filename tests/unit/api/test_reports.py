"""/v1/reports: what is kept, what is answered again, what is refused."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydicom import dcmread
from werkzeug.test import TestResponse

from service.api.report_schemas import ReceiptSchema, VersionsSchema
from service.domain.emitted import Emitted
from service.formats.fhir.xml import as_xml
from service.pipeline import Format, Options, Source, convert
from tests.findings import make_body
from tests.unit.api.conftest import FINDINGS


def post(client: FlaskClient, body: bytes, query: str = "", **headers: str) -> TestResponse:
    """Publish a report."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"/v1/reports{query}", data=body, headers={**FINDINGS, **named})


def stored(client: FlaskClient, condition: dict[str, Any]) -> int:
    """How many versions meet a condition."""
    answer = client.post("/v1/reports/search", json=condition)
    assert answer.json is not None
    return len(answer.json["versions"])


def test_answers_201_with_location_and_receipt(client: FlaskClient) -> None:
    answer = post(client, make_body())
    assert answer.status_code == 201
    receipt = answer.json
    assert receipt is not None
    assert ReceiptSchema().validate(receipt) == {}
    assert answer.headers["Location"] == f"/v1/reports/{receipt['id']}" == receipt["links"]["self"]
    assert (receipt["verdict"], receipt["lesions"], receipt["report"]["sender"]) == ("accepted", 1, "local")


def test_the_dicom_json_of_an_sr_is_kept_as_it_came_with_an_sr_of_ours_beside_it(client: FlaskClient) -> None:
    came = convert(Source(make_body()), (Format.SR,), Options()).outputs[Format.SR].content
    said = json.dumps([dcmread(BytesIO(came)).to_json_dict()]).encode()
    answer = client.post("/v1/reports?check=full", data=said, headers={"Content-Type": "application/dicom+json"})
    assert answer.status_code == 201
    assert answer.json is not None
    links = answer.json["links"]
    source = client.get(links["source"])
    assert (source.data, source.content_type) == (said, "application/dicom+json")
    assert dcmread(BytesIO(client.get(links["sr"]).data)).SOPInstanceUID != dcmread(BytesIO(came)).SOPInstanceUID
    # Made anew from what came.
    again = client.get(f"{links['self']}/fhir", headers={"Accept": "application/fhir+json; fhirVersion=5.0"})
    assert again.status_code == 200
    assert b"94225005" in again.data


def test_the_receipt_says_how_each_term_was_coded(client: FlaskClient) -> None:
    receipt = post(client, make_body()).json
    assert receipt is not None
    coded = {item["pointer"]: item for item in receipt["coded"]}
    assert coded["/lesions/0/laterality"]["codes"][0]["system"] == "SCT"
    assert coded["/lesions/0/finding"]["resolution"] in {"exact", "synonym", "variant"}


def test_the_receipt_names_what_was_left_as_text_with_suggestions(client: FlaskClient) -> None:
    receipt = post(client, make_body(lesions__0__site="frontal loeb")).json
    assert receipt is not None
    items = {item["pointer"]: item for item in receipt["uncoded"]}
    item = items["/lesions/0/site"]
    assert (item["text"], item["concept"]) == ("frontal loeb", None)
    assert items["/lesions/0/topography"]["concept"] == "gray-white-matter-junction"  # known, but no system has it
    assert any("frontal" in one.lower() for one in item["suggestions"])
    assert "/lesions/0/site" in {loss["where"] for loss in receipt["losses"] if loss["kind"] == "uncoded"}


def test_gives_back_the_bytes_that_were_emitted(client: FlaskClient) -> None:
    receipt = post(client, make_body()).json
    assert receipt is not None
    for role, accept in (("fhir", "application/fhir+json"), ("sr", "application/dicom"), ("html", "text/html")):
        made = client.post("/v1/convert", data=make_body(), headers={**FINDINGS, "Accept": accept})
        kept = client.get(receipt["links"][role])
        assert (kept.data, kept.headers["Content-Type"]) == (made.data, made.headers["Content-Type"])
    assert client.get(receipt["links"]["findings"]).data == make_body()
    assert client.get(receipt["links"]["self"]).json == receipt


def _fhir(client: FlaskClient, place: str, accept: str, query: str = "") -> TestResponse:
    return client.get(f"{place}/fhir{query}", headers={"Accept": accept})


def test_the_bundle_is_what_was_emitted_whatever_else_is_accepted(client: FlaskClient) -> None:
    place = post(client, make_body()).headers["Location"]
    emitted = client.get(f"{place}/fhir")
    assert emitted.headers["Content-Type"] == "application/fhir+json; fhirVersion=4.0"
    for accept in ("*/*", "text/html", "application/fhir+json", "application/fhir+json; fhirVersion=4.0"):
        assert _fhir(client, place, accept).data == emitted.data


def test_the_bundle_in_xml_is_the_emitted_one(client: FlaskClient) -> None:
    place = post(client, make_body()).headers["Location"]
    emitted = client.get(f"{place}/fhir")
    answer = _fhir(client, place, "application/fhir+xml")
    assert answer.headers["Content-Type"] == "application/fhir+xml; fhirVersion=4.0"
    assert answer.headers["Content-Disposition"].endswith('.fhir.xml"')
    assert answer.data == as_xml(Emitted(emitted.headers["Content-Type"], emitted.data), "R4").content


def test_a_kept_report_in_r5_or_for_a_profile_names_the_sr_that_was_kept_and_its_predecessor(
    client: FlaskClient,
) -> None:
    first = post(client, make_body()).json
    place = post(client, make_body(report__version=2)).headers["Location"]
    assert first is not None
    sr = dcmread(BytesIO(client.get(f"{place}/sr").data)).SOPInstanceUID
    for accept, query, sign in (
        ("application/fhir+json; fhirVersion=5.0", "", b"includedStructure"),
        ("application/fhir+xml; fhirVersion=5.0", "", b"<includedStructure>"),
        ("application/fhir+json", "?profile=uscore", b"us-core-patient"),
        ("application/fhir+json; fhirVersion=5.0", "?profile=dicom-sr&bundle=document", b"imaging-measurement-group"),
        ("application/fhir+json", "?language=de", b"Hirnmetastase*"),
    ):
        answer = _fhir(client, place, accept, query)
        assert answer.status_code == 200, query
        assert sign in answer.data
        assert f"urn:oid:{sr}".encode() in answer.data
        assert f"urn:oid:{first['sr']['sopInstance']}".encode() in answer.data
    assert b"us-core-patient" not in client.get(f"{place}/fhir").data


def test_a_language_without_words_is_refused(client: FlaskClient) -> None:
    place = post(client, make_body()).headers["Location"]
    for one in ("fhir", "hl7v2"):
        assert client.get(f"{place}/{one}?language=tlh").status_code == 422


def test_a_profile_of_another_release_is_not_acceptable(client: FlaskClient) -> None:
    place = post(client, make_body()).headers["Location"]
    assert _fhir(client, place, "application/fhir+json", "?profile=dicom-sr").status_code == 406


def test_the_receipt_names_size_and_digest_of_each_output(client: FlaskClient) -> None:
    receipt = post(client, make_body()).json
    assert receipt is not None
    assert {output["role"] for output in receipt["outputs"]} == {"findings", "fhir", "sr", "html"}
    for output in receipt["outputs"]:
        answer = client.get(output["href"])
        assert (len(answer.data), answer.headers["ETag"]) == (output["bytes"], f'"{output["sha256"]}"')
        again = client.get(output["href"], headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_the_same_report_gives_the_same_receipt(client: FlaskClient) -> None:
    first, second = post(client, make_body()), post(client, make_body())
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.data == second.data
    assert first.headers["Location"] == second.headers["Location"]


def test_the_layout_of_the_json_does_not_count(client: FlaskClient) -> None:
    first = post(client, make_body())
    second = post(client, json.dumps(json.loads(make_body()), indent=3, sort_keys=True).encode())
    assert first.data == second.data


def test_other_content_under_the_same_version_is_a_conflict(client: FlaskClient) -> None:
    post(client, make_body())
    answer = post(client, make_body(report__impression="Two new brain metastases."))
    assert answer.json is not None
    assert (answer.status_code, answer.json["retryable"]) == (409, False)


def test_other_digits_are_other_content(client: FlaskClient) -> None:
    post(client, make_body())
    assert post(client, make_body().replace(b"14.20 mm", b"14.2 mm")).status_code == 409


def test_other_writing_options_are_other_content(client: FlaskClient) -> None:
    post(client, make_body())
    assert post(client, make_body(), "?bundle=document").status_code == 409
    assert post(client, make_body(), "?check=full").status_code == 200


def test_a_new_version_names_the_sr_before_it(client: FlaskClient) -> None:
    first = post(client, make_body()).json
    second = post(client, make_body(report__version=2, report__status="corrected")).json
    assert first is not None
    assert second is not None
    document = dcmread(BytesIO(client.get(second["links"]["sr"]).data))
    [study] = document.PredecessorDocumentsSequence
    [series] = study.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first["sr"]["series"]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first["sr"]["sopInstance"]
    for receipt in (first, second):
        listed = client.get(receipt["links"]["versions"]).json
        assert listed is not None
        assert VersionsSchema().validate(listed) == {}
        assert [one["id"] for one in listed["versions"]] == [first["id"], second["id"]]


def test_a_version_sent_again_still_has_its_own_predecessor(client: FlaskClient) -> None:
    post(client, make_body())
    second = post(client, make_body(report__version=2))
    post(client, make_body(report__version=3))
    assert post(client, make_body(report__version=2)).data == second.data


def test_a_key_gives_the_same_answer_again(client: FlaskClient) -> None:
    first, second = (post(client, make_body(), Idempotency_Key="k-1") for _ in range(2))
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 201


def test_a_key_with_another_report_is_refused(client: FlaskClient) -> None:
    post(client, make_body(), Idempotency_Key="k-1")
    answer = post(client, make_body(report__id="other"), Idempotency_Key="k-1")
    assert answer.json is not None
    assert (answer.status_code, answer.json["rule"]) == (422, "idempotency-key")
    assert stored(client, {"reportId": "other"}) == 0


def test_a_key_is_free_again_when_its_report_was_refused(client: FlaskClient) -> None:
    assert post(client, make_body(report__status="done"), Idempotency_Key="k-1").status_code == 422
    assert post(client, make_body(), Idempotency_Key="k-1").status_code == 201


def test_a_key_can_name_what_is_there_already(client: FlaskClient) -> None:
    first = post(client, make_body())
    assert post(client, make_body(), Idempotency_Key="k-1").data == first.data
    assert post(client, make_body(report__id="other"), Idempotency_Key="k-1").status_code == 422


def test_keys_are_separate_for_each_sender(client: FlaskClient) -> None:
    for sender in ("north", "south"):
        assert post(client, make_body(report__sender=sender), Idempotency_Key="k-1").status_code == 201


@pytest.mark.parametrize("key", ["", "with blank", "x" * 257, "é"])
def test_refuses_a_key_that_is_none(client: FlaskClient, key: str) -> None:
    assert post(client, make_body(), Idempotency_Key=key).status_code == 422


def test_a_dry_run_keeps_nothing(client: FlaskClient) -> None:
    answer = post(client, make_body(), "?dry-run=true")
    assert answer.json is not None
    assert (answer.status_code, answer.json["dryRun"]) == (200, True)
    assert "id" not in answer.json
    assert "Location" not in answer.headers
    assert ReceiptSchema().validate(answer.json) == {}
    assert stored(client, {"reportId": "MR-2026-000481"}) == 0


def test_a_dry_run_says_what_would_be_kept(client: FlaskClient) -> None:
    post(client, make_body())
    tried = post(client, make_body(report__version=2), "?dry-run=true").json
    kept = post(client, make_body(report__version=2)).json
    assert tried is not None
    assert kept is not None
    assert tried["sr"] == kept["sr"]  # with the document that it replaces


def test_a_dry_run_says_that_it_would_be_a_conflict(client: FlaskClient) -> None:
    post(client, make_body())
    assert post(client, make_body(report__impression="Other."), "?dry-run=true").status_code == 409
    assert post(client, make_body(), "?dry-run=true").status_code == 200


@pytest.mark.parametrize("issued", ["2016-12-31T23:59:60Z", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_every_time_of_issue_that_is_taken_can_be_kept(client: FlaskClient, issued: str) -> None:
    assert post(client, make_body(report__issued=issued, study__started=None), "?check=full").status_code == 201


@pytest.mark.parametrize("bound", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_searches_up_to_the_ends_of_the_calendar(client: FlaskClient, bound: str) -> None:
    assert client.post("/v1/reports/search", json={"issuedFrom": bound}).status_code == 200


def test_refuses_a_destination_that_is_not_there(client: FlaskClient) -> None:
    answer = post(client, make_body(), "?deliver=pacs,ehr")
    assert answer.json is not None
    assert (answer.status_code, answer.json["pointer"]) == (422, "?deliver")
    assert stored(client, {"reportId": "MR-2026-000481"}) == 0


def test_always_acknowledges_when_told_so(client: FlaskClient) -> None:
    accepted = post(client, make_body(), "?ack=always")
    refused = post(client, make_body(report__impression="Other."), "?ack=always")
    assert accepted.json is not None
    assert refused.json is not None
    assert (accepted.status_code, accepted.json["verdict"]) == (200, "accepted")
    assert (refused.status_code, refused.json["verdict"], refused.json["status"]) == (200, "refused", 409)


def test_what_is_refused_is_not_kept(client: FlaskClient) -> None:
    assert post(client, make_body(lesions__0__laterality="upwards")).status_code == 422
    assert stored(client, {"sender": "local"}) == 0


def test_of_many_at_once_all_get_the_same_receipt(app: Flask) -> None:
    def send(_: int) -> tuple[int, bytes]:
        answer = post(app.test_client(), make_body())
        return answer.status_code, answer.data

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert len({content for _, content in answers}) == 1
    assert sorted(status for status, _ in answers) == [200] * 15 + [201]


def test_of_many_versions_at_once_each_is_kept_and_follows_one_before_it(app: Flask) -> None:
    def send(version: int) -> dict[str, Any]:
        answer = post(app.test_client(), make_body(report__version=version))
        assert answer.json is not None
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(send, range(1, 7)))
    uids = {receipt["sr"]["sopInstance"]: receipt["report"]["version"] for receipt in receipts}
    for receipt in receipts:
        document = dcmread(BytesIO(app.test_client().get(receipt["links"]["sr"]).data))
        before = document.get("PredecessorDocumentsSequence")
        if before:
            uid = before[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
            assert uids[uid] < receipt["report"]["version"]


@pytest.mark.parametrize("path", ["", "/fhir", "/sr", "/html", "/findings", "/versions"])
def test_an_unknown_id_is_not_found(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/v1/reports/00000000-0000-4000-8000-000000000000{path}")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_an_id_is_never_repeated_in_an_error(client: FlaskClient) -> None:
    assert b"PID-11235" not in client.get("/v1/reports/PID-11235").data


@pytest.mark.parametrize(
    "condition",
    [
        {"reportId": "MR-2026-000481"},
        {"accession": "A481"},
        {"studyUid": "1.2.840.113619.2.1.1"},
        {"patientId": "PID-11235"},
        {"issuedFrom": "2026-03-02T09:41:00Z", "issuedBefore": "2026-03-02T10:41:01+01:00"},
        {"status": "final", "sender": "local", "limit": 1},
    ],
)
def test_finds_a_report_by(client: FlaskClient, condition: dict[str, Any]) -> None:
    post(client, make_body())
    assert stored(client, condition) == 1


@pytest.mark.parametrize(
    ("condition", "pointer"),
    [
        ({}, ""),
        ({"limit": 5}, ""),
        ([], ""),
        ({"name": "Doe"}, "/name"),
        ({"issuedFrom": "2026-03-02"}, "/issuedFrom"),
        ({"patientId": ""}, "/patientId"),
        ({"patientId": "a\u0000b"}, "/patientId"),
        ({"patientId": 5}, "/patientId"),
        ({"sender": "x", "limit": 0}, "/limit"),
    ],
)
def test_refuses_a_search_without_a_condition_it_knows(client: FlaskClient, condition: object, pointer: str) -> None:
    answer = client.post("/v1/reports/search", json=condition)
    assert answer.json is not None
    assert (answer.status_code, answer.json["pointer"]) == (422, pointer)
