"""Documents without measurement groups are told in words."""

from service.domain.loss import LossKind
from tests import sr_files as sr
from tests.unit.formats.sr.reading import received


def test_a_text_report_becomes_findings_and_impression() -> None:
    content = sr.document(
        sr.container(("121070", "DCM", "Findings"), sr.text(("121071", "DCM", "Finding"), "Two lesions.")),
        sr.container(("121072", "DCM", "Impressions"), sr.text(("121073", "DCM", "Impression"), "Progress.")),
        root=("18748-4", "LN", "Diagnostic imaging report"),
        SOPClassUID=sr.BASIC_TEXT,
    )
    found = received(content)
    assert found.report.lesions == ()
    assert found.report.findings == "Findings:\nFinding: Two lesions."
    assert found.report.impression == "Progress."
    assert [(line.depth, line.kind, line.value) for line in found.outline] == [
        (0, "CONTAINER", ""),
        (1, "CONTAINER", ""),
        (2, "TEXT", "Two lesions."),
        (1, "CONTAINER", ""),
        (2, "TEXT", "Progress."),
    ]
    assert {loss.where for loss in found.losses if loss.rule == "sr-as-text"} == {"1.1.1", "1.2.1"}


def test_a_loss_is_told_on_one_line() -> None:
    content = sr.document(
        sr.text(("X", "99SITE", "Note"), "one\r\ntwo"), SOPClassUID=sr.BASIC_TEXT, root=("Y", "99SITE", "Z")
    )
    found = received(content)
    assert found.report.findings == "Note: one\ntwo"
    assert [loss.what for loss in found.losses if loss.where == "1.1"] == ["Note: one two"]


def test_numbers_of_a_dose_document_are_listed_not_told() -> None:
    content = sr.document(
        sr.num(("113811", "DCM", "DLP"), "12", ("mGy.cm", "UCUM", "mGy.cm")),
        root=("113701", "DCM", "X-Ray Radiation Dose Report"),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.67",
    )
    found = received(content)
    assert found.report.findings == "X-Ray Radiation Dose Report"
    assert [(loss.kind, loss.what) for loss in found.losses if loss.where == "1.1"] == [
        (LossKind.SKIPPED, "DLP: 12 mGy.cm")
    ]
