"""A whole report coded: every term is resolved, kept or refused, and all else stays as it is."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.domain.codes import Code, CodedTerm, Resolution, Term
from service.domain.errors import Implausible, Invalid
from service.domain.geometry import Graphic, LesionImage, Region2D
from service.domain.loss import Loss, LossKind
from service.domain.names import PersonName
from service.domain.report import (
    CodedReport,
    Comparison,
    CountKind,
    Device,
    Lesion,
    Measurement,
    Observer,
    Person,
    Status,
    TimePoint,
)
from tests.unit.coding.reports import (
    IMAGE,
    answer,
    changed,
    code,
    coded_lesion,
    losses_of,
    make_lesion,
    make_report,
    number,
    refused,
    term,
)


def terms_of(value: object) -> list[CodedTerm | Term]:
    """Every term in a report, by walking through all of it."""
    if isinstance(value, CodedTerm | Term):
        return [value]
    if isinstance(value, tuple | list):
        return [found for item in value for found in terms_of(item)]
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, Code | Loss):
        return [found for field in fields(value) for found in terms_of(getattr(value, field.name))]  # type: ignore[arg-type]  # a dataclass instance, as tested
    return []


def full_report() -> Any:
    """A report with a term in every member that takes one."""
    line = Region2D(Graphic.LINE, ((1.0, 2.0), (3.0, 4.0)), term("longest diameter"))
    lesion = make_lesion(
        category="neoplasm, secondary",
        site="frontal lobe",
        laterality="left",
        topography="junction",
        certainty="suspicious",
        change="new",
        time_point=TimePoint("T0", term("baseline", "/lesions/0/timePoint/type")),
        measurements=(
            number("long axis", "14.2", "mm", method=term("RECIST 1.1"), derivation=term("maximum"), image="1.2.3.4.5"),
            number("volume", "1450", "mm3"),
        ),
        evaluations=(answer("T1", "hypointense"), answer("edema-type", "vasogenic")),
        images=(LesionImage(IMAGE, (line,)),),
    )
    report = make_report(lesion)
    return changed(
        report,
        study=replace(
            report.study,
            technique=(term("T1", "/study/technique/0"),),
            comparisons=(Comparison("1.2.9", modality=term("CT", "/study/comparisons/0/modality")),),
            referring_physician=Person(
                PersonName.parse("A^B"), role=term("resident", "/study/referringPhysician/role")
            ),
        ),
        observers=(Observer(Device("D"), Person(PersonName.parse("C^D"), role=term("resident", "/observer/role"))),),
        conclusions=(term("brain metastasis", "/report/conclusion/0"),),
        differential=(term("glioma", "/report/differential/0"),),
        negatives=(term("no haemorrhage", "/report/negatives/0"),),
        evaluations=(answer("response", "stable", "/report/descriptors/response"),),
    )


def test_every_term_of_a_report_is_resolved(small: Vocabulary) -> None:
    report = full_report()

    coded = code_report(report, small)

    terms = terms_of(coded)
    assert coded.losses == ()
    assert len(terms) == len(terms_of(report)) == 30
    assert all(isinstance(term, CodedTerm) for term in terms)
    assert [term for term in terms if isinstance(term, CodedTerm) and term.resolution is Resolution.TEXT] == []


def test_the_place_and_the_words_of_the_sender_stay(small: Vocabulary) -> None:
    lesion = coded_lesion(small, site="Frontal  Lobe", laterality=code("http://radlex.org", "RID5824", "", "/side"))

    assert lesion.site is not None
    assert lesion.laterality is not None
    assert (lesion.site.said, lesion.site.where) == ("Frontal  Lobe", "/lesions/0/site")
    assert (lesion.laterality.resolution, lesion.laterality.where) == (Resolution.CODE, "/side")


def test_members_without_terms_pass_through(small: Vocabulary) -> None:
    report = full_report()
    lesion = replace(report.lesions[0], count=CountKind.INNUMERABLE, text="said so", tracking_uid="1.2.3")

    coded = code_report(changed(report, lesions=(lesion,), impression="I", findings="F", version=3), small)

    for name in ("id", "sender", "status", "issued", "version", "language", "predecessor", "impression", "findings"):
        assert getattr(coded, name) == getattr(changed(report, impression="I", findings="F", version=3), name)
    for name in ("id", "count", "text", "tracking_uid", "regions3d", "segment", "where"):
        assert getattr(coded.lesions[0], name) == getattr(lesion, name)
    assert coded.study.uid == report.study.uid


def test_digits_stay_as_written(small: Vocabulary) -> None:
    lesion = coded_lesion(small, measurements=(number("long axis", "12.50", "mm"),))

    assert str(lesion.measurements[0].value) == "12.50"


def test_the_same_report_is_coded_the_same(small: Vocabulary) -> None:
    assert code_report(full_report(), small) == code_report(full_report(), small)


@pytest.mark.parametrize("tag", ["en-US", "en-us", "EN-us"])
def test_a_language_that_has_a_name_is_not_spoken_of(small: Vocabulary, tag: str) -> None:
    assert losses_of(small, language=tag) == []


def test_a_language_without_a_name_is_flagged(small: Vocabulary) -> None:
    assert losses_of(small, language="gsw-CH") == [(LossKind.FLAGGED, "unknown-language", "/report/language")]


@pytest.mark.parametrize("tag", ["English", "en_US", "", "e", "en-USA"])
def test_refuses_what_is_no_language_tag(small: Vocabulary, tag: str) -> None:
    with pytest.raises(Invalid) as caught:
        code_report(make_report(language=tag), small)

    assert caught.value.problems[0].rule == "language"


def test_a_coded_report_is_a_report_with_terms_resolved(small: Vocabulary) -> None:
    assert isinstance(code_report(make_report(), small), CodedReport)


@given(st.text(min_size=1, max_size=30), st.sampled_from(["finding", "site", "topography", "certainty", "category"]))
def test_any_word_is_coded_or_kept_as_it_is(small: Vocabulary, text: str, member: str) -> None:
    coded = code_report(make_report(make_lesion(**{member: text})), small)

    made = getattr(coded.lesions[0], member)
    assert made.concept is not None or (made.text == text and len(coded.losses) == 1)


def outcome(small: Vocabulary, lesion: Lesion[Term]) -> CodedReport | list[str]:
    """The coded report, or the rules that it is refused by."""
    try:
        return code_report(make_report(lesion), small)
    except Invalid as refused:
        return [problem.rule for problem in refused.problems]


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_code_is_known_passed_on_kept_or_refused(small: Vocabulary, system: str, value: str, display: str) -> None:
    found = outcome(small, make_lesion(site=code(system, value, display)))

    if isinstance(found, list):
        assert found == ["code-shape"]
    else:
        site = found.lesions[0].site
        assert site is not None
        assert site.codes or found.losses


@given(st.text(max_size=20), st.decimals(), st.text(max_size=10))
def test_any_number_is_taken_or_refused_by_a_rule(small: Vocabulary, name: str, value: Decimal, unit: str) -> None:
    measurement = Measurement(term(name), value, term(unit), where="/lesions/0/measurements/x")

    found = outcome(small, make_lesion(measurements=(measurement,)))

    assert isinstance(found, CodedReport) or set(found) <= {"unit-missing", "unit-unknown", "unit-kind", "value-range"}


@pytest.mark.parametrize("turn", ["first", "again"])
def test_what_was_met_before_is_held_to_the_same_rules(small: Vocabulary, turn: str) -> None:
    """Field and answer, name and unit are remembered in pairs: the second time nothing but the look-up is left out."""
    if turn == "again":
        code_report(make_report(make_lesion(evaluations=(answer("edema degree", "mild"),))), small)
        code_report(make_report(make_lesion(measurements=(number("long axis", "3", "mm"),))), small)
    twice = tuple(answer("edema degree", "mild", f"/lesions/0/descriptors/edema degree/{place}") for place in (0, 1))
    assert [rule for rule, _ in refused(small, Invalid, evaluations=twice)] == ["one-answer"]
    assert [rule for rule, _ in refused(small, Implausible, measurements=(number("long axis", "-3", "mm"),))] == [
        "value-range"
    ]
    made = coded_lesion(small, evaluations=(answer("edema degree", "mild", "/here"),)).evaluations[0]
    assert (made.where, made.value.where, made.value.concept) == ("/here", "/here", "mild")


def test_a_report_that_says_nothing_is_flagged_unless_it_is_withdrawn(small: Vocabulary) -> None:
    nothing: dict[str, Any] = {"lesions": (), "findings": None, "impression": None, "conclusions": ()}
    nothing |= {"differential": (), "negatives": (), "evaluations": ()}
    flag = (LossKind.FLAGGED, "says-nothing", "")

    assert flag in losses_of(small, **nothing)
    assert flag not in losses_of(small, **nothing | {"impression": "Nothing new."})
    assert flag not in losses_of(small, **nothing | {"status": Status.CANCELLED})
