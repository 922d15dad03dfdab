"""Image Library: TID 1600 with a group for each modality of a study, its TID 1602 descriptors and images (TID 1601)."""

from collections.abc import Iterator
from typing import Final

from service.coding.modalities import modality_of
from service.domain.codes import Code, CodedTerm
from service.domain.geometry import SEGMENTATION
from service.domain.times import DateTime
from service.formats.sr.draft import Draft
from service.formats.sr.items import Container, Date, Image, Time
from service.formats.sr.names import name
from service.formats.sr.times import local
from service.formats.sr.tree import ContentItem

_CONTEXT: Final = "HAS ACQ CONTEXT"
_LEAP_SECOND: Final = "60"


def image_library(draft: Draft) -> ContentItem:
    """The library: the report's own study first, then each prior study that something is known of."""
    study = draft.report.study
    groups = [*_groups(draft, study.uid, study.modality, study.started)]
    for prior in study.comparisons:
        if prior.modality is not None or draft.evidence.of_study(prior.uid):
            groups += _groups(draft, prior.uid, prior.modality, prior.started)
    known = {study.uid, *(prior.uid for prior in study.comparisons)}
    for uid in draft.evidence.studies:
        if uid not in known:
            groups += _groups(draft, uid, None, None)
    return Container(name("image-library"), "CONTAINS", tuple(groups), template="1600")


def _groups(draft: Draft, study: str, modality: CodedTerm | None, started: DateTime | None) -> Iterator[ContentItem]:
    """One study: what holds for all images of a group stands once in it (TID 1600), so each modality has its own.

    The modality said of the study comes first, and holds for the images whose class says none.
    """
    images: dict[tuple[Code, ...], list[ContentItem]] = {}
    terms: dict[tuple[Code, ...], CodedTerm | None] = {}
    if modality is not None:
        images[modality.codes], terms[modality.codes] = [], modality
    of_class: dict[str, list[ContentItem]] = {}
    for reference in draft.evidence.of_study(study):
        if reference.sop_class == SEGMENTATION:
            continue  # no acquired image; the group that it belongs to refers to it
        group = of_class.get(reference.sop_class)
        if group is None:
            own = modality_of(reference.sop_class)
            if own is None or (modality is not None and own.codes[:1] == modality.codes[:1]):
                own = modality
            codes = own.codes if own is not None else ()
            terms[codes] = own
            group = of_class[reference.sop_class] = images.setdefault(codes, [])
        group.append(Image(None, reference, "CONTAINS"))
    for codes, shown in images.items():
        yield _group(draft, terms[codes], started, shown)


def _group(
    draft: Draft, modality: CodedTerm | None, started: DateTime | None, images: list[ContentItem]
) -> ContentItem:
    """Images of one study and modality; without one there are no descriptors, since TID 1602 begins with it."""
    descriptors = tuple(_descriptors(draft, modality, started)) if modality is not None else ()
    return Container(name("image-library-group"), "CONTAINS", (*descriptors, *images))


def _descriptors(draft: Draft, modality: CodedTerm, started: DateTime | None) -> Iterator[ContentItem]:
    """TID 1602: the modality is M, the rest as far as it is known."""
    yield from draft.answer(name("modality"), modality, _CONTEXT)
    if started is not None:
        day, time = local(started, draft.report.issued)
        if day:
            yield Date(name("study-date"), day, _CONTEXT)
        # DCMTK takes no second 60 in a TIME, though PS3.5 6.2 has it, and refuses the document. The header has it.
        if time and time[4:6] != _LEAP_SECOND:
            yield Time(name("study-time"), time, _CONTEXT)
