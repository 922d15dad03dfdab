"""CodeSystem/$subsumes."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.fhir_terminology.asking import get, issue, post, value
from tests.terminology import LIVER, LOCAL, SITE, SNOMED, VIRAL


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        (VIRAL, LIVER, "subsumed-by"),
        (LIVER, VIRAL, "subsumes"),
        (VIRAL, VIRAL, "equivalent"),
        (VIRAL, SITE, "not-subsumed"),
    ],
)
def test_subsumes(client: FlaskClient, one: str, other: str, outcome: str) -> None:
    by_code = get(client, f"/fhir/CodeSystem/$subsumes?system={SNOMED}&codeA={one}&codeB={other}")
    pair: dict[str, Any] = {"codingA_valueCoding": one, "codingB_valueCoding": other}
    pair = {name: {"system": SNOMED, "code": code} for name, code in pair.items()}
    by_coding = post(client, "/fhir/CodeSystem/$subsumes", {"system_valueUri": SNOMED, **pair})
    assert value(by_code, "outcome") == value(by_coding, "outcome") == outcome


def test_subsumes_says_that_it_does_not_know_the_hierarchy(client: FlaskClient) -> None:
    made = get(client, f"/fhir/CodeSystem/$subsumes?system={LOCAL}&codeA=c1&codeB=c2", 422)
    assert issue(made)[0] == "not-supported"


def test_subsumes_refuses_a_code_that_is_not_there(client: FlaskClient) -> None:
    assert issue(get(client, f"/fhir/CodeSystem/$subsumes?system={SNOMED}&codeA={VIRAL}&codeB=999999", 404))
