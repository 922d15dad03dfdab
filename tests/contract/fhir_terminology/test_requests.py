"""Batches, what the service says of itself, and the requests that it takes at all."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.formats.fhir.terminology.capabilities import OPERATIONS
from tests.contract.fhir_terminology.asking import R4, R5, get, issue, resource, value
from tests.terminology import LIVER, LOCAL, LOINC, SNOMED, VIRAL


def test_a_batch_answers_each_entry_by_itself(client: FlaskClient) -> None:
    entries = [
        {"request": {"method": "GET", "url": f"CodeSystem/$lookup?system={LOINC}&code=1963-8"}},
        {"request": {"method": "GET", "url": "CodeSystem/$lookup?code=x"}},
        {
            "request": {"method": "POST", "url": "CodeSystem/$subsumes"},
            "resource": {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "system", "valueUri": SNOMED},
                    {"name": "codeA", "valueCode": LIVER},
                    {"name": "codeB", "valueCode": VIRAL},
                ],
            },
        },
        {"request": {"method": "DELETE", "url": "ConceptMap/status"}},
        {},
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    made = resource(client.post("/fhir", json=bundle, headers=R4))
    assert made["type"] == "batch-response"
    assert [one["response"]["status"] for one in made["entry"]] == ["200", "400", "200", "400", "400"]
    assert value(made["entry"][2]["resource"], "outcome") == "subsumes"
    assert made["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "bundle",
    [{}, {"resourceType": "Bundle", "type": "transaction"}, {"resourceType": "Bundle", "type": "batch", "entry": {}}],
)
def test_refuses_what_is_no_batch(client: FlaskClient, bundle: dict[str, Any]) -> None:
    assert client.post("/fhir", json=bundle, headers=R4).status_code == 400


def test_refuses_a_batch_of_too_many(client: FlaskClient) -> None:
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{}] * 1_001}
    assert issue(resource(client.post("/fhir", json=bundle, headers=R4)))[0] == "too-costly"


def test_metadata_names_every_operation_that_is_served(app: Flask, client: FlaskClient) -> None:
    rest = get(client, "/fhir/metadata")["rest"][0]
    told = {(one["type"], operation["name"]) for one in rest["resource"] for operation in one["operation"]}
    assert told == {(kind, name) for kind, names in OPERATIONS.items() for name in names}
    routes = {rule.rule for rule in app.url_map.iter_rules()}
    assert {f"/fhir/{kind}/${name}" for kind, name in told} <= routes


def test_terminology_capabilities_name_every_system(client: FlaskClient) -> None:
    made = get(client, "/fhir/metadata?mode=terminology")
    assert {one["uri"] for one in made["codeSystem"]} == {SNOMED, LOINC, LOCAL}
    assert get(client, "/fhir/metadata", headers=R5)["fhirVersion"] == "5.0.0"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json; fhirVersion=3.0", 406),
        ("application/fhir+xml", 406),
        ("*/*", 200),
        ("", 200),
        ("application/json", 200),
        ("application/fhir+xml, application/fhir+json;q=0.5", 200),
    ],
)
def test_answers_in_the_release_that_is_asked_for_or_not_at_all(client: FlaskClient, accept: str, status: int) -> None:
    assert client.get("/fhir/metadata", headers={"Accept": accept}).status_code == status


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"resourceType":"Patient"}', b'{"resourceType":"Parameters","parameter":3}']
)
def test_refuses_a_body_that_is_no_parameters(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/fhir/CodeSystem/$lookup", data=body, content_type="application/fhir+json", headers=R4)
    assert (answer.status_code, issue(resource(answer))[0]) == (400, "structure")


def test_refuses_another_media_type(client: FlaskClient) -> None:
    assert client.post("/fhir/CodeSystem/$lookup", data="code=1", content_type="text/plain").status_code == 415


def test_what_is_not_served_is_not_found(client: FlaskClient) -> None:
    for path in ("/fhir/ValueSet/none", "/fhir/CodeSystem/none/$validate-code?code=x", "/fhir/ConceptMap/none"):
        assert client.get(path, headers=R4).status_code == 404
