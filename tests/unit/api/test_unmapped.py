"""Terms that nobody knew over REST, from the first unknown word to a coded report."""

import csv
import io
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from tests.findings import make_findings
from tests.unit.api.conftest import FINDINGS
from tests.unit.api.curating import CSV, WORD, body, publish, put, site
from tests.unit.coding.overlays.lines import line


def test_a_word_that_nobody_knows_is_counted(client: FlaskClient) -> None:
    for report in ("R1", "R2"):
        publish(client, report)
    publish(client, "R2")  # a replay is no new report
    publish(client, "R3", "stirn-lappen")
    terms = body(client.get("/v1/unmapped?sender=local&field=site"))
    found = {one["term"]: one["count"] for one in terms["terms"]}
    assert found[WORD] == 2
    assert terms["total"] == len(terms["terms"])


def test_a_dry_run_counts_nothing(client: FlaskClient) -> None:
    document = make_findings()
    document["lesions"][0]["site"] = WORD
    client.post("/v1/reports?dry-run=true", data=orjson.dumps(document), headers=FINDINGS)
    assert body(client.get("/v1/unmapped"))["terms"] == []


def test_nothing_of_the_patient_is_kept(client: FlaskClient) -> None:
    document = make_findings()
    family = document["patient"]["name"].split("^")[0] if "name" in document["patient"] else ""
    for number, word in enumerate(
        (f"seen with Mrs. {family}", f"see {document['patient']['id']}", "of 1961-04-02", "x" * 256)
    ):
        publish(client, f"R{number}", word)
    assert [one["term"] for one in body(client.get("/v1/unmapped"))["terms"]] == ["x" * 256]


def test_a_decision_makes_the_overlay_grow_and_codes_what_comes(client: FlaskClient) -> None:
    put(client, line(field="site", term="other", concept="frontal-lobe"))
    publish(client)
    (term,) = body(client.get("/v1/unmapped"))["terms"]
    decided = client.post(f"/v1/unmapped/{term['id']}/resolve", json={"concept": "frontal lobe", "author": "Dr. A"})
    assert decided.status_code == 201
    assert [(one["sender"], one["version"], one["rows"]) for one in body(decided)["overlays"]] == [("local", 2, 2)]
    assert body(client.get("/v1/unmapped"))["terms"] == []
    (closed,) = body(client.get("/v1/unmapped?state=resolved"))["terms"]
    assert (closed["decision"], closed["author"]) == ("frontal lobe", "Dr. A")
    found = site(publish(client, "R2"))
    assert found is not None
    assert found["concept"] == "frontal-lobe"


def test_what_is_ignored_stays_text_and_is_counted_no_more(client: FlaskClient) -> None:
    publish(client)
    (term,) = body(client.get("/v1/unmapped"))["terms"]
    client.post(f"/v1/unmapped/{term['id']}/resolve", json={"ignore": True, "author": "A"})
    assert site(publish(client, "R2")) is None
    (closed,) = body(client.get("/v1/unmapped?state=ignored"))["terms"]
    assert closed["count"] == 1


def test_a_code_of_an_unknown_system_is_counted_and_decided(client: FlaskClient) -> None:
    document = make_findings()
    document["lesions"][0]["site"] = {"system": "http://h/sites", "code": "FL", "display": "Stirn"}
    client.post("/v1/reports", data=orjson.dumps(document), headers=FINDINGS)
    (term,) = body(client.get("/v1/unmapped"))["terms"]
    assert (term["system"], term["code"], term["term"]) == ("http://h/sites", "FL", "Stirn")
    said = {"system": "SCT", "code": "83251001", "author": "A"}
    assert client.post(f"/v1/unmapped/{term['id']}/resolve", json=said).status_code == 201
    document["report"]["id"] = "R2"
    found = site(client.post("/v1/reports", data=orjson.dumps(document), headers=FINDINGS))
    assert found is not None
    assert found["concept"] == "frontal-lobe"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"concept": "no-such", "author": "A"}, 422),
        ({"concept": "left", "author": "A"}, 422),
        ({"author": "A"}, 422),
        ({"concept": "frontal-lobe"}, 422),
        ({"concept": "frontal-lobe", "ignore": True, "author": "A"}, 422),
        ({"system": "SCT", "author": "A"}, 422),
    ],
)
def test_refuses_a_decision_that_does_not_stand(said: dict[str, Any], status: int, client: FlaskClient) -> None:
    publish(client)
    (term,) = body(client.get("/v1/unmapped"))["terms"]
    assert client.post(f"/v1/unmapped/{term['id']}/resolve", json=said).status_code == status
    assert body(client.get("/v1/unmapped"))["total"] == 1
    assert client.get("/v1/overlays/local").status_code == 404


def test_says_that_there_is_no_such_term(client: FlaskClient) -> None:
    assert client.post("/v1/unmapped/7/resolve", json={"ignore": True, "author": "A"}).status_code == 404


def test_an_edited_table_decides_all_at_once(client: FlaskClient) -> None:
    publish(client, "R1")
    publish(client, "R2", "=HYPERLINK(1)")
    publish(client, "R3", "third")
    exported = client.get("/v1/unmapped?format=csv")
    assert exported.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    assert "'=HYPERLINK(1)" in {row["term"] for row in rows}
    decisions = {WORD: "frontal-lobe", "'=HYPERLINK(1)": "ignore"}
    made = io.StringIO()
    writer = csv.DictWriter(made, rows[0])
    writer.writeheader()
    writer.writerows([row | {"decision": decisions.get(row["term"], "")} for row in rows])
    answer = client.post("/v1/unmapped/resolve?author=A", data=made.getvalue().encode(), headers=CSV)
    assert answer.status_code == 201, answer.text
    assert [one["rows"] for one in body(answer)["overlays"]] == [2]
    assert [one["term"] for one in body(client.get("/v1/unmapped"))["terms"]] == ["third"]
    assert site(publish(client, "R4")) is not None


@pytest.mark.parametrize(
    ("line_of", "rule"),
    [
        ("{id},another,frontal-lobe", "unmapped-term"),
        ("x,Stirnlappen,frontal-lobe", "unmapped-term"),
        ("{id},Stirnlappen,nowhere", "overlay-target"),
    ],
)
def test_refuses_a_table_with_a_wrong_line_and_decides_nothing(line_of: str, rule: str, client: FlaskClient) -> None:
    publish(client)
    (term,) = body(client.get("/v1/unmapped"))["terms"]
    content = f"id,term,decision\n{line_of.format(id=term['id'])}\n".encode()
    answer = client.post("/v1/unmapped/resolve?author=A", data=content, headers=CSV)
    assert answer.status_code == 422
    assert [(one["pointer"], one["rule"]) for one in body(answer)["errors"]] == [("unmapped.csv:2", rule)]
    assert body(client.get("/v1/unmapped"))["total"] == 1


def test_pages_follow_each_other(client: FlaskClient) -> None:
    for number in range(5):
        publish(client, f"R{number}", f"{'abcde'[number]}-word-unknown")
    seen: list[str] = []
    link: str | None = "/v1/unmapped?limit=2"
    while link:
        page = body(client.get(link))
        seen += [one["term"] for one in page["terms"]]
        link = page["next"]
    assert len(seen) == len(set(seen)) == 5
