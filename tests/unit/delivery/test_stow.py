"""STOW-RS: what an archive's answer says of our one instance, to the last sequence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.delivery.destination import Answer, Outcome, Outgoing
from service.delivery.multipart import first_part, related
from service.delivery.settings import Stow
from service.delivery.stow import StowDestination
from service.domain.emitted import SrReference
from tests.faults import FaultyServer, http

SR = SrReference("1.2.840.10008.5.1.4.1.1.88.22", "2.25.1", "2.25.2", "2.25.3")
OUT = Outgoing("d1", "application/dicom", b"not looked at", "report.dcm", SR)


def stored(instance: str = SR.sop_instance, warning: int | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [instance]}}
    if warning is not None:
        item["00081196"] = {"vr": "US", "Value": [warning]}
    return {"00081199": {"vr": "SQ", "Value": [item]}}


def failed(reason: int | None, instance: str = SR.sop_instance) -> dict[str, Any]:
    item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [instance]}}
    if reason is not None:
        item["00081197"] = {"vr": "US", "Value": [reason]}
    return {"00081198": {"vr": "SQ", "Value": [item]}}


def send(server: FaultyServer, status: str, body: Any, verify: str = "none") -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    server.answers.append(http(status, content, Content_Type="application/dicom+json"))
    settings = Stow(name="pacs", url=f"{server.url}/dicom-web/", verify=verify)
    return StowDestination(settings).send(OUT)


def test_sends_one_part_with_the_bytes_as_they_are(server: FaultyServer) -> None:
    assert send(server, "200 OK", stored()).outcome is Outcome.STORED
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /dicom-web/studies HTTP/1.1")
    content_type = next(line for line in head.decode().splitlines() if line.startswith("Content-Type:"))
    assert 'type="application/dicom"' in content_type
    assert first_part(content_type, body) == OUT.content


@pytest.mark.parametrize(
    ("status", "body", "outcome", "said"),
    [
        ("200 OK", stored(), Outcome.STORED, ""),
        ("200 OK", [stored()], Outcome.STORED, ""),
        ("202 Accepted", stored(warning=0xB000), Outcome.STORED, "B000H"),
        ("200 OK", failed(0xC122), Outcome.REFUSED, "C122H (49442)"),
        ("200 OK", failed(0xA700), Outcome.BUSY, "A700H"),
        ("200 OK", {**stored("2.25.9"), **failed(0xA900)}, Outcome.REFUSED, "A900H"),
        ("202 Accepted", {**stored("2.25.9"), **failed(272)}, Outcome.UNKNOWN, "0110H (272)"),
        ("409 Conflict", failed(0x0122), Outcome.REFUSED, "0122H"),
        ("409 Conflict", failed(None), Outcome.REFUSED, "no reason"),
        ("409 Conflict", {}, Outcome.REFUSED, "no reason"),
        ("409 Conflict", b"no json", Outcome.REFUSED, "no json"),
        ("409 Conflict", failed(0x0111), Outcome.STORED, "0111H"),
        ("200 OK", {"0008119A": {"Value": [{"00081197": {"Value": [0xA702]}}]}}, Outcome.BUSY, "A702H"),
        ("200 OK", stored("2.25.9"), Outcome.UNKNOWN, "does not name"),
        ("200 OK", {}, Outcome.UNKNOWN, "does not name"),
        ("200 OK", b"", Outcome.UNKNOWN, "does not say"),
        ("200 OK", b"<html>", Outcome.UNKNOWN, "does not say"),
        ("200 OK", [1, "x"], Outcome.UNKNOWN, "does not say"),
        ("200 OK", {"00081198": 7, "00081199": {"Value": 7}}, Outcome.UNKNOWN, "does not name"),
        ("400 Bad Request", {"Message": "no study"}, Outcome.REFUSED, "no study"),
        ("415 Unsupported Media Type", b"", Outcome.REFUSED, ""),
        ("401 Unauthorized", b"", Outcome.NOT_SENT, "credentials"),
        ("503 Service Unavailable", b"", Outcome.BUSY, ""),
        ("500 Internal Server Error", b"database is down", Outcome.UNKNOWN, "database is down"),
        ("302 Found", b"", Outcome.REFUSED, "elsewhere"),
    ],
)
def test_reads_the_answer_to_the_last_instance(
    server: FaultyServer, status: str, body: Any, outcome: Outcome, said: str
) -> None:
    answer = send(server, status, body)
    assert answer.outcome is outcome
    assert said in answer.reason


def test_an_answer_that_names_nothing_is_settled_by_reading_back(server: FaultyServer) -> None:
    content, content_type = related(OUT.content, "application/dicom")
    server.answer = http("200 OK", content, Content_Type=content_type)
    assert send(server, "200 OK", b"", verify="read-back").outcome is Outcome.VERIFIED
    assert server.asked[1].startswith(b"GET /dicom-web/studies/2.25.3/series/2.25.2/instances/2.25.1 ")


@pytest.mark.parametrize("status", ["201 Created", "202 Accepted", "204 No Content"])
def test_a_success_that_the_standard_does_not_have_is_settled_by_reading_back(
    server: FaultyServer, status: str
) -> None:
    open_still = send(server, status, b"")
    assert (open_still.outcome, open_still.status) == (Outcome.UNKNOWN, status[:3])
    content, content_type = related(OUT.content, "application/dicom")
    server.answer = http("200 OK", content, Content_Type=content_type)
    assert send(server, status, b"", verify="read-back").outcome is Outcome.VERIFIED


def test_where_the_object_is_not_there_it_stays_open(server: FaultyServer) -> None:
    server.answer = http("404 Not Found")
    assert send(server, "200 OK", b"", verify="read-back").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http("404 Not Found"), Outcome.NOT_SENT),
        (http("401 Unauthorized"), Outcome.UNKNOWN),
        (http("403 Forbidden"), Outcome.UNKNOWN),
        (http("500 Internal Server Error"), Outcome.UNKNOWN),
        (http("200 OK", b"x"), Outcome.UNKNOWN),
        (http("200 OK", b"x", Content_Type="multipart/related; boundary=b"), Outcome.UNKNOWN),
        (http("200 OK", related(b"no dicom", "application/dicom")[0], Content_Type=related(b"no dicom", "x")[1]), None),
    ],
)
def test_only_another_object_is_a_mismatch(server: FaultyServer, answer: bytes, outcome: Outcome | None) -> None:
    server.answer = answer
    settings = Stow(name="pacs", url=server.url)
    assert StowDestination(settings).verify(OUT).outcome is (outcome or Outcome.UNKNOWN)


def test_refuses_what_is_no_dicom_object(server: FaultyServer) -> None:
    settings = Stow(name="pacs", url=server.url)
    bundle = Outgoing("d", "application/fhir+json; fhirVersion=4.0", b"{}", "x.json", OUT.sr)  # it speaks of an SR
    for one in (Outgoing("d", "text/html", b"", "x.html"), bundle):
        assert StowDestination(settings).send(one).outcome is Outcome.REFUSED
    assert server.asked == []
