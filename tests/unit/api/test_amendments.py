"""/v1/reports/{id}/amend and /cancel: one call, and every format says it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydicom import dcmread
from werkzeug.test import TestResponse

from service.amendments import STATUS, Kind
from service.api.deployment import Deployment
from service.api.report_schemas import ReceiptSchema
from service.app import create_app
from service.config import Settings
from service.domain.emitted import Emitted
from service.domain.report import Status
from service.formats.fhir.reread import reread
from tests.findings import make_body, make_findings
from tests.unit.api.conftest import FINDINGS

LATER = "2026-03-03T08:00:00+01:00"
SECOND = {"id": "L2", "finding": "brain metastasis", "site": "parietal lobe", "measurements": {"long axis": "7.0 mm"}}
TWO = [*make_findings()["lesions"], SECOND]
FHIR_STATUS = {
    Kind.CORRECT: ("corrected", "corrected"),
    Kind.ADDEND: ("appended", "amended"),
    Kind.AMEND: ("amended", "amended"),
}
DESTINATIONS = """
[destinations.pacs]
kind = "folder"
path = "/nonexistent"
takes = "sr"

[destinations.ehr]
kind = "folder"
path = "/nonexistent"
takes = "fhir-r5"

[destinations.ris]
kind = "folder"
path = "/nonexistent"
takes = "hl7v2"
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application with three destinations."""
    file = tmp_path / "destinations.toml"
    file.write_text(DESTINATIONS)
    url = f"sqlite:///{tmp_path / 'api.sqlite3'}"
    made = create_app(Settings(database_url=url, destinations_file=str(file), log_level="error"))
    here = made.extensions["lesionbridge"]
    assert isinstance(here, Deployment)
    here.store.migrate()
    yield made
    here.store.close()


def said(answer: TestResponse, status: int = 201) -> Any:
    """The JSON of an answer with this status."""
    assert answer.status_code == status, answer.text
    assert answer.json is not None
    return answer.json


def publish(client: FlaskClient, query: str = "", **changes: Any) -> str:
    """A report with two lesions; our id."""
    body = make_body(**{"lesions": TWO, **changes})
    found: str = said(client.post(f"/v1/reports{query}", data=body, headers=FINDINGS))["id"]
    return found


def amend(
    client: FlaskClient, version: str, query: str, headers: dict[str, str] = FINDINGS, **changes: Any
) -> TestResponse:
    """Amend it by the example, which has one lesion."""
    body = make_body(**{"report__issued": LATER, **changes})
    return client.post(f"/v1/reports/{version}/amend?{query}", data=body, headers=headers)


def resources(client: FlaskClient, version: str, kind: str) -> list[dict[str, Any]]:
    """The resources of a type in the bundle of a version."""
    bundle = json.loads(client.get(f"/v1/reports/{version}/fhir").data)
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


@pytest.mark.parametrize("kind", list(Kind))
def test_an_amendment_is_a_version_in_every_format(client: FlaskClient, kind: Kind) -> None:
    first = publish(client)
    receipt = said(amend(client, first, f"kind={kind}&check=full"))
    assert ReceiptSchema().validate(receipt) == {}
    assert receipt["report"] | {"issued": ""} == {
        "id": "MR-2026-000481",
        "sender": "local",
        "version": 2,
        "status": str(STATUS[kind]),
        "issued": "",
    }
    second = receipt["id"]
    [report] = resources(client, second, "DiagnosticReport")
    [older] = resources(client, first, "DiagnosticReport")
    assert report["identifier"][0] == older["identifier"][0]
    referred = {one["reference"] for one in report["result"]}
    bundle = json.loads(client.get(f"/v1/reports/{second}/fhir").data)
    lesion = next(one["resource"] for one in bundle["entry"] if one["fullUrl"] in referred)
    assert (report["status"], lesion["status"]) == FHIR_STATUS[kind]

    before = dcmread(BytesIO(client.get(f"/v1/reports/{first}/sr").data))
    now = dcmread(BytesIO(client.get(f"/v1/reports/{second}/sr").data))
    [study] = now.PredecessorDocumentsSequence
    named = study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert named == before.SOPInstanceUID != now.SOPInstanceUID
    assert now.CompletionFlagDescription == str(STATUS[kind])

    message = client.get(f"/v1/reports/{second}/hl7v2").data.decode().split("\r")
    assert next(one for one in message if one.startswith("OBR")).split("|")[25] == "C"
    assert {one.split("|")[11] for one in message if one.startswith("OBX")} == {"C"}


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


def test_the_same_amendment_again_has_the_same_receipt(client: FlaskClient) -> None:
    first = publish(client)
    answers = [amend(client, first, "kind=correct") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].data == answers[1].data
    keyed = [amend(client, first, "kind=correct", {**FINDINGS, "Idempotency-Key": "k1"}) for _ in range(2)]
    assert all(one.data == answers[0].data for one in keyed)
    assert (
        said(amend(client, first, "kind=addend", {**FINDINGS, "Idempotency-Key": "k1"}), 422)["rule"]
        == "idempotency-key"
    )


def test_the_same_cancellation_again_has_the_same_receipt(client: FlaskClient) -> None:
    first = publish(client)
    answers = [client.post(f"/v1/reports/{first}/cancel") for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert answers[0].data == answers[1].data


def test_another_amendment_of_the_same_version_is_a_conflict(client: FlaskClient) -> None:
    first = publish(client)
    second = said(amend(client, first, "kind=correct"))["id"]
    assert said(amend(client, first, "kind=addend"), 409)["rule"] == "version"
    assert said(client.post(f"/v1/reports/{first}/cancel"), 409)["rule"] == "version"
    said(amend(client, second, "kind=addend"))
    assert said(amend(client, first, "kind=correct"), 409)["rule"] == "newest-version"


def test_what_is_withdrawn_or_preliminary_is_not_amended(client: FlaskClient) -> None:
    first = publish(client)
    gone = said(client.post(f"/v1/reports/{first}/cancel"))["id"]
    assert said(amend(client, gone, "kind=correct"), 409)["rule"] == "withdrawn"
    assert said(client.post(f"/v1/reports/{gone}/cancel"), 409)["rule"] == "withdrawn"
    draft = publish(client, report__status="preliminary", report__id="other")
    assert said(amend(client, draft, "kind=correct", report__id="other"), 409)["rule"] == "amend-preliminary"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"report__id": "another"}, "amend-report"),
        ({"report__sender": "somebody"}, "amend-report"),
        ({"patient__id": "PID-2"}, "amend-patient"),
        ({"patient__issuer": "ELSEWHERE"}, "amend-patient"),
        ({"study__uid": "1.2.3.99"}, "amend-study"),
        ({"report__status": "preliminary"}, "amend-status"),
        ({"report__status": "entered-in-error"}, "amend-status"),
        ({"report__issued": "2026-03-01T08:00:00+01:00"}, "amend-issued"),
    ],
)
def test_a_document_of_something_else_amends_nothing(client: FlaskClient, changes: dict[str, Any], rule: str) -> None:
    first = publish(client)
    answer = said(amend(client, first, "kind=correct", **changes), 422)
    assert answer["rule"] == rule
    assert "PID" not in answer["detail"]
    assert len(said(client.get(f"/v1/reports/{first}/versions"), 200)["versions"]) == 1


def test_a_time_of_withdrawal_is_an_instant_after_the_issue(client: FlaskClient) -> None:
    first = publish(client)
    assert said(client.post(f"/v1/reports/{first}/cancel?issued=2026-03-05"), 422)["pointer"] == "?issued"
    early = client.post(f"/v1/reports/{first}/cancel?issued=2026-03-01T08:00:00Z")
    assert said(early, 422)["rule"] == "amend-issued"
    receipt = said(client.post(f"/v1/reports/{first}/cancel?issued=2026-03-05T08:00:00Z"))
    assert receipt["report"]["issued"] == "2026-03-05T08:00:00Z"


def test_amends_by_any_format_and_keeps_what_came(client: FlaskClient) -> None:
    first = publish(client)
    formats = ("application/dicom", "application/fhir+json; fhirVersion=5.0", "application/hl7-v2")
    for version, accept in enumerate(formats, 2):
        body = make_body(report__issued=LATER, lesions__0__measurements={"long axis": f"1{version}.50 mm"})
        made = client.post("/v1/convert", data=body, headers={**FINDINGS, "Accept": accept})
        answer = client.post(
            f"/v1/reports/{first}/amend?kind=correct&check=full", data=made.data, headers={"Content-Type": accept}
        )
        receipt = said(answer)
        first = receipt["id"]
        assert (receipt["report"]["version"], receipt["report"]["id"]) == (version, "MR-2026-000481")
        assert client.get(receipt["links"]["amendment"]).data == made.data
        report = json.loads(client.get(receipt["links"]["findings"]).data)
        assert (report["report"]["status"], report["patient"]["issuer"]) == ("corrected", "HOSP")
        assert b"1%d.50" % version in client.get(f"/v1/reports/{first}/sr").data


def test_goes_to_where_the_versions_before_went(client: FlaskClient) -> None:
    first = publish(client, "?deliver=pacs,ehr")
    second = said(amend(client, first, "kind=correct", headers=FINDINGS))
    assert [one["destination"] for one in second["deliveries"]] == ["pacs", "ehr"]
    third = said(client.post(f"/v1/reports/{second['id']}/cancel?deliver=ris"))
    assert [one["destination"] for one in third["deliveries"]] == ["ris"]
    [delivery] = third["deliveries"]
    assert b"|W" in client.get(f"{delivery['href']}/content").data


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


@pytest.mark.parametrize(
    ("takes", "settings", "query"),
    [
        ("fhir-r5", {}, ""),
        ("fhir-r5", {"profile": "dicom-sr"}, "?profile=dicom-sr"),
        ("fhir-r4", {"bundle": "single"}, "?bundle=single"),
        ("fhir-r4", {"bundle": "document"}, "?bundle=document"),
        ("fhir-r4", {"profile": "uscore"}, "?profile=uscore"),
        ("fhir-r4", {"profile": "mcode"}, "?profile=mcode"),
        ("fhir-r4", {"profile": "imr"}, "?profile=imr"),
    ],
)
def test_what_is_shown_anew_is_what_was_delivered(
    client: FlaskClient, app: Flask, takes: str, settings: dict[str, str], query: str
) -> None:
    here = app.extensions["lesionbridge"]
    here.destinations = {"ehr": replace(here.destinations["ehr"], takes=takes, **settings)}
    head = {"Accept": f"application/fhir+json; fhirVersion={takes[-1]}.0"}
    receipt = said(client.post("/v1/reports?deliver=ehr", data=make_body(lesions=TWO), headers=FINDINGS))
    for step in ("publish", "correct", "addend", "cancel"):
        if step == "cancel":
            receipt = said(client.post(f"/v1/reports/{receipt['id']}/cancel"))
        elif step != "publish":
            receipt = said(amend(client, receipt["id"], f"kind={step}"))
        delivered = client.get(f"{receipt['deliveries'][0]['href']}/content").data
        shown = client.get(f"/v1/reports/{receipt['id']}/fhir{query}", headers=head)
        assert json.loads(shown.data) == json.loads(delivered), step
        requests = query != "?bundle=document"
        assert (b"superseded" in shown.data) == (requests and step in ("correct", "addend"))


def test_a_dry_run_keeps_nothing(client: FlaskClient) -> None:
    first = publish(client)
    assert said(amend(client, first, "kind=correct&dry-run=true"), 200)["dryRun"]
    assert (
        said(client.post(f"/v1/reports/{first}/cancel?dry-run=true"), 200)["report"]["status"]
        == Status.ENTERED_IN_ERROR
    )
    assert len(said(client.get(f"/v1/reports/{first}/versions"), 200)["versions"]) == 1


def test_there_is_nothing_to_amend_under_an_unknown_id(client: FlaskClient) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert said(amend(client, unknown, "kind=correct"), 404)["rule"] == "stored"
    assert said(client.post(f"/v1/reports/{unknown}/cancel"), 404)["rule"] == "stored"
    assert said(amend(client, unknown, ""), 422)["pointer"] == "?kind"


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
