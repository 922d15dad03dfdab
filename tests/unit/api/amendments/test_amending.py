"""/v1/reports/{id}/amend and /cancel: one call makes a version in every format, once, of what may be amended."""

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydicom import dcmread

from service.amendments import STATUS, Kind
from service.api.report_schemas import ReceiptSchema
from service.domain.report import Status
from tests.findings import make_body
from tests.unit.api.amendments.amending import LATER, TWO, amend, publish, resources, said
from tests.unit.api.conftest import FINDINGS

FHIR_STATUS = {
    Kind.CORRECT: ("corrected", "corrected"),
    Kind.ADDEND: ("appended", "amended"),
    Kind.AMEND: ("amended", "amended"),
}


@pytest.mark.parametrize("kind", list(Kind))
def test_an_amendment_is_a_version_in_every_format(client: FlaskClient, kind: Kind) -> None:
    first = publish(client)
    receipt = said(amend(client, first, f"kind={kind}&check=full"))
    assert ReceiptSchema().validate(receipt) == {}
    assert receipt["report"] | {"issued": ""} == {
        "id": "MR-2026-000481",
        "sender": "local",
        "version": 2,
        "status": str(STATUS[kind]),
        "issued": "",
    }
    second = receipt["id"]
    [report] = resources(client, second, "DiagnosticReport")
    [older] = resources(client, first, "DiagnosticReport")
    assert report["identifier"][0] == older["identifier"][0]
    referred = {one["reference"] for one in report["result"]}
    bundle = json.loads(client.get(f"/v1/reports/{second}/fhir").data)
    lesion = next(one["resource"] for one in bundle["entry"] if one["fullUrl"] in referred)
    assert (report["status"], lesion["status"]) == FHIR_STATUS[kind]

    before = dcmread(BytesIO(client.get(f"/v1/reports/{first}/sr").data))
    now = dcmread(BytesIO(client.get(f"/v1/reports/{second}/sr").data))
    [study] = now.PredecessorDocumentsSequence
    named = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert named == before.SOPInstanceUID != now.SOPInstanceUID
    assert now.CompletionFlagDescription == str(STATUS[kind])

    message = client.get(f"/v1/reports/{second}/hl7v2").data.decode().split("\r")
    assert next(one for one in message if one.startswith("OBR")).split("|")[25] == "C"
    assert {one.split("|")[11] for one in message if one.startswith("OBX")} == {"C", "D"}  # D: the second lesion


def test_the_same_amendment_again_has_the_same_receipt(client: FlaskClient) -> None:
    first = publish(client)
    answers = [amend(client, first, "kind=correct") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].data == answers[1].data
    keyed = [amend(client, first, "kind=correct", {**FINDINGS, "Idempotency-Key": "k1"}) for _ in range(2)]
    assert all(one.data == answers[0].data for one in keyed)
    assert (
        said(amend(client, first, "kind=addend", {**FINDINGS, "Idempotency-Key": "k1"}), 422)["rule"]
        == "idempotency-key"
    )


def test_the_same_cancellation_again_has_the_same_receipt(client: FlaskClient) -> None:
    first = publish(client)
    answers = [client.post(f"/v1/reports/{first}/cancel") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].data == answers[1].data


def test_another_amendment_of_the_same_version_is_a_conflict(client: FlaskClient) -> None:
    first = publish(client)
    second = said(amend(client, first, "kind=correct"))["id"]
    assert said(amend(client, first, "kind=addend"), 409)["rule"] == "version"
    assert said(client.post(f"/v1/reports/{first}/cancel"), 409)["rule"] == "version"
    said(amend(client, second, "kind=addend"))
    assert said(amend(client, first, "kind=correct"), 409)["rule"] == "newest-version"


def test_what_is_withdrawn_or_preliminary_is_not_amended(client: FlaskClient) -> None:
    first = publish(client)
    gone = said(client.post(f"/v1/reports/{first}/cancel"))["id"]
    assert said(amend(client, gone, "kind=correct"), 409)["rule"] == "withdrawn"
    assert said(client.post(f"/v1/reports/{gone}/cancel"), 409)["rule"] == "withdrawn"
    draft = publish(client, report__status="preliminary", report__id="other")
    assert said(amend(client, draft, "kind=correct", report__id="other"), 409)["rule"] == "amend-preliminary"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"report__id": "another"}, "amend-report"),
        ({"report__sender": "somebody"}, "amend-report"),
        ({"patient__id": "PID-2"}, "amend-patient"),
        ({"patient__issuer": "ELSEWHERE"}, "amend-patient"),
        ({"study__uid": "1.2.3.99"}, "amend-study"),
        ({"report__status": "preliminary"}, "amend-status"),
        ({"report__status": "entered-in-error"}, "amend-status"),
        ({"report__issued": "2026-03-01T08:00:00+01:00"}, "amend-issued"),
    ],
)
def test_a_document_of_something_else_amends_nothing(client: FlaskClient, changes: dict[str, Any], rule: str) -> None:
    first = publish(client)
    answer = said(amend(client, first, "kind=correct", **changes), 422)
    assert answer["rule"] == rule
    assert "PID" not in answer["detail"]
    assert len(said(client.get(f"/v1/reports/{first}/versions"), 200)["versions"]) == 1


def test_amends_by_any_format_and_keeps_what_came(client: FlaskClient) -> None:
    first = publish(client)
    formats = ("application/dicom", "application/fhir+json; fhirVersion=5.0", "application/hl7-v2")
    for version, accept in enumerate(formats, 2):
        body = make_body(report__issued=LATER, lesions__0__measurements={"long axis": f"1{version}.50 mm"})
        made = client.post("/v1/convert", data=body, headers={**FINDINGS, "Accept": accept})
        answer = client.post(
            f"/v1/reports/{first}/amend?kind=correct&check=full", data=made.data, headers={"Content-Type": accept}
        )
        receipt = said(answer)
        first = receipt["id"]
        assert (receipt["report"]["version"], receipt["report"]["id"]) == (version, "MR-2026-000481")
        assert client.get(receipt["links"]["amendment"]).data == made.data
        report = json.loads(client.get(receipt["links"]["findings"]).data)
        assert (report["report"]["status"], report["patient"]["issuer"]) == ("corrected", "HOSP")
        assert b"1%d.50" % version in client.get(f"/v1/reports/{first}/sr").data


def test_goes_to_where_the_versions_before_went(client: FlaskClient) -> None:
    first = publish(client, "?deliver=pacs,ehr")
    second = said(amend(client, first, "kind=correct", headers=FINDINGS))
    assert [one["destination"] for one in second["deliveries"]] == ["pacs", "ehr"]
    third = said(client.post(f"/v1/reports/{second['id']}/cancel?deliver=ris"))
    assert [one["destination"] for one in third["deliveries"]] == ["ris"]
    [delivery] = third["deliveries"]
    assert b"|W" in client.get(f"{delivery['href']}/content").data


@pytest.mark.parametrize(
    ("takes", "settings", "query"),
    [
        ("fhir-r5", {}, ""),
        ("fhir-r5", {"profile": "dicom-sr"}, "?profile=dicom-sr"),
        ("fhir-r4", {"bundle": "single"}, "?bundle=single"),
        ("fhir-r4", {"bundle": "document"}, "?bundle=document"),
        ("fhir-r4", {"profile": "uscore"}, "?profile=uscore"),
        ("fhir-r4", {"profile": "mcode"}, "?profile=mcode"),
        ("fhir-r4", {"profile": "imr"}, "?profile=imr"),
    ],
)
def test_what_is_shown_anew_is_what_was_delivered(
    client: FlaskClient, app: Flask, takes: str, settings: dict[str, str], query: str
) -> None:
    here = app.extensions["lesionbridge"]
    here.destinations = {"ehr": replace(here.destinations["ehr"], takes=takes, **settings)}
    head = {"Accept": f"application/fhir+json; fhirVersion={takes[-1]}.0"}
    receipt = said(client.post("/v1/reports?deliver=ehr", data=make_body(lesions=TWO), headers=FINDINGS))
    for step in ("publish", "correct", "addend", "cancel"):
        if step == "cancel":
            receipt = said(client.post(f"/v1/reports/{receipt['id']}/cancel"))
        elif step != "publish":
            receipt = said(amend(client, receipt["id"], f"kind={step}"))
        delivered = client.get(f"{receipt['deliveries'][0]['href']}/content").data
        shown = client.get(f"/v1/reports/{receipt['id']}/fhir{query}", headers=head)
        assert json.loads(shown.data) == json.loads(delivered), step
        requests = query != "?bundle=document"
        assert (b"superseded" in shown.data) == (requests and step in ("correct", "addend"))


def test_a_dry_run_keeps_nothing(client: FlaskClient) -> None:
    first = publish(client)
    assert said(amend(client, first, "kind=correct&dry-run=true"), 200)["dryRun"]
    assert (
        said(client.post(f"/v1/reports/{first}/cancel?dry-run=true"), 200)["report"]["status"]
        == Status.ENTERED_IN_ERROR
    )
    assert len(said(client.get(f"/v1/reports/{first}/versions"), 200)["versions"]) == 1


def test_there_is_nothing_to_amend_under_an_unknown_id(client: FlaskClient) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert said(amend(client, unknown, "kind=correct"), 404)["rule"] == "stored"
    assert said(client.post(f"/v1/reports/{unknown}/cancel"), 404)["rule"] == "stored"
    assert said(amend(client, unknown, ""), 422)["pointer"] == "?kind"
