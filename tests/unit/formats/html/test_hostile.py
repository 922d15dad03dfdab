"""Markup in every text comes out as the text it is: found back whole, and no element more than in a harmless report."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.coding.labels import languages, primary
from service.domain.codes import Code, CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.names import NameGroup, PersonName
from service.domain.report import (
    CodedReport,
    Device,
    Evaluation,
    Issuer,
    Measurement,
    Observer,
    PatientId,
    Person,
    ReferenceRange,
    TimePoint,
)
from service.formats.html.write import narrative, page
from tests.report_terms import MM
from tests.reports import make_coded_report, make_lesion
from tests.unit.formats.html.markup import Html, squeezed, xml_elements, xml_words

HOSTILE = [
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[x]]>",
    "<?php echo 1 ?>",
    "&lt;b&gt; &amp; &#60;b&#62; &nbsp;",
    "'\"><svg/onload=alert(1)>",
    "</style><style>*{display:none}</style>",
    "</title></head><body onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "<a href='http://example.org/'>go</a>",
    "\u202eright to left\u202c",
    "שלום <b>עולם</b>",
    "مرحبا & أهلا",
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=60),
    st.builds("".join, st.lists(st.sampled_from([*HOSTILE, "<", ">", "&", '"', "'", "/", "=", "a"]), min_size=1)),
).filter(lambda text: squeezed(text) != "" and primary(text) not in languages())  # which show more: their drafts


def filled(text: str) -> CodedReport:
    """A report with one text in every place that takes one."""
    term = CodedTerm(text, (Code("SCT", text, text),), concept="some-concept", said=text + "!")
    bare = CodedTerm(text)
    lesion = make_lesion(
        text,
        finding=term,
        category=bare,
        site=term,
        laterality=bare,
        topography=term,
        certainty=bare,
        change=term,
        text=text,
        time_point=TimePoint(text, term, 2, text, text),
        measurements=(
            Measurement(term, make_lesion().measurements[0].value, MM, bare, term, ReferenceRange(text=text), text),
        ),
        evaluations=(Evaluation(term, bare), Evaluation(bare, term)),
    )
    report = make_coded_report()
    return replace(
        report,
        id=text,
        sender=text,
        language=text,
        impression=text,
        findings=text,
        conclusions=(term, bare),
        differential=(bare, term),
        negatives=(term, bare),
        evaluations=(Evaluation(term, term),),
        patient=replace(report.patient, id=text, issuer=Issuer(text, text, text), other_ids=(PatientId(text),)),
        study=replace(report.study, modality=term, procedures=(bare, term), accession=text, description=text),
        observers=(Observer(device=Device(text, text, text, text, text, text)),),
        lesions=(lesion,),
        losses=(Loss(LossKind.UNCODED, text, text, text, text, (text,)),),
    )


def places(words: str, text: str) -> int:
    """How often the text stands in the words."""
    return words.count(squeezed(text))


HARMLESS = filled("harmless")


def shape(elements: list[str]) -> list[str]:
    """Elements without those that only part a text or turn its direction."""
    return [element for element in elements if element.rpartition("}")[2] not in {"br", "p", "span"}]


@given(texts)
@settings(max_examples=300, deadline=None)
def test_page_shows_hostile_text_as_text(text: str) -> None:
    read = Html(page(filled(text)))
    harmless = Html(page(HARMLESS))
    assert places(read.words, text) >= places(harmless.words, "harmless")
    assert shape(read.elements) == shape(harmless.elements)
    assert {(tag, name) for tag, name, _ in read.attributes} - {
        (tag, name) for tag, name, _ in harmless.attributes
    } <= {
        ("span", "dir"),
        ("p", "dir"),
    }


@given(texts)
@settings(max_examples=300, deadline=None)
def test_narrative_shows_hostile_text_as_text(text: str) -> None:
    written = narrative(filled(text))
    harmless = narrative(HARMLESS)
    assert places(xml_words(written), text) >= places(xml_words(harmless), "harmless")
    assert shape(xml_elements(written)) == shape(xml_elements(harmless))
    assert Html(written).words == xml_words(written)


@given(st.text(st.characters(codec=None), max_size=80))
@settings(max_examples=300, deadline=None)
def test_narrative_is_well_formed_whatever_the_characters(text: str) -> None:
    words = xml_words(narrative(make_coded_report(impression=text, lesions=(make_lesion(text=text),))))
    assert "brain metastasis" in words


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_shows_that_a_character_could_not_be_carried(character: str) -> None:
    report = make_coded_report(patient=replace(make_coded_report().patient, id=f"before{character}after"))
    for words in (xml_words(narrative(report)), Html(page(report)).words):
        assert "before\ufffdafter" in words
    page(report).encode()


@pytest.mark.parametrize(("text", "turn"), [("عبد الله", "rtl"), ("\u202e12.4", "rtl"), ("A\u202e12.4", "ltr")])
def test_isolates_a_text_that_could_turn_its_neighbours(text: str, turn: str) -> None:
    report: Any = make_coded_report(patient=replace(make_coded_report().patient, id=text))
    for written in (narrative(report), page(report)):
        assert f'<span dir="{turn}">{text}</span>' in written


@pytest.mark.parametrize("text", [text for text in HOSTILE if not set("^=\\") & set(text)])
def test_shows_a_hostile_name_as_a_name(text: str) -> None:
    name = PersonName(NameGroup(text, text[:9]), NameGroup(text), NameGroup(text))
    report = make_coded_report()
    named = replace(
        report,
        patient=replace(report.patient, name=name),
        observers=(Observer(person=Person(name, organization=text, verified_at=report.issued)),),
    )
    harmless = replace(named, patient=report.patient, observers=(Observer(person=Person(PersonName.parse("A^B"))),))
    # The verifier of the first one stands in bold.
    assert sorted(shape(Html(page(named)).elements)) == sorted(shape([*Html(page(harmless)).elements, "b"]))
    assert places(Html(page(named)).words, text) >= 10
    assert places(xml_words(narrative(named)), text) >= 10
