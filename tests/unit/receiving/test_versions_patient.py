"""A report stays with its patient: what its versions may be of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.api.deployment import Deployment
from service.app import create_app
from tests.unit.receiving.conftest import Deploy
from tests.unit.receiving.test_merging import merge, publish


@pytest.fixture
def app(deploy: Deploy) -> Deployment:
    """A deployment that routes nothing."""
    return deploy(receiving="")


@pytest.fixture
def client(app: Deployment) -> FlaskClient:
    """A client of it."""
    return create_app(app.settings).test_client()


def test_a_version_of_another_patient_is_refused(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD").status_code == 201
    for query in ("", "?dry-run=true"):
        refused = publish(client, "R1", "NEW", query, report__version=2, study__accession="A2")
        assert (refused.status_code, refused.json["rule"]) == (409, "version-patient")
        assert refused.json["pointer"] == "/patient/id"
        assert "OLD" not in json.dumps(refused.json)
    assert publish(client, "R1", "OLD", report__version=2).status_code == 201


def test_an_older_version_that_comes_late_is_held_to_it_too(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD", report__version=3).status_code == 201
    assert publish(client, "R1", "NEW", report__version=2, study__accession="A2").status_code == 409


def test_the_same_id_of_another_issuer_is_another_patient_and_one_without_is_not(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD").status_code == 201
    more: dict[str, Any] = {"report__version": 2, "study__accession": "A2"}
    assert publish(client, "R1", "OLD", patient__issuer="ELSEWHERE", **more).status_code == 409
    assert publish(client, "R1", "OLD", patient__issuer=None, **more).status_code == 201


@pytest.mark.parametrize("issuers", [("REGION", None), (None, "REGION"), (None, "REGION", None)])
def test_no_version_without_an_issuer_lets_in_another_one_after_it(
    client: FlaskClient, issuers: tuple[str | None, ...]
) -> None:
    def send(version: int, issuer: str | None) -> int:
        more: dict[str, Any] = {"report__version": version, "study__accession": f"A{version}"}
        return int(publish(client, "R1", "OLD", patient__issuer=issuer, **more).status_code)

    assert {send(number, issuer) for number, issuer in enumerate(issuers, 1)} == {201}
    assert (send(5, "ELSEWHERE"), send(5, "REGION"), send(6, None)) == (409, 201, 201)


def test_what_was_merged_stays_one_through_a_version_without_an_issuer(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD").status_code == 201
    merge(client, "NEW", "OLD")
    for number, (patient, issuer) in enumerate([("OLD", None), ("NEW", "REGION"), ("OLD", "REGION")], 2):
        more: dict[str, Any] = {"report__version": number, "study__accession": f"A{number}"}
        assert publish(client, "R1", patient, patient__issuer=issuer, **more).status_code == 201
    for patient in ("OLD", "NEW"):
        refused = publish(client, "R1", patient, patient__issuer="ELSEWHERE", report__version=5, study__accession="A5")
        assert refused.status_code == 409


def test_an_id_without_an_issuer_that_was_merged_into_another_patients_is_the_others(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD").status_code == 201
    merge(client, "NEW", "OLD", issuer=None)
    more: dict[str, Any] = {"report__version": 2, "study__accession": "A2"}
    assert publish(client, "R1", "OLD", patient__issuer=None, **more).status_code == 409
    assert publish(client, "R1", "OLD", **more).status_code == 201


@pytest.mark.parametrize("first", ["before", "after"])
def test_ids_that_were_merged_are_one_patient(client: FlaskClient, first: str) -> None:
    if first == "before":
        merge(client, "NEW", "OLD")
    assert publish(client, "R1", "OLD").status_code == 201
    if first == "after":
        merge(client, "NEW", "OLD")
    assert publish(client, "R1", "NEW", report__version=2).status_code == 201
    assert publish(client, "R1", "OLD", report__version=3).status_code == 201


def test_an_id_without_its_issuer_is_the_one_that_was_said_before_a_merge(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD").status_code == 201
    merge(client, "NEW", "OLD")
    more: dict[str, Any] = {"patient__issuer": None, "study__accession": "A2"}
    assert publish(client, "R1", "OLD", report__version=2, **more).status_code == 201
    assert publish(client, "R1", "ELSE", report__version=3, study__accession="A3").status_code == 409


def test_reports_of_two_senders_are_two(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD", report__sender="north").status_code == 201
    assert publish(client, "R1", "NEW", report__sender="south", report__version=2).status_code == 201
