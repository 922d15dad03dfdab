"""Rejection notes: which SRs one names, to whom it is sent, and that none is written unasked."""

from dataclasses import replace
from io import BytesIO

from flask import Flask
from flask.testing import FlaskClient
from pydicom import dcmread

from tests.findings import make_body
from tests.unit.api.amendments.amending import amend, publish, said
from tests.unit.api.conftest import FINDINGS


def rejected(content: bytes) -> set[str]:
    """The SOP instances that a note rejects."""
    items = dcmread(BytesIO(content)).ContentSequence
    return {item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in items if item.ValueType == "COMPOSITE"}


def test_a_rejection_note_names_every_sr_before_and_is_a_delivery_of_its_own(client: FlaskClient) -> None:
    first = said(client.post("/v1/reports?deliver=pacs,ehr", data=make_body(), headers=FINDINGS))
    second = said(amend(client, first["id"], "kind=correct&dialect=text"))
    third = said(client.post(f"/v1/reports/{second['id']}/cancel?reject=worklist"))
    assert rejected(client.get(third["links"]["rejection"]).data) == {
        one["sr"]["sopInstance"] for one in (first, second)
    }
    assert [(one["destination"], one["role"]) for one in third["deliveries"]] == [
        ("pacs", "sr"),
        ("ehr", "fhir-r5@ehr"),
        ("pacs", "rejection"),
    ]
    note = client.get(f"{third['deliveries'][2]['href']}/content").data
    assert dcmread(BytesIO(note)).ConceptNameCodeSequence[0].CodeValue == "113038"
    assert len({one["id"] for one in third["deliveries"]}) == 3
    again = said(client.post(f"/v1/reports/{second['id']}/cancel?reject=worklist"), 200)
    assert again == third
    assert said(client.post(f"/v1/reports/{second['id']}/cancel"), 409)["rule"] == "version"


def test_a_destination_is_told_of_the_srs_that_it_was_sent(client: FlaskClient, app: Flask) -> None:
    here = app.extensions["lesionbridge"]
    pacs = here.destinations["pacs"]
    here.destinations = {**here.destinations, "pacs": replace(pacs, dialect="text")}
    first = said(client.post("/v1/reports?deliver=pacs", data=make_body(), headers=FINDINGS))
    own = client.get(f"{first['deliveries'][0]['href']}/content").data
    second = said(client.post(f"/v1/reports/{first['id']}/cancel?reject=true"))
    note = client.get(f"{second['deliveries'][1]['href']}/content").data
    uid = str(dcmread(BytesIO(own)).SOPInstanceUID)
    assert rejected(note) == {uid}
    assert uid != first["sr"]["sopInstance"]
    assert rejected(client.get(second["links"]["rejection"]).data) == {uid, first["sr"]["sopInstance"]}


def test_a_rejection_note_is_kept_without_a_destination_and_on_request_only(client: FlaskClient) -> None:
    first = publish(client)
    second = said(amend(client, first, "kind=correct&reject=true"))
    assert (
        dcmread(BytesIO(client.get(second["links"]["rejection"]).data)).ConceptNameCodeSequence[0].CodeValue == "113037"
    )
    third = said(client.post(f"/v1/reports/{second['id']}/cancel"))
    assert "rejection" not in third["links"]
    assert client.get(f"/v1/reports/{third['id']}/rejection").status_code == 404
    assert said(client.post(f"/v1/reports/{third['id']}/cancel?reject=because"), 422)["pointer"] == "?reject"


def test_a_dead_rejection_note_is_not_written_as_an_sr(client: FlaskClient, app: Flask) -> None:
    first = publish(client, "?deliver=pacs")
    here = app.extensions["lesionbridge"]
    here.destinations = {name: replace(one, dry_run=True) for name, one in here.destinations.items()}
    second = said(client.post(f"/v1/reports/{first}/cancel?reject=true"))
    note = next(one for one in second["deliveries"] if one["role"] == "rejection")
    assert said(client.post(f"{note['href']}/edit", json={"dialect": "text"}), 409)["rule"] == "rejection"
