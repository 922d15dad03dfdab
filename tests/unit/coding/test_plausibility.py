"""Dates that can hardly be are flagged."""

from dataclasses import replace

import pytest

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.domain.codes import Term
from service.domain.report import Comparison, Patient
from service.domain.times import DateTime
from tests.unit.coding.reports import changed, losses_of, make_report


@pytest.mark.parametrize(
    ("birth", "rules"),
    [
        ("2026-03-03", ["birth-after-study"]),
        ("2026-03-02", []),
        ("2026-03", []),
        ("2027", ["birth-after-study"]),
        ("1961-04-02", []),
        ("1899-12-31", ["year"]),
        ("2201", ["year", "birth-after-study"]),
    ],
)
def test_flags_a_birth_that_can_hardly_be(small: Vocabulary, birth: str, rules: list[str]) -> None:
    coded = code_report(make_report(patient=Patient("P", birth_date=DateTime(birth))), small)

    assert [loss.rule for loss in coded.losses] == rules
    assert {loss.where for loss in coded.losses} <= {"/patient/birthDate"}


@pytest.mark.parametrize(("born", "rules"), [("2026-03-03", ["birth-after-study"]), ("2026-03-02", [])])
def test_where_nobody_said_when_the_study_was_it_was_before_the_report(
    small: Vocabulary, born: str, rules: list[str]
) -> None:
    report = make_report(patient=Patient("P", birth_date=DateTime(born)))
    coded = code_report(changed(report, study=replace(report.study, started=None)), small)

    assert [loss.rule for loss in coded.losses] == rules


@pytest.mark.parametrize(
    ("issued", "rules"),
    [
        ("2026-03-02T08:12:00Z", []),
        ("2026-03-02T08:11:59Z", ["issued-before-study"]),
        ("2026-03-02T09:11:59+01:00", ["issued-before-study"]),
        ("2026-03-01T23:59:60-12:00", []),
        ("1901-01-01T00:00:00Z", ["issued-before-study"]),
        ("0001-01-01T00:00:00+14:00", ["year", "issued-before-study"]),
    ],
)
def test_flags_a_report_older_than_its_study(small: Vocabulary, issued: str, rules: list[str]) -> None:
    found = losses_of(small, issued=DateTime(issued))

    assert [rule for _, rule, _ in found] == rules


def test_flags_a_comparison_later_than_the_study(small: Vocabulary) -> None:
    report = make_report()
    later: tuple[Comparison[Term], ...] = (
        Comparison("1.2.8", DateTime("2025")),
        Comparison("1.2.9", DateTime("2026-04")),
    )

    coded = code_report(changed(report, study=replace(report.study, comparisons=later)), small)

    assert [(loss.rule, loss.where) for loss in coded.losses] == [
        ("comparison-after-study", "/study/comparisons/1/started")
    ]
