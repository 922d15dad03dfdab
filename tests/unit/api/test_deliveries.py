"""/v1/deliveries and ?deliver=: what is asked for, what is answered. No worker runs here."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.api.delivery_schemas import STATES, DeliveriesSchema, DeliverySchema, SentComparisonSchema
from service.api.deployment import Deployment
from service.api.report_schemas import ReceiptSchema
from service.api.writing_schemas import Prefer
from service.store.circuits import Heard, Verdict
from service.store.delivery_rows import State
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Told
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
bundle = "document"

[destinations.trial]
kind = "folder"
path = "/nonexistent"
takes = "html"
dry_run = true
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application with three destinations."""
    with deployed(tmp_path, DESTINATIONS) as made:
        yield made


@pytest.fixture
def store(app: Flask) -> Store:
    """Its store."""
    here = app.extensions["lesionbridge"]
    assert isinstance(here, Deployment)
    return here.store


def post(client: FlaskClient, query: str = "", **headers: str) -> TestResponse:
    """Publish a report."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"/v1/reports{query}", data=make_body(), headers={**FINDINGS, **named})


def answered(response: TestResponse) -> Any:
    """The JSON of an answer."""
    assert response.json is not None
    return response.json


def end(store: Store, delivery: str, state: State, reason: str = "no") -> None:
    """Bring a delivery to an end, as a worker does."""
    run = store.deliveries.get(delivery).run
    turn = store.runs.begin(delivery, run, "worker-0", May(overtake={"sr", "fhir-r4"}))
    assert turn is not None
    told = Told("refused", "422", reason, (), Heard(Verdict.WORKS), state, again_s=None, counts=False)
    assert store.runs.told(turn, store.now(), "worker-0", told)


def test_the_states_are_those_of_the_store() -> None:
    assert list(STATES) == [str(one) for one in State]


def test_the_receipt_names_each_delivery(client: FlaskClient) -> None:
    answer = post(client, "?deliver=pacs,ehr")
    receipt = answered(answer)
    assert (answer.status_code, ReceiptSchema().validate(receipt)) == (201, {})
    assert [(one["destination"], one["role"]) for one in receipt["deliveries"]] == [
        ("pacs", "sr"),
        ("ehr", "fhir-r4@ehr"),
    ]
    listed = answered(client.get(receipt["links"]["deliveries"]))
    assert DeliveriesSchema().validate(listed) == {}
    assert [(one["id"], one["state"]) for one in listed["deliveries"]] == [
        (one["id"], "queued") for one in receipt["deliveries"]
    ]


def test_a_report_without_destinations_has_no_deliveries(client: FlaskClient) -> None:
    receipt = answered(post(client))
    assert "deliveries" not in receipt
    assert answered(client.get(receipt["links"]["deliveries"])) == {"deliveries": []}


def test_what_is_delivered_is_written_as_the_destination_takes_it_and_never_again(client: FlaskClient) -> None:
    receipt = answered(post(client, "?deliver=pacs,ehr"))
    pacs, ehr = receipt["deliveries"]
    assert client.get(f"{pacs['href']}/content").data == client.get(receipt["links"]["sr"]).data
    document = client.get(f"{ehr['href']}/content")
    assert document.json is not None
    assert (document.json["type"], document.mimetype) == ("document", "application/fhir+json")
    assert client.get(receipt["links"]["fhir"]).json["type"] == "transaction"  # type: ignore[index]  # it is JSON


@pytest.mark.parametrize("names", ["nowhere", "pacs,nowhere", ",", "Doe"])
def test_an_unknown_destination_is_refused_with_those_there_are(client: FlaskClient, names: str) -> None:
    answer = answered(post(client, f"?deliver={names}"))
    assert (answer["status"], answer["pointer"]) == (422, "?deliver")
    assert answer["errors"][0]["candidates"] == ["pacs", "ehr", "trial"]
    assert answered(client.get("/v1/deliveries")) == {"deliveries": []}


def test_a_dry_run_says_what_would_be_sent_where(client: FlaskClient) -> None:
    receipt = answered(post(client, "?deliver=pacs,trial&dry-run=true"))
    assert receipt["deliveries"] == [
        {"destination": "pacs", "format": "sr", "role": "sr"},
        {"destination": "trial", "format": "html", "role": "html", "dryRun": True},
    ]
    assert answered(client.get("/v1/deliveries")) == {"deliveries": []}


def test_a_destination_that_is_dry_keeps_and_shows_what_it_would_get(client: FlaskClient) -> None:
    [one] = answered(post(client, "?deliver=trial"))["deliveries"]
    made = answered(client.get(one["href"]))
    assert (made["state"], "not sent" in made["reason"]) == ("dry-run", True)
    assert client.get(f"{one['href']}/content").data.startswith(b"<!DOCTYPE html>")


def test_the_same_report_may_be_asked_for_by_more_destinations_later(client: FlaskClient) -> None:
    first = post(client)
    second = post(client, "?deliver=pacs")
    third = post(client, "?deliver=pacs,ehr")
    assert (second.status_code, second.data, third.data) == (200, first.data, first.data)
    listed = answered(client.get(answered(first)["links"]["deliveries"]))["deliveries"]
    assert [(one["destination"], one["role"]) for one in listed] == [("pacs", "sr"), ("ehr", "fhir-r4@ehr")]


def test_a_key_used_again_delivers_nothing_twice(client: FlaskClient) -> None:
    answers = [post(client, "?deliver=pacs", Idempotency_Key="k-1") for _ in range(3)]
    assert len({answer.data for answer in answers}) == 1
    assert len(answered(client.get("/v1/deliveries"))["deliveries"]) == 1


def test_of_many_with_one_key_at_once_all_get_the_same_answer_and_one_delivery_is_made(app: Flask) -> None:
    def send(_: int) -> tuple[int, bytes]:
        answer = post(app.test_client(), "?deliver=pacs", Idempotency_Key="k-1")
        return answer.status_code, answer.data

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(16)))
    assert [status for status, _ in answers] == [201]
    assert len(answered(app.test_client().get("/v1/deliveries"))["deliveries"]) == 1


def test_answers_202_to_whoever_prefers_not_to_wait(client: FlaskClient) -> None:
    answer = post(client, "?deliver=pacs", Prefer="respond-async")
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")


def test_waits_for_the_end_no_longer_than_asked(client: FlaskClient) -> None:
    answer = post(client, "?deliver=trial", Prefer="wait=9")
    assert (answer.status_code, answer.headers["Lesionbridge-Deliveries"]) == (201, "trial=dry-run")
    answer = post(client, "?deliver=pacs", Prefer="wait=1")
    assert answer.headers["Lesionbridge-Deliveries"] == "trial=dry-run, pacs=queued"


@pytest.mark.parametrize(
    ("header", "async_", "wait"),
    [
        ("respond-async, wait=10", True, 10),
        ("wait=10; x=y, Respond-Async", True, 10),
        ("wait=900", False, Prefer.MOST_WAIT_S),
        ("wait=-1", False, 0),
        ("wait=ten, wait=5", False, 0),
        ("handling=lenient", False, 0),
        ("", False, 0),
    ],
)
def test_reads_preferences(header: str, async_: bool, wait: int) -> None:
    assert (Prefer(header).respond_async, Prefer(header).wait_s) == (async_, wait)


def test_the_receipt_of_a_delivery_shows_each_attempt_with_its_reason(client: FlaskClient, store: Store) -> None:
    [one] = answered(post(client, "?deliver=pacs"))["deliveries"]
    end(store, one["id"], State.REFUSED, "SOP class not supported")
    made = answered(client.get(one["href"]))
    assert DeliverySchema().validate(made) == {}
    [attempt] = made["tries"]
    assert (attempt["step"], attempt["status"], attempt["reason"]) == ("send", "422", "SOP class not supported")
    assert attempt["started"] <= attempt["ended"]


def test_dead_letters_are_listed_and_sent_again(client: FlaskClient, store: Store) -> None:
    pacs, ehr = answered(post(client, "?deliver=pacs,ehr"))["deliveries"]
    end(store, pacs["id"], State.DEAD)
    end(store, ehr["id"], State.VERIFIED)
    listed = answered(client.get("/v1/deliveries?state=dead&destination=pacs"))["deliveries"]
    assert [one["id"] for one in listed] == [pacs["id"]]
    again = client.post(f"{pacs['href']}/retry")
    assert (again.status_code, answered(again)["state"]) == (202, "queued")
    for href, status in ((pacs["href"], 409), (ehr["href"], 409), (f"/v1/deliveries/{'0' * 32}", 404)):
        assert client.post(f"{href}/retry").status_code == status


def test_dead_letters_are_sent_again_in_bulk(client: FlaskClient, store: Store) -> None:
    for one in answered(post(client, "?deliver=pacs,ehr"))["deliveries"]:
        end(store, one["id"], State.DEAD)
    answer = client.post("/v1/deliveries/retry", json={"destination": "pacs", "backfill": True})
    assert (answer.status_code, answered(answer)) == (202, {"retried": 1})
    assert [one["backfill"] for one in answered(client.get("/v1/deliveries?state=queued"))["deliveries"]] == [True]
    assert answered(client.post("/v1/deliveries/retry", json={})) == {"retried": 1}
    assert client.post("/v1/deliveries/retry", json={"state": "verified"}).status_code == 422


@pytest.mark.parametrize(("said", "backfill"), [({}, True), ({"backfill": False}, False)])
def test_what_was_a_backfill_stays_one_unless_it_is_sent_at_once(
    client: FlaskClient, store: Store, said: dict[str, bool], backfill: bool
) -> None:
    [one] = answered(post(client, "?deliver=pacs&backfill=true"))["deliveries"]
    end(store, one["id"], State.DEAD)
    assert answered(client.post("/v1/deliveries/retry", json=said)) == {"retried": 1}
    assert answered(client.get(one["href"]))["backfill"] is backfill


def test_a_dead_letter_is_written_again_as_a_new_delivery(client: FlaskClient, store: Store) -> None:
    [old] = answered(post(client, "?deliver=pacs"))["deliveries"]
    assert client.post(f"{old['href']}/edit", json={}).status_code == 409
    sent = client.get(f"{old['href']}/content").data
    end(store, old["id"], State.REFUSED)
    answer = client.post(f"{old['href']}/edit", json={"dialect": "ohif"})
    new = answered(answer)
    assert (answer.status_code, answer.headers["Location"]) == (201, new["links"]["self"])
    assert (new["follows"], new["state"], new["destination"]) == (old["id"], "queued", "pacs")
    assert client.get(f"{old['href']}/content").data == sent != client.get(new["links"]["content"]).data
    twice = client.post(f"{old['href']}/edit", json={"dialect": "strict"})
    assert (twice.status_code, answered(twice)["errors"][0]["candidates"]) == (409, [new["id"]])
    assert client.post(f"{old['href']}/retry").status_code == 409
    moved = answered(client.post(f"{old['href']}/edit", json={"destination": "ehr"}))
    assert (moved["destination"], moved["format"], moved["follows"]) == ("ehr", "fhir-r4", old["id"])
    unknown = client.post(f"{old['href']}/edit", json={"destination": "nowhere"})
    assert (unknown.status_code, answered(unknown)["pointer"]) == (422, "/destination")


def test_a_bundle_written_again_names_the_sr_that_is_kept(client: FlaskClient, store: Store) -> None:
    receipt = answered(post(client, "?deliver=ehr"))
    [old] = receipt["deliveries"]
    end(store, old["id"], State.DEAD)
    new = answered(client.post(f"{old['href']}/edit", json={"bundle": "collection"}))
    assert receipt["sr"]["sopInstance"].encode() in client.get(new["links"]["content"]).data


def test_a_bundle_is_written_again_in_a_language_that_is_known(client: FlaskClient, store: Store) -> None:
    [old] = answered(post(client, "?deliver=ehr"))["deliveries"]
    end(store, old["id"], State.DEAD)
    assert client.post(f"{old['href']}/edit", json={"language": "tlh"}).status_code == 422
    new = answered(client.post(f"{old['href']}/edit", json={"language": "de"}))
    assert b"Hirnmetastase*" in client.get(new["links"]["content"]).data


def test_what_was_sent_is_compared(client: FlaskClient, store: Store) -> None:
    [old] = answered(post(client, "?deliver=pacs"))["deliveries"]
    end(store, old["id"], State.REFUSED)
    new = answered(client.post(f"{old['href']}/edit", json={"dialect": "ohif"}))
    compared = answered(client.get(f"{old['href']}/comparison?with={new['id']}"))
    assert SentComparisonSchema().validate(compared) == {}
    assert not compared["same"]
    assert "/00080018/Value/0" in {one["place"] for one in compared["differences"]}  # SOP Instance UID
    same = answered(client.get(f"{old['href']}/comparison?with={old['id']}"))
    assert (same["same"], same["differences"]) == (True, [])
    assert client.get(f"{old['href']}/comparison").status_code == 422


def test_lists_page_by_page(client: FlaskClient) -> None:
    post(client, "?deliver=pacs,ehr,trial")
    seen, query = [], "limit=2"
    while query:
        page = answered(client.get(f"/v1/deliveries?{query}"))
        seen += [one["destination"] for one in page["deliveries"]]
        query = f"limit=2&cursor={page['next']}" if "next" in page else ""
    assert seen == ["trial", "ehr", "pacs"]
    assert client.get("/v1/deliveries?state=lost").status_code == 422


def test_a_time_to_wait_of_thousands_of_digits_is_the_most_that_is_waited() -> None:
    assert Prefer("wait=" + "9" * 5_000).wait_s == Prefer.MOST_WAIT_S
    assert Prefer("wait=000000002").wait_s == 2
