"""CodeSystem/$lookup."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.contract.fhir_terminology.asking import get, issue, post, value
from tests.terminology import HEPATITIS, LIVER, LOINC, SNOMED, VIRAL


def test_lookup_of_a_code_and_its_system(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$lookup?system={LOINC}&code=1963-8")
    assert (value(made, "name"), value(made, "version")) == ("LOINC", "2.48")
    assert value(made, "display") == "Bicarbonate [Moles/volume] in Serum"


def test_lookup_of_a_coding(client: FlaskClient) -> None:
    made = post(client, "/fhir/CodeSystem/$lookup", {"coding_valueCoding": {"system": LOINC, "code": "1963-8"}})
    assert value(made, "display") == "Bicarbonate [Moles/volume] in Serum"


def test_lookup_of_an_unknown_code_is_not_found(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$lookup?system={LOINC}&code=ABC-23", 404)
    assert issue(made) == ("not-found", "Code 'ABC-23' not found in LOINC")


def test_lookup_tells_what_is_above_and_below(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$lookup?system={SNOMED}&code={HEPATITIS}")
    told = [{part["name"]: part for part in one["part"]} for one in made["parameter"] if one["name"] == "property"]
    found = {(one["code"]["valueCode"], one["value"].get("valueCode")) for one in told}
    assert {("parent", LIVER), ("child", VIRAL)} <= found


def test_lookup_speaks_the_language_that_is_asked_for(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$lookup?system={SNOMED}&code={VIRAL}&displayLanguage=de-CH")
    assert value(made, "display") == "Virushepatitis"


def test_lookup_tells_only_the_properties_asked_for(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$lookup?system={SNOMED}&code={VIRAL}&property=parent")
    assert [one["part"][0]["valueCode"] for one in made["parameter"] if one["name"] == "property"] == ["parent"]
    assert not [one for one in made["parameter"] if one["name"] == "designation"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (f"system={LOINC}", 400, "required"),
        ("code=1963-8", 400, "required"),
        (f"system={LOINC}&code=1963-8&code=1963-8", 400, "invalid"),
        (f"system={LOINC}&code=1963-8&date=2020", 400, "not-supported"),
        (f"system={LOINC}&code=%20", 400, "value"),
        ("system=http://example.org/none&code=x", 404, "not-found"),
        (f"system={LOINC}&code=1963-8&version=1", 422, "not-found"),
        (f"system={LOINC}&coding=1963-8", 400, "invalid"),
    ],
)
def test_lookup_refuses(client: FlaskClient, query: str, status: int, code: str) -> None:
    assert issue(get(client, f"/fhir/CodeSystem/$lookup?{query}", status))[0] == code
