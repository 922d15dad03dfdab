"""TID 2000 Basic Diagnostic Imaging Report as a Basic Text SR: the report in words, for archives that show only text.

Only CONTAINER, TEXT and the language and observer context are written, which table A.35.1-2 of PS3.3 allows there. All
that is coded or drawn elsewhere is said in words or named as a loss.
"""

from collections.abc import Iterator

from service.domain.codes import CodedTerm
from service.domain.report import Lesion
from service.formats.sr.draft import Draft
from service.formats.sr.items import Container
from service.formats.sr.lesion_words import in_words
from service.formats.sr.names import name
from service.formats.sr.observers import observer_context
from service.formats.sr.template import language, prior_in_words
from service.formats.sr.tree import ContentItem

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.88.11"
"""Basic Text SR Storage (PS3.4 B.5)."""
RULE = "sr-text-only"


def text_report(draft: Draft) -> ContentItem:
    """The root container: language, observers, findings and impression."""
    for lesion in draft.report.lesions:
        _lose(draft, lesion)
    sections = (
        _section(draft, "findings", "finding", _findings(draft)),
        _section(draft, "impressions", "impression", _impression(draft)),
    )
    children = (language(draft.report.language), *observer_context(draft), *(one for made in sections for one in made))
    return Container(name("diagnostic-imaging-report"), None, children, template="2000")


def _section(draft: Draft, heading: str, element: str, texts: Iterator[tuple[str, str]]) -> tuple[ContentItem, ...]:
    """A section with a TEXT for each statement, nothing where nothing is said (TID 2000 rows 5 to 9)."""
    said = [item for text, where in texts for item in draft.text(name(element), text, "CONTAINS", where)]
    return (Container(name(heading), "CONTAINS", tuple(said)),) if said else ()


def _findings(draft: Draft) -> Iterator[tuple[str, str]]:
    """What was done and seen: each statement with its place."""
    report = draft.report
    study = report.study
    yield f"Procedure: {_list(study.procedures)}", "/study/procedure"
    if study.technique:
        yield f"Technique: {_list(study.technique)}", "/study/technique"
    for prior in study.comparisons:
        yield f"Compared with: {prior_in_words(prior)}", "/study/comparisons"
    if report.findings is not None:
        yield report.findings, "/report/findings"
    for lesion in report.lesions:
        yield in_words(lesion), lesion.where
    for evaluation in report.evaluations:
        yield f"{evaluation.name.text}: {evaluation.value.text}", evaluation.where
    if report.negatives:
        yield f"Absent: {_list(report.negatives)}", "/report/negatives"


def _impression(draft: Draft) -> Iterator[tuple[str, str]]:
    report = draft.report
    if report.impression is not None:
        yield report.impression, "/report/impression"
    if report.conclusions:
        yield f"Conclusion: {_list(report.conclusions)}", "/report/conclusion"
    if report.differential:
        yield f"Differential diagnosis: {_list(report.differential)}", "/report/differential"


def _list(terms: tuple[CodedTerm, ...]) -> str:
    return "; ".join(term.text for term in terms)


def _lose(draft: Draft, lesion: Lesion[CodedTerm]) -> None:
    """Name what no text holds."""
    why = "a Basic Text SR says it in no way (PS3.3 A.35.1)"
    for shown in lesion.images:
        draft.lose(shown.image.where or lesion.where, "image", why, RULE)
        for region in shown.regions:
            draft.lose(region.where or lesion.where, region.graphic.value, why, RULE)
    for solid in lesion.regions3d:
        draft.lose(solid.where or lesion.where, solid.graphic.value, why, RULE)
    if lesion.segment is not None:
        draft.lose(lesion.segment.where or lesion.where, "segment", why, RULE)
    for said in lesion.measurements:
        if said.image is not None:
            draft.lose(f"{said.where}/image", "image", why, RULE)
