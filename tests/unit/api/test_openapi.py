"""The OpenAPI document: every route is in it, and it is valid."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.pipeline import BUNDLES, DIALECTS, IODS

UNDOCUMENTED = {"/openapi.json", "/docs"}


@pytest.fixture
def spec(client: FlaskClient) -> dict[str, Any]:
    """The document."""
    made = client.get("/openapi.json").json
    assert isinstance(made, dict)
    return made


def test_is_openapi_3_1(spec: dict[str, Any]) -> None:
    assert spec["openapi"].startswith("3.1")


def test_every_route_is_described(app: Flask, spec: dict[str, Any]) -> None:
    routes = {re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    assert routes - UNDOCUMENTED == set(spec["paths"])


def test_every_operation_says_what_it_does(spec: dict[str, Any]) -> None:
    for item in spec["paths"].values():
        for operation in (item[method] for method in ("get", "post") if method in item):
            assert operation["summary"]
            assert operation["responses"]


def test_every_reference_leads_somewhere(spec: dict[str, Any]) -> None:
    references = set(re.findall(r"'\$ref': '#/([^']+)'", str(spec)))
    assert "components/schemas/Report" in references
    for reference in references:
        place: Any = spec
        for step in reference.split("/"):
            place = place.get(step, {})
        assert place, reference


def test_the_values_of_the_parameters_are_the_real_ones(spec: dict[str, Any]) -> None:
    found = {p["name"]: p["schema"].get("enum") for p in spec["paths"]["/v1/convert"]["post"]["parameters"]}
    assert (found["dialect"], found["bundle"], found["iod"]) == (list(DIALECTS), list(BUNDLES), list(IODS))


def test_the_report_schema_is_the_contracts(spec: dict[str, Any]) -> None:
    report = spec["components"]["schemas"]["Report"]
    assert {"report", "patient", "study", "lesions"} <= set(report["properties"])
