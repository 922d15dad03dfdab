"""A message for training or debugging (MSH-11) is no report of a patient, whichever door it comes to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from service.api.deployment import Deployment
from service.app import create_app
from service.commands.worker import made
from service.config import BadSetting, load
from service.receiving.folder import FolderWatch
from service.receiving.hl7 import answer_to
from service.receiving.reception import Reception
from service.receiving.settings import FolderListener
from service.workflows.batching import Clerk
from tests.unit.receiving.conftest import Deploy
from tests.unit.receiving.test_hl7 import FOREIGN

HEAD = {"Content-Type": "application/hl7-v2"}
MERGE = (
    "MSH|^~\\&|ADT|NORTH|EHR|MAIN|20260302101500||ADT^A40^ADT_A39|M2|P|2.5.1\rPID|1||P2^^^NORTH^MR\rMRG|P1^^^NORTH^MR\r"
)
Door = Callable[[Deployment, bytes, Path], str]


def for_(processing: str, message: str = FOREIGN) -> bytes:
    """A message of this processing id."""
    assert "|P|2.5.1" in message
    return message.replace("|P|2.5.1", f"|{processing}|2.5.1").encode()


def over_mllp(here: Deployment, message: bytes, _: Path) -> str:
    [answer] = answer_to(Reception(here, "hl7"), message)
    return answer.decode()


def in_the_folder(here: Deployment, message: bytes, folder: Path) -> str:
    inbox = folder / "inbox"
    inbox.mkdir()
    (inbox / "a.hl7").write_bytes(message)
    FolderWatch(Reception(here, "folder"), FolderListener(path=str(inbox), settle_s=0)).look()
    return "".join(file.read_text() for file in (inbox / "failed").glob("*.reason.json"))


def posted(here: Deployment, message: bytes, _: Path) -> str:
    return create_app(here.settings).test_client().post("/v1/reports", data=message, headers=HEAD).text


def tried(here: Deployment, message: bytes, _: Path) -> str:
    return create_app(here.settings).test_client().post("/v1/reports?dry-run=true", data=message, headers=HEAD).text


def amending(here: Deployment, message: bytes, inbox: Path) -> str:
    posted(here, for_("P"), inbox)
    [kept] = here.store.search({}, limit=9)
    client = create_app(here.settings).test_client()
    said = message.replace(b"One lesion", b"Two lesions").replace(b"20260302101500", b"20260303101500")
    return client.post(f"/v1/reports/{kept.id}/amend?kind=correct", data=said, headers=HEAD).text


def in_a_batch(here: Deployment, message: bytes, _: Path) -> str:
    client = create_app(here.settings).test_client()
    head = {"Content-Type": "application/x-ndjson"}
    taken = client.post("/v1/batches", data=message + b"\n", headers=head)
    assert taken.status_code == 202, taken.text
    clerk = Clerk(here.store, here.destinations, made(here.settings)._opened, Event())
    while claimed := here.store.batches.claim(1):
        clerk.publish(claimed[0])
    [batch] = here.store.batches.list(limit=9)
    return str(here.store.batches.outcomes(batch.id, limit=9))


DOORS = (over_mllp, in_the_folder, posted, amending, in_a_batch)


@pytest.mark.parametrize("door", [*DOORS, tried])
@pytest.mark.parametrize("processing", ["T", "D", "t", "T^I", "X"])
def test_no_door_keeps_what_is_for_no_patient(here: Deployment, tmp_path: Path, door: Door, processing: str) -> None:
    assert "v2-processing" in door(here, for_(processing), tmp_path)
    assert len(here.store.search({}, limit=9)) == (door is amending)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("processing", ["T", "", "p", "P^T"])
def test_every_door_keeps_what_the_setting_names(deploy: Deploy, tmp_path: Path, door: Door, processing: str) -> None:
    here = deploy(hl7_processing="P, T")
    assert "v2-processing" not in door(here, for_(processing), tmp_path)
    assert len(here.store.search({}, limit=9)) == 1 + (door is amending)


@pytest.mark.parametrize("message", [FOREIGN, MERGE], ids=["ORU", "ADT"])
def test_the_listener_answers_that_the_processing_is_not_taken(here: Deployment, message: str) -> None:
    [answer] = answer_to(Reception(here, "hl7"), for_("T", message))
    assert b"\rMSA|AR|" in answer
    assert b"|202^Unsupported processing id^HL70357|" in answer
    assert answer.split(b"\r")[0].split(b"|")[10] == b"T"


def test_a_conversion_keeps_nothing_and_takes_any(here: Deployment) -> None:
    client = create_app(here.settings).test_client()
    answer = client.post("/v1/convert", data=for_("T"), headers=HEAD)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("said", ["PT", "P,X", "p", ",", "P,"])
def test_only_what_the_table_has_can_be_taken(said: str) -> None:
    with pytest.raises(BadSetting, match="hl7_processing"):
        load({"LESIONBRIDGE_HL7_PROCESSING": said})
    assert load({"LESIONBRIDGE_HL7_PROCESSING": "P,T"}).hl7_processing == "P,T"
