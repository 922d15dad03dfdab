"""Addresses in documents are words: whatever a document names, nobody is asked, by no reader, writer or check."""

import json
import socket
from typing import Any, NoReturn

import pytest

from service.doors import Format
from service.pipeline import Options, Source, convert
from tests import sr_files as sr
from tests.findings import make_body

URL = "http://169.254.169.254/latest/meta-data"
ALL = (Format.FINDINGS, Format.FHIR_R4, Format.SR, Format.HL7V2, Format.HTML, Format.PDF)
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "implicitRules": URL,
    "meta": {"profile": [URL]},
    "link": [{"relation": "next", "url": URL}],
    "entry": [
        {
            "fullUrl": f"{URL}/DiagnosticReport/1",
            "resource": {
                "resourceType": "DiagnosticReport",
                "extension": [{"url": URL, "valueUrl": URL}],
                "identifier": [{"system": URL, "value": "R"}],
                "status": "final",
                "code": {"coding": [{"system": URL, "code": "x"}], "text": "MR brain"},
                "subject": {"reference": f"{URL}/Patient/1"},
                "issued": "2026-03-02T10:41:00+01:00",
                "result": [{"reference": f"{URL}/Observation/9"}, {"reference": "http://127.0.0.1:9/Observation/1"}],
                "imagingStudy": [{"reference": f"{URL}/ImagingStudy/9"}],
                "presentedForm": [{"contentType": "application/pdf", "url": URL}, {"data": "H4sIAAAAAAAA/w=="}],
                "media": [{"link": {"reference": f"{URL}/Media/1"}}],
                "conclusion": f'<img src="{URL}"> <script src="{URL}"></script>',
            },
        },
        {
            "fullUrl": f"{URL}/Patient/1",
            "resource": {
                "resourceType": "Patient",
                "id": "1",
                "identifier": [{"system": URL, "value": "P"}],
                "photo": [{"url": URL}],
                "managingOrganization": {"reference": f"{URL}/Organization/1"},
            },
        },
    ],
}


def of_sr() -> bytes:
    """An SR whose texts and references name addresses."""
    return sr.measured(
        sr.text(("121106", "DCM", "Comment"), URL),
        sr.num(sr.LONG_AXIS, "14", sr.MM),
        RetrieveURL=URL,
        StudyDescription=URL,
    )


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Who was asked."""
    found: list[object] = []

    def refused(*said: object, **_: object) -> NoReturn:
        found.append(said[-1])
        raise OSError("nobody is asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    for name in ("getaddrinfo", "create_connection", "gethostbyname"):
        monkeypatch.setattr(socket, name, refused)
    return found


@pytest.mark.parametrize(
    "source",
    [
        Source(json.dumps(BUNDLE).encode(), Format.FHIR_R4),
        Source(make_body(report__impression=f'<img src="{URL}">', study__description=URL, lesions__0__text=URL)),
        Source(of_sr(), Format.SR),
    ],
    ids=["fhir", "findings", "sr"],
)
def test_whatever_a_document_names(asked: list[object], source: Source) -> None:
    outputs = convert(source, ALL, Options(check=True)).outputs
    page = outputs[Format.HTML].content
    assert page.count(b"<script") + page.count(b"<img") == 0
    assert asked == []
