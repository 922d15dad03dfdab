"""ValueSet/$expand, with the implicit value sets of SNOMED CT."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contract.fhir_terminology.asking import R4, get, issue, post, resource
from tests.terminology import HEPATITIS, LIVER, LOCAL, LOINC, OLD, REFSET, ROOT, SITE, SNOMED, VIRAL, snomed

EXPAND = f"/fhir/ValueSet/$expand?url={SNOMED}?fhir_vs"


def codes(made: dict[str, Any]) -> list[str]:
    assert made["resourceType"] == "ValueSet"
    return [one["code"] for one in made["expansion"].get("contains", [])]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("", {ROOT, LIVER, HEPATITIS, VIRAL, SITE, REFSET}),
        (f"=isa/{LIVER}", {LIVER, HEPATITIS, VIRAL}),
        (f"=refset/{REFSET}", {HEPATITIS, VIRAL}),
        (f"=ecl/%3C {LIVER}", {HEPATITIS, VIRAL}),
        (f"=ecl/%253C%253C%20{LIVER}%20MINUS%20{VIRAL}", {LIVER, HEPATITIS}),
        (f"=ecl/* : {SITE} = {LIVER}", {VIRAL}),
    ],
)
def test_implicit_value_sets_of_snomed_ct(client: FlaskClient, form: str, expected: set[str]) -> None:
    made = get(client, EXPAND + form)
    assert set(codes(made)) == expected
    assert made["expansion"]["total"] == len(expected)
    assert made["expansion"]["timestamp"]


def test_an_implicit_value_set_of_the_edition_that_is_loaded(client: FlaskClient) -> None:
    base = "/fhir/ValueSet/$expand?url=http://snomed.info/sct"
    assert codes(get(client, f"{base}/900000000000207008?fhir_vs=isa/{VIRAL}")) == [VIRAL]
    assert codes(get(client, f"{base}/900000000000207008/version/20260101?fhir_vs=isa/{VIRAL}")) == [VIRAL]
    assert issue(get(client, f"{base}/731000124108?fhir_vs=isa/{VIRAL}", 422))[0] == "not-found"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("=isa/x", "value"),
        ("=all", "value"),
        ("=refset", "not-supported"),
        ("=ecl/lung", "invalid"),
        ("=ecl/999999", "code-invalid"),
    ],
)
def test_refuses_an_implicit_value_set_that_is_none(client: FlaskClient, form: str, code: str) -> None:
    assert issue(get(client, EXPAND + form, 422))[0] == code


def test_pages_are_parts_of_one_order(client: FlaskClient) -> None:
    whole = codes(get(client, EXPAND))
    pages = [get(client, f"{EXPAND}&offset={offset}&count=4") for offset in (0, 4, 8)]
    assert [code for page in pages for code in codes(page)] == whole
    assert {page["expansion"]["total"] for page in pages} == {len(whole)}
    assert [page["expansion"]["offset"] for page in pages] == [0, 4, 8]


def test_a_count_of_0_tells_how_many_there_are(client: FlaskClient) -> None:
    made = get(client, f"{EXPAND}&count=0")
    assert (made["expansion"]["total"], codes(made)) == (6, [])


def test_a_filter_is_by_words_of_any_designation(client: FlaskClient) -> None:
    assert codes(get(client, f"{EXPAND}&filter=hepa vir")) == [VIRAL]
    assert codes(get(client, f"{EXPAND}=isa/{LIVER}&filter=liver")) == [LIVER, HEPATITIS]
    assert codes(get(client, f"{EXPAND}&filter=virushep")) == [VIRAL]


def test_an_expansion_in_a_language_with_designations(client: FlaskClient) -> None:
    made = get(client, f"{EXPAND}=isa/{VIRAL}&displayLanguage=de&includeDesignations=true")
    (one,) = made["expansion"]["contains"]
    assert one["display"] == "Virushepatitis"
    assert "Viral hepatitis (disorder)" in [said["value"] for said in one["designation"]]
    told = {one["name"]: one for one in made["expansion"]["parameter"]}
    assert told["displayLanguage"]["valueCode"] == "de"
    assert told["version"]["valueUri"] == f"{SNOMED}|{snomed().version}"


def test_only_active_codes(client: FlaskClient) -> None:
    base = "/fhir/ValueSet/$expand?url=http://example.org/vs"
    made = get(client, base)
    assert codes(made) == [VIRAL, OLD]
    assert [one.get("inactive") for one in made["expansion"]["contains"]] == [None, True]
    assert codes(get(client, f"{base}&activeOnly=true")) == [VIRAL]
    assert codes(get(client, "/fhir/ValueSet/example/$expand?activeOnly=true")) == [VIRAL]


def test_what_does_not_fit_into_one_answer_is_too_costly(client: FlaskClient) -> None:
    compose = {"include": [{"system": LOCAL}]}
    asked = {"valueSet_resource": {"resourceType": "ValueSet", "status": "active", "compose": compose}}
    code, text = issue(post(client, "/fhir/ValueSet/$expand", asked, 422))
    assert code == "too-costly"
    assert "1200 codes are more than the 1000" in text


def test_a_value_set_in_the_request(client: FlaskClient) -> None:
    include = [
        {"system": SNOMED, "filter": [{"property": "concept", "op": "is-a", "value": LIVER}]},
        {"system": LOINC, "concept": [{"code": "1963-8"}]},
    ]
    exclude = [{"system": SNOMED, "concept": [{"code": HEPATITIS}]}]
    given = {"resourceType": "ValueSet", "status": "active", "compose": {"include": include, "exclude": exclude}}
    made = post(client, "/fhir/ValueSet/$expand", {"valueSet_resource": given})
    assert codes(made) == [VIRAL, LIVER, "1963-8"]
    less = {"valueSet_resource": given, "exclude-system_valueCanonical": LOINC}
    assert codes(post(client, "/fhir/ValueSet/$expand", less)) == [VIRAL, LIVER]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?url=http://example.org/none",
        "?url=http://example.org/vs&count=-1",
        "?url=http://example.org/vs&count=99999999999999999999",
        "?url=http://example.org/vs&count=x",
        "?url=http://example.org/vs&offset=%C2%B2",
        "?url=http://example.org/vs&activeOnly=maybe",
        "?url=http://example.org/vs&activeonly=true",
        "?url=http://example.org/vs&date=2020-01-01",
        "?url=http://example.org/vs&valueSetVersion=2",
        "?url=http://example.org/vs&count=100000",
        "?url=http://example.org/vs&system-version=http://snomed.info/sct%7Chttp://snomed.info/sct/1",
    ],
)
def test_refuses_an_expansion_that_would_not_be_what_was_asked_for(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/fhir/ValueSet/$expand{query}", headers=R4)
    assert 400 <= answer.status_code < 500
    assert resource(answer)["resourceType"] == "OperationOutcome"
