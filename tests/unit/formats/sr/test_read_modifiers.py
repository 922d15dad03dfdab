"""What modifies an item of a narrative goes with it: a finding without its side or its "absent" is another one."""

import pytest
from pydicom.dataset import Dataset

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.loss import LossKind
from tests import sr_files as sr
from tests.unit.formats.sr.reading import only, received, rules

TITLE = ("18748-4", "LN", "Diagnostic imaging report")
FINDINGS = ("121070", "DCM", "Findings")
IMPRESSIONS = ("121072", "DCM", "Impressions")
LATERALITY = ("272741003", "SCT", "Laterality")
PRESENCE = ("705057003", "SCT", "Presence")
MASS = ("4147007", "SCT", "Mass")
LENGTH = ("410668003", "SCT", "Length")
DERIVATION = ("121401", "DCM", "Derivation")
DERIVED = ("126011", "DCM", "Derived Imaging Measurements")
SITE = ("363698007", "SCT", "Finding Site")
CERTAINTY = ("111012", "DCM", "Certainty of Finding")
LUNG = ("39607008", "SCT", "Lung")
LEFT = ("7771000", "SCT", "Left")
RIGHT = ("24028007", "SCT", "Right")
ABSENT = ("2667000", "SCT", "Absent")
MEAN = ("373098007", "SCT", "Mean")


def modifier(name: sr.Code, value: sr.Code, *children: Dataset, relation: str = "HAS CONCEPT MOD") -> Dataset:
    return sr.answer(name, value, *children, relation=relation)


@pytest.mark.parametrize("relation", ["HAS CONCEPT MOD", "HAS PROPERTIES"])
def test_a_finding_is_told_with_what_modifies_it(relation: str) -> None:
    mass = sr.answer(
        sr.FINDING, MASS, modifier(LATERALITY, LEFT, relation=relation), modifier(PRESENCE, ABSENT, relation=relation)
    )

    found = received(sr.document(sr.container(FINDINGS, mass), root=TITLE))

    assert found.report.findings == "Findings:\nFinding: Mass (Laterality: Left; Presence: Absent)"
    told = [(loss.where, loss.kind) for loss in found.losses if loss.rule == "sr-as-text"]
    assert told == [("1.1.1", LossKind.FLAGGED), ("1.1.1.1", LossKind.FLAGGED), ("1.1.1.2", LossKind.FLAGGED)]


def test_sections_of_two_sides_are_told_apart() -> None:
    sections = [
        sr.container(FINDINGS, modifier(LATERALITY, side), sr.text(sr.FINDING, said))
        for side, said in ((LEFT, "Mass."), (RIGHT, "Normal."))
    ]

    found = received(sr.document(*sections, root=TITLE))

    assert found.report.findings == (
        "Findings (Laterality: Left):\nFinding: Mass.\nFindings (Laterality: Right):\nFinding: Normal."
    )


def test_an_impression_of_one_side_says_so() -> None:
    section = sr.container(IMPRESSIONS, modifier(LATERALITY, LEFT), sr.text(("121073", "DCM", "Impression"), "Mass."))

    found = received(sr.document(section, root=TITLE))

    assert found.report.impression == "Impressions (Laterality: Left):\nMass."


def test_a_section_that_says_nothing_leaves_its_modifier_in_the_list() -> None:
    found = received(sr.document(sr.container(FINDINGS, modifier(LATERALITY, LEFT)), root=TITLE))

    assert [loss.rule for loss in found.losses if loss.where == "1.1.1"] == ["sr-no-place"]


def test_a_number_of_the_whole_study_is_told_with_how_it_was_derived() -> None:
    number = sr.num(LENGTH, "12.5", sr.MM, modifier(DERIVATION, MEAN))

    found = received(sr.document(sr.container(DERIVED, number)))

    assert [one.value.text for one in found.report.evaluations] == ["12.5 mm (Derivation: Mean)"]


def _of_finding(*below: Dataset, beside: tuple[Dataset, ...] = ()) -> bytes:
    """A document with one group whose finding has these items below it."""
    group = sr.container(sr.GROUP, sr.text(sr.TRACKING, "L1"), sr.answer(sr.FINDING, MASS, *below), *beside)
    return sr.document(sr.container(sr.MEASUREMENTS, group))


def test_place_and_side_below_the_finding_are_those_of_the_lesion() -> None:
    found = received(_of_finding(modifier(SITE, LUNG, modifier(LATERALITY, LEFT))))

    lesion = only(found)
    assert [term.text for term in (lesion.site, lesion.laterality) if term is not None] == ["Lung", "Left"]
    assert rules(found).isdisjoint({"sr-no-place", "sr-one-of-a-kind"})


def test_a_side_below_the_finding_goes_with_a_site_beside_it() -> None:
    lesion = only(received(_of_finding(modifier(LATERALITY, RIGHT), beside=(modifier(SITE, LUNG),))))

    assert [term.text for term in (lesion.site, lesion.laterality) if term is not None] == ["Lung", "Right"]


def test_of_two_sides_that_of_the_site_counts_and_the_other_is_listed() -> None:
    site = modifier(SITE, LUNG, modifier(LATERALITY, LEFT))

    found = received(_of_finding(modifier(LATERALITY, RIGHT), beside=(site,)))

    lesion = only(found)
    assert lesion.laterality is not None
    assert lesion.laterality.text == "Left"
    assert rules(found, "1.1.1.2.1") == {"sr-one-of-a-kind"}


@pytest.mark.parametrize("name", [CERTAINTY, PRESENCE])
def test_a_finding_that_is_said_to_be_absent_below_it_is_denied(name: sr.Code) -> None:
    found = received(_of_finding(modifier(name, ABSENT)))

    lesion = only(found)
    assert lesion.certainty is not None
    assert lesion.certainty.text == "Absent"
    assert [loss.rule for loss in code_report(found.report, vocabulary()).losses if loss.rule == "denied-lesion"]


def test_answers_in_a_container_of_the_group_are_the_lesions() -> None:
    within = sr.container(("C0034375", "UMLS", "Qualitative Evaluations"), sr.answer(PRESENCE, MASS))

    found = received(_of_finding(beside=(within,)))

    assert [(one.name.text, one.value.text) for one in only(found).evaluations] == [("Presence", "Mass")]
    assert rules(found).isdisjoint({"sr-no-place"})


def _number(place: Dataset) -> Dataset:
    return sr.num(LENGTH, "10", sr.MM, place)


def test_a_place_that_every_number_has_is_that_of_the_lesion() -> None:
    places = [modifier(SITE, LUNG, modifier(LATERALITY, LEFT)) for _ in range(2)]

    found = received(_of_finding(beside=tuple(map(_number, places))))

    lesion = only(found)
    assert [term.text for term in (lesion.site, lesion.laterality) if term is not None] == ["Lung", "Left"]
    assert rules(found).isdisjoint({"sr-no-place", "sr-one-of-a-kind"})


def test_numbers_of_two_sides_give_the_lesion_none() -> None:
    places = [modifier(SITE, LUNG, modifier(LATERALITY, side)) for side in (LEFT, RIGHT)]

    found = received(_of_finding(beside=tuple(map(_number, places))))

    assert (only(found).site, only(found).laterality) == (None, None)
    assert rules(found, "1.1.1.3.1.1") == rules(found, "1.1.1.4.1.1") == {"sr-no-place"}


def test_a_number_that_repeats_the_place_of_the_group_says_nothing_new_and_another_is_listed() -> None:
    same, other = (modifier(SITE, LUNG, modifier(LATERALITY, side)) for side in (LEFT, RIGHT))
    own = modifier(SITE, LUNG, modifier(LATERALITY, LEFT))

    found = received(_of_finding(beside=(own, _number(same), _number(other))))

    lesion = only(found)
    assert lesion.laterality is not None
    assert lesion.laterality.text == "Left"
    assert rules(found, "1.1.1.4.1") == rules(found, "1.1.1.4.1.1") == set()
    assert rules(found, "1.1.1.5.1.1") == {"sr-no-place"}
