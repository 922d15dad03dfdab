"""What a report says against itself is flagged, and what only looks so is not."""

from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.report import Measurement
from tests.unit.coding.reports import answer, make_lesion, make_report, number, term

Rules = list[tuple[str, str]]


def flagged(lesion: dict[str, Any] | None = None, **report: Any) -> Rules:
    """The rules and places that are flagged of a report with one lesion, by the shipped tables."""
    coded = code_report(make_report(make_lesion(**lesion or {}), **report), vocabulary())
    return [(loss.rule, loss.where.rpartition("/")[2]) for loss in coded.losses if loss.rule != "unknown-term"]


@pytest.mark.parametrize("certainty", ["absent", "excluded", "definitely not"])
def test_a_lesion_that_is_denied_is_flagged(certainty: str) -> None:
    assert flagged({"certainty": certainty}) == [("denied-lesion", "certainty")]


@pytest.mark.parametrize("finding", ["no metastasis", "keine Metastase"])
def test_a_lesion_whose_words_deny_is_flagged(finding: str) -> None:
    assert flagged({"finding": finding}) == [("denied-lesion", "finding")]


@pytest.mark.parametrize("certainty", ["present", "probable", "unlikely", "uncertain"])
def test_a_lesion_that_is_doubted_is_not(certainty: str) -> None:
    assert flagged({"certainty": certainty}) == []


@pytest.mark.parametrize(
    ("finding", "site"),
    [("brain metastasis", "left humerus"), ("rib metastasis", "frontal lobe"), ("femur metastasis", "T8 vertebra")],
)
def test_a_finding_that_lies_elsewhere_than_its_site_is_flagged(finding: str, site: str) -> None:
    assert flagged({"finding": finding, "site": site, "laterality": None}) == [("finding-elsewhere", "site")]


@pytest.mark.parametrize(
    ("finding", "site"),
    [
        *[("brain metastasis", site) for site in ("skull", "dura mater", "left cerebellum", "medulla oblongata")],
        *[("bone metastasis", site) for site in ("frontal lobe", "left humerus")],
        *[("thoracic spine metastasis", site) for site in ("T12 vertebra", "C7 vertebra", "left first rib")],
        *[("hip metastasis", site) for site in ("left femur", "left ilium", "acetabulum")],
        ("metastasis", "liver"),
        ("something new", "liver"),
    ],
)
def test_a_finding_that_may_lie_there_is_not(finding: str, site: str) -> None:
    found = flagged({"finding": finding, "site": site, "laterality": None})
    assert "finding-elsewhere" not in {rule for rule, _ in found}


SIZES: dict[str, tuple[tuple[Measurement[Any], ...], Rules]] = {
    "in order": ((number("long axis", "12", "mm"), number("short axis", "12", "mm")), []),
    "turned": (
        (number("long axis", "12", "mm"), number("short axis", "12.1", "mm")),
        [("short-above-long", "short axis")],
    ),
    "turned in other units": (
        (number("long axis", "1", "cm"), number("short axis", "12", "mm")),
        [("short-above-long", "short axis")],
    ),
    "one of several goes": (
        (
            number("long axis", "10", "mm", "/lesions/0/measurements/0"),
            number("short axis", "12", "mm", "/lesions/0/measurements/1"),
            number("short axis", "9", "mm", "/lesions/0/measurements/2"),
        ),
        [],
    ),
    "a volume of that length": ((number("long axis", "10", "mm"), number("volume", "523", "mm3")), []),
    "a slip of a unit": (
        (number("long axis", "10", "mm"), number("volume", "523", "cm3")),
        [("volume-above-axis", "volume")],
    ),
    "SUV in order": ((number("SUVmax", "9", "g/ml"), number("SUVmean", "4", "g/ml")), []),
    "SUV turned": (
        (number("SUVmax", "4", "g/ml"), number("SUVmean", "9", "g/ml")),
        [("derivations-out-of-order", "SUVmean")],
    ),
    "SUV by other weights": ((number("SUVmax", "4", "g/ml{SUVbw}"), number("SUVmean", "9", "g/ml{SUVlbm}")), []),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_do_not_go_together_are_flagged(name: str) -> None:
    measurements, rules = SIZES[name]

    assert flagged({"measurements": measurements}) == rules


@pytest.mark.parametrize(
    ("change", "size", "found"), [("resolved", "5", True), ("resolved", "0", False), ("smaller", "5", False)]
)
def test_a_lesion_that_is_gone_and_has_a_size_is_flagged(change: str, size: str, found: bool) -> None:
    rules = flagged({"change": change, "measurements": (number("long axis", size, "mm"),)})

    assert rules == [("gone-with-size", "long axis")] * found


@pytest.mark.parametrize(
    ("lesion", "report", "found"),
    [
        ({}, {}, True),
        ({"change": "resolved"}, {}, False),
        ({"finding": "meningioma"}, {}, False),
        ({"finding": "meningioma"}, {"conclusions": (term("brain metastasis", "/report/conclusion/0"),)}, True),
    ],
)
def test_what_is_absent_and_found_is_flagged(lesion: dict[str, Any], report: dict[str, Any], found: bool) -> None:
    negatives = (term("no brain metastasis", "/report/negatives/0"),)

    assert flagged(lesion, negatives=negatives, **report) == [("absent-and-found", "0")] * found


def test_an_answer_of_a_lesion_that_is_absent_by_the_list_is_flagged() -> None:
    negatives = (term("pathologic fracture", "/report/negatives/0"),)
    fractured = {"evaluations": (answer("complication", "pathologic fracture"),)}

    assert flagged(fractured, negatives=negatives) == [("absent-and-found", "0")]


def test_an_answer_that_says_absent_is_no_contradiction() -> None:
    negatives = (term("hemorrhage", "/report/negatives/0"),)

    assert flagged({"evaluations": (answer("hemorrhage", "no"),)}, negatives=negatives) == []
