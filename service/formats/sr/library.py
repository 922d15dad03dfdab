"""Image Library: TID 1600 with a group a study, its TID 1602 descriptors and its images (TID 1601)."""

from collections.abc import Iterator
from typing import Final

from service.domain.codes import CodedTerm
from service.domain.times import DateTime
from service.formats.sr.draft import Draft
from service.formats.sr.names import name
from service.formats.sr.times import local
from service.formats.sr.tree import Container, ContentItem, Date, Image, Time

_CONTEXT: Final = "HAS ACQ CONTEXT"


def image_library(draft: Draft) -> ContentItem:
    """The library: the report's own study first, then each prior study that something is known of."""
    study = draft.report.study
    groups = [_group(draft, study.uid, study.modality, study.started)]
    groups.extend(
        _group(draft, prior.uid, prior.modality, prior.started)
        for prior in study.comparisons
        if prior.modality is not None or draft.evidence.of_study(prior.uid)
    )
    known = {study.uid, *(prior.uid for prior in study.comparisons)}
    groups.extend(_group(draft, uid, None, None) for uid in draft.evidence.studies if uid not in known)
    return Container(name("image-library"), "CONTAINS", tuple(groups), template="1600")


def _group(draft: Draft, study: str, modality: CodedTerm | None, started: DateTime | None) -> ContentItem:
    """One study; without a modality there are no descriptors, since TID 1602 begins with it."""
    images = tuple(Image(None, reference, "CONTAINS") for reference in draft.evidence.of_study(study))
    descriptors = tuple(_descriptors(draft, modality, started)) if modality is not None else ()
    return Container(name("image-library-group"), "CONTAINS", (*descriptors, *images))


def _descriptors(draft: Draft, modality: CodedTerm, started: DateTime | None) -> Iterator[ContentItem]:
    """TID 1602: the modality is M, the rest as far as it is known."""
    yield from draft.answer(name("modality"), modality, _CONTEXT)
    if started is not None:
        day, time = local(started, draft.report.issued)
        if day:
            yield Date(name("study-date"), day, _CONTEXT)
        if time:
            yield Time(name("study-time"), time, _CONTEXT)
