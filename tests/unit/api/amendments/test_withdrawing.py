"""What a version says no more, or a cancelled report said, is withdrawn in every format and at every destination."""

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydicom import dcmread

from service.domain.emitted import Emitted
from service.formats.fhir.reread import reread
from tests.findings import make_body
from tests.unit.api.amendments.amending import LATER, SECOND, TWO, amend, publish, resources, said
from tests.unit.api.conftest import FINDINGS


def test_what_a_version_says_no_more_is_withdrawn_under_its_identifiers(client: FlaskClient) -> None:
    first = publish(client)
    second = said(amend(client, first, "kind=correct", lesions__0__measurements={"long axis": "15.0 mm"}))["id"]
    before = {one["identifier"][0]["value"]: one for one in resources(client, first, "Observation")}
    now = {one["identifier"][0]["value"]: one for one in resources(client, second, "Observation")}
    assert set(before) == set(now)
    withdrawn = [one for one in now.values() if one["status"] == "entered-in-error"]
    # The second lesion with its measurement, and two measurements of the first.
    assert len(withdrawn) == 4
    assert {one["status"] for one in now.values()} == {"corrected", "entered-in-error"}
    for one in withdrawn:
        was = before[one["identifier"][0]["value"]]
        assert one["code"] == was["code"]
        assert one.get("valueQuantity") == was.get("valueQuantity")
        assert one["issued"] == LATER
    bundle = client.get(f"/v1/reports/{second}/fhir").data.decode()
    assert bundle.count('"value":11.0,') == 1  # as it was written
    known = {entry["fullUrl"] for entry in json.loads(bundle)["entry"]}
    assert {one["subject"]["reference"] for one in now.values()} <= known


def test_what_was_withdrawn_stays_so_in_later_versions(client: FlaskClient) -> None:
    second = said(amend(client, publish(client), "kind=correct"))["id"]
    third = said(amend(client, second, "kind=addend"))["id"]
    gone = [
        {one["identifier"][0]["value"] for one in found if one["status"] == "entered-in-error"}
        for found in (resources(client, version, "Observation") for version in (second, third))
    ]
    assert gone[0]
    assert gone[0] == gone[1]


def test_what_comes_back_is_no_longer_withdrawn(client: FlaskClient) -> None:
    second = said(amend(client, publish(client), "kind=correct"))["id"]
    third = said(amend(client, second, "kind=correct&check=full", lesions=TWO))["id"]
    assert {one["status"] for one in resources(client, third, "Observation")} == {"corrected"}


def test_a_next_version_by_publication_withdraws_too(client: FlaskClient) -> None:
    publish(client, report__status="preliminary")
    body = make_body(report__version=2)
    second = said(client.post("/v1/reports?check=full", data=body, headers=FINDINGS))["id"]
    states = [one["status"] for one in resources(client, second, "Observation")]
    assert states.count("cancelled") == 2  # it never was final
    assert set(states) == {"final", "cancelled"}


@pytest.mark.parametrize(
    ("was", "becomes", "requested", "observed"),
    [("final", "entered-in-error", "C", "W"), ("preliminary", "cancelled", "X", "X")],
)
def test_cancelling_withdraws_the_report_in_every_format(
    client: FlaskClient, was: str, becomes: str, requested: str, observed: str
) -> None:
    first = publish(client, report__status=was)
    receipt = said(client.post(f"/v1/reports/{first}/cancel?check=full"))
    assert receipt["report"]["status"] == becomes
    second = receipt["id"]
    [report] = resources(client, second, "DiagnosticReport")
    assert report["status"] == becomes
    before, now = (resources(client, one, "Observation") for one in (first, second))
    assert {one["status"] for one in now} == {becomes}
    assert {one["identifier"][0]["value"] for one in now} == {one["identifier"][0]["value"] for one in before}
    document = dcmread(BytesIO(client.get(f"/v1/reports/{second}/sr").data))
    assert document.CompletionFlagDescription == becomes
    assert document.PredecessorDocumentsSequence
    message = client.get(f"/v1/reports/{second}/hl7v2").data.decode().split("\r")
    assert next(one for one in message if one.startswith("OBR")).split("|")[25] == requested
    assert {one.split("|")[11] for one in message if one.startswith("OBX")} == {observed}


def test_a_time_of_withdrawal_is_an_instant_after_the_issue(client: FlaskClient) -> None:
    first = publish(client)
    assert said(client.post(f"/v1/reports/{first}/cancel?issued=2026-03-05"), 422)["pointer"] == "?issued"
    early = client.post(f"/v1/reports/{first}/cancel?issued=2026-03-01T08:00:00Z")
    assert said(early, 422)["rule"] == "amend-issued"
    receipt = said(client.post(f"/v1/reports/{first}/cancel?issued=2026-03-05T08:00:00Z"))
    assert receipt["report"]["issued"] == "2026-03-05T08:00:00Z"


def test_a_bundle_for_one_destination_withdraws_too(client: FlaskClient) -> None:
    first = publish(client, "?deliver=ehr")
    second = said(amend(client, first, "kind=correct"))
    bundle = json.loads(client.get(f"{second['deliveries'][0]['href']}/content").data)
    states = [one["resource"]["status"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Observation"]
    assert states.count("entered-in-error") == 2


@pytest.mark.parametrize("encoding", ["json", "xml"])
def test_what_only_one_destination_was_told_is_withdrawn_there_alone(
    client: FlaskClient, app: Flask, encoding: str
) -> None:
    here = app.extensions["lesionbridge"]
    ehr = replace(here.destinations["ehr"], takes="fhir-r4", profile="mcode", encoding=encoding)
    here.destinations = {"ehr": ehr, "other": replace(ehr, name="other", profile="")}
    plain = {name: value for name, value in TWO[0].items() if name != "topography"}  # mCODE has no place for it
    proven = {**plain, "certainty": "known", "category": "secondary neoplasm"}
    first = publish(client, "?deliver=ehr,other", lesions=[proven, SECOND])

    def sizes(receipt: Any) -> list[list[str]]:
        """The states of TumorSize in what each destination gets, and in what everybody may fetch."""
        places = [f"{one['href']}/content" for one in receipt["deliveries"]] + [receipt["links"]["fhir"]]
        found = [reread(Emitted(one.headers["Content-Type"], one.data))["entry"] for one in map(client.get, places)]
        dumped = [[(one, orjson.dumps(one)) for one in entries] for entries in found]
        return [[one["resource"]["status"] for one, text in entries if b"21889-1" in text] for entries in dumped]

    second = said(amend(client, first, "kind=correct", lesions=[proven]))
    assert sizes(second) == [["corrected"], [], []]
    third = said(amend(client, second["id"], "kind=correct&deliver=other"))
    assert sizes(third) == [[], []]
    fourth = said(amend(client, third["id"], "kind=correct"))
    assert sizes(fourth) == [["entered-in-error"], [], []]


def test_the_document_before_is_superseded_then_in_error(client: FlaskClient) -> None:
    first = publish(client, "?deliver=ehr")
    second = said(amend(client, first, "kind=correct&check=full"))
    third = said(client.post(f"/v1/reports/{second['id']}/cancel?check=full"))
    for receipt, states in ((second, ["current", "superseded"]), (third, ["entered-in-error"] * 3)):
        content = json.loads(client.get(f"{receipt['deliveries'][0]['href']}/content").data)["entry"]
        for entries in (content, json.loads(client.get(receipt["links"]["fhir"]).data)["entry"]):
            found = [one["resource"] for one in entries if one["resource"]["resourceType"] == "DocumentReference"]
            assert [one["status"] for one in found] == states


def deleted(message: bytes) -> list[str]:
    """The sub-ids of what an HL7 v2 message deletes."""
    rows = [one.split("|") for one in message.decode().split("\r") if one.startswith("OBX")]
    return [fields[4] for fields in rows if fields[11] == "D"]


def test_a_message_deletes_what_the_one_before_said(client: FlaskClient) -> None:
    first = said(client.post("/v1/reports?deliver=ris", data=make_body(lesions=TWO), headers=FINDINGS))
    assert deleted(client.get(f"{first['deliveries'][0]['href']}/content").data) == []
    second = said(amend(client, first["id"], "kind=correct"))
    sent = client.get(f"{second['deliveries'][0]['href']}/content").data
    assert set(deleted(sent)) >= {"2", "2.1"}
    assert deleted(client.get(f"/v1/reports/{second['id']}/hl7v2").data) == deleted(sent)
    assert deleted(client.get(f"/v1/reports/{first['id']}/hl7v2").data) == []
    third = said(amend(client, second["id"], "kind=correct", lesions=TWO))
    assert not {"2", "2.1"} & set(deleted(client.get(f"{third['deliveries'][0]['href']}/content").data))


def test_a_destination_that_got_no_message_before_is_told_to_delete_nothing(client: FlaskClient) -> None:
    first = publish(client, "?deliver=ehr")
    second = said(amend(client, first, "kind=correct&deliver=ehr,ris"))
    [sent] = [one for one in second["deliveries"] if one["destination"] == "ris"]
    assert deleted(client.get(f"{sent['href']}/content").data) == []
