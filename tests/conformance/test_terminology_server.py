"""A terminology server of others (HAPI FHIR, on loopback) behind the service: what it knows, and when it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.coding.remote import Client, RemoteFirst, RemotePolicy
from service.coding.remote.first import REMOTE as ANSWERED
from service.coding.remote.terms import AWAY, REMOTE
from service.coding.server.answers import Coding, Relationship
from service.coding.server.compose import Composition
from service.coding.server.expanding import Wish
from service.config import Settings
from service.domain.errors import NotFound
from tests.conftest import Missing
from tests.findings import make_findings
from tests.oracles import complaint, servers
from tests.unit.api.conftest import FINDINGS

SNOMED, HERE, SITES = (
    "http://snomed.info/sct",
    "http://hospital.example/sites",
    "http://hospital.example/ValueSet/sites",
)
RESOURCES: tuple[dict[str, Any], ...] = (
    {
        "resourceType": "CodeSystem",
        "id": "sct",
        "url": SNOMED,
        "name": "SCT",
        "version": f"{SNOMED}/900000000000207008/version/20260101",
        "status": "active",
        "content": "complete",
        "concept": [
            {
                "code": "83251001",
                "display": "Stirnlappenstruktur",
            },
            {"code": "38266002", "display": "Entire body as a whole"},
            {"code": "404684003", "display": "Clinical finding"},
        ],
    },
    {
        "resourceType": "CodeSystem",
        "id": "sites",
        "url": HERE,
        "name": "Sites",
        "status": "active",
        "content": "complete",
        "concept": [{"code": "FL", "display": "Stirn vorn"}, {"code": "XX", "display": "anderswo"}],
    },
    {
        "resourceType": "ValueSet",
        "id": "sites",
        "url": SITES,
        "name": "Sites",
        "status": "active",
        "compose": {"include": [{"system": HERE}]},
    },
    {
        "resourceType": "ConceptMap",
        "id": "sites",
        "url": "http://hospital.example/ConceptMap/sites",
        "status": "active",
        "group": [
            {
                "source": HERE,
                "target": SNOMED,
                "element": [
                    {"code": "FL", "target": [{"code": "83251001", "equivalence": "equivalent"}]},
                    {"code": "XX", "target": [{"code": "83251001", "equivalence": "wider"}]},
                ],
            }
        ],
    },
)


@pytest.fixture(scope="module")
def _running() -> Iterator[str | None]:
    """The server's URL, None where it is not installed."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(servers.terminology_server(RESOURCES))
        except complaint.NotInstalled:
            yield None
            return
        yield url


@pytest.fixture
def url(_running: str | None, missing: Missing) -> str:
    if _running is None:
        missing.skip("hapi terminology server", "java/terminology is not installed")
        raise AssertionError
    return _running


@pytest.fixture
def here(url: str) -> RemoteFirst:
    """A terminology that has nothing by itself."""
    return RemoteFirst(Client(RemotePolicy(url, read_s=30, total_s=60)), {}, [], [])


def test_looks_up_and_validates(here: RemoteFirst) -> None:
    looked = here.lookup(Coding(SNOMED, "83251001"))
    assert (looked.display, looked.note) == ("Stirnlappenstruktur", ANSWERED)
    assert here.validate([Coding(SNOMED, "83251001")]).result
    assert not here.validate([Coding(HERE, "none")]).result


def test_what_it_does_not_know_is_not_taken_for_a_failure(here: RemoteFirst) -> None:
    # HAPI answers 404 with an issue of code `processing`.
    with pytest.raises(NotFound, match="does not know it either"):
        here.lookup(Coding(SNOMED, "1"))
    assert here.lookup(Coding(SNOMED, "83251001")).note == ANSWERED


def test_expands_and_holds_codes_against_a_value_set(here: RemoteFirst) -> None:
    sites = Composition(SITES, "", "", ())
    assert {item.code for item in here.expand(sites, Wish()).items} == {"FL", "XX"}
    assert here.validate_in(sites, [Coding(HERE, "FL")]).result
    assert not here.validate_in(sites, [Coding(HERE, "none")]).result


def test_translates(here: RemoteFirst) -> None:
    (match,) = here.translate([Coding(HERE, "FL")], [], target=SNOMED).matches
    assert (match.code, match.relationship) == ("83251001", Relationship.EQUIVALENT)


def _service(url: str, folder: Path) -> FlaskClient:
    database = f"sqlite:///{folder / 'x.sqlite3'}"
    app = create_app(Settings(database_url=database, terminology_url=url, terminology_timeout_s=30, log_level="error"))
    app.extensions["lesionbridge"].store.migrate()
    return app.test_client()


def _published(client: FlaskClient, report: str, *sites: object) -> dict[str, Any]:
    document = make_findings()
    document["report"]["id"] = report
    first = document["lesions"][0]
    document["lesions"] = [
        {**{k: v for k, v in first.items() if k in ("finding", "measurements")}, "id": f"L{number}", "site": site}
        for number, site in enumerate(sites, 1)
    ]
    answer = client.post("/v1/reports?check=full", data=json.dumps(document), headers=FINDINGS)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def test_a_report_is_coded_by_what_the_server_knows_exactly_and_the_receipt_says_so(url: str, tmp_path: Path) -> None:
    sites = (
        {"system": HERE, "code": "FL"},
        {"system": HERE, "code": "XX", "display": "anderswo"},
        {"system": SNOMED, "code": "38266002"},
        {"system": SNOMED, "code": "22298006", "display": "nobody knows this one"},
        "stirnlappenstruktur",
    )
    receipt = _published(_service(url, tmp_path), "R1", *sites)

    coded = {row["pointer"]: (row["concept"], row["resolution"]) for row in receipt["coded"]}
    rules = {row["where"]: row["rule"] for row in receipt["losses"]}
    assert coded["/lesions/0/site"] == ("frontal-lobe", "remote")
    assert "/lesions/1/site" not in coded
    assert rules["/lesions/0/site"] == REMOTE
    assert rules["/lesions/1/site"] == "unknown-system"
    assert coded["/lesions/2/site"] == (None, "remote")
    assert rules["/lesions/3/site"] == "unknown-code"
    assert coded["/lesions/4/site"] == ("frontal-lobe", "remote")
    assert AWAY not in rules.values()


def test_when_the_server_goes_the_tables_answer_and_the_receipt_says_so(tmp_path: Path, missing: Missing) -> None:
    try:
        with servers.terminology_server(RESOURCES) as url:
            client = _service(url, tmp_path)
            first = _published(client, "R1", {"system": HERE, "code": "FL"})
    except complaint.NotInstalled as error:
        missing.skip("hapi terminology server", str(error))

    second = _published(client, "R2", {"system": HERE, "code": "XX"}, "frontal lobe")

    assert [row["resolution"] for row in first["coded"] if row["pointer"] == "/lesions/0/site"] == ["remote"]
    assert {row["pointer"]: row["concept"] for row in second["coded"]}["/lesions/1/site"] == "frontal-lobe"
    (told,) = (row for row in second["losses"] if row.get("rule") == AWAY)
    assert "1 term was not looked up" in told["why"]
