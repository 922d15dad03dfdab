"""Negative findings: their negation is cut off, and what would deny twice is refused."""

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.coder import code_report
from service.coding.negation import NEGATIONS
from service.domain.errors import Contradiction
from service.domain.loss import LossKind
from tests.unit.coding.reports import make_report, term


@pytest.mark.parametrize("negation", NEGATIONS)
def test_a_negation_is_cut_off_a_negative_finding(small: Vocabulary, negation: str) -> None:
    said = f"{negation.capitalize()}haemorrhage"

    negative = code_report(make_report(negatives=(term(said, "/n"),)), small).negatives[0]

    assert (negative.concept, negative.said, negative.where) == ("haemorrhage", said, "/n")


def test_a_negation_is_cut_off_before_a_negative_concept_is_found(small: Vocabulary) -> None:
    # "no enhancement", absent, would say that it enhances.
    negative = code_report(make_report(negatives=(term("no enhancement"),)), small).negatives[0]

    assert negative.concept != "no-enhancement"


def test_a_negation_is_cut_off_an_unknown_finding_too(small: Vocabulary) -> None:
    coded = code_report(make_report(negatives=(term("no zebra sign"),)), small)

    assert (coded.negatives[0].text, coded.negatives[0].said) == ("zebra sign", "no zebra sign")
    assert [loss.kind for loss in coded.losses] == [LossKind.UNCODED]


@pytest.mark.parametrize("said", ["no longer enhancing", "no change", "nodule", "no"])
def test_what_is_no_negation_stays_whole(small: Vocabulary, said: str) -> None:
    assert code_report(make_report(negatives=(term(said),)), small).negatives[0].text == said


@pytest.mark.parametrize(
    "said",
    [
        "No fracture, no cord compression",
        "no fracture but cord compression",
        "haemorrhage cannot be excluded",
        "Fracture not seen",
        "No significant change",
        "no longer enhancing",
        "non-zebra, no haemorrhage",
    ],
)
def test_refuses_a_negative_finding_that_denies_by_itself(small: Vocabulary, said: str) -> None:
    # Listed as absent it would say the contrary.
    with pytest.raises(Contradiction) as caught:
        code_report(make_report(negatives=(term(said, "/report/negatives/0"),)), small)

    assert [(one.rule, one.pointer) for one in caught.value.problems] == [("negative-denied", "/report/negatives/0")]


@pytest.mark.parametrize("said", ["non-enhancing lesion", "no-enhancement", "non-hemorrhagic", "non-haemorrhagic"])
def test_refuses_a_negative_finding_that_is_itself_the_lack_of_one(said: str) -> None:
    report = make_report(negatives=(term(said, "/report/negatives/0"),), lesions=())

    with pytest.raises(Contradiction, match="denies by itself"):
        code_report(report, vocabulary())


@pytest.mark.parametrize("said", ["keine Blutung", "sans hémorragie", "sin fractura", "brak krwotoku", "出血なし"])
def test_refuses_a_negative_finding_that_denies_by_itself_in_another_language(small: Vocabulary, said: str) -> None:
    with pytest.raises(Contradiction) as caught:
        code_report(make_report(negatives=(term(said, "/report/negatives/0"),)), small)

    assert [one.rule for one in caught.value.problems] == ["negative-denied"]


def test_flags_a_negative_of_another_format_that_denies_by_itself(small: Vocabulary) -> None:
    coded = code_report(make_report(negatives=(term("no change", "1.7"),)), small)

    assert coded.negatives[0].text == "no change"
    assert ("negative-denied", "1.7") in [(loss.rule, loss.where) for loss in coded.losses]


@pytest.mark.parametrize(
    "said", ["no brain metastases or zebra", "No acute haemorrhage", "non-zebra lesion", "no non-zebra lesion"]
)
def test_a_plain_negative_in_other_words_is_kept(small: Vocabulary, said: str) -> None:
    assert code_report(make_report(negatives=(term(said, "/report/negatives/0"),)), small).negatives


@pytest.mark.parametrize(
    ("said", "absent"),
    [
        ("no rib metastasis", ["SCT"]),
        ("no brain metastases", ["SCT"]),
        ("no cauda equina syndrome", []),
        ("no pineoblastoma", ["SCT", "RADLEX", "NCIt"]),
    ],
)
def test_an_absent_finding_denies_no_whole_class(said: str, absent: list[str]) -> None:
    # C79.51 is any metastasis to bone, ICD-O-3 9362/3 also another tumor.
    negative = code_report(make_report(negatives=(term(said),), lesions=()), vocabulary()).negatives[0]

    assert negative.concept is not None
    assert [code.system for code in negative.codes] == absent
