"""Descriptors coded: the name of the field, its answers, and how many of them there may be."""

import pytest

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.domain.codes import Code
from service.domain.errors import Invalid, UnknownTerm
from service.domain.loss import LossKind
from tests.unit.coding.reports import answer, code, coded_lesion, make_lesion, make_report, refused, term


@pytest.mark.parametrize("name", ["T1", "t1-signal", "T1 signal", "t1"])
def test_a_descriptor_is_named_by_key_name_or_designation(small: Vocabulary, name: str) -> None:
    (made,) = coded_lesion(small, evaluations=(answer(name, "hypointense"),)).evaluations

    assert (made.row, made.value.concept) == ("t1-signal", "t1-hypointense")
    assert made.name.codes == (Code("99LESIONBRIDGE", "t1-signal", "T1 signal"),)


def test_a_descriptor_is_named_by_code(small: Vocabulary) -> None:
    field = code("99LESIONBRIDGE", "edema-type", where="/lesions/0/descriptors/0/field")

    (made,) = coded_lesion(
        small, evaluations=(answer(field, term("vasogenic"), "/lesions/0/descriptors/0"),)
    ).evaluations

    assert (made.row, made.value.concept, made.value.broader) == ("edema-type", "vasogenic", True)


def test_refuses_a_descriptor_of_an_unknown_name(small: Vocabulary) -> None:
    with pytest.raises(UnknownTerm) as caught:
        coded_lesion(small, evaluations=(answer("bone matrx", "lytic"),))

    (problem,) = caught.value.problems
    assert (problem.rule, problem.candidates[0]) == ("unknown-field", "bone matrix")


def test_a_descriptor_of_a_code_unknown_here_is_passed_on(small: Vocabulary) -> None:
    field = code("SCT", "364644000", "Functional observable", "1.4.1")

    (made,) = coded_lesion(small, evaluations=(answer(field, term("severe"), "1.4.1"),)).evaluations

    assert (made.row, made.name.codes[0].code, made.value.concept) == ("", "364644000", "severe")


def test_an_answer_that_must_be_coded_is_refused_when_unknown(small: Vocabulary) -> None:
    found = refused(small, UnknownTerm, evaluations=(answer("edema degree", "so-so"),))

    assert found == [("unknown-term", "/lesions/0/descriptors/edema degree")]


def test_refuses_two_answers_where_there_is_one(small: Vocabulary) -> None:
    places = [f"/lesions/0/descriptors/edema degree/{turn}" for turn in range(2)]
    words = zip(("mild", "severe"), places, strict=True)
    twice = tuple(answer("edema degree", term(word, place), place) for word, place in words)

    assert refused(small, Invalid, evaluations=twice) == [("one-answer", "/lesions/0/descriptors/edema degree/1")]


def test_two_answers_of_somebody_elses_document_are_flagged(small: Vocabulary) -> None:
    field = code("99LESIONBRIDGE", "edema-degree", where="1.4.1")
    twice = (answer(field, term("mild"), "1.4.1"), answer(field, term("severe"), "1.4.2"))

    coded = code_report(make_report(make_lesion(evaluations=twice)), small)

    assert [(loss.kind, loss.rule, loss.where) for loss in coded.losses] == [(LossKind.FLAGGED, "one-answer", "1.4.2")]


def test_a_field_of_many_answers_takes_a_list(small: Vocabulary) -> None:
    twice = (answer("oedema", "vasogenic"), answer("oedema", "vasogenic"))

    assert len(coded_lesion(small, evaluations=twice).evaluations) == 2


def test_refuses_two_names_of_one_descriptor(small: Vocabulary) -> None:
    twice = (answer("T1", "hypointense"), answer("t1-signal", "hyperintense"))

    assert refused(small, Invalid, evaluations=twice) == [("duplicate-descriptor", "/lesions/0/descriptors/t1-signal")]


def test_refuses_a_descriptor_at_the_wrong_level(small: Vocabulary) -> None:
    assert refused(small, Invalid, evaluations=(answer("response", "stable"),))[0][0] == "level"
    with pytest.raises(Invalid) as caught:
        code_report(make_report(evaluations=(answer("T1", "hypointense", "/report/descriptors/T1"),)), small)
    assert caught.value.problems[0].rule == "level"
