"""What is written is read back: findings to FHIR to findings say the same, R4 less what it names as lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.loss import Loss
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.read import read
from service.formats.fhir.release import Release
from service.formats.fhir.write import BUNDLES, write
from service.formats.fhir.xml import as_xml
from service.formats.findings.read import read as read_findings
from service.formats.findings.write import write as write_findings
from tests.codable import codable_documents
from tests.documents import make_lesion_document
from tests.fhir_bundles import sr_of
from tests.report_set import REPORTS
from tests.same import by_kind, day_only, differences, said, without_shapes

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.json"))
RELEASES = {"R4": R4, "R5": R5}


def coded(document: bytes) -> CodedReport:
    return code_report(read_findings(document, default_sender="local", limits=Limits()), vocabulary())


def there_and_back(
    report: CodedReport, release: Release, bundle: str, *, xml: bool = False
) -> tuple[CodedReport, tuple[Loss, ...]]:
    """The report as FHIR, read by somebody who knows nothing of it."""
    emitted = write(report, sr_of(report), bundle=bundle, release=release)
    content = as_xml(emitted, release.name).content if xml else emitted.content
    received = read(content, Intake("somebody else"), release.name)
    return code_report(received.report, vocabulary()), received.losses


def compared(report: CodedReport, back: CodedReport, release: Release) -> list[tuple[str, Any, Any]]:
    """Where they differ beyond what the writer names as lost."""
    less = without_shapes if release is R4 else lambda lesion: lesion
    return list(differences(said(day_only(report), less), said(back, less)))


@pytest.mark.parametrize("xml", [False, True], ids=["json", "xml"])
@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_comes_back_as_it_went(path: Path, release: Release, bundle: str, xml: bool) -> None:
    report = coded(path.read_bytes())

    back, losses = there_and_back(report, release, bundle, xml=xml)

    assert compared(report, back, release) == []
    assert losses == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
@given(document=codable_documents(), xml=st.booleans())
def test_any_report_comes_back_as_it_went(release: Release, document: Any, xml: bool) -> None:
    report = coded(json.dumps(document).encode())

    back, losses = there_and_back(report, release, "transaction", xml=xml)

    assert compared(report, back, release) == []
    assert losses == ()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(document=codable_documents())
def test_what_was_read_can_be_kept_as_findings_and_coded_anew(document: Any) -> None:
    report = coded(json.dumps(document).encode())
    content = write(report, sr_of(report), release=R5).content
    received = read(content, Intake("somebody else"))

    again = read_findings(write_findings(received.report), default_sender="x", limits=Limits())

    first, second = (said(code_report(one, vocabulary()), by_kind) for one in (received.report, again))
    assert list(differences(first, second)) == []


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_codes_and_issuers_that_no_table_has_are_named_where_they_are_left_out(
    make: Callable[[], CodedReport],
) -> None:
    report = make()

    for bundle in BUNDLES:
        _, losses = there_and_back(report, R4, bundle)

        left = {loss.where.rpartition(".")[2].partition("[")[0] for loss in losses}
        assert left <= {"text", "coding", "assigner"}


def test_private_codes_keep_their_scheme_and_numbers_their_digits() -> None:
    scheme = {"system": "99SITE", "code": "x-1", "display": "a finding of ours"}
    document = make_lesion_document(
        finding=scheme, measurements=[{"concept": {**scheme, "code": "x-2"}, "value": "12.50", "unit": "mm"}]
    )
    report = coded(json.dumps(document).encode())

    back, losses = there_and_back(report, R4, "collection")

    assert back.lesions[0].finding.codes == report.lesions[0].finding.codes
    assert (back.lesions[0].finding.codes[0].system, losses) == ("99SITE", ())
    assert str(back.lesions[0].measurements[0].value) == "12.50"
