"""What a sender wrote stands beside its code (CWE.9): a code is not believed against it, and no code goes unsaid."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.loss import Loss
from service.domain.report import CodedReport
from tests.unit.formats.hl7v2.test_lesions import FINDING
from tests.unit.formats.hl7v2.test_no_results import of_rule
from tests.unit.formats.hl7v2.test_read import received

METASTASIS = "128462008^Metastasis^SCT"


def coded(*observations: str) -> CodedReport:
    return code_report(received(*observations).report, vocabulary())


def of(report: CodedReport, rule: str) -> list[Loss]:
    return [loss for loss in report.losses if loss.rule == rule]


def test_a_finding_that_its_words_deny_is_not_found() -> None:
    report = coded(FINDING.replace("27925004^Nodule^SCT", f"{METASTASIS}^^^^^^No metastasis"))
    finding = report.lesions[0].finding
    assert (finding.text, finding.codes) == ("No metastasis (SCT 128462008)", ())
    assert [loss.where for loss in of(report, "display-contradicts-code")] == ["OBX[1]-5"]


def test_a_side_that_its_words_turn_is_none() -> None:
    report = coded(FINDING, "OBX|2|CWE|272741003^Laterality^SCT|1|7771000^Left^SCT^^^^^^right side||||||F")
    side = report.lesions[0].laterality
    assert side is not None
    assert (side.text, side.codes) == ("right side (SCT 7771000)", ())


def test_a_side_in_the_words_of_a_site_is_held_against_the_laterality() -> None:
    site = "OBX|2|CWE|363698007^Finding Site^SCT|1|39607008^Lung^SCT^^^^^^Right lung||||||F"
    report = coded(FINDING, site, "OBX|3|CWE|272741003^Laterality^SCT|1|7771000^Left^SCT||||||F")
    assert len(of(report, "laterality-contradicts-site")) == 1


@pytest.mark.parametrize(
    ("words", "rules"),
    [("metastasis", []), ("Metastases", []), ("a white spot", ["words-beside-code"]), ("", [])],
)
def test_other_words_for_a_code_are_flagged_and_its_own_are_not(words: str, rules: list[str]) -> None:
    report = coded(FINDING.replace("27925004^Nodule^SCT", f"{METASTASIS}^^^^^^{words}"))
    assert report.lesions[0].finding.concept == "metastasis"
    assert [loss.rule for loss in report.losses if loss.where == "OBX[1]-5"] == rules


def test_the_words_beside_a_code_that_nobody_knows_are_kept() -> None:
    report = coded(FINDING.replace("27925004^Nodule^SCT", "77^spot^99SITE^^^^^^a spot on the right"))
    finding = report.lesions[0].finding
    assert (finding.text, [code.display for code in finding.codes]) == ("a spot on the right", ["spot"])


@pytest.mark.parametrize(
    ("second", "listed"),
    [("RID5231^metastasis^99RADLEX", 0), ("M1^Metastase^L", 1), ("RID3890^nodule^99RADLEX", 1), ("^Metastase^", 0)],
)
def test_a_second_code_of_another_concept_is_listed(second: str, listed: int) -> None:
    made = received(FINDING.replace("27925004^Nodule^SCT", f"{METASTASIS}^{second}"))
    assert of_rule(made, "v2-further-code") == ["OBX[1]"] * listed
