"""Overlays over REST: uploaded, previewed, rolled back, mounted."""

from threading import Thread
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api.deployment import Deployment
from service.app import create_app
from service.coding import vocabulary
from service.coding.loading import MIDLINE_SITES
from service.config import Settings
from service.pipeline import CHECKED
from tests.findings import make_findings
from tests.unit.api.conftest import FINDINGS
from tests.unit.api.curating import CSV, SITE, WORD, body, publish, put, site
from tests.unit.coding.overlays.lines import line, table


def test_an_upload_is_in_use_at_once_and_the_receipt_says_so(client: FlaskClient) -> None:
    assert site(publish(client)) is None
    assert put(client, SITE, query="?author=Dr.%20A").status_code == 201
    receipt = publish(client, "R2")
    found = site(receipt)
    assert found is not None
    assert (found["concept"], found["resolution"], found["said"]) == ("frontal-lobe", "local", WORD)
    assert body(receipt)["overlays"] == ["local-1.csv"]
    assert body(receipt)["checks"] == [CHECKED]


def test_a_conversion_uses_it_too(app: Flask) -> None:
    client = app.test_client()
    put(client, SITE)
    here = app.extensions["lesionbridge"]
    here.site._looked -= 10  # a second later
    document = make_findings()
    document["lesions"][0]["site"] = WORD
    headers = FINDINGS | {"Accept": "application/fhir+json"}
    assert "83251001" in client.post("/v1/convert", data=orjson.dumps(document), headers=headers).text


def test_what_was_emitted_before_never_changes(client: FlaskClient) -> None:
    first = publish(client)
    links = [link for name, link in body(first)["links"].items() if name != "versions"]
    before = {link: client.get(link).data for link in links}
    put(client, SITE)
    again = publish(client)
    assert (again.status_code, again.data) == (200, first.data)
    assert {link: client.get(link).data for link in links} == before


def test_versions_are_kept_and_come_back(client: FlaskClient) -> None:
    put(client, SITE)
    put(client, line(field="site", term=WORD, concept="corpus-callosum"), query="?author=B")
    assert client.get("/v1/overlays/local").data == table(line(field="site", term=WORD, concept="corpus-callosum"))
    back = client.post("/v1/overlays/local/rollback", json={"version": 1, "author": "C"})
    assert (back.status_code, body(back)["version"], body(back)["origin"]) == (201, 3, "version 1")
    rows = body(client.get("/v1/overlays/local/versions"))["overlays"]
    assert [(row["version"], row["author"]) for row in rows] == [(3, "C"), (2, "B"), (1, "")]
    assert client.get("/v1/overlays/local/versions/3").data == table(SITE)
    assert client.get("/v1/overlays/local").headers["Lesionbridge-Overlay-Version"] == "3"
    found = site(publish(client))
    assert found is not None
    assert found["concept"] == "frontal-lobe"


def test_the_same_upload_again_is_no_new_version(client: FlaskClient) -> None:
    assert put(client, SITE).status_code == 201
    again = put(client, SITE)
    assert (again.status_code, body(again)["version"]) == (200, 1)


def test_refuses_an_upload_made_from_a_version_that_is_no_more_current(client: FlaskClient) -> None:
    assert put(client, SITE, query="?after=0").status_code == 201
    assert put(client, line(field="site", term="Y", concept="frontal-lobe"), query="?after=0").status_code == 409
    assert put(client, line(field="site", term="Y", concept="frontal-lobe"), query="?after=1").status_code == 201


def test_a_refused_upload_names_each_line_and_leaves_the_one_in_use(client: FlaskClient) -> None:
    put(client, SITE)
    refused = put(client, SITE, line(field="site", term="X", concept="nowhere"), line(field="x", term="Y", concept="z"))
    assert refused.status_code == 422
    assert [(one["pointer"], one["rule"]) for one in body(refused)["errors"]] == [
        ("local.csv:3", "overlay-target"),
        ("local.csv:4", "overlay-field"),
    ]
    assert body(client.get("/v1/overlays"))["overlays"][0]["version"] == 1


def test_says_what_an_upload_overrides(client: FlaskClient) -> None:
    made = body(put(client, line(field="site", term="frontal lobe", concept="corpus-callosum")))
    assert [(one["pointer"], one["rule"]) for one in made["notices"]] == [("local.csv:2", "overrides")]


def test_takes_a_concept_map(client: FlaskClient) -> None:
    target = {"code": "83251001", "equivalence": "equivalent", "dependsOn": [{"property": "field", "value": "site"}]}
    group = {"target": "http://snomed.info/sct", "element": [{"code": WORD, "target": [target]}]}
    resource = {"resourceType": "ConceptMap", "status": "active", "group": [group]}
    headers = {"Content-Type": "application/fhir+json"}
    assert client.put("/v1/overlays/all", data=orjson.dumps(resource), headers=headers).status_code == 201
    assert site(publish(client)) is not None
    assert body(publish(client, "R2"))["overlays"] == ["all-1.json"]


def test_a_table_of_only_a_header_takes_an_overlay_back(client: FlaskClient) -> None:
    put(client, SITE)
    assert body(put(client))["rows"] == 0
    receipt = publish(client)
    assert site(receipt) is None
    assert "overlays" not in body(receipt)


@pytest.mark.parametrize("path", ["/v1/overlays/none", "/v1/overlays/none/versions", "/v1/overlays/local/versions/9"])
def test_says_that_there_is_no_such_overlay(path: str, client: FlaskClient) -> None:
    put(client, SITE)
    assert client.get(path).status_code == 404


def test_refuses_another_content_type(client: FlaskClient) -> None:
    assert client.put("/v1/overlays/local", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415


def test_a_preview_says_what_would_change_and_changes_nothing(client: FlaskClient) -> None:
    publish(client)
    publish(client, "R2", "frontal lobe")
    made = client.post("/v1/overlays/preview?sender=local&last=10", data=table(SITE), headers=CSV)
    found = body(made)
    assert (made.status_code, found["examined"], found["skipped"]) == (200, 2, 0)
    (report,) = found["reports"]
    (change,) = report["changes"]
    assert change["pointer"] == "/lesions/0/site"
    assert (change["old"]["concept"], change["new"]["concept"]) == (None, "frontal-lobe")
    assert client.get(report["href"]).status_code == 200
    assert body(client.get("/v1/overlays"))["overlays"] == []


def test_a_preview_for_everyone_looks_at_every_sender(client: FlaskClient) -> None:
    assert publish(client, report__sender="A").status_code == 201
    publish(client, "R2")
    found = body(client.post("/v1/overlays/preview?sender=all", data=table(SITE), headers=CSV))
    assert (found["examined"], len(found["reports"])) == (2, 2)
    found = body(client.post("/v1/overlays/preview?sender=A", data=table(SITE), headers=CSV))
    assert (found["examined"], len(found["reports"])) == (1, 1)


def test_a_preview_says_what_would_be_refused(client: FlaskClient) -> None:
    publish(client)
    row = line(field="site", term=WORD, concept=next(iter(vocabulary().value_sets[MIDLINE_SITES])))
    found = body(client.post("/v1/overlays/preview?sender=local", data=table(row), headers=CSV))
    assert [problem["rule"] for problem in found["reports"][0]["problems"]] == ["laterality-midline"]


def test_reports_are_coded_while_overlays_come(app: Flask) -> None:
    client = app.test_client()
    put(client, SITE)
    found: list[tuple[int, str | None]] = []

    def send(start: int) -> None:
        own = app.test_client()
        for number in range(6):
            made = publish(own, f"{start}-{number}")
            coded = site(made) if made.status_code == 201 else None
            found.append((made.status_code, coded["concept"] if coded else None))

    threads = [Thread(target=send, args=(start,)) for start in range(3)]
    for thread in threads:
        thread.start()
    for number in range(8):
        put(client, SITE, line(field="site", term=f"word {number}", concept="frontal-lobe"))
    for thread in threads:
        thread.join()
    assert set(found) == {(201, "frontal-lobe")}
    assert len(found) == 18


def test_mounted_files_are_taken_up_and_a_broken_one_leaves_the_last(tmp_path: Any) -> None:
    folder = tmp_path / "overlays"
    folder.mkdir()
    app = create_app(
        Settings(database_url=f"sqlite:///{tmp_path / 'm.sqlite3'}", overlays_folder=str(folder), log_level="error")
    )
    here: Deployment = app.extensions["lesionbridge"]
    here.store.migrate()
    client = app.test_client()
    assert site(publish(client)) is None
    (folder / "local.csv").write_bytes(table(SITE))
    here.site._looked -= 10
    assert site(publish(client, "R2")) is not None
    (folder / "local.csv").write_bytes(table(line(field="site", term=WORD, concept="nowhere")))
    here.site._looked -= 10
    assert site(publish(client, "R3")) is not None
    listed = body(client.get("/v1/overlays"))
    assert [one["origin"] for one in listed["overlays"]] == ["mounted"]
    assert [one["pointer"] for one in listed["faults"]] == ["local.csv:2"]


def test_a_local_code_is_translated_by_the_overlay(client: FlaskClient) -> None:
    url = "/fhir/ConceptMap/$translate?system=http://hospital/sites&code=FL"
    assert body(client.get(url))["parameter"][0] == {"name": "result", "valueBoolean": False}
    put(client, line(system="http://hospital/sites", code="FL", concept="frontal-lobe"), sender="all")
    client.application.extensions["lesionbridge"].site._looked -= 10  # a second later

    answer = body(client.get(url))

    codes = {part["valueCoding"]["code"] for match in answer["parameter"][1:] for part in match["part"][1:2]}
    assert {"frontal-lobe", "83251001"} <= codes
    map_ = body(client.get("/fhir/ConceptMap/overlay-all"))
    assert (map_["version"], map_["group"][0]["source"]) == ("1", "http://hospital/sites")
    listed = body(client.get("/fhir/ConceptMap?_id=overlay-all"))
    assert listed["total"] == 1
