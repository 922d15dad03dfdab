"""ConceptMap/$translate."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.contract.fhir_terminology.asking import R5, get, issue, value
from tests.terminology import SNOMED, STATUS

TRANSLATE = f"/fhir/ConceptMap/$translate?system={STATUS}"


def test_translates_with_the_map_it_comes_from(client: FlaskClient) -> None:
    made = get(client, f"{TRANSLATE}&code=preliminary")
    assert value(made, "result") is True
    (match,) = [{part["name"]: part for part in one["part"]} for one in made["parameter"] if one["name"] == "match"]
    assert match["equivalence"]["valueCode"] == "equivalent"
    assert match["concept"]["valueCoding"] == {
        "system": "http://hl7.org/fhir/v3/ActStatus",
        "code": "active",
        "display": "active",
    }
    assert match["source"]["valueUri"].startswith("urn:oid:")


@pytest.mark.parametrize(
    ("code", "r4", "r5"),
    [
        ("preliminary", "equivalent", "equivalent"),
        ("final", "wider", "source-is-narrower-than-target"),
        ("amended", "narrower", "source-is-broader-than-target"),
        ("entered-in-error", "unmatched", "not-related-to"),
    ],
)
def test_says_how_a_translation_differs_in_both_releases(client: FlaskClient, code: str, r4: str, r5: str) -> None:
    in_r4 = get(client, f"{TRANSLATE}&code={code}")
    in_r5 = get(client, f"{TRANSLATE}&sourceCode={code}", headers=R5)
    assert in_r4["parameter"][-1]["part"][0] == {"name": "equivalence", "valueCode": r4}
    assert in_r5["parameter"][-1]["part"][0] == {"name": "relationship", "valueCode": r5}
    assert value(in_r4, "result") is value(in_r5, "result") is (r4 != "unmatched")


def test_reads_a_map_backward(client: FlaskClient) -> None:
    system = "system=http://hl7.org/fhir/v3/ActStatus"
    in_r4 = get(client, f"/fhir/ConceptMap/$translate?{system}&code=completed&reverse=true")
    in_r5 = get(client, f"/fhir/ConceptMap/$translate?{system}&targetCode=completed", headers=R5)
    found = [
        [
            (one["part"][1]["valueCoding"]["code"], one["part"][0]["valueCode"])
            for one in made["parameter"]
            if "part" in one
        ]
        for made in (in_r4, in_r5)
    ]
    assert found == [
        [("final", "narrower"), ("amended", "wider")],
        [("final", "source-is-narrower-than-target"), ("amended", "source-is-broader-than-target")],
    ]


def test_translates_only_to_the_system_that_is_named(client: FlaskClient) -> None:
    made = get(client, f"{TRANSLATE}&code=preliminary&targetsystem={SNOMED}")
    assert value(made, "result") is False
    assert value(made, "message") == "no translation is known here"


def test_one_map_by_id_or_url(client: FlaskClient) -> None:
    one = get(client, "/fhir/ConceptMap/status")
    by_id = get(client, f"/fhir/ConceptMap/status/$translate?system={STATUS}&code=preliminary")
    assert by_id == get(client, f"{TRANSLATE}&code=preliminary&url={one['url']}")
    assert issue(get(client, f"{TRANSLATE}&code=preliminary&url=http://example.org/none", 404))[0] == "not-found"
