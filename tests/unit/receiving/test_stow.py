"""STOW-RS in: asked by `requests` over a real connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import requests
from flask import Flask
from pydicom import Dataset, FileMetaDataset, dcmread, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian
from werkzeug.serving import make_server

from service.api.deployment import Deployment
from service.api.stow import DICOM_XML
from service.app import create_app
from service.domain.errors import Invalid, Unreadable
from service.domain.limits import Limits
from service.pipeline import Format
from service.receiving.multipart import parts
from service.receiving.stow import NAMESPACE
from tests.oracles.servers import Pacs
from tests.unit.receiving.conftest import Deploy, destinations, kept, written

STORED, FAILED, OTHER, REASON, INSTANCE = "00081199", "00081198", "0008119A", "00081197", "00081155"


@pytest.fixture
def app(deploy: Deploy) -> Flask:
    """The application."""
    return create_app(deploy().settings)


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """The service on loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/dicom-web/studies"
    server.shutdown()
    thread.join()


def body(*contents: bytes, media_type: str = "application/dicom", boundary: str = "b0") -> bytes:
    """A multipart body as clients write it."""
    pieces = [b"--%s\r\nContent-Type: %s\r\n\r\n%s\r\n" % (boundary.encode(), media_type.encode(), c) for c in contents]
    return b"".join(pieces) + b"--" + boundary.encode() + b"--\r\n"


def post(url: str, content: bytes, accept: str = "application/dicom+json", **headers: str) -> requests.Response:
    kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b0', "Accept": accept}
    return requests.post(url, data=content, headers=kind | headers, timeout=60)


def told(answer: requests.Response) -> Any:
    """The answer as a data set, read by pydicom."""
    return Dataset.from_json(answer.json())


def here_of(app: Flask) -> Deployment:
    found = app.extensions["lesionbridge"]
    assert isinstance(found, Deployment)
    return found


def test_an_sr_is_kept_and_goes_out_as_fhir_and_oru_by_the_rule(url: str, app: Flask) -> None:
    sr = written(Format.SR)
    answer = post(url, body(sr))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/dicom+json")
    [one] = told(answer).ReferencedSOPSequence
    here = here_of(app)
    [report] = here.store.search({"report_id": str(one.ReferencedSOPInstanceUID)}, limit=9)
    assert here.store.output(report.id, "sr").content == sr
    assert destinations(here) == {"ehr", "engine"}
    assert b'"route": "what the PACS sends is not sent back"' in report.receipt


def test_the_same_object_again_is_stored_and_nothing_is_doubled(url: str, app: Flask) -> None:
    sr = written(Format.SR)
    answers = [post(url, body(sr)), post(url, body(sr, sr))]
    assert [one.status_code for one in answers] == [200, 200]
    assert kept(here_of(app)) == 1
    assert len(here_of(app).store.deliveries.list({}, limit=9)) == 2


def test_each_failure_is_named_and_costs_no_other(url: str, app: Flask) -> None:
    good = written(Format.SR)
    other = good.replace(b"14.20", b"15.20")
    broken = good[: len(good) // 2]
    answer = post(url, body(good, other, b"no dicom at all", broken))
    assert answer.status_code == 202
    found = answer.json()
    assert len(found[STORED]["Value"]) == 1
    reasons = [item[REASON]["Value"][0] for item in found[FAILED]["Value"]]
    assert 0x0111 in reasons  # other content is there under this UID
    assert [item[REASON]["Value"][0] for item in found[OTHER]["Value"]] != []
    assert kept(here_of(app)) == 1


def test_one_study_only_where_the_address_names_it(url: str) -> None:
    sr = written(Format.SR)
    elsewhere = post(f"{url}/1.2.3.99", body(sr))
    assert elsewhere.status_code == 409
    [one] = told(elsewhere).FailedSOPSequence
    assert one.FailureReason == 0xA900
    study = dcmread(BytesIO(sr)).StudyInstanceUID
    assert post(f"{url}/{study}", body(sr)).status_code == 200
    assert post(f"{url}/not-a-uid", body(sr)).status_code == 404


def test_an_object_that_is_no_sr_is_not_supported(url: str) -> None:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3.4"
    image.StudyInstanceUID = "1.2.3"
    into = BytesIO()
    dcmwrite(into, image, enforce_file_format=True)
    answer = post(url, body(into.getvalue()))
    [one] = told(answer).FailedSOPSequence
    assert (answer.status_code, one.FailureReason, one.ReferencedSOPInstanceUID) == (409, 0x0122, "1.2.3.4")


def test_the_answer_may_be_xml(url: str) -> None:
    answer = post(url, body(written(Format.SR)), accept=DICOM_XML)
    root = ET.fromstring(answer.content)
    found = root.findall(f".//{{{NAMESPACE}}}DicomAttribute[@keyword='ReferencedSOPInstanceUID']")
    assert (answer.headers["Content-Type"].partition(";")[0], len(found)) == (DICOM_XML, 1)


@pytest.mark.parametrize(
    ("accept", "status"),
    [("*/*", 200), ("", 200), ("application/json", 200), ("text/html", 406), ("application/*", 200)],
)
def test_accept(url: str, accept: str, status: int) -> None:
    assert post(url, body(written(Format.SR)), accept=accept).status_code == status


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", 'multipart/related; type="application/dicom"; boundary=b0', 400),
        (b"--b0--\r\n", 'multipart/related; type="application/dicom"; boundary=b0', 422),
        (b"--b0\r\nContent-Type: application/dicom\r\n\r\nhalf", "multipart/related; boundary=b0", 400),
        (b"--b0--", "multipart/related", 400),
        (b"--b0--", "multipart/related; type=application/dicom+json; boundary=b0", 415),
        (b"{}", "application/json", 415),
    ],
)
def test_a_request_that_can_not_be_taken_apart_is_refused(url: str, content: bytes, kind: str, status: int) -> None:
    answer = post(url, content, **{"Content-Type": kind})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_more_than_the_limits_is_refused(deploy: Deploy) -> None:
    sr = written(Format.SR)
    made = create_app(deploy(limits=Limits(instances=1, body_bytes=2 * len(sr) + 1000)).settings).test_client()
    head = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b0'}
    assert made.post("/dicom-web/studies", data=body(sr, sr), headers=head).status_code == 422
    assert made.post("/dicom-web/studies", data=body(sr, sr, sr), headers=head).status_code == 413


def test_a_database_that_is_away_is_no_fault_of_the_object(app: Flask, url: str, tmp_path: Path) -> None:
    here_of(app).store.close()
    (tmp_path / "in.sqlite3").unlink()
    answer = post(url, body(written(Format.SR)))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert told(answer).FailedSOPSequence[0].FailureReason == 0xA700


def test_parts_are_what_stands_between_the_delimiters() -> None:
    bare, named = b"--x\r\n\r\nbare\r\n", b"--x  \r\nA: b\r\nContent-Type: Text/Plain; q=1\r\n\r\n\r\n--y\r\n\r\n"
    content = b"preamble\r\n" + bare + named + b"--x--\r\nend"
    assert [(one.media_type, one.content) for one in parts(content, "x", Limits(instances=9))] == [
        ("", b"bare"),
        ("text/plain", b"\r\n--y\r\n"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--x",
        b"--x\r\n",
        b"--x\r\nA: b\r\n--x--",
        b"--xy\r\n\r\na\r\n--x--",
    ],
)
def test_a_body_that_is_none_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        list(parts(content, "x", Limits(instances=9)))


def test_parts_are_counted() -> None:
    content = b"--x\r\n\r\na\r\n" * 3 + b"--x--"
    assert len(list(parts(content, "x", Limits(instances=3)))) == 3
    with pytest.raises(Invalid, match=r"limits\.instances"):
        list(parts(content, "x", Limits(instances=2)))


@pytest.mark.oracle("orthanc")
def test_orthanc_sends_by_its_own_client(url: str, app: Flask, pacs: Pacs) -> None:
    stored = requests.post(f"{pacs.url}/instances", data=written(Format.SR), timeout=60).json()["ID"]
    server = {"Url": url.removesuffix("studies")}
    assert requests.put(f"{pacs.dicom_web}/servers/us", json=server, timeout=60).ok
    sent = {"Resources": [stored], "Synchronous": True}
    answer = requests.post(f"{pacs.dicom_web}/servers/us/stow", json=sent, timeout=60)
    assert answer.ok, answer.text
    assert kept(here_of(app)) == 1


@pytest.mark.cases
def test_every_sr_of_others_gets_an_answer_of_its_own(url: str, cases: Path) -> None:
    files = sorted((cases / "sr").rglob("*.dcm"))[:12]
    assert files
    for file in files:
        answer = post(url, body(file.read_bytes()))
        found = told(answer)
        named = [*found.get("ReferencedSOPSequence", ()), *found.get("FailedSOPSequence", ())]
        assert answer.status_code in (200, 409)
        assert len(named) + len(found.get("OtherFailuresSequence", ())) == 1


@pytest.mark.parametrize("lines", [1, 3_000])
def test_the_headers_of_a_part_are_bounded_by_a_setting(lines: int) -> None:
    content = b"--x\r\n" + b"a:\r\n" * lines + b"\r\nb\r\n--x--"
    assert [one.content for one in parts(content, "x", Limits(part_header_bytes=4 * lines))] == [b"b"]
    with pytest.raises(Invalid, match=r"limits\.part_header_bytes") as refused:
        list(parts(content, "x", Limits(part_header_bytes=4 * lines - 3)))
    assert (refused.value.problems[0].pointer, refused.value.problems[0].rule) == ("part[1]", "limit")
