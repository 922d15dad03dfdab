"""The Storage SCP: sent to by dcmtk's storescu, by pynetdicom and by Orthanc."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom import Dataset, dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from service.api.deployment import Deployment
from service.delivery.cstore import CStoreDestination
from service.delivery.destination import Outcome, Outgoing
from service.delivery.settings import CStore, ServerTls, Tls
from service.domain import errors
from service.domain.emitted import SrReference
from service.domain.limits import Limits
from service.pipeline import Format
from service.receiving import statuses
from service.receiving.dicom import STORED, DicomServer
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener
from tests.certificates import Authority
from tests.oracles.servers import Pacs
from tests.unit.receiving.conftest import Deploy, destinations, kept, written

GUIDE = (Path(__file__).parents[3] / "docs" / "receiving.md").read_text(encoding="utf-8")


def serve(here: Deployment, **settings: Any) -> DicomServer:
    return DicomServer(Reception(here, "dicom"), DicomListener(port=0, **settings))


@pytest.fixture
def server(here: Deployment) -> Iterator[DicomServer]:
    """An SCP."""
    made = serve(here)
    yield made
    made.stop()


def send(server: DicomServer, content: bytes, **title: str) -> Dataset:
    """The response to a C-STORE of pynetdicom."""
    made = dcmread(BytesIO(content))
    entity = AE(ae_title=title.get("calling", "NORTHAI"))
    entity.add_requested_context(made.SOPClassUID, made.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", server.port, ae_title=title.get("called", "LESIONBRIDGE"))
    assert association.is_established
    try:
        return association.send_c_store(made)
    finally:
        association.release()


def test_an_object_is_kept_and_goes_out_by_the_rule(server: DicomServer, here: Deployment) -> None:
    assert send(server, written(Format.SR)).Status == 0x0000
    assert send(server, written(Format.SR)).Status == 0x0000
    [report] = here.store.search({"sender": "north"}, limit=9)
    assert report.sr.sop_instance == report.report_id
    assert destinations(here) == {"ehr", "engine"}


def test_answers_an_echo(server: DicomServer) -> None:
    entity = AE()
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", server.port, ae_title="LESIONBRIDGE")
    assert association.send_c_echo().Status == 0x0000
    association.release()


def test_other_content_under_a_uid_is_a_duplicate(server: DicomServer) -> None:
    sr = written(Format.SR)
    send(server, sr)
    told = send(server, sr.replace(b"14.20", b"15.20"))
    assert (told.Status, told.ErrorComment) == (0x0111, "version")


def test_an_object_of_another_name_than_the_request_is_not_understood(server: DicomServer) -> None:
    made = dcmread(BytesIO(written(Format.SR)))
    made.SOPInstanceUID = ""
    entity = AE(ae_title="NORTHAI")
    entity.add_requested_context(made.SOPClassUID, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", server.port, ae_title="LESIONBRIDGE")
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID
    del made.ContentSequence, made.ValueType
    assert association.send_c_store(made).Status == 0x0122
    association.release()


def test_only_those_who_may_associate(deploy: Deploy) -> None:
    server = serve(deploy(), calling=("NORTHAI",))
    try:
        assert send(server, written(Format.SR)).Status == 0x0000
        for calling, called in (("STRANGER", "LESIONBRIDGE"), ("NORTHAI", "OTHER")):
            entity = AE(ae_title=calling)
            entity.add_requested_context(Verification)
            assert entity.associate("127.0.0.1", server.port, ae_title=called).is_rejected
    finally:
        server.stop()


def test_images_are_not_negotiated(server: DicomServer) -> None:
    entity = AE(ae_title="NORTHAI")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4")
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", server.port, ae_title="LESIONBRIDGE")
    assert [str(one.abstract_syntax) for one in association.accepted_contexts] == [str(Verification)]
    association.release()


def test_hangs_up_on_an_object_that_is_too_large(deploy: Deploy) -> None:
    server = serve(deploy(limits=Limits(body_bytes=20_000)))
    try:
        made = dcmread(BytesIO(written(Format.SR)))
        made.add_new(0x00091001, "OB", b"\0" * 2_000_000)
        into = BytesIO()
        made.save_as(into, enforce_file_format=True)
        assert "Status" not in send(server, into.getvalue())
    finally:
        server.stop()


def test_a_database_that_is_away_is_out_of_resources(server: DicomServer, here: Deployment, tmp_path: Path) -> None:
    here.store.close()
    (tmp_path / "in.sqlite3").unlink()
    assert send(server, written(Format.SR)).Status == 0xA700


def test_our_own_destination_over_tls(here: Deployment, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours, theirs = authority.identity("server", "127.0.0.1", "localhost"), authority.identity("client", "client")
    server = serve(here, tls=ServerTls(str(ours.certificate), str(ours.key), str(authority.certificate)))
    try:
        tls = Tls(str(authority.certificate), str(theirs.certificate), str(theirs.key))
        peer = CStore(name="p", host="127.0.0.1", port=server.port, called="LESIONBRIDGE", verify="none", tls=tls)
        sr = written(Format.SR)
        made = dcmread(BytesIO(sr))
        reference = SrReference(
            str(made.SOPClassUID), str(made.SOPInstanceUID), str(made.SeriesInstanceUID), str(made.StudyInstanceUID)
        )
        outgoing = Outgoing("id", "application/dicom", sr, "id.dcm", sr=reference)
        assert CStoreDestination(peer).send(outgoing).outcome is Outcome.STORED
    finally:
        server.stop()
    assert kept(here) == 1


def test_one_that_connects_to_the_tls_port_and_says_nothing_keeps_nobody_out(here: Deployment, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.identity("server", "127.0.0.1")
    server = serve(here, tls=ServerTls(str(ours.certificate), str(ours.key)))
    try:
        tls = Tls(str(authority.certificate))
        peer = CStore(name="p", host="127.0.0.1", port=server.port, called="LESIONBRIDGE", verify="none", tls=tls)
        with socket.create_connection(("127.0.0.1", server.port)), socket.create_connection(("127.0.0.1", server.port)):
            assert CStoreDestination(peer).probe()[0].passed
    finally:
        server.stop()


def test_a_handshake_that_fails_ends_that_association_only(here: Deployment, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.identity("server", "127.0.0.1")
    server = serve(here, tls=ServerTls(str(ours.certificate), str(ours.key), str(authority.certificate)))
    mine = authority.identity("mine", "mine")
    try:
        for tls, is_let_in in (
            (Tls(str(authority.certificate)), False),
            (None, False),
            (Tls(str(authority.certificate), str(mine.certificate), str(mine.key)), True),
        ):
            peer = CStore(name="p", host="127.0.0.1", port=server.port, called="LESIONBRIDGE", verify="none", tls=tls)
            assert CStoreDestination(peer).probe()[0].passed is is_let_in
    finally:
        server.stop()


@pytest.mark.oracle("dcmtk")
@pytest.mark.parametrize("syntax", ["-xe", "-xi", "-xd", "-xb"])
def test_dcmtk_sends_in_every_transfer_syntax(
    server: DicomServer, here: Deployment, oracle: Callable[[str], Path], tmp_path: Path, syntax: str
) -> None:
    file = tmp_path / "sr.dcm"
    file.write_bytes(written(Format.SR))
    names = ["-aet", "NORTHAI", "-aec", "LESIONBRIDGE"]
    command = [str(oracle("storescu")), syntax, *names, "127.0.0.1", str(server.port), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert kept(here, sender="north") == 1


@pytest.mark.oracle("orthanc")
def test_orthanc_sends(server: DicomServer, here: Deployment, pacs: Pacs) -> None:
    sr = written(Format.SR)
    stored = requests.post(f"{pacs.url}/instances", data=sr, timeout=60).json()["ID"]
    modality = {"AET": "LESIONBRIDGE", "Host": "127.0.0.1", "Port": server.port}
    assert requests.put(f"{pacs.url}/modalities/us", json=modality, timeout=60).ok
    assert requests.post(f"{pacs.url}/modalities/us/echo", data="", timeout=60).ok
    answer = requests.post(f"{pacs.url}/modalities/us/store", data=stored, timeout=60)
    assert answer.ok, answer.text
    assert kept(here) == 1
    assert destinations(here) == {"ehr", "engine"}


@pytest.mark.parametrize("uid", STORED)
def test_the_classes_are_those_of_the_dictionary(uid: str) -> None:
    assert UID(uid).name.startswith(STORED[uid].removesuffix(" SR"))


@pytest.mark.parametrize("row", statuses.MEANINGS)
def test_every_status_is_described(row: statuses.Meaning) -> None:
    assert f"| {row.dimse:04X} |" in GUIDE
    assert f"| `{row.ack}` |" in GUIDE


@pytest.mark.parametrize("kind", [errors.LesionBridgeError, *errors.LesionBridgeError.__subclasses__(), ValueError])
def test_every_error_has_a_status(kind: type[Exception]) -> None:
    error = kind(errors.Problem("", "x", "y")) if issubclass(kind, errors.LesionBridgeError) else kind()
    assert statuses.dimse(error) > 0
    assert statuses.hl7(error).ack in ("AE", "AR")
