"""The door: what is done is written down, without the patient, or it is not done."""

from pathlib import Path

import orjson
import pytest

from service.access.principal import Scope
from service.domain.errors import Problem, Unavailable
from service.store.trail import AuditTrail
from tests.findings import make_body
from tests.unit.api.guarded import Service


def test_what_is_done_stands_in_the_trail_without_the_patient(service: Service) -> None:
    made = service.publish(service.key(Scope.REPORT_WRITE, sender="north"))
    service.ask("GET", made.headers["Location"], service.key(Scope.REPORT_READ))
    service.ask("GET", made.headers["Location"])
    answer = service.ask("GET", "/v1/audit", service.key(Scope.AUDIT_READ))
    rows = [orjson.loads(line) for line in answer.data.splitlines()]
    assert [row["event"]["outcome"] for row in rows] == ["0", "0", "4"]
    assert [row["event"]["action"] for row in rows] == ["C", "R", "R"]
    assert rows[0]["event"]["entity"][1]["what"]["identifier"]["value"] == made.headers["Location"].rpartition("/")[2]
    assert b"PID-11235" not in answer.data
    assert b"Doe" not in answer.data


def test_an_event_is_a_fhir_auditevent(service: Service) -> None:
    from fhir.resources.R4B.auditevent import AuditEvent

    service.publish(service.key(Scope.REPORT_WRITE, sender="north"))
    [kept] = service.store.audit.after(0)
    assert AuditEvent.model_validate_json(kept.event).action == "C"


def test_every_change_names_what_it_changed(service: Service) -> None:
    from tests.unit.coding.overlays.lines import line, table

    write, words = service.key(Scope.REPORT_WRITE), service.key(Scope.TERMINOLOGY_WRITE)
    first = service.publish(write, lesions__0__site="our own lobe").headers["Location"]
    later = make_body(report__issued="2026-03-03T08:00:00+01:00", lesions__0__site="our own lobe")
    second = service.ask("POST", f"{first}/amend?kind=correct", write, later).headers["Location"]
    third = service.ask("POST", f"{second}/cancel", write).headers["Location"]
    csv = {**words, "Content-Type": "text/csv"}
    upload = table(line(field="site", term="our other lobe", concept="frontal-lobe"))
    assert service.ask("PUT", "/v1/overlays/local?author=A", csv, upload).status_code == 201
    (term,), _ = service.store.unmapped.list({}, limit=1)
    said = {"concept": "frontal-lobe", "author": "Dr. A"}
    assert service.ask("POST", f"/v1/unmapped/{term.id}/resolve", words, orjson.dumps(said)).status_code == 201
    back = orjson.dumps({"version": 1, "author": "A"})
    assert service.ask("POST", "/v1/overlays/local/rollback", words, back).status_code == 201
    assert service.ask("PUT", "/v1/overlays/local?author=A", csv, b"nonsense").status_code == 422

    ids = [one.rpartition("/")[2] for one in (first, second, third)]
    found = [orjson.loads(kept.event) for kept in service.store.audit.after(0)]
    about = [[(one["name"], one["what"]["identifier"]["value"]) for one in event["entity"][1:]] for event in found]
    assert about == [
        [("report", ids[0])],
        [("report", ids[0]), ("report", ids[1])],
        [("report", ids[1]), ("report", ids[2])],
        [("overlay", "local/1")],
        [("term", str(term.id)), ("overlay", "local/2")],
        [("overlay", "local/3")],
        [],
    ]
    assert [event["action"] for event in found] == ["C", "U", "U", "U", "U", "U", "U"]
    assert [event["outcome"] for event in found] == ["0"] * 6 + ["4"]
    assert [one["code"] for event in found for one in event.get("subtype", ())] == ["amend", "deprecate"]
    assert b"lobe" not in b"".join(kept.event for kept in service.store.audit.after(0))


def test_a_delivery_and_a_batch_are_called_what_they_are(service: Service) -> None:
    some, admin = "8e0c3c38-0d6a-4c8c-8a7f-0c6f0a4b4f11", service.key(Scope.DELIVERY_ADMIN, Scope.REPORT_READ)
    for room in ("deliveries", "batches"):
        assert service.ask("GET", f"/v1/{room}/{some}", admin).status_code == 404
    found = [orjson.loads(kept.event)["entity"][1] for kept in service.store.audit.after(0)]
    assert [(one["name"], one["what"]["identifier"]["value"]) for one in found] == [("delivery", some), ("batch", some)]


def test_a_trail_that_was_changed_is_found_out(service: Service) -> None:
    from sqlalchemy import create_engine, text

    for number in range(3):
        service.publish(service.key(Scope.REPORT_WRITE), report__id=f"R{number}")
    assert service.store.audit.broken() is None
    with create_engine(service.url).begin() as connection:
        connection.execute(text("UPDATE audit SET event = CAST('{}' AS BLOB) WHERE position = 2"))
    assert service.store.audit.broken() == 2
    with create_engine(service.url).begin() as connection:
        connection.execute(text("DELETE FROM audit WHERE position = 2"))
    assert service.store.audit.broken() == 3


def test_a_refusal_that_is_answered_with_200_is_a_refusal_in_the_trail(service: Service) -> None:
    refused = service.ask("POST", "/v1/reports?ack=always", service.key(Scope.REPORT_WRITE), b"{}")
    unknown = service.ask("POST", "/v1/convert?ack=always", None, b"{}")
    assert [one.status_code for one in (refused, unknown)] == [200, 200]
    found = [orjson.loads(kept.event) for kept in service.store.audit.after(0)]
    assert [one["outcome"] for one in found] == ["4", "4"]
    assert [one["outcomeDesc"] for one in found] == ["POST /v1/reports: 422", "POST /v1/convert: 401"]


def test_what_can_not_be_written_down_is_neither_given_out_nor_said_to_be_done(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = service.key(*Scope)

    def full(_: AuditTrail, __: bytes) -> None:
        raise Unavailable(Problem("", "database", "no room"))

    with monkeypatch.context() as patched:
        patched.setattr(AuditTrail, "add", full)
        refused = service.publish(headers)
        assert (refused.status_code, orjson.loads(refused.data)["rule"]) == (503, "audit")
        assert service.ask("POST", "/v1/reports/search", headers, b'{"patientId": "PID-11235"}').status_code == 503
    again = service.publish(headers)
    assert again.status_code == 200  # it was kept the first time
    assert len(service.store.audit.after(0)) == 1


def test_the_trail_can_be_switched_off(tmp_path: Path) -> None:
    service = Service(tmp_path, audit=False)
    service.publish(service.key(Scope.REPORT_WRITE))
    assert service.store.audit.after(0) == ()
