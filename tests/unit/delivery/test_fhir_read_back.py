"""What was sent is read back: it is there, in every form, and what was changed is found."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from service.delivery.destination import Outcome, Outgoing
from service.delivery.fhir import FhirDestination
from service.delivery.http import HttpPeer, Reply
from service.delivery.settings import Fhir
from service.formats.fhir.xml import as_xml
from tests.conformance.generated import make
from tests.contract.benches import UNHURRIED, bundle, written
from tests.faults import FaultyServer, http
from tests.findings import make_findings
from tests.unit.delivery.fhir_servers import (
    JSON,
    contradicting,
    destination,
    find,
    observation,
    put,
)


@pytest.mark.oracle("sekmet")
def test_a_list_of_requests_is_sent_one_by_one(sekmet: str) -> None:
    made = make(make_findings(), bundle="single").fhir
    outgoing, at = Outgoing("d", made.media_type, made.content, "r.json"), destination(sekmet, bundle="single")
    assert at.send(outgoing).outcome is Outcome.STORED
    assert at.verify(outgoing).outcome is Outcome.VERIFIED
    assert len(find(sekmet, "DiagnosticReport")) == 1


@pytest.mark.oracle("sekmet")
def test_a_bundle_in_xml_is_sent_and_verified(sekmet: str) -> None:
    made = as_xml(written(1).fhir, "R4")
    outgoing = Outgoing("d", made.media_type, made.content, "r.xml")
    for at in (destination(sekmet), destination(sekmet, bundle="single")):
        sent = at.send(outgoing)
        assert sent.outcome is Outcome.STORED, sent
        assert at.verify(outgoing).outcome is Outcome.VERIFIED


def test_what_asks_for_nothing_is_never_verified(server: FaultyServer) -> None:
    content = json.dumps(
        {"entry": [{"resource": {"resourceType": "Basic"}, "request": {"method": "POST", "url": "Basic"}}]}
    )
    answer = destination(server.url).verify(Outgoing("d", "application/fhir+json", content.encode(), "b.json"))
    assert answer.outcome is Outcome.UNKNOWN


@pytest.mark.oracle("sekmet")
def test_what_was_changed_at_the_server_is_found_out(sekmet: str) -> None:
    made, outgoing = destination(sekmet), bundle(1)
    assert made.verify(outgoing).outcome is Outcome.NOT_SENT
    assert made.send(outgoing).outcome is Outcome.STORED
    assert made.verify(outgoing).outcome is Outcome.VERIFIED
    # a value
    changed = observation(sekmet)
    changed["valueQuantity"]["value"] = 99
    put(sekmet, changed)
    answer = made.verify(outgoing)
    assert (answer.outcome, "Observation.valueQuantity.value" in answer.reason) == (Outcome.MISMATCH, True)
    assert made.send(outgoing).outcome is Outcome.STORED  # a conditional update puts it right again
    assert made.verify(outgoing).outcome is Outcome.VERIFIED
    # the patient
    other = requests.post(f"{sekmet}/Patient", json={"resourceType": "Patient"}, headers=JSON, timeout=60).json()
    changed = observation(sekmet)
    changed["subject"] = {"reference": f"Patient/{other['id']}"}
    put(sekmet, changed)
    answer = made.verify(outgoing)
    assert (answer.outcome, "Observation.subject.reference" in answer.reason) == (Outcome.MISMATCH, True)
    # all of it
    report = find(sekmet, "DiagnosticReport")[0]
    requests.delete(f"{sekmet}/DiagnosticReport/{report['id']}", timeout=60)
    answer = made.verify(outgoing)
    assert (answer.outcome, "DiagnosticReport" in answer.reason) == (Outcome.NOT_SENT, True)


@pytest.mark.oracle("sekmet")
def test_an_answer_that_contradicts_itself_is_settled_by_reading_back(server: FaultyServer, sekmet: str) -> None:
    outgoing = bundle(1)

    class Contradicting(HttpPeer):
        """Posts the transaction to the one, asks the other what it has."""

        def ask(self, method: str, url: str, headers: Any, body: Any = None, **more: Any) -> Reply:
            if body == outgoing.content:
                url = server.url
            return super().ask(method, url, headers, body, **more)

    settings = Fhir(name="ehr", url=sekmet, timeouts=UNHURRIED)
    ehr = FhirDestination(settings, Contradicting(settings.timeouts, settings.tls, None))
    server.answer = http("200 OK", json.dumps(contradicting()).encode())
    assert ehr.send(outgoing).outcome is Outcome.UNKNOWN  # it has nothing
    assert destination(sekmet).send(outgoing).outcome is Outcome.STORED
    answer = ehr.send(outgoing)
    assert (answer.outcome, "200 OK error invalid not kept" in answer.reason) == (Outcome.VERIFIED, True), answer


@pytest.mark.oracle("sekmet")
def test_what_a_server_finds_without_looking_at_the_identifier_is_not_overwritten(sekmet: str) -> None:
    other = {
        "resourceType": "BodyStructure",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:7f3f4b6e-0000-4000-8000-000000000001"}],
        "patient": {"display": "another one"},
        "description": "of another report",
    }
    stored = requests.post(f"{sekmet}/BodyStructure", json=other, headers=JSON, timeout=60)
    assert stored.status_code == 201, stored.text
    ehr, outgoing = destination(sekmet, update_as_create=False), bundle(1)
    for _ in range(2):
        assert ehr.send(outgoing).outcome is Outcome.STORED
        found = [one for one in find(sekmet, "BodyStructure") if one.get("description") == "of another report"]
        assert [one["identifier"] for one in found] == [other["identifier"]]
