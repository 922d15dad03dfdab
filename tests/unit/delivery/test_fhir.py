"""The FHIR destination: what answers mean, requests one by one, and a read-back that finds what was changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from service.delivery.destination import Answer, Outcome, Outgoing
from service.delivery.fhir import FhirDestination
from service.delivery.fhir_entries import NotFhir, entries, facts, lacking
from service.delivery.fhir_ordered import in_order
from service.delivery.http import HttpPeer, Reply
from service.delivery.policy import Timeouts
from service.delivery.settings import Fhir
from service.formats.fhir.write import write
from service.formats.fhir.xml import as_xml
from service.pipeline import Format, Options, Source, convert
from tests.conformance.generated import make
from tests.contract.benches import bundle, written
from tests.faults import FaultyServer, faulty, http
from tests.findings import make_findings

ENTRIES = len(json.loads(bundle(1).content)["entry"])
FINE = ["201 Created"] * (ENTRIES - 1)
JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty() as one:
        yield one


def destination(url: str, **settings: Any) -> FhirDestination:
    return FhirDestination(Fhir(name="ehr", url=url, timeouts=Timeouts(2, 10, 20), **settings))


def issue(text: str, severity: str = "error") -> dict[str, Any]:
    listed = [{"severity": severity, "code": "invalid", "details": {"text": text}, "diagnostics": "why"}]
    return {"resourceType": "OperationOutcome", "issue": listed}


def response(*statuses: str, kind: str = "transaction-response") -> dict[str, Any]:
    listed = [
        {"response": {"status": one, "outcome": issue(f"about {one}", "warning" if one[:1] == "2" else "error")}}
        for one in statuses
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": listed}


def contradicting(**more: Any) -> dict[str, Any]:
    """A batch-response whose last entry went well, it says, with an error."""
    told = response(*FINE, "200 OK", kind="batch-response")
    told["entry"][-1]["response"]["outcome"] = issue("not kept", **more)
    return told


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


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"entry": [{}]}', b"[" * 100_000])
def test_refuses_what_is_no_bundle(content: bytes) -> None:
    outgoing = Outgoing("d", "application/fhir+json", content, "x.json")
    assert destination("http://127.0.0.1:1").send(outgoing).outcome is Outcome.REFUSED


def test_entries_come_after_those_that_they_refer_to() -> None:
    listed = entries(bundle(1).content, "application/fhir+json")
    seen: set[str] = set()
    for entry in in_order(listed[::-1]):
        assert entry.targets <= seen | {entry.full_url}
        seen.add(entry.full_url)
    assert len(seen) == len(listed)


def test_a_list_of_requests_is_what_the_transaction_asks_for() -> None:
    made = make(make_findings(), bundle="single").fhir
    assert made.media_type.startswith("application/vnd.lesionbridge.requests+json")
    listed = entries(made.content, made.media_type)
    whole = entries(make(make_findings()).fhir.content, "application/fhir+json")
    assert [(one.full_url, one.query, one.identifiers) for one in listed] == [
        (one.full_url, one.query, one.identifiers) for one in whole
    ]


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


def test_what_asks_for_nothing_is_never_verified(server: FaultyServer) -> None:
    content = json.dumps(
        {"entry": [{"resource": {"resourceType": "Basic"}, "request": {"method": "POST", "url": "Basic"}}]}
    )
    answer = destination(server.url).verify(Outgoing("d", "application/fhir+json", content.encode(), "b.json"))
    assert answer.outcome is Outcome.UNKNOWN


@pytest.mark.oracle("sekmet")
def test_a_list_of_requests_is_sent_one_by_one(sekmet: str) -> None:
    made = make(make_findings(), bundle="single").fhir
    outgoing, at = Outgoing("d", made.media_type, made.content, "r.json"), destination(sekmet, bundle="single")
    assert at.send(outgoing).outcome is Outcome.STORED
    assert at.verify(outgoing).outcome is Outcome.VERIFIED
    assert len(_find(sekmet, "DiagnosticReport")) == 1


@pytest.mark.oracle("sekmet")
def test_a_bundle_in_xml_is_sent_and_verified(sekmet: str) -> None:
    made = as_xml(written(1).fhir, "R4")
    outgoing = Outgoing("d", made.media_type, made.content, "r.xml")
    for at in (destination(sekmet), destination(sekmet, bundle="single")):
        sent = at.send(outgoing)
        assert sent.outcome is Outcome.STORED, sent
        assert at.verify(outgoing).outcome is Outcome.VERIFIED


def test_a_circle_can_not_be_sent_one_by_one() -> None:
    def entry(name: str, target: str) -> dict[str, Any]:
        resource = {"resourceType": "Observation", "hasMember": [{"reference": target}]}
        return {"fullUrl": name, "resource": resource, "request": {"method": "POST", "url": "Observation"}}

    content = json.dumps({"entry": [entry("urn:uuid:a", "urn:uuid:b"), entry("urn:uuid:b", "urn:uuid:a")]}).encode()
    with pytest.raises(NotFhir, match="circle"):
        in_order(entries(content, "application/fhir+json"))


def test_a_number_keeps_its_digits_when_it_is_sent_alone() -> None:
    found = [entry.body({}) for entry in entries(bundle(1).content, "application/fhir+json")]
    assert any(b'"value":14.20,' in body for body in found)


@pytest.mark.parametrize(
    ("sent", "held", "differs"),
    [
        ({"valueQuantity": {"value": 12.50}}, {"valueQuantity": {"value": 12.5}}, []),
        ({"valueQuantity": {"value": 12.5}}, {"valueQuantity": {"value": 12.6}}, ["valueQuantity.value"]),
        ({"identifier": [{"value": "0012"}]}, {"identifier": [{"value": "12"}]}, ["identifier.value"]),
        ({"issued": "2026-03-02T10:41:00+01:00"}, {"issued": "2026-03-02T09:41:00.000Z"}, []),
        ({"issued": "2026-03-02T10:41:00+01:00"}, {"issued": "2026-03-02T10:41:00Z"}, ["issued"]),
        ({"status": "final", "id": "a", "meta": {"x": "y"}, "text": {"div": "z"}}, {"status": "final"}, []),
        (
            {"bodySite": {"coding": [{"code": "left"}]}},
            {"bodySite": {"coding": [{"code": "right"}]}},
            ["bodySite.coding.code"],
        ),
        ({"note": [{"text": "a"}, {"text": "b"}]}, {"note": [{"text": "b"}, {"text": "a"}]}, []),
        ({"note": [{"text": "a"}, {"text": "a"}]}, {"note": [{"text": "a"}]}, ["note.text"]),
        (
            {"_birthDate": {"extension": [{"url": "u", "valueCode": "c"}]}},
            {},
            ["birthDate.extension.url", "birthDate.extension.valueCode"],
        ),
        ({"active": True}, {"active": True, "more": "x"}, []),
    ],
)
def test_differences_are_found_and_spellings_are_none(sent: Any, held: Any, differs: list[str]) -> None:
    assert lacking(facts(sent), facts(held)) == differs


def test_both_forms_say_the_same_facts() -> None:

    in_json = entries(bundle(1).content, "application/fhir+json")
    in_xml = entries(as_xml(written(1).fhir, "R4").content, "application/fhir+xml")
    assert [(one.full_url, one.kind, one.method, one.url, one.condition) for one in in_json] == [
        (one.full_url, one.kind, one.method, one.url, one.condition) for one in in_xml
    ]
    assert [facts(one.resource) for one in in_json] == [facts(one.resource) for one in in_xml]
    assert [one.targets for one in in_json] == [one.targets for one in in_xml]


@pytest.mark.oracle("sekmet")
def test_what_was_changed_at_the_server_is_found_out(sekmet: str) -> None:
    made, outgoing = destination(sekmet), bundle(1)
    assert made.verify(outgoing).outcome is Outcome.NOT_SENT
    assert made.send(outgoing).outcome is Outcome.STORED
    assert made.verify(outgoing).outcome is Outcome.VERIFIED
    # a value
    changed = _observation(sekmet)
    changed["valueQuantity"]["value"] = 99
    _put(sekmet, changed)
    answer = made.verify(outgoing)
    assert (answer.outcome, "Observation.valueQuantity.value" in answer.reason) == (Outcome.MISMATCH, True)
    assert made.send(outgoing).outcome is Outcome.STORED  # a conditional update puts it right again
    assert made.verify(outgoing).outcome is Outcome.VERIFIED
    # the patient
    other = requests.post(f"{sekmet}/Patient", json={"resourceType": "Patient"}, headers=JSON, timeout=20).json()
    changed = _observation(sekmet)
    changed["subject"] = {"reference": f"Patient/{other['id']}"}
    _put(sekmet, changed)
    answer = made.verify(outgoing)
    assert (answer.outcome, "Observation.subject.reference" in answer.reason) == (Outcome.MISMATCH, True)
    # all of it
    report = _find(sekmet, "DiagnosticReport")[0]
    requests.delete(f"{sekmet}/DiagnosticReport/{report['id']}", timeout=20)
    answer = made.verify(outgoing)
    assert (answer.outcome, "DiagnosticReport" in answer.reason) == (Outcome.NOT_SENT, True)


def _find(url: str, kind: str) -> list[dict[str, Any]]:
    told = requests.get(f"{url}/{kind}", headers=JSON, timeout=20).json()
    return [entry["resource"] for entry in told.get("entry", [])]


def _observation(url: str) -> dict[str, Any]:
    return next(one for one in _find(url, "Observation") if "valueQuantity" in one)


def _put(url: str, resource: dict[str, Any]) -> None:
    at = f"{url}/{resource['resourceType']}/{resource['id']}"
    assert requests.put(at, json=resource, headers=JSON, timeout=20).ok


@contextmanager
def refusing(url: str, *, batches: bool = True, tells: bool = True) -> Iterator[str]:
    """A server in front of another that takes no PUT under an id that is not there, and maybe no batch.

    ``tells`` false: to a write it answers with a status alone, without Location and without content.
    """

    class Gate(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix("/fhir")
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            by_id = self.command == "PUT" and "?" not in path
            if by_id and not requests.get(f"{url}{path}", timeout=20).ok:
                return self._say(405, json.dumps(issue("not here")).encode(), {})
            if not batches and self.command == "POST" and path in ("", "/"):
                return self._say(400, json.dumps(issue("not here")).encode(), {})
            told = requests.request(self.command, f"{url}{path}", data=content or None, headers=kept, timeout=20)
            if not tells and told.ok and path not in ("", "/") and "_search" not in path and self.command != "GET":
                return self._say(told.status_code, b"", {})
            return self._say(told.status_code, told.content, told.headers)

        def _say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name in ("Content-Type", "Location", "ETag"):
                if name in headers:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _pass  # noqa: N815 - the names of http.server

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    gate = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    gate.daemon_threads = True
    thread = threading.Thread(target=gate.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{gate.server_port}/fhir"
    finally:
        gate.shutdown()
        gate.server_close()
        thread.join()


@pytest.mark.oracle("medplum server")
def test_a_server_that_gives_out_its_own_ids_is_served(medplum: str) -> None:
    outgoing = bundle(1)
    with refusing(medplum) as url:
        refused = destination(url, bundle="single").send(outgoing)
        assert (refused.outcome, "PUT" in refused.reason) == (Outcome.REFUSED, True), refused
        made = destination(url, update_as_create=False)
        counts = []
        for _ in range(2):
            answer = made.send(outgoing)
            assert answer.outcome is Outcome.STORED, answer
            counts.append(
                {kind: len(_find(medplum, kind)) for kind in ("Patient", "Observation", "BodyStructure", "Provenance")}
            )
        assert counts[0] == counts[1]
        assert counts[0]["Provenance"] == counts[0]["BodyStructure"] == 1
        assert made.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("medplum server")
def test_each_provenance_of_a_report_stays_at_a_server_that_gives_out_its_own_ids(medplum: str) -> None:
    example = Path(__file__).parents[3] / "examples" / "bone-scan-ribs.json"
    made = convert(Source(example.read_bytes()), (Format.FHIR_R4,), Options()).outputs[Format.FHIR_R4]
    outgoing = Outgoing("delivery", made.media_type, made.content, "report.fhir.json")
    with refusing(medplum) as url:
        ehr = destination(url, update_as_create=False)
        for _ in range(2):
            assert ehr.send(outgoing).outcome is Outcome.STORED
            kinds = [one["agent"][0]["type"]["coding"][0]["code"] for one in _find(medplum, "Provenance")]
            assert sorted(kinds) == ["author", "verifier"]
        assert ehr.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("medplum server")
def test_a_server_that_names_no_id_is_asked_for_it(medplum: str) -> None:
    outgoing = bundle(1)
    with refusing(medplum, tells=False) as url:
        ehr = destination(url, update_as_create=False)
        for _ in range(2):
            answer = ehr.send(outgoing)
            assert answer.outcome is Outcome.STORED, answer
        assert {kind: len(_find(medplum, kind)) for kind in ("Patient", "BodyStructure", "Provenance")} == {
            "Patient": 1,
            "BodyStructure": 1,
            "Provenance": 1,
        }
        assert ehr.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("sekmet")
def test_the_ids_that_we_gave_out_need_no_answer_that_names_them(sekmet: str) -> None:
    outgoing = bundle(1)
    with refusing(sekmet, tells=False) as url:
        assert destination(sekmet).send(outgoing).outcome is Outcome.STORED  # from now on all are updates
        ehr = destination(url, bundle="single")
        answer = ehr.send(outgoing)
        assert answer.outcome is Outcome.STORED, answer
        assert ehr.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("sekmet")
def test_an_answer_that_contradicts_itself_is_settled_by_reading_back(server: FaultyServer, sekmet: str) -> None:
    outgoing = bundle(1)

    class Contradicting(HttpPeer):
        """Posts the transaction to the one, asks the other what it has."""

        def ask(self, method: str, url: str, headers: Any, body: Any = None, **more: Any) -> Reply:
            if body == outgoing.content:
                url = server.url
            return super().ask(method, url, headers, body, **more)

    settings = Fhir(name="ehr", url=sekmet, timeouts=Timeouts(2, 10, 20))
    ehr = FhirDestination(settings, Contradicting(settings.timeouts, settings.tls, None))
    server.answer = http("200 OK", json.dumps(contradicting()).encode())
    assert ehr.send(outgoing).outcome is Outcome.UNKNOWN  # it has nothing
    assert destination(sekmet).send(outgoing).outcome is Outcome.STORED
    answer = ehr.send(outgoing)
    assert (answer.outcome, "200 OK error invalid not kept" in answer.reason) == (Outcome.VERIFIED, True), answer


@pytest.mark.oracle("sekmet")
def test_a_server_without_batches_is_asked_one_by_one(sekmet: str) -> None:
    outgoing = bundle(1)
    with refusing(sekmet, batches=False) as url:
        assert destination(sekmet).send(outgoing).outcome is Outcome.STORED
        assert destination(url).verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("sekmet")
def test_what_a_server_finds_without_looking_at_the_identifier_is_not_overwritten(sekmet: str) -> None:
    other = {
        "resourceType": "BodyStructure",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:7f3f4b6e-0000-4000-8000-000000000001"}],
        "patient": {"display": "another one"},
        "description": "of another report",
    }
    stored = requests.post(f"{sekmet}/BodyStructure", json=other, headers=JSON, timeout=20)
    assert stored.status_code == 201, stored.text
    ehr, outgoing = destination(sekmet, update_as_create=False), bundle(1)
    for _ in range(2):
        assert ehr.send(outgoing).outcome is Outcome.STORED
        found = [one for one in _find(sekmet, "BodyStructure") if one.get("description") == "of another report"]
        assert [one["identifier"] for one in found] == [other["identifier"]]
