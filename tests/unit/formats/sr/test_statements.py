"""Fields and their answers, in codes and in words, in the order in which they were said."""

from typing import Any

import pytest

from service.domain.codes import Code
from service.domain.report import CountKind, Evaluation
from service.formats.sr.names import member, name
from service.formats.sr.tree import ContentItem
from tests.report_set import minimal_report, no_lesion_report, rich_report
from tests.report_terms import (
    BRAIN_METASTASIS,
    EDEMA,
    HYPOINTENSE,
    INTRACRANIAL_METASTASES,
    JUNCTION,
    LEFT,
    LONG_AXIS,
    T1,
    UNCODED_FINDING,
    UNCODED_PROCEDURE,
    VASOGENIC,
    term,
)
from tests.reports import make_coded_report, number
from tests.unit.formats.sr.written import group_of, named, only, tree


def test_site_carries_laterality_below_it() -> None:
    site = only(group_of(), "finding-site")
    assert site.relationship_type == "HAS CONCEPT MOD"
    assert [child.concept_name for child in site.children] == [name("laterality")]


def _in_words(group: ContentItem) -> list[tuple[str, dict[str, Any]]]:
    """The statements in words, each with what stands below it."""
    return [
        (item.value, {child.concept_name.codes[0].code: child.value for child in item.children if child.concept_name})
        for item in named(group, "qualitative-evaluations")
    ]


def test_the_exact_words_stand_beside_a_broader_code() -> None:
    group = group_of(finding=INTRACRANIAL_METASTASES, evaluations=())
    finding = only(group, "finding")
    assert (finding.value.codes, finding.children) == (INTRACRANIAL_METASTASES.codes, ())
    assert _in_words(group) == [
        ("Finding: intracranial metastases", {"121050": name("finding"), "121051": finding.value}),
    ]


def test_a_term_without_code_is_said_in_words_with_its_field() -> None:
    group = group_of(finding=UNCODED_FINDING, evaluations=())
    assert not named(group, "finding")
    assert _in_words(group) == [("Finding: watershed-like cluster", {"121050": name("finding")})]


def test_the_side_of_a_site_without_code_stands_for_itself() -> None:
    group = group_of(site=term("far corner"), laterality=LEFT, topography=JUNCTION, evaluations=())
    own = [item.value.codes for item in group.children if item.relationship_type == "HAS CONCEPT MOD"]
    assert own == [LEFT.codes, JUNCTION.codes]
    assert [text for text, _ in _in_words(group)] == [
        "Topographical modifier: grey-white matter junction",
        "Finding Site: far corner",
    ]


def test_answers_of_one_field_keep_their_order_and_their_words() -> None:
    said = (Evaluation(T1, HYPOINTENSE), Evaluation(T1, term("speckled")), Evaluation(EDEMA, VASOGENIC))
    items = group_of(evaluations=said).children[-4:]
    assert [item.value_type for item in items] == ["CODE", "TEXT", "CODE", "TEXT"]
    assert items[1].value.endswith(": speckled")
    assert items[3].value.endswith(": vasogenic edema")


def test_the_words_of_a_conclusion_come_right_after_its_code() -> None:
    report = make_coded_report(conclusions=(INTRACRANIAL_METASTASES, UNCODED_FINDING, BRAIN_METASTASIS))
    (evaluations,) = [item for item in named(tree(report), "qualitative-evaluations") if item.value_type == "CONTAINER"]
    items = evaluations.children
    said = [(item.value_type, item.concept_name) for item in items if item.concept_name != name("impression")]
    assert said == [
        ("CODE", member("conclusion")),
        ("TEXT", name("equivalent-meaning-of-value")),
        ("TEXT", member("conclusion")),
        ("CODE", member("conclusion")),
    ]


def test_the_denial_of_a_narrower_finding_does_not_deny_the_broader_code() -> None:
    narrow = term("vasogenic edema", "SCT|2032001|Cerebral edema", broader=True)
    root = tree(make_coded_report(negatives=(narrow,)))
    assert not any(item.is_named("SCT", "2032001") for item in root.walk())
    (denied,) = named(root, "absent")
    assert (denied.value_type, denied.value) == ("TEXT", "vasogenic edema")


def test_a_negative_says_that_the_finding_is_absent() -> None:
    root = tree(no_lesion_report())
    denied = [item for item in root.walk() if item.value_type == "CODE" and item.value == name("absent")]
    assert [item.concept_name.codes[0] for item in denied if item.concept_name] == [
        Code("SCT", "50960005", ""),
        BRAIN_METASTASIS.codes[0],
    ]


def test_the_differential_keeps_its_order() -> None:
    root = tree(rich_report())
    said = [item for item in root.walk() if item.concept_name == member("differential")]
    assert [item.value if item.value_type == "TEXT" else item.value.codes[0].display for item in said] == [
        "Glioblastoma",
        "Cerebral abscess",
        "something else",
    ]


@pytest.mark.parametrize(
    ("count", "value_type", "said"),
    [(17, "NUM", "17"), (CountKind.MULTIPLE, "CODE", "RID5765"), (CountKind.INNUMERABLE, "CODE", "RID38662")],
)
def test_a_count_is_a_number_or_the_concept_for_many(count: int | CountKind, value_type: str, said: str) -> None:
    (item,) = [one for one in group_of(count=count).children if one.concept_name == member("count")]
    assert item.value_type == value_type
    assert said == (item.value.digits if value_type == "NUM" else item.value.codes[0].code)


def test_a_measurement_without_unit_code_is_words() -> None:
    said = number(LONG_AXIS, "3", term("thumbs"))
    text, below = _in_words(group_of(measurements=(said,), evaluations=()))[0]
    assert text.endswith(": 3 thumbs")
    assert below["121050"].codes[0] == LONG_AXIS.codes[0]


def test_a_procedure_without_code_is_an_imaging_procedure_in_its_own_words() -> None:
    procedure = only(tree(minimal_report()), "procedure-reported")
    assert procedure.value == name("imaging-procedure")
    assert only(procedure, "equivalent-meaning-of-value").value == UNCODED_PROCEDURE.text
