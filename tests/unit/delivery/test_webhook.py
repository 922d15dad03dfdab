"""The webhook destination."""

from __future__ import annotations

import hmac
import re
from hashlib import sha256

import pytest

from service.delivery.destination import Outcome, Outgoing
from service.delivery.secrets import Secret
from service.delivery.settings import Webhook
from service.delivery.webhook import WebhookDestination
from tests.faults import FaultyServer, faulty, http

OUT = Outgoing("delivery-1", "application/fhir+json; fhirVersion=4.0", b'{"a":1}', "report.json")


def test_what_is_posted_is_signed_and_has_a_key_that_stays(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "s3cret")
    settings = Webhook(name="hook", url=f"{server.url}/in", signature=Secret(environment="HOOK"))
    made = WebhookDestination(settings, now=lambda: 1_700_000_000.9)
    assert [made.send(OUT).outcome for _ in range(2)] == [Outcome.STORED] * 2
    for asked in server.asked:
        head, _, body = asked.decode().partition("\r\n\r\n")
        headers = dict(re.findall(r"(?m)^([^:\r\n]+): ([^\r\n]*)", head))
        assert body == '{"a":1}'
        assert headers["Idempotency-Key"] == "delivery-1"
        assert headers["Content-Type"] == OUT.media_type
        digest = hmac.new(b"s3cret", b'1700000000.{"a":1}', sha256).hexdigest()
        assert headers["Lesionbridge-Signature"] == f"t=1700000000,v1={digest}"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http("204 No Content"), Outcome.STORED),
        (http("202 Accepted", b"later"), Outcome.STORED),
        (http("400 Bad Request", b"no"), Outcome.REFUSED),
        (http("429 Too Many Requests", Retry_After="7"), Outcome.BUSY),
        (http("301 Moved Permanently", Location="http://elsewhere.invalid/"), Outcome.REFUSED),
        (http("502 Bad Gateway"), Outcome.UNKNOWN),
    ],
)
def test_what_the_receiver_answers(server: FaultyServer, answer: bytes, outcome: Outcome) -> None:
    server.answer = answer
    given = WebhookDestination(Webhook(name="hook", url=server.url)).send(OUT)
    assert given.outcome is outcome
    assert given.retry_after_s == (7 if outcome is Outcome.BUSY else None)


def test_without_its_key_nothing_is_sent(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    made = WebhookDestination(Webhook(name="hook", url=server.url, signature=Secret(environment="HOOK")))
    assert made.send(OUT).outcome is Outcome.NOT_SENT
    assert server.asked == []
    assert [echo.passed for echo in made.probe()] == [True, None, False]


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("200 OK", {"the receiver answers": True, "the path takes a POST": None}),
        ("400 Bad Request", {"the receiver answers": True, "the path takes a POST": None}),
        ("403 Forbidden", {"the receiver answers": True, "the path takes a POST": None}),
        ("404 Not Found", {"the receiver answers": True, "the path takes a POST": None}),
        ("405 Method Not Allowed", {"the receiver answers": True, "the path takes a POST": None}),
        ("501 Not Implemented", {"the receiver answers": True, "the path takes a POST": None}),
        ("401 Unauthorized", {"the receiver answers": False}),
        ("307 Temporary Redirect", {"the receiver answers": False}),
        ("500 Internal Server Error", {"the receiver answers": False}),
    ],
)
def test_the_probe_asks_for_headers_only_and_claims_no_more_than_they_show(
    status: str, found: dict[str, bool | None]
) -> None:
    with faulty() as server:
        server.answer = http(status)
        *echoes, _ = WebhookDestination(Webhook(name="research", url=server.url)).probe()
        assert {echo.tried: echo.passed for echo in echoes} == found
        assert status.partition(" ")[0] in echoes[0].said
        assert server.asked[0].startswith(b"HEAD / HTTP/1.1\r\n")


@pytest.mark.parametrize(("allow", "passed"), [("OPTIONS, post", True), ("GET,HEAD", False), ("", None)])
def test_which_methods_a_path_takes_is_believed_where_it_is_said(allow: str, *, passed: bool | None) -> None:
    with faulty() as server:
        server.answer = http("405 Method Not Allowed", Allow=allow)
        assert WebhookDestination(Webhook(name="research", url=server.url)).probe()[1].passed is passed
