"""The FHIR destination: what answers mean, to their last entry, and several transactions one after the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.delivery.destination import Answer, Outcome, Outgoing
from service.formats.fhir.write import write
from tests.contract.benches import bundle, written
from tests.faults import FaultyServer, http
from tests.unit.delivery.fhir_servers import (
    ENTRIES,
    FINE,
    contradicting,
    destination,
    issue,
    response,
)


def send(server: FaultyServer, status: str, body: Any, **headers: str) -> Answer:
    server.answers.append(http(status, body if isinstance(body, bytes) else json.dumps(body).encode(), **headers))
    return destination(server.url).send(bundle(1))


def test_posts_the_stored_bytes_as_they_are(server: FaultyServer) -> None:
    assert send(server, "200 OK", response(*FINE, "200")).outcome is Outcome.STORED
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert body == bundle(1).content
    assert b"Content-Type: application/fhir+json; fhirVersion=4.0\r\n" in head


@pytest.mark.parametrize(
    ("status", "body", "outcome", "said"),
    [
        ("200 OK", response(*FINE, "422 Unprocessable", kind="batch-response"), Outcome.REFUSED, "about 422"),
        ("200 OK", response(*FINE, "412"), Outcome.REFUSED, f"entry {ENTRIES - 1}: 412"),
        ("200 OK", response(*FINE, "503"), Outcome.BUSY, "503"),
        ("200 OK", response(*FINE, "409 Conflict"), Outcome.UNKNOWN, "409"),
        ("200 OK", response(*FINE[1:], "500", "400"), Outcome.REFUSED, "400"),
        ("200 OK", response(*FINE), Outcome.UNKNOWN, "no response to the bundle"),
        ("200 OK", response(*FINE, "ok"), Outcome.UNKNOWN, "no status"),
        ("200 OK", {"resourceType": "Bundle", "type": "searchset"}, Outcome.UNKNOWN, ""),
        ("200 OK", issue("nothing done"), Outcome.UNKNOWN, "no response to the bundle: error invalid nothing done"),
        ("200 OK", contradicting(), Outcome.UNKNOWN, f"entry {ENTRIES - 1}: 200 OK error invalid not kept"),
        ("200 OK", contradicting(severity="fatal"), Outcome.UNKNOWN, "not kept"),
        ("200 OK", contradicting(severity="warning"), Outcome.STORED, ""),
        ("202 Accepted", b"", Outcome.UNKNOWN, "went well, and not what became"),
        ("204 No Content", b"", Outcome.UNKNOWN, "went well, and not what became"),
        ("200 OK", b"<html>welcome</html>", Outcome.UNKNOWN, ""),
        ("200 OK", b"", Outcome.UNKNOWN, ""),
        ("400 Bad Request", issue("bad code"), Outcome.REFUSED, "error invalid bad code why"),
        ("412 Precondition Failed", issue("several match"), Outcome.REFUSED, "several match"),
        ("409 Conflict", issue("changed meanwhile"), Outcome.UNKNOWN, "changed meanwhile"),
        ("401 Unauthorized", b"", Outcome.NOT_SENT, "credentials"),
        ("403 Forbidden", issue("not your patient"), Outcome.REFUSED, "not your patient"),
        ("500 Internal Server Error", issue("broken"), Outcome.UNKNOWN, "broken"),
        ("308 Permanent Redirect", b"", Outcome.REFUSED, "elsewhere"),
    ],
)
def test_every_answer_is_read_to_its_last_entry(
    server: FaultyServer, status: str, body: Any, outcome: Outcome, said: str
) -> None:
    answer = send(server, status, body)
    assert answer.outcome is outcome, answer
    assert said in answer.reason


def test_a_server_that_asks_to_wait_is_waited_for(server: FaultyServer) -> None:
    answer = send(server, "429 Too Many Requests", issue("slow down"), Retry_After="30")
    assert (answer.outcome, answer.retry_after_s) == (Outcome.BUSY, 30.0)


IMR = write(written(1).report, written(1).sr.reference, profile="imr")


SIZES = [len(one["resource"]["entry"]) for one in json.loads(IMR.content)]


def in_three(server: FaultyServer, *statuses: str, **settings: Any) -> Answer:
    """The three transactions of IHE IMR; each is answered with one status for all its entries."""
    for status, size in zip(statuses, SIZES, strict=False):
        server.answers.append(http("200 OK", json.dumps(response(*[status] * size)).encode()))
    return destination(server.url, **settings).send(Outgoing("d", IMR.media_type, IMR.content, "imr.json"))


def test_several_transactions_are_posted_each_to_the_base(server: FaultyServer) -> None:
    assert in_three(server, "201", "201", "200").outcome is Outcome.STORED
    assert [one.partition(b" HTTP")[0].split(b" ")[0] for one in server.asked] == [b"POST"] * 3
    assert not any(b"/Bundle" in one.partition(b"\r\n")[0] for one in server.asked)
    sent = [json.loads(one.partition(b"\r\n\r\n")[2]) for one in server.asked]
    assert sent == [one["resource"] for one in json.loads(IMR.content)]


def test_a_transaction_that_is_refused_ends_it(server: FaultyServer) -> None:
    answer = in_three(server, "201", "422")
    assert answer.outcome is Outcome.REFUSED
    assert answer.reason.startswith("transaction 2 of 3: ")
    assert len(server.asked) == 2


def test_transactions_are_not_taken_apart(server: FaultyServer) -> None:
    assert in_three(server, update_as_create=False).outcome is Outcome.REFUSED
    assert server.asked == []


@pytest.mark.oracle("sekmet")
def test_several_transactions_are_verified_to_their_last_entry(sekmet: str) -> None:
    outgoing, at = Outgoing("d", IMR.media_type, IMR.content, "imr.json"), destination(sekmet)
    assert at.verify(outgoing).outcome is Outcome.NOT_SENT
    assert at.send(outgoing).outcome is Outcome.STORED
    found = at.verify(outgoing)
    assert found.outcome is Outcome.VERIFIED
    assert found.reason.startswith(f"{sum(SIZES)} resources found")
    other = IMR.content.replace(b"Report 1.", b"Report 9.")
    assert other != IMR.content
    assert at.verify(Outgoing("d", IMR.media_type, other, "imr.json")).outcome is Outcome.MISMATCH
