"""The FHIR operations as the specification's own examples have them, over HTTP, each answer held to its definition.

Examples: HL7's FHIR source, `source/{codesystem,valueset,conceptmap}/$...-request.txt` and `-response.txt`, and SNOMED
International's FHIR guide for the implicit value sets. Parameters are held to the OperationDefinitions of R4.
"""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api import terminology
from service.app import create_app
from service.config import Settings
from service.formats.fhir.terminology.capabilities import OPERATIONS
from tests.terminology import (
    HEPATITIS,
    LIVER,
    LOCAL,
    LOINC,
    OLD,
    REFSET,
    ROOT,
    SITE,
    SNOMED,
    STATUS,
    VIRAL,
    loinc,
    many,
    small_terminology,
    snomed,
)

R4 = {"Accept": "application/fhir+json; fhirVersion=4.0"}
R5 = {"Accept": "application/fhir+json; fhirVersion=5.0"}
OUT = {
    "$lookup": {"name", "version", "display", "designation", "property"},
    "$validate-code": {"result", "message", "display"},
    "$subsumes": {"outcome"},
    "$translate": {"result", "message", "match"},
}
"""The out parameters of each R4 OperationDefinition."""
ONCE = {
    "$lookup": {"name", "version", "display"},
    "$validate-code": {"result"},
    "$subsumes": {"outcome"},
    "$translate": {"result"},
}
"""Those of cardinality 1..1."""
EXPAND = f"/fhir/ValueSet/$expand?url={SNOMED}?fhir_vs"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    database = tmp_path_factory.mktemp("fhir") / "x.sqlite3"
    return create_app(Settings(database_url=f"sqlite:///{database}", log_level="error"))


@pytest.fixture
def app(service: Flask) -> Flask:
    terminology.install(service, Settings(), small_terminology(snomed(), loinc(), many(1_200)))
    return service


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def get(client: FlaskClient, path: str, status: int = 200, headers: dict[str, str] = R4) -> dict[str, Any]:
    answer = client.get(path, headers=headers)
    return _checked(path, answer, status)


def post(client: FlaskClient, path: str, parameters: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """POST a Parameters resource: {"name_valueType": value} or {"name_resource": resource}."""
    listed = [{"name": key.rpartition("_")[0], key.rpartition("_")[2]: value} for key, value in parameters.items()]
    return _checked(
        path, client.post(path, json={"resourceType": "Parameters", "parameter": listed}, headers=R4), status
    )


def _checked(path: str, answer: Any, status: int) -> dict[str, Any]:
    made = answer.json
    assert answer.status_code == status, made
    assert answer.content_type.startswith("application/fhir+json; fhirVersion=")
    assert isinstance(made, dict)
    if status != 200:
        assert made["resourceType"] == "OperationOutcome"
        assert made["issue"]
        return made
    operation = path.partition("?")[0].rpartition("/")[2]
    if operation in OUT and "4.0" in answer.content_type:
        names = [one["name"] for one in made["parameter"]]
        assert set(names) <= OUT[operation]
        assert all(names.count(name) == 1 for name in ONCE[operation])
    return made


def resource(answer: Any) -> dict[str, Any]:
    """The body of any answer."""
    made = answer.json
    assert isinstance(made, dict)
    return made


def value(made: dict[str, Any], name: str) -> Any:
    (one,) = [one for one in made["parameter"] if one["name"] == name]
    return next(content for key, content in one.items() if key.startswith("value"))


def codes(made: dict[str, Any]) -> list[str]:
    assert made["resourceType"] == "ValueSet"
    return [one["code"] for one in made["expansion"].get("contains", [])]


def issue(made: dict[str, Any]) -> tuple[str, str]:
    return made["issue"][0]["code"], made["issue"][0]["details"]["text"]


# CodeSystem/$lookup


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


# CodeSystem/$validate-code


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


# CodeSystem/$subsumes


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


# ValueSet/$expand


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


# ValueSet/$validate-code


def test_a_code_in_a_value_set_and_one_that_is_not(client: FlaskClient) -> None:
    base = f"/fhir/ValueSet/$validate-code?url={SNOMED}?fhir_vs=isa/{LIVER}&system={SNOMED}"
    assert value(get(client, f"{base}&code={VIRAL}"), "result") is True
    outside = get(client, f"{base}&code={SITE}")
    assert value(outside, "result") is False
    assert "is not in the value set" in value(outside, "message")


def test_a_code_without_a_system_where_the_value_set_has_one(client: FlaskClient) -> None:
    made = get(client, f"/fhir/ValueSet/example/$validate-code?code={VIRAL}&display=viral")
    assert (value(made, "result"), value(made, "display")) == (False, "Viral hepatitis")


# ConceptMap/$translate

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


# Batch, search, metadata, negotiation


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
