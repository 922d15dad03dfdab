"""FHIR over REST: converted, kept as it came, and answered with the receipt again."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.doors import Format
from service.pipeline import Options, Source, convert
from tests.findings import make_body


def bundle(form: Format) -> bytes:
    """One of our own bundles."""
    return convert(Source(make_body()), (form,), Options()).outputs[form].content


@pytest.mark.parametrize(("form", "version"), [(Format.FHIR_R4, "4.0"), (Format.FHIR_R5, "5.0")])
def test_a_bundle_becomes_an_sr(client: FlaskClient, form: Format, version: str) -> None:
    headers = {"Content-Type": f"application/fhir+json; fhirVersion={version}", "Accept": "application/dicom"}

    answer = client.post("/v1/convert", data=bundle(form), headers=headers)

    assert (answer.status_code, answer.data[128:132]) == (200, b"DICM")


def test_a_bundle_is_kept_as_it_came_with_the_findings_beside_it(client: FlaskClient) -> None:
    body, headers = bundle(Format.FHIR_R4), {"Content-Type": "application/fhir+json"}

    first = client.post("/v1/reports", data=body, headers=headers)
    again = client.post("/v1/reports", data=body.replace(b'{"fullUrl"', b'\n{ "fullUrl"'), headers=headers)

    assert (first.status_code, again.status_code, first.data) == (201, 200, again.data)
    links: dict[str, Any] = first.get_json()["links"]
    assert client.get(links["source"]).data == body
    assert client.get(links["findings"]).get_json()["lesions"]
    assert client.get(links["sr"]).data[128:132] == b"DICM"


def test_other_content_without_a_version_is_told_how_to_say_one_and_both_ways_work(client: FlaskClient) -> None:
    """As other systems send it: their identifier, and no version."""
    made = json.loads(bundle(Format.FHIR_R4))
    report = next(one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == "DiagnosticReport")
    report["identifier"] = [{"system": "urn:oid:1.2.3", "value": "R-77"}]
    head = {"Content-Type": "application/fhir+json"}
    first = client.post("/v1/reports", json=made, headers=head)
    assert (first.status_code, client.post("/v1/reports", json=made, headers=head).data) == (201, first.data)

    report["conclusion"] = "Two new brain metastases."
    refused = client.post("/v1/reports", json=made, headers=head)
    told = refused.get_json()
    ours = first.headers["Location"].rpartition("/")[2]
    assert (refused.status_code, told["rule"], told["pointer"]) == (409, "version", "DiagnosticReport.meta.versionId")
    assert "meta.versionId" in told["detail"]
    assert f"/v1/reports/{ours}/amend" in told["detail"]

    dry = client.post(f"/v1/reports/{ours}/amend?kind=correct&dry-run=true", json=made, headers=head)
    assert dry.status_code == 200, dry.text
    report["meta"] = (report.get("meta") or {}) | {"versionId": "2"}
    again = client.post("/v1/reports", json=made, headers=head)
    assert (again.status_code, again.get_json()["report"]["version"]) == (201, 2), again.text


def test_a_refusal_names_the_place_in_fhir(client: FlaskClient) -> None:
    body = {"resourceType": "DiagnosticReport", "status": "final"}

    answer = client.post("/v1/convert", json=body, headers={"Content-Type": "application/fhir+json"})

    assert answer.status_code == 422
    assert (answer.get_json()["rule"], answer.get_json()["pointer"]) == ("fhir-patient", "DiagnosticReport.subject")


@pytest.mark.parametrize(("asked", "status"), [("", 200), ("?validate=fhir", 422)])
def test_a_bundle_is_held_to_the_definitions_of_fhir_when_asked(client: FlaskClient, asked: str, status: int) -> None:
    body = bundle(Format.FHIR_R4).replace(b'"resourceType":"Patient"', b'"resourceType":"Patient","colour":"blue"')
    headers = {"Content-Type": "application/fhir+json", "Accept": "text/html"}

    answer = client.post(f"/v1/convert{asked}", data=body, headers=headers)

    assert answer.status_code == status
    assert b"colour" in body
