"""Coded reports as plain values that are equal where two reports say the same, and the places where they don't.

What is no part of what is said is left out: places, how a term was resolved, the sender's words beside it, losses. An
image that names the report's own study says no more than one that names none; shapes on one image that follow each
other are one entry, and of an entry without shapes only the image counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import groupby
from typing import Any

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, ImageReference, LesionImage, Region2D
from service.domain.report import CodedReport, Lesion
from service.domain.times import DateTime

_UNSAID = ("where", "losses", "resolution", "said")


def without_shapes(lesion: Lesion[CodedTerm]) -> Lesion[CodedTerm]:
    """A lesion less the coordinates that R4 has no place for (rule ``fhir-geometry``)."""
    images = dict.fromkeys(shown.image for shown in lesion.images)
    return replace(lesion, images=tuple(LesionImage(image) for image in images), regions3d=())


def by_kind(lesion: Lesion[CodedTerm]) -> Lesion[CodedTerm]:
    """A lesion with the shapes of each image by their kind, as findings JSON has them."""

    def kind(region: Region2D[CodedTerm]) -> int:
        return (Graphic.LINE, Graphic.POLYGON, Graphic.POINT).index(region.graphic)

    images = [LesionImage(shown.image, tuple(sorted(shown.regions, key=kind))) for shown in lesion.images]
    return replace(lesion, images=tuple(images))


def said(report: CodedReport, lesion: Callable[[Lesion[CodedTerm]], Lesion[CodedTerm]] = lambda one: one) -> Any:
    """What a report says; ``lesion`` takes away what a format can't carry."""
    study = report.study
    own = study.uid

    def image(reference: ImageReference) -> ImageReference:
        return replace(reference, study=None) if reference.study == own else reference

    def images(one: Lesion[CodedTerm]) -> Lesion[CodedTerm]:
        made: list[LesionImage[CodedTerm]] = []
        runs = groupby(one.images, key=lambda shown: (image(shown.image), bool(shown.regions)))
        for (reference, drawn), run in runs:
            regions = tuple(region for shown in run for region in shown.regions)
            if drawn or not any(known.image == reference for known in made):
                made.append(LesionImage(reference, regions))
        return replace(one, images=tuple(made))

    lesions = tuple(images(lesion(images(one))) for one in report.lesions)
    return _plain(replace(report, lesions=lesions, study=replace(study, images=tuple(map(image, study.images)))))


def day_only(report: CodedReport) -> CodedReport:
    """Times without a zone as days: no FHIR dateTime holds more of them (rule ``fhir-date-time``)."""

    def day(time: DateTime | None) -> DateTime | None:
        return DateTime(time.date) if time is not None and time.has_time and not time.has_zone else time

    study = report.study
    comparisons = tuple(replace(one, started=day(one.started)) for one in study.comparisons)
    issuer = study.accession_issuer if study.accession is not None else None  # rule ``fhir-accession-issuer``
    known = replace(study, started=day(study.started), comparisons=comparisons, accession_issuer=issuer)
    return replace(report, study=known)


def differences(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two plain values differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            yield from differences(one[name], other[name], f"{place}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{place}[{number}]")
    elif one != other:
        yield place, one, other


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {
            member.name: _plain(getattr(value, member.name)) for member in fields(value) if member.name not in _UNSAID
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    # 12.50 and 12.5 are equal as Decimals, and not the same.
    return str(value) if type(value).__name__ == "Decimal" else value
