"""TID 1500 Measurement Report: the tree of a coded report."""

from collections.abc import Iterator
from typing import Final

from service.coding import vocabulary
from service.domain.codes import Code, CodedTerm
from service.domain.report import Comparison, Lesion
from service.formats.sr.coded import coded_entry
from service.formats.sr.draft import Draft
from service.formats.sr.group import measurement_group
from service.formats.sr.items import CodeItem, Container
from service.formats.sr.lesion_words import in_words
from service.formats.sr.library import image_library
from service.formats.sr.names import member, name
from service.formats.sr.observers import algorithm, observer_context
from service.formats.sr.statements import Items, of_report
from service.formats.sr.tree import ContentItem

_MODIFIER: Final = "HAS CONCEPT MOD"


def measurement_report(draft: Draft) -> ContentItem:
    """The root container: language, observers, procedures, image library, measurement groups, evaluations."""
    for image in draft.report.study.images:
        draft.evidence.add(image)
    for lesion in draft.report.lesions:
        for shown in lesion.images:
            draft.evidence.add(shown.image)
    lost: list[Lesion[CodedTerm]] = []
    measurements = _measurements(draft, lost)
    evaluations = tuple(_evaluations(draft, lost))
    # One of the two is enough (TID 1500); highdicom 0.28 fails on a container of measurements with nothing in it, while
    # a viewer of the dialect ohif asks for it.
    is_needed = measurements.children or not evaluations or draft.dialect.tools
    children = (
        language(draft.report.language),
        *observer_context(draft),
        *_procedures(draft),
        image_library(draft),
        *((measurements,) if is_needed else ()),
        *((Container(name("qualitative-evaluations"), "CONTAINS", evaluations),) if evaluations else ()),
    )
    return Container(name("imaging-measurement-report"), None, children, template="1500")


def language(tag: str) -> ContentItem:
    """TID 1204: a language tag of RFC 5646, with its name where the vocabulary has one."""
    concept = vocabulary().concepts.get(f"language-{tag.lower()}")
    codes = concept.codes[:1] if concept is not None and concept.codes else (Code("RFC5646", tag, tag),)
    return CodeItem(name("language-of-content-item-and-descendants"), coded_entry(codes), _MODIFIER)


def _procedures(draft: Draft) -> Iterator[ContentItem]:
    """Procedure Reported, 1-n: a code is mandatory there; one without becomes an imaging procedure in its own words."""
    for procedure in draft.report.study.procedures:
        if procedure.codes:
            yield from draft.answer(name("procedure-reported"), procedure, _MODIFIER)
        else:
            words = draft.text(name("equivalent-meaning-of-value"), procedure.text, _MODIFIER, procedure.where)
            yield CodeItem(name("procedure-reported"), name("imaging-procedure"), _MODIFIER, words)


def _measurements(draft: Draft, lost: list[Lesion[CodedTerm]]) -> ContentItem:
    """Imaging Measurements with one group a lesion; lesions without a group come back in ``lost``."""
    groups = []
    for lesion in draft.report.lesions:
        group = measurement_group(draft, lesion)
        if group is None:
            lost.append(lesion)
        else:
            groups.append(group)
    draft.groups = len(groups)
    return Container(name("imaging-measurements"), "CONTAINS", (*algorithm(draft), *groups))


def _evaluations(draft: Draft, lost: list[Lesion[CodedTerm]]) -> Iterator[ContentItem]:
    """Report-level Qualitative Evaluations, CODE and TEXT only: what is said of the study as a whole."""
    report = draft.report
    for key, text, where in (
        ("findings", report.findings, "/report/findings"),
        ("impression", report.impression, "/report/impression"),
    ):
        if text is not None:
            yield from draft.text(name(key), text, "CONTAINS", where)
    for key, terms in (
        ("conclusion", report.conclusions),
        ("differential", report.differential),
        ("technique", report.study.technique),
    ):
        for term in terms:
            yield from of_report(draft, member(key), term)
    for term in report.negatives:
        yield from _negative(draft, term)
    for evaluation in report.evaluations:
        concept_name, named = draft.named(evaluation.name)
        yield from of_report(draft, concept_name, evaluation.value, named)
    for prior in report.study.comparisons:
        yield from draft.text(
            name("prior-procedure-descriptions"), prior_in_words(prior), "CONTAINS", "/study/comparisons"
        )
    for lesion in lost:
        yield from draft.text(name("comment"), in_words(lesion), "CONTAINS", lesion.where)


def _negative(draft: Draft, term: CodedTerm) -> Items:
    """The finding as name, absent as value; in words it is the text of what is absent.

    A broader code is not denied when only a narrower finding is absent.
    """
    if term.codes and not term.broader:
        return (CodeItem(draft.entry(term.codes), name("absent"), "CONTAINS"),)
    return draft.text(name("absent"), term.text, "CONTAINS", term.where)


def prior_in_words(prior: Comparison[CodedTerm]) -> str:
    """A prior study in words; its images, where some are known, stand in the image library and the evidence."""
    said = [
        prior.started.text if prior.started is not None else "",
        prior.modality.text if prior.modality is not None else "",
        prior.description or "",
        f"accession {prior.accession}" if prior.accession is not None else "",
        f"study {prior.uid}",
    ]
    return ", ".join(part for part in said if part)
