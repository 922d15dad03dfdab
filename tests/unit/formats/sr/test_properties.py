"""Whatever document a sender may write: the SR is read back as it was meant, in every dialect and IOD."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, settings

from benchmarks import work
from service.check.compare import Difference, compare
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Refused
from service.domain.limits import Limits
from service.domain.report import CodedReport
from service.formats.findings.read import read
from service.formats.sr.decode import decode_file
from service.formats.sr.dialects import DIALECTS
from service.formats.sr.draft import Draft
from service.formats.sr.template import measurement_report
from service.formats.sr.write import write
from tests.codable import codable_documents
from tests.report_set import REPORTS


def _coded(document: Any) -> CodedReport:
    said = read(json.dumps(document).encode(), default_sender="local", limits=Limits())
    return code_report(said, vocabulary())


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_tree_read_back_is_the_tree_that_was_drafted(make: Any) -> None:
    drafted = measurement_report(Draft(make(), DIALECTS["strict"], allows_3d=True))
    assert decode_file(write(make()).content)[1] == drafted


def _rules(refused: Refused) -> set[str]:
    return {problem.rule for problem in refused.problems}


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=codable_documents())
@example(document=work.document(1) | {"observer": {"device": {"name": "Two  blanks"}}})
def test_every_document_becomes_an_sr_that_says_the_same(document: Any) -> None:
    try:
        report = _coded(document)
    except Refused as refused:
        event(f"refused before: {sorted(_rules(refused))}")
        return
    for dialect, row in DIALECTS.items():
        for iod in (None, *(one.value for one in (*row.iods[:1], *row.iods[-1:]))):
            differences, rules = _said_otherwise(report, dialect, iod)
            assert differences == ()
            assert rules <= {"sr-nothing-remains", "one-instance-one-place"}


def _said_otherwise(report: CodedReport, dialect: str, iod: str | None) -> tuple[tuple[Difference, ...], set[str]]:
    """What the SR says other than the report, and by which rules the writer refused it."""
    try:
        written = write(report, dialect=dialect, iod=iod)
    except Refused as refused:
        event(f"{dialect} refused: {sorted(_rules(refused))}")
        return (), _rules(refused)
    event(f"{dialect} written")
    return compare(report, written.content, None, written.losses), set()
