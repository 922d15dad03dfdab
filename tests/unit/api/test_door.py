"""The door: every route has a scope, no route is open by accident, and nobody sees what is not his."""

from io import BytesIO
from pathlib import Path

import orjson
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from service.access.principal import Scope
from service.api.door import OPEN, scope_of
from service.app import create_app
from service.config import Settings
from service.store.database import transaction
from service.store.tables import RATES
from tests.databases import with_tables
from tests.findings import make_body
from tests.unit.api.guarded import JSON, Service


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """Method, a path that fits, and endpoint of every route."""
    found = []
    some = "8e0c3c38-0d6a-4c8c-8a7f-0c6f0a4b4f11"
    values = {"id": some, "batch": some, "sender": "north", "version": 1, "role": "sr"}
    for rule in app.url_map.iter_rules():
        given = {name: 1 if rule.endpoint == "unmapped.resolve" else values.get(name, "x") for name in rule.arguments}
        built = rule.build(given, append_unknown=False)
        assert built is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((method, built[1], rule.endpoint))
    return found


def test_every_route_is_open_on_purpose_or_has_a_scope(service: Service) -> None:
    for _, _, endpoint in routes(service.app):
        assert endpoint in OPEN or scope_of(endpoint) is not None, endpoint


def test_without_a_key_every_other_route_is_closed(service: Service) -> None:
    for method, path, endpoint in routes(service.app):
        answer = service.ask(method, path)
        if endpoint in OPEN:
            assert answer.status_code < 500, endpoint
        else:
            assert answer.status_code == 401, endpoint
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_without_the_scope_of_a_route_is_not_enough(service: Service) -> None:
    for method, path, endpoint in routes(service.app):
        if endpoint in OPEN:
            continue
        others = [scope for scope in Scope if scope is not scope_of(endpoint)]
        assert service.ask(method, path, service.key(*others)).status_code == 403, endpoint


def test_a_key_with_the_scope_is_let_in(service: Service) -> None:
    headers = {**service.key(Scope.CONVERT), "Accept": "text/html"}
    assert service.ask("POST", "/v1/convert", headers, make_body()).status_code == 200


@pytest.mark.parametrize("column", ["expires", "revoked"])
def test_a_key_that_ended_or_was_revoked_is_refused(service: Service, column: str) -> None:
    headers = service.key(*Scope, **{column: "2000-01-01T00:00:00.000000Z"})
    assert service.ask("GET", "/v1/terms?q=brain", headers).status_code == 401


def test_a_secret_that_does_not_fit_is_refused_and_never_repeated(service: Service) -> None:
    shown = service.key(*Scope)["X-API-Key"]
    wrong = shown[:-1] + ("A" if shown[-1] != "A" else "B")
    answer = service.ask("GET", "/v1/terms?q=brain", {"Authorization": f"Bearer {wrong}"})
    assert answer.status_code == 401
    assert wrong not in answer.text


def test_a_report_has_the_sender_of_its_caller(service: Service) -> None:
    made = service.publish(service.key(Scope.REPORT_WRITE, sender="north"))
    assert made.status_code == 201
    assert service.store.get(made.headers["Location"].rpartition("/")[2]).sender == "north"


def test_a_report_of_another_sender_is_refused(service: Service) -> None:
    made = service.publish(service.key(Scope.REPORT_WRITE, sender="north"), report__sender="south")
    assert (made.status_code, made.json and made.json["pointer"]) == (403, "/report/sender")


def test_a_sender_sees_only_its_own_reports(service: Service) -> None:
    made = service.publish(service.key(Scope.REPORT_WRITE, sender="north"))
    place = made.headers["Location"]
    south, north = (service.key(Scope.REPORT_READ, sender=name) for name in ("south", "north"))
    assert (service.ask("GET", place, south).status_code, service.ask("GET", place, north).status_code) == (404, 200)
    wanted = orjson.dumps({"patientId": "PID-11235"})
    found = [service.ask("POST", "/v1/reports/search", who, wanted).json for who in (south, north)]
    assert [len(one["versions"]) for one in found if one is not None] == [0, 1]


def test_a_sender_amends_and_cancels_only_its_own_reports(service: Service) -> None:
    south, north = (service.key(Scope.REPORT_WRITE, sender=name) for name in ("south", "north"))
    place = service.publish(north).headers["Location"]
    calls = ((f"{place}/amend?kind=correct", make_body()), (f"{place}/cancel", b""))
    assert [service.ask("POST", path, south, content).status_code for path, content in calls] == [404, 404]
    amended = service.ask("POST", calls[0][0], north, calls[0][1])
    assert amended.status_code == 201
    assert service.ask("POST", f"{amended.headers['Location']}/cancel", north).status_code == 201


def test_a_batch_of_another_sender_is_not_there(service: Service) -> None:
    lines = {"Content-Type": "application/x-ndjson"}
    body = make_body().replace(b"\n", b"")
    made = service.ask("POST", "/v1/batches", service.key(Scope.REPORT_WRITE, sender="north") | lines, body)
    place = made.headers["Location"]
    for path, method in ((place, "GET"), (f"{place}/errors", "GET"), (f"{place}/cancel", "POST")):
        scope = Scope.REPORT_READ if method == "GET" else Scope.REPORT_WRITE
        statuses = [service.ask(method, path, service.key(scope, sender=one)).status_code for one in ("south", "north")]
        assert statuses == [404, 200]


def test_a_sender_sees_and_decides_only_its_own_terms(service: Service) -> None:
    scopes = (Scope.TERMINOLOGY_READ, Scope.TERMINOLOGY_WRITE)
    mine, everybody = service.key(*scopes, sender="north"), service.key(*scopes)
    for sender in ("north", "south"):
        service.publish(service.key(Scope.REPORT_WRITE, sender=sender), lesions__0__site=f"the lobe of {sender}")
    terms, _ = service.store.unmapped.list({}, limit=9)
    numbers = {one.sender: one.id for one in terms}
    for query in ("", "?sender=south", "?format=csv"):
        listed = service.ask("GET", f"/v1/unmapped{query}", mine)
        assert (b"north" in listed.data, b"south" in listed.data) == (True, False)
    assert b"south" in service.ask("GET", "/v1/unmapped", everybody).data
    decision = orjson.dumps({"concept": "frontal-lobe", "author": "A"})
    assert service.ask("POST", f"/v1/unmapped/{numbers['south']}/resolve", mine, decision).status_code == 404
    assert service.ask("POST", f"/v1/unmapped/{numbers['north']}/resolve", mine, decision).status_code == 201
    assert service.ask("POST", f"/v1/unmapped/{numbers['south']}/resolve", everybody, decision).status_code == 201
    overlays = [
        [one["sender"] for one in orjson.loads(service.ask("GET", "/v1/overlays", key).data)["overlays"]]
        for key in (mine, everybody)
    ]
    assert overlays == [["north"], ["north", "south"]]
    csv = {**mine, "Content-Type": "text/csv"}
    for sender in ("south", "all"):
        assert service.ask("POST", f"/v1/overlays/preview?sender={sender}", csv, b"x").status_code == 403


def test_what_is_wrong_with_mounted_overlays_is_for_callers_of_all_senders(tmp_path: Path) -> None:
    folder = tmp_path / "overlays"
    folder.mkdir()
    service = Service(tmp_path, overlays_folder=str(folder))
    (folder / "south.csv").write_text("nonsense")
    service.app.extensions["lesionbridge"].site._looked -= 10
    answers = [
        service.ask("GET", "/v1/overlays", service.key(Scope.TERMINOLOGY_READ, sender=sender))
        for sender in ("", "north")
    ]
    assert [bool(orjson.loads(answer.data)["faults"]) for answer in answers] == [True, False]


def test_a_sender_sees_the_map_of_its_own_overlay_and_of_the_one_for_all(service: Service) -> None:
    everybody = service.key(Scope.TERMINOLOGY_READ, Scope.TERMINOLOGY_WRITE)
    csv = {**everybody, "Content-Type": "text/csv"}
    for sender in ("north", "south", "all"):
        row = f"finding,99LOCAL,{sender}-1,the word of {sender},brain-metastasis,x".encode()
        made = service.ask(
            "PUT", f"/v1/overlays/{sender}?author=A", csv, b"field,system,code,term,concept,source\n" + row
        )
        assert made.status_code == 201
    service.app.extensions["lesionbridge"].site._looked -= 10
    asked = {}
    for name, key in (("all", everybody), ("north", service.key(Scope.TERMINOLOGY_READ, sender="north"))):
        listed = service.ask("GET", "/fhir/ConceptMap", key).data
        translated = {
            sender: b"brain-metastasis"
            in service.ask(
                "GET", f"/fhir/ConceptMap/overlay-{sender}/$translate?system=99LOCAL&code={sender}-1", key
            ).data
            for sender in ("north", "south", "all")
        }
        read = service.ask("GET", "/fhir/ConceptMap/overlay-south", key).status_code
        asked[name] = (b"south" in listed, b"overlay-north" in listed, read, translated)
    assert asked["all"] == (True, True, 200, {"north": True, "south": True, "all": True})
    assert asked["north"] == (False, True, 404, {"north": True, "south": False, "all": True})


def test_what_is_said_of_rows_of_others_in_the_overlay_for_all_is_not_said_to_a_sender(service: Service) -> None:
    csv = {**service.key(Scope.TERMINOLOGY_WRITE), "Content-Type": "text/csv"}
    lines = ["sender,field,term,concept,source"]
    words = {"north": "brain metastasis", "south": "BRAIN METASTASIS", "": "Brain Metastasis"}
    lines += [f"{sender},finding,{term},brain-metastasis,x" for sender, term in words.items()]
    assert service.ask("PUT", "/v1/overlays/all?author=A", csv, "\n".join(lines).encode()).status_code == 201
    asked = [service.key(Scope.TERMINOLOGY_READ, sender=sender) for sender in ("", "north")]
    told = [
        [at["pointer"] for at in orjson.loads(service.ask("GET", "/v1/overlays", key).data)["overlays"][0]["notices"]]
        for key in asked
    ]
    assert told == [["all-1.csv:2", "all-1.csv:3", "all-1.csv:4"], ["all-1.csv:2", "all-1.csv:4"]]


def test_nobody_speaks_for_all_senders_by_the_name_of_their_overlay(service: Service) -> None:
    csv = {**service.key(Scope.TERMINOLOGY_WRITE, sender="all"), "Content-Type": "text/csv"}
    refused = service.ask("PUT", "/v1/overlays/all?author=A", csv, b"field,term,concept,source\n")
    assert (refused.status_code, orjson.loads(refused.data)["rule"]) == (403, "sender")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 201),
        ("http://localhost", 201),
        ("http://evil.example", 403),
        ("http://localhost:8080", 403),
        ("null", 403),
    ],
)
def test_a_page_of_another_site_keeps_nothing_where_access_is_open(
    tmp_path: Path, origin: str | None, status: int
) -> None:
    url = with_tables(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    client = create_app(Settings(database_url=url, log_level="error")).test_client()
    headers = {} if origin is None else {"Origin": origin}
    form = {"report": (BytesIO(make_body()), "x.json", "application/json")}  # a browser sends it without a question
    answered = client.post("/v1/reports", data=form, headers=headers, content_type="multipart/form-data")
    assert answered.status_code == status
    assert client.get("/v1/terms?q=brain", headers=headers).status_code == 200


def test_the_trail_is_of_all_senders(service: Service) -> None:
    assert service.ask("GET", "/v1/audit", service.key(Scope.AUDIT_READ, sender="north")).status_code == 403
    assert service.ask("GET", "/v1/audit", service.key(Scope.AUDIT_READ)).status_code == 200


def test_a_caller_that_asks_too_often_is_told_when_to_come_back(service: Service) -> None:
    headers = service.key(Scope.TERMINOLOGY_READ, rate_per_minute=2)
    answers = [service.ask("GET", "/v1/terms?q=brain", headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 61


def test_the_bound_holds_for_all_processes_of_a_deployment(service: Service) -> None:
    headers = service.key(Scope.TERMINOLOGY_READ, rate_per_minute=3)
    other = create_app(Settings(database_url=service.url, access="required", log_level="error")).test_client()
    asked = [
        lambda: service.ask("GET", "/v1/terms?q=brain", headers),
        lambda: other.get("/v1/terms?q=brain", headers=headers),
    ]
    assert [asked[number % 2]().status_code for number in range(5)] == [200, 200, 200, 429, 429]


def test_a_caller_without_a_bound_leaves_no_row(service: Service) -> None:
    service.ask("GET", "/v1/terms?q=brain", service.key(Scope.TERMINOLOGY_READ))
    with transaction(service.store._engine) as connection:
        assert connection.execute(select(RATES.c.caller)).all() == []


def test_a_caller_may_send_no_more_than_its_own_bound(service: Service) -> None:
    key = service.key(Scope.REPORT_WRITE, body_bytes=10)
    assert service.publish(key).status_code == 413
    chunked = EnvironBuilder(path="/v1/reports", method="POST", headers=Headers({**JSON, **key})).get_environ()
    chunked.pop("CONTENT_LENGTH", None)
    chunked["HTTP_TRANSFER_ENCODING"] = "chunked"
    assert run_wsgi_app(service.app, chunked)[1].startswith("413")


@pytest.mark.parametrize(("method", "end"), [("HEAD", ""), ("OPTIONS", ""), ("POST", "/cancel")])
def test_a_caller_with_a_bound_may_ask_without_a_body(service: Service, method: str, end: str) -> None:
    key = service.key(Scope.REPORT_READ, Scope.REPORT_WRITE, body_bytes=100_000)
    kept = orjson.loads(service.publish(key).data)["id"]
    bare = EnvironBuilder(path=f"/v1/reports/{kept}{end}", method=method, headers=Headers(key)).get_environ()
    bare.pop("CONTENT_LENGTH", None)  # as servers have it where the client says none (RFC 9110 8.6)
    assert run_wsgi_app(service.app, bare)[1].startswith("20")
