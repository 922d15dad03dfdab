"""What is said of terms that can't be coded: with suggestions, all at once, and in bounds."""

from pathlib import Path

import pytest

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.coding.notes import MOST_PROBLEMS
from service.domain.errors import AmbiguousTerm, Invalid, UnknownTerm
from service.domain.loss import LossKind
from tests.unit.coding.reports import make_lesion, make_report, number, refused, term


def test_an_unknown_term_is_kept_with_suggestions(small: Vocabulary) -> None:
    coded = code_report(make_report(make_lesion(site="fronatl lobe")), small)

    (loss,) = coded.losses
    assert (loss.kind, loss.rule, loss.where, loss.what) == (
        LossKind.UNCODED,
        "unknown-term",
        "/lesions/0/site",
        "fronatl lobe",
    )
    assert loss.suggestions[0] == "frontal lobe"


def test_an_unknown_term_is_refused_where_it_must_be_coded(small: Vocabulary) -> None:
    with pytest.raises(UnknownTerm) as caught:
        code_report(make_report(make_lesion(laterality="lefft")), small)

    (problem,) = caught.value.problems
    assert (problem.rule, problem.pointer, problem.candidates[0]) == ("unknown-term", "/lesions/0/laterality", "left")


def test_an_ambiguous_term_is_refused_with_its_candidates(tmp_path: Path) -> None:
    from tests.unit.coding.small import load

    words = "glioma,en,synonym,,wet tumour\nlytic,en,synonym,,wet-tumours\n"
    vocabulary = load(tmp_path, add={"terminology/designations.csv": words})

    with pytest.raises(AmbiguousTerm) as caught:
        code_report(make_report(make_lesion(finding=term("wet tumor", "/f"))), vocabulary)

    assert caught.value.problems[0].candidates == ("glioma", "lytic lesion")


def test_all_problems_are_told_at_once_as_one_class_or_as_invalid(small: Vocabulary) -> None:
    one = refused(small, UnknownTerm, laterality="lhs", change="whatever")
    several = refused(small, Invalid, laterality="lhs", measurements=(number("long axis", "-1", "mm"),))

    assert [rule for rule, _ in one] == ["unknown-term", "unknown-term"]
    assert sorted(rule for rule, _ in several) == ["unknown-term", "value-range"]


def test_a_list_of_problems_is_bounded_and_counted(small: Vocabulary) -> None:
    lesions = [make_lesion(f"L{number}", laterality="lhs") for number in range(MOST_PROBLEMS + 7)]

    with pytest.raises(UnknownTerm) as caught:
        code_report(make_report(*lesions), small)

    assert len(caught.value.problems) == MOST_PROBLEMS + 1
    assert caught.value.problems[-1].detail == "7 more problems are not listed."


def test_suggestions_are_looked_for_a_bounded_number_of_times(small: Vocabulary) -> None:
    lesions = [make_lesion(f"L{number}", site=f"frontal lobe {number}") for number in range(60)]

    coded = code_report(make_report(*lesions), small)

    suggested = [bool(loss.suggestions) for loss in coded.losses]
    assert len(suggested) == 60
    assert suggested == [True] * 25 + [False] * 35
