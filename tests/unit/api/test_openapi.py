"""The OpenAPI document: every route is in it, and it is valid."""

import re
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from marshmallow import Schema, missing

from service.api.openapi import Blueprint
from service.api.schemas import Strict
from service.api.writing_schemas import ConvertQuery
from service.app import create_app
from service.config import Settings
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


def _all_of(schema: type[Schema]) -> list[type[Schema]]:
    return [more for one in schema.__subclasses__() for more in (one, *_all_of(one))]


def test_what_an_empty_query_means_is_the_same_each_time() -> None:
    defaults = [field.load_default for schema in _all_of(Strict) for field in schema().fields.values()]
    assert len(defaults) > 50
    assert {type(one) for one in defaults} <= {type(missing), type(None), str, int, bool}


def test_no_request_changes_what_the_next_one_gets(app: Flask) -> None:
    parser, schema = Blueprint.ARGUMENTS_PARSER, ConvertQuery()
    with app.test_request_context("/v1/convert"):
        first = parser.parse(schema, location="query")
        first |= {"dialect": "of somebody else", "iod": "of somebody else"}
        again = parser.parse(schema, location="query")
    with app.test_request_context("/v1/convert?dialect=ohif"):
        asked = parser.parse(schema, location="query")
        assert request.query_string
    assert again == {"dialect": "strict", "bundle": "transaction", "reference": False, "pdf": False, "measure": True}
    assert asked == again | {"dialect": "ohif"}


def test_every_operation_says_which_scope_it_needs_where_callers_have_to_say_who_they_are() -> None:
    guarded = create_app(Settings(access="required"))
    spec = guarded.test_client().get("/openapi.json").json
    assert spec is not None
    assert set(spec["components"]["securitySchemes"]) == {"key", "bearer"}
    needed: dict[str, Any] = {}
    for path, item in spec["paths"].items():
        for method in {"get", "post", "put"} & set(item):
            needed[f"{method} {path}"] = item[method]["security"]
    assert needed["post /v1/convert"] == [{"key": ["convert"]}, {"bearer": ["convert"]}]
    assert needed["put /v1/overlays/{sender}"] == [{"key": ["terminology.write"]}, {"bearer": ["terminology.write"]}]
    assert sorted(one for one, schemes in needed.items() if not schemes) == [
        "get /fhir/metadata",
        "get /health/live",
        "get /health/ready",
        "get /metrics",
    ]


def test_an_open_service_asks_nobody_who_they_are(spec: dict[str, Any]) -> None:
    assert "securitySchemes" not in spec["components"]
    assert "security" not in spec["paths"]["/v1/convert"]["post"]
