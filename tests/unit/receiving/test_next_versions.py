"""Who has a version gets the next one, whichever way that comes in; who does not is named in the receipt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from service.api.deployment import Deployment
from service.app import create_app
from service.config import Settings
from service.domain.emitted import SrReference
from service.pipeline import Format
from service.receiving.dicom import DicomServer
from service.receiving.folder import FolderWatch
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener, FolderListener
from tests.findings import make_body
from tests.unit.receiving.conftest import Deploy, written
from tests.unit.receiving.test_dicom import send
from tests.unit.receiving.test_following import CORRECTED, FINAL

HEAD = {"Content-Type": "application/json"}
RULES = """
[sites.north]
ae_titles = ["NORTHAI"]
facilities = ["NORTH"]
zone = "Europe/Berlin"

[[routes]]
name = "corrections"
status = ["corrected"]
deliver = ["engine"]

[[routes]]
name = "all else"
deliver = ["pacs", "ehr"]
"""
ISSUED = "2026-03-03T08:00:00+01:00"


def newest(here: Deployment, **condition: str) -> dict[str, Any]:
    """The receipt of the version that came last."""
    found = here.store.search(condition, limit=9)
    receipt: dict[str, Any] = orjson.loads(max(found, key=lambda one: (one.version, one.received)).receipt)
    return receipt


def went(receipt: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Each destination with the version before that it was sent."""
    return [(one["destination"], one.get("earlier")) for one in receipt.get("deliveries", ())]


def client(here: Deployment) -> FlaskClient:
    """The service of a deployment."""
    return create_app(here.settings).test_client()


def second(**more: Any) -> bytes:
    """Version 2 of the example, corrected."""
    return make_body(**{"report__version": 2, "report__status": "corrected", "report__issued": ISSUED, **more})


def by_hl7(here: Deployment, _folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A final result and its correction."""
    reception, site = Reception(here, "hl7"), here.receiving.sites["north"]
    for message in (FINAL, CORRECTED):
        reception.take(message.encode(), Format.HL7V2, site)
    first, last = (here.store.search({"status": one}, limit=9)[0] for one in ("final", "corrected"))
    return orjson.loads(first.receipt), orjson.loads(last.receipt)


def by_folder(here: Deployment, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """A file and the next version of its report."""
    watch = FolderWatch(Reception(here, "folder"), FolderListener(path=str(folder), site="north", settle_s=0))
    receipts = []
    for name, body in (("one.json", make_body()), ("two.json", second())):
        (folder / name).write_bytes(body)
        assert watch.look() == 1
        receipts.append(newest(here, sender="north"))
    return receipts[0], receipts[1]


def by_rest(here: Deployment, _folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Version 1 and version 2."""
    sent = [client(here).post("/v1/reports", data=one, headers=HEAD).json for one in (make_body(), second())]
    assert sent[0] is not None
    assert sent[1] is not None
    return sent[0], sent[1]


@pytest.mark.parametrize("come", [by_hl7, by_folder, by_rest])
def test_a_correction_goes_to_who_got_what_it_corrects_and_where_its_rule_says(
    come: Callable[[Deployment, Path], tuple[dict[str, Any], dict[str, Any]]], deploy: Deploy, tmp_path: Path
) -> None:
    first, last = come(deploy(receiving=RULES), tmp_path / "in")
    assert went(first) == [("pacs", None), ("ehr", None)]
    assert went(last) == [("pacs", 1), ("ehr", 1), ("engine", None)]
    assert (first["route"], last["route"]) == ("all else", "corrections")
    assert "notices" not in first | last


def successor(before: SrReference, **more: Any) -> bytes:
    """An SR that names this one as its predecessor."""
    predecessor = {"sop": before.sop_instance, "series": before.series, "sopClass": before.sop_class}
    return written(
        Format.SR,
        report__version=2,
        report__status="corrected",
        report__issued=ISSUED,
        report__predecessor=predecessor,
        **more,
    )


def corrected(here: Deployment) -> dict[str, Any]:
    """Send an SR that names the only one that is there as its predecessor; its receipt."""
    [before] = here.store.search({}, limit=9)
    assert by_stow(here, Path(), successor(before.sr))
    last = next(one for one in here.store.search({}, limit=9) if one.id != before.id)
    receipt: dict[str, Any] = orjson.loads(last.receipt)
    return receipt


def test_an_sr_goes_to_who_got_its_predecessor(deploy: Deploy) -> None:
    here = deploy(receiving=RULES)
    assert by_stow(here, Path(), written(Format.SR))
    receipt = corrected(here)
    assert receipt["route"] == "corrections"
    assert went(receipt) == [("pacs", 1), ("ehr", 1), ("engine", None)]


def test_the_sr_of_another_sender_is_nobodys_predecessor(deploy: Deploy) -> None:
    here = deploy(receiving=RULES)
    Reception(here, "stow").take(written(Format.SR), Format.SR, here.receiving.sites["north"])
    assert went(corrected(here)) == [("engine", None)]


def by_stow(here: Deployment, _folder: Path, body: bytes) -> bool:
    """Over DICOMweb."""
    part = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n--b--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=b'
    sent = client(here).post("/dicom-web/studies", data=part, headers={"Content-Type": kind})
    return sent.status_code == 200


def by_dicom(here: Deployment, _folder: Path, body: bytes) -> bool:
    """Over DIMSE, from a title of no site."""
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0))
    try:
        return int(send(server, body, calling="PACS").Status) == 0
    finally:
        server.stop()


def by_file(here: Deployment, folder: Path, body: bytes) -> bool:
    """A file."""
    watch = FolderWatch(Reception(here, "folder"), FolderListener(path=str(folder), settle_s=0))
    name = f"{len(list(folder.rglob('*.dcm')))}.dcm"
    (folder / name).write_bytes(body)
    watch.look()
    return (folder / "done" / name).exists()


def by_post(here: Deployment, _folder: Path, body: bytes) -> bool:
    """Over REST."""
    head = {"Content-Type": "application/dicom"}
    return client(here).post("/v1/reports", data=body, headers=head).status_code in (200, 201)


Way = Callable[[Deployment, Path, bytes], bool]


@pytest.mark.parametrize("sent", [by_stow, by_dicom, by_file, by_post])
def test_an_sr_that_corrects_one_is_the_next_version_of_its_report_whichever_way_it_comes(
    sent: Way, deploy: Deploy, tmp_path: Path
) -> None:
    here = deploy(receiving=RULES)
    folder = tmp_path / "in"
    first = written(Format.SR)
    assert sent(here, folder, first)
    [before] = here.store.search({}, limit=9)
    last = successor(before.sr, lesions__0__measurements__volume=None)
    assert sent(here, folder, last)
    assert sent(here, folder, last)
    assert sent(here, folder, first)
    one, two = here.store.versions(before.id)
    assert (one.version, two.version, two.status) == (1, 2, "corrected")
    assert len(here.store.search({}, limit=9)) == 2
    assert went(orjson.loads(two.receipt)) == [("pacs", 1), ("ehr", 1), ("engine", None)]
    bundle = orjson.loads(here.store.output(two.id, "fhir").content)
    gone = [entry["resource"] for entry in bundle["entry"] if entry["resource"].get("status") == "entered-in-error"]
    assert [resource["code"]["text"] for resource in gone] == ["volume"]


def test_a_successor_that_can_not_follow_is_refused_in_the_words_of_each_way(deploy: Deploy, tmp_path: Path) -> None:
    here = deploy(receiving=RULES)
    by_stow(here, tmp_path, written(Format.SR))
    [before] = here.store.search({}, limit=9)
    by_stow(here, tmp_path, successor(before.sr))
    late = successor(before.sr, report__impression="Said by somebody who has not seen the second one.")
    said = client(here).post("/v1/reports", data=late, headers={"Content-Type": "application/dicom"})
    assert said.status_code == 409
    assert said.json is not None
    assert said.json["errors"][0]["rule"] == "newest-version"
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0))
    try:
        answer = send(server, late, calling="PACS")
    finally:
        server.stop()
    assert (answer.Status, answer.ErrorComment) == (0xA900, "newest-version")
    assert not by_file(here, tmp_path / "in", late)
    assert len(here.store.versions(before.id)) == 2


def test_the_sr_as_one_destination_has_it_is_followed_and_known_when_it_comes_back(
    deploy: Deploy, tmp_path: Path
) -> None:
    here = deploy(receiving=RULES)
    file = tmp_path / "destinations.toml"
    file.write_text(file.read_text().replace('takes = "sr"', 'takes = "sr"\ndialect = "ohif"'))
    sent = client(here).post("/v1/reports", data=make_body(), headers=HEAD).json
    assert sent is not None
    [there] = [one for one in here.store.deliveries.of(sent["id"]) if one.destination == "pacs"]
    assert there.sr is not None
    assert there.sr.sop_instance != sent["sr"]["sopInstance"]
    assert by_post(here, tmp_path, here.store.output(sent["id"], there.role).content)
    assert len(here.store.search({}, limit=9)) == 1
    assert by_post(here, tmp_path, successor(there.sr))
    assert [(one.report_id, one.version) for one in here.store.versions(sent["id"])] == [
        ("MR-2026-000481", 1),
        ("MR-2026-000481", 2),
    ]


def test_who_is_named_in_the_request_is_the_senders_word_and_who_is_not_is_in_the_receipt(deploy: Deploy) -> None:
    here = deploy(receiving=RULES)
    ask = client(here)
    first = ask.post("/v1/reports", data=make_body(), headers=HEAD).json
    assert first is not None
    for query in ("?deliver=ehr&dry-run=true", "?deliver=ehr"):
        said = ask.post(f"/v1/reports{query}", data=second(), headers=HEAD).json
        assert said is not None
        assert went(said) == [("ehr", 1)]
        assert said["notices"] == [
            {
                "rule": "older-version",
                "destination": "pacs",
                "version": 1,
                "href": f"/v1/reports/{first['id']}",
                "detail": "version 1 was sent there and this one is not: the request names others",
            }
        ]


def test_no_version_that_comes_in_is_refused_for_a_destination_that_is_gone(deploy: Deploy, tmp_path: Path) -> None:
    here = deploy(receiving="")
    client(here).post("/v1/reports?deliver=pacs,ehr", data=make_body(), headers=HEAD)
    (tmp_path / "destinations.toml").write_text('[destinations.ehr]\nkind = "folder"\npath = "/x"\ntakes = "fhir-r4"')
    said = client(here).post("/v1/reports", data=second(), headers=HEAD)
    assert said.status_code == 201
    assert said.json is not None
    assert went(said.json) == [("ehr", 1)]
    assert [(one["destination"], one["detail"].partition(": ")[2]) for one in said.json["notices"]] == [
        ("pacs", "it is not set up any more")
    ]
    (tmp_path / "destinations.toml").write_text("")
    last = second(report__version=3)
    said = client(here).post("/v1/reports", data=last, headers=HEAD)
    assert said.json is not None
    assert [(one["destination"], one["version"]) for one in said.json["notices"]] == [("pacs", 1), ("ehr", 2)]


def test_without_rules_a_batch_sends_the_next_version_where_the_one_before_went(deploy: Deploy) -> None:
    from service.commands.worker import made

    here = deploy(receiving="")
    client(here).post("/v1/reports?deliver=pacs", data=make_body(), headers=HEAD)
    opening = made(Settings(**{name: getattr(here.settings, name) for name in here.settings.__slots__}))._opened()
    assert opening.routed is not None


def test_a_dry_run_of_a_destination_is_no_older_version_that_it_has(deploy: Deploy, tmp_path: Path) -> None:
    here = deploy(receiving="")
    file = tmp_path / "destinations.toml"
    file.write_text(file.read_text().replace('takes = "sr"', 'takes = "sr"\ndry_run = true'))
    ask = client(here)
    ask.post("/v1/reports?deliver=pacs,ehr", data=make_body(), headers=HEAD)
    said = ask.post("/v1/reports?deliver=ehr", data=second(), headers=HEAD).json
    assert said is not None
    assert "notices" not in said
    third = ask.post("/v1/reports", data=second(report__version=3), headers=HEAD).json
    assert third is not None
    assert went(third) == [("pacs", 1), ("ehr", 2)]
