"""$validate-code of code systems and of value sets."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api import terminology
from service.config import Settings
from tests.contract.fhir_terminology.asking import get, issue, post, value
from tests.terminology import LIVER, LOINC, OLD, SITE, SNOMED, VIRAL, loinc, small_terminology


def test_validate_code_with_a_wrong_display(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$validate-code?url={LOINC}&code=1963-8&display=test")
    assert value(made, "result") is False
    assert value(made, "message") == 'The display "test" is incorrect'
    assert value(made, "display") == "Bicarbonate [Moles/volume] in Serum"


def test_validate_code_without_a_system(client: FlaskClient) -> None:
    made = get(client, "/fhir/CodeSystem/$validate-code?code=1963-8&display=test", 400)
    assert issue(made) == ("required", "No system parameter provided in request")


def test_validate_code_of_a_codeable_concept_is_true_for_one_coding(client: FlaskClient) -> None:
    concept = {"coding": [{"system": LOINC, "code": "none"}, {"system": LOINC, "code": "1963-8"}]}
    made = post(client, "/fhir/CodeSystem/$validate-code", {"codeableConcept_valueCodeableConcept": concept})
    assert value(made, "result") is True


def test_validate_code_of_a_code_that_is_not_there(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$validate-code?url={SNOMED}&code=999999")
    assert value(made, "result") is False


def test_validate_code_accepts_any_designation_as_display(client: FlaskClient) -> None:
    path = f"/fhir/CodeSystem/$validate-code?url={SNOMED}&code={VIRAL}&display=viral%20hepatitis%20(disorder)"
    assert value(get(client, path), "result") is True


def test_validate_code_says_that_a_code_is_inactive(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$validate-code?url={SNOMED}&code={OLD}")
    assert (value(made, "result"), value(made, "message")) == (True, f"{OLD} is inactive.")


def test_validate_code_can_not_tell_of_a_fragment(app: Flask) -> None:
    terminology.install(app, Settings(), small_terminology(loinc(complete=False)))
    made = get(app.test_client(), f"/fhir/CodeSystem/$validate-code?url={LOINC}&code=2345-7", 422)
    assert issue(made)[0] == "not-supported"


def test_the_display_of_a_fragment_is_not_judged(app: Flask) -> None:
    terminology.install(app, Settings(), small_terminology(loinc(complete=False)))
    made = get(app.test_client(), f"/fhir/CodeSystem/$validate-code?url={LOINC}&code=1963-8&display=test")
    assert value(made, "result") is True
    assert "not compared" in value(made, "message")


@pytest.mark.parametrize(("display", "right"), [("Left%20side", True), ("Right", False), ("right%20(side)", False)])
def test_the_display_of_a_fragment_may_not_name_the_other_side(app: Flask, display: str, right: bool) -> None:
    terminology.install(app, Settings())
    path = f"/fhir/CodeSystem/$validate-code?url={SNOMED}&code=7771000&display={display}"
    assert value(get(app.test_client(), path), "result") is right


def test_a_code_in_a_value_set_and_one_that_is_not(client: FlaskClient) -> None:
    base = f"/fhir/ValueSet/$validate-code?url={SNOMED}?fhir_vs=isa/{LIVER}&system={SNOMED}"
    assert value(get(client, f"{base}&code={VIRAL}"), "result") is True
    outside = get(client, f"{base}&code={SITE}")
    assert value(outside, "result") is False
    assert "is not in the value set" in value(outside, "message")


def test_a_code_without_a_system_where_the_value_set_has_one(client: FlaskClient) -> None:
    made = get(client, f"/fhir/ValueSet/example/$validate-code?code={VIRAL}&display=viral")
    assert (value(made, "result"), value(made, "display")) == (False, "Viral hepatitis")
