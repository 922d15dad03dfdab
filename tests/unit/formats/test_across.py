"""From one format to the other and back; the SR of what came back is the same, to the byte.

What an SR can't hold is not asked for (`tests.same_report`), nor what R4 names as lost.
"""

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
from service.domain.report import CodedReport
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.read import read as read_fhir
from service.formats.fhir.release import Release
from service.formats.fhir.write import write as write_fhir
from service.formats.findings.read import read as read_findings
from service.formats.sr.read import read as read_sr
from service.formats.sr.write import write as write_sr
from tests.codable import codable_documents
from tests.fhir_bundles import sr_of
from tests.same import day_only
from tests.same_report import as_an_sr_says, differences

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.json"))
RELEASES = {"R4": R4, "R5": R5}
ANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def coded(document: bytes) -> CodedReport:
    return code_report(read_findings(document, default_sender="local", limits=Limits()), vocabulary())


def through_fhir(report: CodedReport, release: Release) -> CodedReport:
    content = write_fhir(report, sr_of(report), release=release).content
    return code_report(read_fhir(content, Intake(report.sender)).report, vocabulary())


def through_sr(report: CodedReport) -> tuple[CodedReport, list[tuple[str, str]]]:
    written = write_sr(report)
    back = code_report(read_sr(written.content, Intake(report.sender)).report, vocabulary())
    return back, [(loss.where, loss.rule) for loss in written.losses]


def fhir_sr_fhir(report: CodedReport, release: Release) -> list[str]:
    """What a bundle says, and what the bundle says that is made of its SR."""
    first = through_fhir(report, release)
    second, lost = through_sr(first)
    third = through_fhir(second, release)
    return differences(as_an_sr_says(first, lost), as_an_sr_says(third))


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_the_same_after_fhir_sr_and_fhir(path: Path, release: Release) -> None:
    assert fhir_sr_fhir(coded(path.read_bytes()), release) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_sr_of_an_example_is_the_same_after_fhir(path: Path) -> None:
    report = coded(path.read_bytes())
    of_sr, _ = through_sr(report)

    assert write_sr(through_fhir(report, R5)).content == write_sr(report).content
    assert write_sr(through_fhir(of_sr, R5)).content == write_sr(of_sr).content


@ANY
@given(document=codable_documents())
def test_any_report_has_the_same_sr_after_fhir_and_what_an_sr_says_is_said_by_its_fhir(document: Any) -> None:
    report = day_only(coded(json.dumps(document).encode()))
    try:
        direct = write_sr(report)
    except Refused as refused:
        event(f"no SR: {sorted({problem.rule for problem in refused.problems})}")
        return

    assert write_sr(through_fhir(report, R5)).content == direct.content
    of_sr, _ = through_sr(report)
    assert differences(as_an_sr_says(of_sr), as_an_sr_says(through_fhir(of_sr, R5))) == []
