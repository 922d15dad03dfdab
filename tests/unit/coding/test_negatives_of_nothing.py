"""The list of what is absent takes no answer by which all is well: "NED" in it would say that there is disease."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.coding.negation import LACKING
from service.domain.codes import Code, Term
from service.domain.errors import Contradiction
from tests.unit.coding.reports import make_report, term

WELL = ["NED", "normal", "Normal liver", "unremarkable", "asymptomatic", "normal finding", "benign", "clear"]
LACKS = ["non-enhancing", "nonenhancing", "not enhancing", "none", "denies headache", "age-appropriate finding"]


@pytest.mark.parametrize("said", [*WELL, *LACKS, "no normal finding"])
def test_refuses_what_would_be_turned(said: str) -> None:
    with pytest.raises(Contradiction) as caught:
        code_report(make_report(negatives=(term(said, "/report/negatives/0"),), lesions=()), vocabulary())

    assert [one.rule for one in caught.value.problems] == ["negative-denied"]


def test_refuses_the_code_of_one() -> None:
    coded = Term("asymptomatic", Code("SCT", "84387000", "asymptomatic"), "/report/negatives/0")

    with pytest.raises(Contradiction):
        code_report(make_report(negatives=(coded,), lesions=()), vocabulary())


def test_the_list_has_no_answer_by_which_something_is_not_there() -> None:
    values = vocabulary().members["negative"].values

    assert values is not None
    assert values.isdisjoint(LACKING)


@pytest.mark.parametrize(
    "said", ["normal pressure hydrocephalus", "no abnormality", "benign lesion", "no abnormal node"]
)
def test_takes_what_may_be_looked_for(said: str) -> None:
    assert code_report(make_report(negatives=(term(said),), lesions=()), vocabulary()).negatives
