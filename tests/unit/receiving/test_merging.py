"""Patients that turn out to be one: over REST and by ADT^A40; and accession numbers of two patients."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.api.deployment import Deployment
from service.api.merge_schemas import MergedSchema
from service.app import create_app
from service.receiving.hl7 import Hl7Server
from tests.findings import make_body
from tests.unit.receiving.conftest import Deploy
from tests.unit.receiving.test_hl7 import ask, serve

HEAD = {"Content-Type": "application/json"}
A40 = (
    "MSH|^~\\&|ADT|NORTH|LB|MAIN|20260302101500||ADT^A40^ADT_A39|A1|P|2.5.1\r"
    "EVN||20260302101500\r"
    "PID|1||NEW^^^REGION^MR||Doe^Jane\r"
    "MRG|OLD^^^REGION^MR\r"
)


@pytest.fixture
def app(deploy: Deploy) -> Deployment:
    """A deployment that routes nothing."""
    return deploy(receiving='[sites.north]\nfacilities = ["NORTH"]\n')


@pytest.fixture
def client(app: Deployment) -> FlaskClient:
    """A client of it."""
    return create_app(app.settings).test_client()


def publish(client: FlaskClient, report: str, patient: str, query: str = "", **changes: Any) -> Any:
    """Publish a report of a patient; an accession number of its own unless said."""
    said = {"report__id": report, "patient__id": patient, "patient__issuer": "REGION", "study__accession": report}
    return client.post(f"/v1/reports{query}", data=make_body(**(said | changes)), headers=HEAD)


def merge(client: FlaskClient, survivor: str, prior: str, issuer: str | None = "REGION") -> Any:
    ids = [{"id": one, **({"issuer": issuer} if issuer else {})} for one in (survivor, prior)]
    return client.post("/v1/patients/merge", json={"survivor": ids[0], "prior": ids[1]})


def found(client: FlaskClient, patient: str, **more: str) -> set[str]:
    answer = client.post("/v1/reports/search", json={"patientId": patient, **more}).json
    assert answer is not None
    return {one["reportId"] for one in answer["versions"]}


def test_what_was_kept_is_found_under_the_surviving_id_and_must_come_again(client: FlaskClient) -> None:
    place = publish(client, "R1", "OLD", "?deliver=pacs,ehr").headers["Location"]
    publish(client, "R2", "NEW")
    before = [client.get(f"{place}/{role}").data for role in ("sr", "fhir", "findings")]
    answer = merge(client, "NEW", "OLD")
    assert answer.status_code == 200
    assert MergedSchema().validate(answer.json) == {}
    assert [one["href"] for one in answer.json["resend"]] == [place]
    assert {one["destination"] for one in answer.json["deliveries"]} == {"pacs", "ehr"}
    assert found(client, "NEW") == found(client, "NEW", patientIssuer="REGION") == {"R1", "R2"}
    assert found(client, "OLD") == {"R1", "R2"}
    assert [client.get(f"{place}/{role}").data for role in ("sr", "fhir", "findings")] == before


def test_a_peer_that_had_an_older_version_only_is_named_too(client: FlaskClient) -> None:
    first = publish(client, "R1", "OLD", "?deliver=ehr")
    second = publish(client, "R1", "OLD", "?deliver=pacs", report__version=2)
    told = merge(client, "NEW", "OLD").json
    assert [one["version"] for one in told["resend"]] == [2]
    versions = {one["destination"]: one["report"] for one in told["deliveries"]}
    places = [one.headers["Location"].rpartition("/")[2] for one in (first, second)]
    assert versions == dict(zip(("ehr", "pacs"), places, strict=True))


def test_the_same_merge_again_changes_nothing_and_says_what_is_left(client: FlaskClient) -> None:
    publish(client, "R1", "OLD")
    first = merge(client, "NEW", "OLD").json
    assert merge(client, "NEW", "OLD").json == first
    assert publish(client, "R1", "NEW", report__version=2).status_code == 201
    assert merge(client, "NEW", "OLD").json == {"resend": [], "deliveries": []}


def test_a_dry_run_says_the_same_and_changes_nothing(client: FlaskClient) -> None:
    publish(client, "R1", "OLD", "?deliver=pacs")
    ids = {"survivor": {"id": "NEW", "issuer": "REGION"}, "prior": {"id": "OLD", "issuer": "REGION"}}
    told = client.post("/v1/patients/merge?dry-run=true", json=ids)
    assert told.status_code == 200
    assert [one["reportId"] for one in told.json["resend"]] == ["R1"]  # type: ignore[index]  # it has a body
    assert found(client, "NEW") == set()
    assert merge(client, "NEW", "OLD").json == told.json


def test_what_comes_late_under_the_prior_id_is_found_under_the_surviving_one(client: FlaskClient) -> None:
    merge(client, "NEW", "OLD")
    publish(client, "R1", "OLD")
    assert found(client, "NEW") == {"R1"}
    assert [one["reportId"] for one in merge(client, "NEW", "OLD").json["resend"]] == ["R1"]


@pytest.mark.parametrize(
    ("issuer", "rule", "pointer", "candidates"),
    [
        ("ELSEWHERE", "merge-issuer", "/prior/issuer", ["REGION"]),
        (None, "merge-issuer", "/prior/issuer", ["REGION"]),
    ],
)
def test_a_merge_with_another_issuer_says_that_nothing_is_moved_and_which_are_known(
    client: FlaskClient, issuer: str | None, rule: str, pointer: str, candidates: list[str]
) -> None:
    publish(client, "R1", "OLD")
    answer = merge(client, "NEW", "OLD", issuer)
    assert (answer.status_code, answer.json["resend"]) == (200, [])
    (notice,) = answer.json["notices"]
    assert MergedSchema().validate(answer.json) == {}
    assert (notice["rule"], notice["pointer"], notice["candidates"]) == (rule, pointer, candidates)
    assert "OLD" not in json.dumps(answer.json)


def test_a_merge_of_an_id_that_no_report_has_says_so_and_holds_for_what_comes(client: FlaskClient) -> None:
    answer = merge(client, "NEW", "OLD").json
    assert [(one["rule"], one["candidates"]) for one in answer["notices"]] == [("merge-unknown", [])]
    publish(client, "R1", "OLD")
    assert "notices" not in merge(client, "NEW", "OLD").json


def test_merges_follow_one_another(client: FlaskClient) -> None:
    publish(client, "R1", "A")
    assert merge(client, "B", "A").status_code == merge(client, "C", "B").status_code == 200
    assert found(client, "C") == found(client, "A") == {"R1"}
    publish(client, "R2", "A")
    assert found(client, "C") == {"R1", "R2"}


@pytest.mark.parametrize(
    ("survivor", "prior", "status"), [("A", "A", 422), ("A", "B", 409), ("C", "A", 409), ("B", "A", 200)]
)
def test_what_can_not_be_merged(client: FlaskClient, survivor: str, prior: str, status: int) -> None:
    merge(client, "B", "A")
    answer = merge(client, survivor, prior)
    assert answer.status_code == status
    if status != 200:
        assert answer.json["rule"] == "merge"


def test_the_same_number_of_another_issuer_is_another_patient(client: FlaskClient) -> None:
    publish(client, "R1", "OLD", patient__issuer="ELSEWHERE")
    publish(client, "R2", "OLD", patient__issuer=None)
    assert merge(client, "NEW", "OLD").json["resend"] == []
    assert found(client, "NEW") == set()
    assert [one["reportId"] for one in merge(client, "NEW2", "OLD", issuer=None).json["resend"]] == ["R2"]


@pytest.mark.parametrize("body", [{}, {"survivor": {"id": "A"}}, {"survivor": {"id": ""}, "prior": {"id": "B"}}])
def test_a_request_that_names_no_two_ids_is_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    assert client.post("/v1/patients/merge", json=body).status_code == 422


def test_an_accession_number_of_another_patient_is_refused_until_they_are_merged(client: FlaskClient) -> None:
    assert publish(client, "R1", "OLD", study__accession="A1").status_code == 201
    for query in ("", "?dry-run=true"):
        refused = publish(client, "R2", "NEW", query, study__accession="A1")
        assert (refused.status_code, refused.json["rule"]) == (409, "accession-patient")
        assert "OLD" not in json.dumps(refused.json)
    assert publish(client, "R3", "OLD", study__accession="A1").status_code == 201
    assert merge(client, "NEW", "OLD").status_code == 200
    assert publish(client, "R2", "NEW", study__accession="A1").status_code == 201


def test_the_same_accession_number_of_another_issuer_is_another_one(client: FlaskClient) -> None:
    publish(client, "R1", "OLD", study__accession="A1", study__accessionIssuer="1.2.3")
    assert publish(client, "R2", "NEW", study__accession="A1", study__accessionIssuer="1.2.4").status_code == 201
    assert publish(client, "R3", "NEW2", study__accession="A1", study__accessionIssuer="1.2.3").status_code == 409


@pytest.fixture
def server(app: Deployment) -> Iterator[Hl7Server]:
    made = serve(app)
    yield made
    made.stop()


def test_an_a40_merges_too(client: FlaskClient, server: Hl7Server) -> None:
    publish(client, "R1", "OLD")
    for _ in range(2):
        answer = ask(server, A40)
        assert (answer.msa.msa_1.value, answer.msh.msh_9.value) == ("AA", "ACK^A40^ACK")
    assert found(client, "NEW") == {"R1"}


def test_an_a40_of_what_nobody_has_is_taken_and_says_so(client: FlaskClient, server: Hl7Server) -> None:
    answer = ask(server, A40)
    assert (answer.msa.msa_1.value, answer.err[0].err_4.value) == ("AA", "I")
    assert answer.err[0].err_3.err_3_1.value == "204"
    publish(client, "R1", "OLD")
    assert found(client, "NEW") == {"R1"}


def test_an_a40_with_another_issuer_is_taken_with_a_warning(client: FlaskClient, server: Hl7Server) -> None:
    publish(client, "R1", "OLD", patient__issuer="ELSEWHERE")
    answer = ask(server, A40)
    assert (answer.msa.msa_1.value, answer.err[0].err_4.value) == ("AA", "W")
    assert answer.err[0].err_5.err_5_1.value == "merge-issuer"
    assert answer.err[0].err_2.value.startswith("MRG^1^1")
    assert answer.err[0].err_8.value.endswith("merge it so")


def test_an_a40_of_old_says_it_in_msa_3_since_its_err_has_no_severity(server: Hl7Server) -> None:
    answer = ask(server, A40.replace("|2.5.1", "|2.3"))
    assert answer.msa.msa_1.value == "AA"
    assert answer.msa.msa_3.value.startswith("no report has the prior id")
    assert not answer.err


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (A40.replace("MRG|OLD^^^REGION^MR\r", ""), "MRG^1"),
        (A40.replace("OLD^^^REGION^MR", ""), "MRG^1"),
        (A40.replace("OLD^^^REGION^MR", "OLD^^^REGION~OLD2^^^REGION"), "MRG^1^1"),
        (A40.replace("PID|", "ZID|"), "MRG^1"),
    ],
)
def test_an_a40_that_does_not_say_what_to_merge_is_refused(server: Hl7Server, message: str, place: str) -> None:
    answer = ask(server, message)
    assert answer.msa.msa_1.value == "AE"
    assert answer.err[0].err_2.value.startswith(place)


def test_an_a40_of_several_pairs_merges_all_or_none_and_names_the_one(client: FlaskClient, server: Hl7Server) -> None:
    publish(client, "R1", "OLD")
    pair = "PID|1||{}^^^REGION^MR\rMRG|{}^^^REGION^MR\r"
    answer = ask(server, A40 + pair.format("OLD", "NEW"))
    assert (answer.msa.msa_1.value, answer.err[0].err_2.value) == ("AE", "PID^2^3")
    assert ask(server, A40 + pair.format("X", "X")).err[0].err_2.value == "MRG^2^1"
    assert found(client, "NEW") == set()
    assert ask(server, A40 + pair.format("LAST", "NEW")).msa.msa_1.value == "AA"
    assert found(client, "LAST") == {"R1"}


@pytest.mark.parametrize(
    ("stays", "goes"),
    [
        ("123^^^SSA^SS~NEW^^^REGION^MR", "OLD^^^REGION^MR"),
        ("NEW^^^REGION^MR~123^^^SSA^SS", "123^^^SSA^SS~OLD^^^REGION^MR"),
        ("NEW^^^REGION^MR~V7^^^REGION^VN", "OLD^^^REGION^MR"),
    ],
)
def test_an_a40_with_several_ids_merges_those_of_one_authority_and_type(
    client: FlaskClient, server: Hl7Server, stays: str, goes: str
) -> None:
    publish(client, "R1", "OLD")
    publish(client, "R2", "123", patient__issuer="SSA")
    message = A40.replace("NEW^^^REGION^MR", stays).replace("MRG|OLD^^^REGION^MR", f"MRG|{goes}")
    assert ask(server, message).msa.msa_1.value == "AA"
    assert found(client, "NEW") == {"R1"}
    assert found(client, "123") == {"R2"}


@pytest.mark.parametrize(
    ("stays", "goes"),
    [
        ("NEW^^^REGION^MR~NEW2^^^REGION^MR", "OLD^^^REGION^MR"),
        ("NEW^^^ELSEWHERE^MR~123^^^SSA^SS", "OLD^^^REGION^MR"),
        ("NEW^^^REGION^MR~123^^^SSA^SS", "OLD^^^REGION^MR~OLD2^^^REGION^MR"),
        ("NEW^^^REGION^PI~123^^^SSA^SS", "OLD^^^REGION^MR"),
        ("OLD^^^REGION^MR~123^^^SSA^SS", "OLD^^^REGION^MR"),
    ],
)
def test_an_a40_that_does_not_say_into_which_id_one_goes_is_refused(
    client: FlaskClient, server: Hl7Server, stays: str, goes: str
) -> None:
    publish(client, "R1", "OLD")
    message = A40.replace("NEW^^^REGION^MR", stays).replace("MRG|OLD^^^REGION^MR", f"MRG|{goes}")
    answer = ask(server, message)
    assert (answer.msa.msa_1.value, answer.err[0].err_5.err_5_1.value) == ("AE", "v2-merge")
    assert found(client, "OLD") == {"R1"}


def test_an_a40_that_was_merged_elsewhere_is_a_duplicate(client: FlaskClient, server: Hl7Server) -> None:
    merge(client, "OTHER", "OLD")
    assert ask(server, A40).err[0].err_3.err_3_1.value == "205"
