"""What is written is read back as it was: findings, SR, findings; but for what the conformance statement says."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Refused
from service.domain.limits import Limits
from service.domain.received import Intake
from service.domain.report import CodedReport, Device, Observer
from service.formats.findings.read import read as read_findings
from service.formats.sr.read import read
from service.formats.sr.write import write
from tests.codable import codable_documents
from tests.reports import make_coded_report
from tests.same_report import as_an_sr_says, differences

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.json"))


def coded(document: Any) -> CodedReport:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return code_report(read_findings(body, default_sender="local", limits=Limits()), vocabulary())


def lost_on_the_way(report: CodedReport, dialect: str = "strict") -> list[str]:
    """Write, read, code, and say what differs."""
    written = write(report, dialect=dialect)
    received = read(written.content, Intake())
    back = code_report(received.report, vocabulary())
    lost = [(loss.where, loss.rule) for loss in written.losses]
    assert received.sr == written.reference
    assert received.losses == ()
    return differences(as_an_sr_says(report, lost), as_an_sr_says(back))


@pytest.mark.parametrize("dialect", ["strict", "enhanced", "air"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_comes_back_as_it_was(path: Path, dialect: str) -> None:
    assert lost_on_the_way(coded(path.read_bytes()), dialect) == []


_DEVICES = {
    "two spaces": Device("0", "0  0", "2.25.1", algorithm="0"),
    "everywhere": Device("a  b", "1  \\2", "2.25.1", model="c  d", algorithm="e\\  f"),
    "no algorithm": Device("a\\b", "0  0", "2.25.1"),
}


@pytest.mark.parametrize("device", _DEVICES.values(), ids=_DEVICES)
def test_a_device_with_spaces_within_its_version_comes_back_as_the_one_that_it_was(device: Device) -> None:
    report = make_coded_report(observers=(Observer(device=device),))

    (back,) = read(write(report).content, Intake()).report.observers

    assert back.device == device


def test_each_of_several_devices_keeps_the_spaces_within_its_version() -> None:
    devices = [Device("a  b", "0  0", "2.25.1", algorithm="x  y"), Device("a b", "0 0", "2.25.2")]
    report = make_coded_report(observers=tuple(Observer(device=device) for device in devices))

    back = [one.device for one in read(write(report).content, Intake()).report.observers]

    assert back == devices


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=codable_documents())
def test_every_document_comes_back_as_it_was(document: Any) -> None:
    try:
        report = coded(document)
        written = write(report)
    except Refused as refused:
        event(f"refused: {sorted({problem.rule for problem in refused.problems})}")
        return
    event(f"written with {sorted({loss.rule for loss in written.losses})}")
    assert lost_on_the_way(report) == []
