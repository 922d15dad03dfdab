"""Labels in other languages: what is reviewed is the text of a term, a draft is none, neither is a word to look up."""

from importlib.resources import files
from types import MappingProxyType

import pytest

from service.check.compare import compare
from service.coding import Vocabulary, vocabulary
from service.coding.coder import code_report
from service.coding.labels import in_language, labels, languages, primary, reviewed
from service.coding.resolve import resolve
from service.domain.codes import Term
from service.domain.report import CodedReport
from service.formats.fhir.write import write as write_fhir
from service.formats.sr.write import write as write_sr
from tests.unit.coding.reports import make_lesion, make_report

OFFICIAL = {"de": {"brain-metastasis": "Metastase im Gehirn", "subcortical": "unter der Rinde"}}


@pytest.fixture(scope="module")
def german() -> Vocabulary:
    """The shipped tables with a site's own German labels."""
    made = Vocabulary.load(files("terminology"), files("mappings"))
    made.official = MappingProxyType(OFFICIAL)
    return made


def coded(shipped: Vocabulary, language: str) -> CodedReport:
    """A report of one lesion in a language."""
    lesion = make_lesion(finding=Term("brain mets"), laterality=Term("left"), topography=Term("subcortical"))
    return code_report(make_report(lesion, language=language), shipped)


def test_a_sites_own_label_is_the_text_and_the_codes_stay(german: Vocabulary) -> None:
    english, own = coded(german, "en").lesions[0].finding, coded(german, "de").lesions[0].finding

    assert own.text == "Metastase im Gehirn"
    assert own.said == english.said == "brain mets"
    assert [(code, code.display) for code in own.codes] == [(code, code.display) for code in english.codes]
    assert (own.concept, own.broader, own.resolution) == (english.concept, english.broader, english.resolution)


def test_the_english_label_is_kept_as_what_was_said(german: Vocabulary) -> None:
    topography = coded(german, "de").lesions[0].topography
    assert topography is not None
    assert (topography.text, topography.said) == ("unter der Rinde", "subcortical")


def test_a_draft_is_no_text_of_a_term() -> None:
    assert labels("de")["brain-metastasis"] == ("Hirnmetastase", False)
    assert coded(vocabulary(), "de").lesions[0].finding.text == "brain metastasis"


def test_a_report_without_reviewed_words_is_the_same_report() -> None:
    report = coded(vocabulary(), "fr")
    assert in_language(report, vocabulary()) is report


def test_a_region_has_its_own_words_before_those_of_its_language(german: Vocabulary) -> None:
    german_official = german.official
    german.official = MappingProxyType({**OFFICIAL, "de-CH": {"brain-metastasis": "Hirnableger"}})
    try:
        assert reviewed(german, "de-CH")["brain-metastasis"] == "Hirnableger"
        assert reviewed(german, "de-CH")["subcortical"] == "unter der Rinde"
        assert reviewed(german, "de-AT")["brain-metastasis"] == "Metastase im Gehirn"
    finally:
        german.official = german_official


@pytest.mark.parametrize("language", languages())
def test_no_label_is_a_word_that_a_sender_is_understood_by(language: str) -> None:
    shipped = vocabulary()
    side = shipped.members["laterality"]
    for key in ("left", "right"):
        said = labels(language)[key].text
        found = resolve(shipped, Term(said), side).term
        assert found is None or found.concept is None, said


@pytest.mark.parametrize(("tag", "language"), [("de", "de"), ("de-CH", "de"), ("PL", "pl"), ("zh-Hans", "zh")])
def test_the_language_of_a_tag_is_its_first_part(tag: str, language: str) -> None:
    assert primary(tag) == language


@pytest.mark.parametrize("tag", ["", "..", "../de", "de/../fr", "xx"])
def test_an_unknown_language_has_no_labels(tag: str) -> None:
    assert dict(labels(tag)) == {}


def test_sr_and_fhir_say_the_same_in_the_reports_language(german: Vocabulary) -> None:
    report = coded(german, "de")
    document = write_sr(report)
    bundle = write_fhir(report, document.reference).content

    assert b"Metastase im Gehirn" in bundle
    assert not compare(report, document.content, bundle, document.losses)
