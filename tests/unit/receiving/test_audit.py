"""What comes in by itself stands in the audit trail: kept or refused, with who sent it, and nothing of the patient."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from service.api.deployment import Deployment
from service.domain.errors import Problem, Unavailable
from service.pipeline import Format
from service.receiving.dicom import DicomServer
from service.receiving.folder import FolderWatch
from service.receiving.hl7 import Hl7Server
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener, FolderListener, Hl7Listener
from tests.unit.receiving.conftest import Deploy, kept, written
from tests.unit.receiving.test_dicom import send
from tests.unit.receiving.test_hl7 import FOREIGN, ask, changed

DCM = "http://dicom.nema.org/resources/ontology/DCM"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"


def by_dicom(here: Deployment, act: Callable[[DicomServer], Any]) -> Any:
    """What an act at an SCP gives."""
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0, calling=("NORTHAI",)))
    try:
        return act(server)
    finally:
        server.stop()


def by_hl7(here: Deployment, *messages: str) -> list[str]:
    """MSA-1 of the answer to each message."""
    server = Hl7Server(Reception(here, "hl7"), Hl7Listener(port=0))
    try:
        return [ask(server, message).msa.msa_1.value for message in messages]
    finally:
        server.stop()


def events(here: Deployment) -> list[dict[str, Any]]:
    """The trail, held to be one of FHIR and without a patient."""
    kept_events = here.store.audit.after(0)
    assert here.store.audit.broken() is None
    for one in kept_events:
        AuditEvent.model_validate_json(one.event)
        for secret in (b"Doe", b"PID-11235", b"P1^^^", b"19800102"):
            assert secret not in one.event
    return [orjson.loads(one.event) for one in kept_events]


def report_of(event: dict[str, Any]) -> str | None:
    """Our id of the report that an event names."""
    found = [one["what"]["identifier"]["value"] for one in event["entity"] if one["name"] == "report"]
    return found[0] if found else None


def test_an_object_kept_and_one_refused_have_an_event_each(here: Deployment) -> None:
    sr = written(Format.SR)
    by_dicom(here, lambda server: (send(server, sr), send(server, sr.replace(b"14.20", b"15.20"))))

    good, bad = events(here)
    assert [good["type"], good["action"]] == [{"system": DCM, "code": "110104"}, "C"]
    assert good["agent"] == [
        {
            "who": {"identifier": {"value": "NORTHAI"}},
            "name": "NORTHAI",
            "requestor": True,
            "altId": "north",
            "type": {"coding": [{"system": DCM, "code": "110153"}]},
            "network": {"address": "127.0.0.1", "type": "2"},
        }
    ]
    assert (good["outcome"], good["outcomeDesc"]) == ("0", "dicom: accepted")
    [report] = here.store.search({"sender": "north"}, limit=9)
    assert report_of(good) == report.id
    assert (bad["outcome"], bad["outcomeDesc"], report_of(bad)) == ("4", "dicom: version", None)


def test_an_association_that_is_rejected_has_an_event(here: Deployment) -> None:
    def knock(server: DicomServer) -> None:
        entity = AE(ae_title="STRANGER")
        entity.add_requested_context(Verification)
        assert entity.associate("127.0.0.1", server.port, ae_title="LESIONBRIDGE").is_rejected

    by_dicom(here, knock)

    [event] = events(here)
    assert (event["type"]["code"], event["outcome"], event["agent"][0]["name"]) == ("110113", "4", "STRANGER")


def test_messages_have_an_event_each_and_a_merge_is_called_one(here: Deployment) -> None:
    merge = (
        "MSH|^~\\&|ADT|NORTH|X|Y|20260302101500||ADT^A40^ADT_A39|M9|P|2.5.1\r"
        "EVN||20260302101500\rPID|1||P2^^^NORTH^MR||Doe^Jane\rMRG|P1^^^NORTH^MR\r"
    )
    assert by_hl7(here, FOREIGN, changed("P1^^^NORTH^MR", ""), merge) == ["AA", "AE", "AA"]

    good, bad, merged = events(here)
    assert (good["type"], good["agent"][0]["name"]) == ({"system": LIFECYCLE, "code": "receive"}, "RIS|NORTH")
    assert good["agent"][0]["network"]["address"] == "127.0.0.1"
    assert report_of(good) == here.store.search({"report_id": "F1"}, limit=9)[0].id
    assert (bad["outcome"], bad["outcomeDesc"]) == ("4", "hl7: v2-patient-id")
    assert (merged["type"]["code"], merged["action"], merged["outcome"]) == ("merge", "U", "0")


def test_every_report_of_a_file_has_an_event(deploy: Deploy, tmp_path: Path) -> None:
    here = deploy()
    folder = tmp_path / "in"
    watch = FolderWatch(Reception(here, "folder"), FolderListener(path=str(folder), site="north", settle_s=0))
    (folder / "one.dcm").write_bytes(written(Format.SR))
    (folder / "two.json").write_bytes(b"{}")
    watch.look()

    found = {event["outcome"]: event for event in events(here)}
    assert found.keys() == {"0", "4"}
    assert report_of(found["0"]) == here.store.search({"sender": "north"}, limit=9)[0].id
    assert [one["agent"] for one in found.values()] == [
        [{"who": {"identifier": {"value": "folder"}}, "name": "folder", "requestor": True, "altId": "north"}]
    ] * 2


@pytest.fixture
def unwritable(here: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployment whose trail can't be written."""

    def fail(_event: bytes) -> None:
        raise Unavailable(Problem("", "database", "away"))

    monkeypatch.setattr(here.store.audit, "add", fail)
    return here


def test_what_can_not_be_written_down_is_not_accepted_and_comes_again(unwritable: Deployment, tmp_path: Path) -> None:
    assert by_dicom(unwritable, lambda server: send(server, written(Format.SR)).Status) == 0xA700
    assert by_hl7(unwritable, FOREIGN) == ["AR"]
    settings = FolderListener(path=str(tmp_path / "in"), site="north", settle_s=0)
    watch = FolderWatch(Reception(unwritable, "folder"), settings)
    (tmp_path / "in" / "one.dcm").write_bytes(written(Format.SR))
    watch.look()
    assert (tmp_path / "in" / "working" / "one.dcm").exists()
    assert kept(unwritable, sender="north") == 2


def test_without_a_trail_nothing_is_written(deploy: Deploy) -> None:
    here = deploy(audit=False)
    assert by_hl7(here, FOREIGN) == ["AA"]
    assert here.store.audit.after(0) == ()
