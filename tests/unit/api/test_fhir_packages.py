"""What a FHIR package brings, imported and then asked over REST; in each kind of store."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from tests.releases import Site

SYSTEM, BASE = "http://example.org/fhir/CodeSystem/colours", "http://example.org/fhir/ValueSet"
WARM, LISTED, EXPANDED, MIXED = (f"{BASE}/{name}" for name in ("warm", "listed", "expanded", "mixed"))
CODES = [
    {"code": "warm", "display": "Warm", "concept": [{"code": "red", "display": "Red"}, {"code": "orange"}]},
    {"code": "cold", "display": "Cold", "concept": [{"code": "blue", "display": "Blue"}]},
]
EXAMPLES: list[dict[str, Any]] = [
    {"resourceType": "CodeSystem", "url": SYSTEM, "name": "Colours", "version": "3", "content": "complete"}
    | {"status": "active", "hierarchyMeaning": "is-a", "concept": CODES},
    {
        "resourceType": "ValueSet",
        "id": "warm",
        "url": WARM,
        "version": "3",
        "title": "Warm colours",
        "status": "active",
        "compose": {
            "include": [{"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "warm"}]}],
            "exclude": [{"system": SYSTEM, "concept": [{"code": "orange"}]}],
        },
    },
    {
        "resourceType": "ValueSet",
        "url": LISTED,
        "status": "active",
        "compose": {"include": [{"system": SYSTEM}]},
    },
    {
        "resourceType": "ValueSet",
        "url": EXPANDED,
        "status": "active",
        "expansion": {
            "contains": [
                {
                    "system": SYSTEM,
                    "code": "cold",
                    "abstract": True,
                    "contains": [{"system": SYSTEM, "code": "blue", "display": "Blue"}],
                },
                {"system": SYSTEM, "code": "red", "display": "Red"},
            ]
        },
    },
    {
        "resourceType": "ValueSet",
        "url": MIXED,
        "status": "active",
        "compose": {"include": [{"system": SYSTEM, "valueSet": [WARM]}]},
    },
]


@pytest.fixture
def client(any_site: Site, tmp_path: Path) -> FlaskClient:
    """A service whose site has imported the package."""
    package = tmp_path / "example.colours-3.0.0.tgz"
    with tarfile.open(package, "w:gz") as packed:
        for number, resource in enumerate(EXAMPLES):
            content = json.dumps(resource).encode()
            member = tarfile.TarInfo(f"package/{resource['resourceType']}-{number}.json")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    placed = any_site.load(package)
    assert placed.name == "fhir-example.colours"
    database = any_site.database_url or f"sqlite:///{tmp_path / 'x.sqlite3'}"
    folder = "" if any_site.database_url else str(any_site.folder)
    return create_app(Settings(database_url=database, terminology_folder=folder, log_level="error")).test_client()


def _get(client: FlaskClient, path: str, status: int = 200) -> dict[str, Any]:
    answer = client.get(f"/fhir/{path}")
    assert answer.status_code == status, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def _codes(client: FlaskClient, url: str, more: str = "") -> list[str]:
    found = _get(client, f"ValueSet/$expand?url={url}{more}")
    return [one["code"] for one in found["expansion"].get("contains", [])]


def test_its_codes_are_looked_up_and_compared(client: FlaskClient) -> None:
    looked = _get(client, f"CodeSystem/$lookup?system={SYSTEM}&code=red")
    assert {"name": "display", "valueString": "Red"} in looked["parameter"]
    below = _get(client, f"CodeSystem/$subsumes?system={SYSTEM}&codeA=warm&codeB=red")
    assert below["parameter"][0]["valueCode"] == "subsumes"


def test_its_value_sets_are_expanded(client: FlaskClient) -> None:
    assert set(_codes(client, WARM)) == {"warm", "red"}
    assert set(_codes(client, LISTED)) == {"warm", "red", "orange", "cold", "blue"}
    assert set(_codes(client, EXPANDED)) == {"blue", "red"}
    assert set(_codes(client, MIXED)) == {"warm", "red"}
    assert _codes(client, LISTED, "&filter=blu") == ["blue"]
    assert _codes(client, WARM, "&valueSetVersion=3") == _codes(client, WARM)
    _get(client, f"ValueSet/$expand?url={WARM}&valueSetVersion=2", 404)


@pytest.mark.parametrize(("code", "expected"), [("red", True), ("orange", False), ("blue", False)])
def test_codes_are_held_against_its_value_sets(client: FlaskClient, code: str, expected: bool) -> None:
    told = _get(client, f"ValueSet/$validate-code?url={WARM}&system={SYSTEM}&code={code}")
    assert told["parameter"][0] == {"name": "result", "valueBoolean": expected}


def test_its_value_sets_are_listed_and_read_as_they_came(client: FlaskClient) -> None:
    (entry,) = _get(client, f"ValueSet?url={WARM}")["entry"]
    listed = entry["resource"]
    assert (listed["title"], "compose" in listed, listed["meta"]["tag"][0]["code"]) == (
        "Warm colours",
        False,
        "SUBSETTED",
    )
    read = _get(client, f"ValueSet/{listed['id']}")
    assert read == EXAMPLES[1] | {"id": listed["id"]}
    assert {one["code"] for one in _get(client, f"ValueSet/{listed['id']}/$expand")["expansion"]["contains"]} == {
        "warm",
        "red",
    }


def test_the_projects_own_value_sets_stay(client: FlaskClient) -> None:
    assert _get(client, "ValueSet/sites")["id"] == "sites"
    assert _get(client, "ValueSet?_id=sites")["total"] == 1
    assert _get(client, "ValueSet")["total"] > len(EXAMPLES)
