"""Queued deliveries that are given up over REST. No worker runs here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.api.delivery_schemas import DeliverySchema, GivenUpSchema
from service.api.deployment import Deployment
from service.api.door import scope_of
from service.store.reports import Store
from service.store.runs import May
from tests.findings import make_body
from tests.unit.api.conftest import FINDINGS, deployed

DESTINATIONS = """
[destinations.pacs]
kind = "folder"
path = "/nonexistent"
takes = "sr"

[destinations.ehr]
kind = "folder"
path = "/nonexistent"
takes = "fhir-r4"
"""
WHY = {"reason": "the archive was replaced"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application with two destinations."""
    with deployed(tmp_path, DESTINATIONS) as made:
        yield made


@pytest.fixture
def store(app: Flask) -> Store:
    """Its store."""
    here = app.extensions["lesionbridge"]
    assert isinstance(here, Deployment)
    return here.store


@pytest.fixture
def queued(client: FlaskClient) -> list[dict[str, Any]]:
    """The deliveries of a report to both."""
    answer = client.post("/v1/reports?deliver=pacs,ehr", data=make_body(), headers=FINDINGS)
    assert answer.json is not None
    found: list[dict[str, Any]] = answer.json["deliveries"]
    return found


def last_event(store: Store) -> dict[str, Any]:
    """The newest of the trail."""
    last = store.audit.last()
    assert last is not None
    made: dict[str, Any] = orjson.loads(last.event)
    return made


def about(event: dict[str, Any]) -> list[tuple[str, str]]:
    """What an event names beside its request."""
    return [(one["name"], one["what"]["identifier"]["value"]) for one in event["entity"][1:]]


def test_one_that_waits_is_given_up_and_shown_so_in_the_receipt(
    client: FlaskClient, store: Store, queued: list[dict[str, Any]]
) -> None:
    pacs, ehr = queued
    answer = client.post(f"{pacs['href']}/give-up", json=WHY)
    event = last_event(store)
    assert answer.json is not None
    assert (answer.status_code, DeliverySchema().validate(answer.json)) == (200, {})
    assert (answer.json["state"], answer.json["next"]) == ("dead", None)
    assert answer.json["reason"] == "given up by an operator: the archive was replaced"
    listed = client.get(f"/v1/reports/{answer.json['report']}/deliveries").json
    assert listed is not None
    assert {one["id"]: one["state"] for one in listed["deliveries"]} == {pacs["id"]: "dead", ehr["id"]: "queued"}
    assert (event["action"], about(event)) == ("U", [("delivery", pacs["id"])])
    assert event["outcomeDesc"] == "POST /v1/deliveries/<uuid:id>/give-up: 200"
    assert "archive" not in str(event)
    assert client.post(f"{pacs['href']}/retry").status_code == 202


def test_all_that_waits_for_a_destination_is_given_up(
    client: FlaskClient, store: Store, queued: list[dict[str, Any]]
) -> None:
    answer = client.post("/v1/deliveries/give-up", json={"destination": "ehr", **WHY})
    assert answer.json is not None
    assert (answer.status_code, answer.json, GivenUpSchema().validate(answer.json)) == (200, {"givenUp": 1}, {})
    assert about(last_event(store)) == [("destination", "ehr")]
    assert client.post("/v1/deliveries/give-up", json={"destination": "nobody", **WHY}).json == {"givenUp": 0}
    assert about(last_event(store)) == []
    states = [store.deliveries.get(one["id"]).state for one in queued]
    assert states == ["queued", "dead"]


def test_what_is_being_sent_is_refused_with_what_to_do(
    client: FlaskClient, store: Store, queued: list[dict[str, Any]]
) -> None:
    assert store.runs.begin(queued[0]["id"], 1, "worker-0", May()) is not None
    answer = client.post(f"{queued[0]['href']}/give-up", json=WHY)
    assert answer.json is not None
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert (answer.json["rule"], "ask again once the attempt has ended" in answer.json["detail"]) == ("queued", True)
    assert client.post("/v1/deliveries/00000000-0000-4000-8000-000000000000/give-up", json=WHY).status_code == 404


@pytest.mark.parametrize("route", ["one", "all"])
@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"reason": "two\nlines"}, "/reason"),
        ({"reason": "x" * 201}, "/reason"),
        ({**WHY, "state": "dead"}, "/state"),
    ],
)
def test_a_reason_must_be_said_and_nothing_else_is_taken(
    client: FlaskClient, store: Store, queued: list[dict[str, Any]], route: str, said: dict[str, Any], pointer: str
) -> None:
    if route == "one":
        answer = client.post(f"{queued[0]['href']}/give-up", json=said)
    else:
        answer = client.post("/v1/deliveries/give-up", json={"destination": "pacs", **said})
    assert answer.json is not None
    assert (answer.status_code, answer.json["pointer"]) == (422, pointer)
    assert store.deliveries.get(queued[0]["id"]).state == "queued"


def test_a_destination_must_be_said_to_give_all_up(client: FlaskClient, queued: list[dict[str, Any]]) -> None:
    assert queued
    assert client.post("/v1/deliveries/give-up", json=WHY).status_code == 422
    assert client.post("/v1/deliveries/give-up", json={"destination": "No such", **WHY}).status_code == 422


@pytest.mark.parametrize("endpoint", ["deliveries.give_up", "deliveries.give_up_all"])
def test_it_needs_the_scope_of_who_runs_deliveries(app: Flask, endpoint: str) -> None:
    assert endpoint in app.view_functions
    assert str(scope_of(endpoint)) == "delivery.admin"
