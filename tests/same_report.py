"""Two coded reports as an SR can tell them apart: what docs/conformance-sr.md says it can't hold is made alike.

`as_an_sr_says` is that yardstick; nothing of the reader or the writer is used in it, but for the rule of their times.
"""

import struct
from collections.abc import Collection
from dataclasses import fields, is_dataclass, replace
from typing import Any

from service.coding import vocabulary
from service.domain.codes import LOCAL_SCHEME, CodedTerm, Resolution
from service.domain.geometry import Graphic, Graphic3D, ImageReference, LesionImage
from service.domain.report import CodedReport, Evaluation, Lesion, Measurement, Observer, Study
from service.domain.times import DateTime
from service.formats.sr.geometry import LENGTHS
from service.formats.sr.times import local

Losses = Collection[tuple[str, str]]
"""Where and rule of what the writer named as lost."""


def as_an_sr_says(report: CodedReport, lost: Losses = ()) -> CodedReport:
    """The report without what no SR holds, and without what ``lost`` says the writer could not write."""
    rules = {rule for _, rule in lost}
    patient = report.patient
    born = patient.birth_date
    made = replace(
        report,
        id="",
        sender="",
        losses=(),
        issued=_moment(report.issued),
        patient=replace(patient, birth_date=born if born is not None and len(born.text) == 10 else None),
        study=_study(report, rules),
        observers=tuple(_observer(one, report) for whole in report.observers for one in _apart(whole)),
        lesions=tuple(_lesion(lesion, report, lost) for lesion in report.lesions),
        negatives=(*report.negatives, *(one.name for one in report.evaluations if _denies(one))),
        evaluations=tuple(one for one in report.evaluations if not _denies(one)),
        findings=_text(report.findings),
        impression=_text(report.impression),
        predecessor=_predecessor(report),
    )
    plain: CodedReport = _plain(made)
    return plain


def _denies(said: Evaluation[CodedTerm]) -> bool:
    """Whether an answer is the same as a negative finding: that it is absent, of what is a field and a finding."""
    findings = vocabulary().members["negative"].values or frozenset()
    known = said.name.concept in findings and said.name.codes[0].system != LOCAL_SCHEME
    return said.value.concept == "absent" and known


def _predecessor(report: CodedReport) -> Any:
    said = report.predecessor
    return replace(said, study=None) if said is not None and said.study == report.study.uid else said


def _moment(moment: DateTime) -> DateTime:
    """Seconds to six digits, and one way to write UTC."""
    text = moment.text.replace("+00:00", "Z").replace("-00:00", "Z")
    whole, dot, rest = text.partition(".")
    digits = "".join(leading_digits(rest))
    return DateTime(f"{whole}{dot}{digits[:6]}{rest[len(digits) :]}" if dot else text)


def leading_digits(text: str) -> str:
    """The digits that a text begins with."""
    return text[: len(text) - len(text.lstrip("0123456789"))]


def _started(moment: DateTime | None, report: CodedReport) -> DateTime | None:
    """A day, or a day and time in the zone of the report; nothing for less than a day."""
    if moment is None or len(moment.text) < 10:
        return None
    day, time = local(moment, report.issued)
    if not day:
        return None
    on = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    if not time:
        return DateTime(on)
    at = f"{time[:2]}:{time[2:4]}:{time[4:]}"
    zone = report.issued.text[-6:] if not report.issued.text.endswith("Z") else "Z"
    return _moment(DateTime(f"{on}T{at}{zone}"))


def _study(report: CodedReport, rules: set[str]) -> Study[CodedTerm]:
    study = report.study
    shown = {one.image.sop_instance for lesion in report.lesions for one in lesion.images}
    images = {image.sop_instance: replace(_image(image, report), frames=()) for image in study.images}
    referring = study.referring_physician
    if referring is not None:
        organization = referring.organization if referring.id is not None else None
        referring = replace(referring, role=None, organization=organization)
    return replace(
        study,
        started=_started(study.started, report),
        images=tuple(sorted((one for uid, one in images.items() if uid not in shown), key=repr)),
        accession_issuer=None if study.accession is None else study.accession_issuer,
        referring_physician=referring,
    )


def _image(image: ImageReference, report: CodedReport) -> ImageReference:
    return replace(image, study=None if image.study == report.study.uid else image.study)


def _apart(observer: Observer[CodedTerm]) -> list[Observer[CodedTerm]]:
    """A person and a device that observed together stand one after the other in an SR."""
    made: list[Observer[CodedTerm]] = []
    if observer.person is not None:
        made.append(Observer(person=observer.person))
    if observer.device is not None:
        made.append(Observer(device=observer.device))
    return made


def _observer(observer: Observer[CodedTerm], report: CodedReport) -> Observer[CodedTerm]:
    person = observer.person
    if person is None or person.verified_at is None:
        return observer
    if not report.is_complete:
        return Observer(person=replace(person, verified_at=None))
    when = person.verified_at
    zoned = when if when.has_zone or not when.has_time else DateTime(f"{when.text}{_zone(report)}")
    return Observer(person=replace(person, verified_at=_moment(zoned)))


def _zone(report: CodedReport) -> str:
    return "Z" if report.issued.text.endswith("Z") else report.issued.text[-6:]


def _lesion(lesion: Lesion[CodedTerm], report: CodedReport, lost: Losses) -> Lesion[CodedTerm]:
    places = {where for where, _ in lost}
    images: dict[ImageReference, list[Any]] = {}
    for shown in lesion.images:
        regions = [region for region in shown.regions if not region.where or region.where not in places]
        images.setdefault(_image(shown.image, report), []).extend(_region(one, lesion) for one in regions)
    drawn = {image.sop_instance for image, regions in images.items() if regions}
    gone = lesion.segment is not None and (lesion.segment.where or lesion.where) in places
    measurements = tuple(
        replace(one, image=None if one.image in drawn or f"{one.where}/image" in places else one.image)
        for one in lesion.measurements
    )
    count, plain = lesion.count, [one for one in measurements if _counts(one)]
    if count is None and plain:
        # "Number of lesions: 3" is one item, whether it was said as a count or as a measurement.
        count = int(plain[-1].value)
        last = max(number for number, one in enumerate(measurements) if one is plain[-1])
        measurements = (*measurements[:last], *measurements[last + 1 :])
    return replace(
        lesion,
        count=count,
        text=_text(lesion.text),
        measurements=measurements,
        images=tuple(
            LesionImage(image, tuple(sorted(regions, key=repr))) for image, regions in sorted(images.items(), key=repr)
        ),
        regions3d=tuple(_region3d(one) for one in lesion.regions3d if not one.where or one.where not in places),
        segment=None if gone else lesion.segment,
    )


def _counts(said: Measurement[CodedTerm]) -> bool:
    """Whether a measurement says no more than how many there are."""
    bare = not any((said.method, said.derivation, said.range, said.image))
    return said.concept.concept == "lesion-count" and bare and said.value == int(said.value) and said.value >= 1


def _single(points: Any) -> Any:
    """Coordinates as single precision numbers, which is all that Graphic Data holds."""
    return tuple(struct.unpack(f"<{len(point)}f", struct.pack(f"<{len(point)}f", *point)) for point in points)


def _region(region: Any, lesion: Lesion[CodedTerm]) -> Any:
    points = _single(region.points)
    closed = region.graphic is Graphic.POLYGON and len(points) > 3 and points[0] == points[-1]
    # What a shape shows is said where that is a length: it stands below its number. The others stand in the group.
    said = region.measurement
    lengths = [one.concept for one in lesion.measurements if one.unit.codes and one.unit.codes[0].code in LENGTHS]
    shown = (said.codes, said.text) if said is not None and said.codes in [one.codes for one in lengths] else None
    return replace(region, points=points[:-1] if closed else points, measurement=shown)


def _region3d(region: Any) -> Any:
    points = _single(region.points)
    closed = region.graphic is Graphic3D.POLYGON and len(points) > 3 and points[0] == points[-1]
    return replace(region, points=points[:-1] if closed else points)


def _text(text: str | None) -> str | None:
    return text and text.rstrip(" ")


def _plain(value: Any) -> Any:
    """Without places, without the sender's words, and without how a term was found."""
    if isinstance(value, CodedTerm):
        return replace(value, where="", said="", resolution=Resolution.KEY)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(map(_plain, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.init})
    return value


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two reports differ, for people."""
    if is_dataclass(one) and type(one) is type(other):
        return [
            found
            for member in fields(one)
            if member.compare
            for found in differences(getattr(one, member.name), getattr(other, member.name), f"{place}/{member.name}")
        ]
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return [
            found
            for number, (left, right) in enumerate(zip(one, other, strict=True))
            for found in differences(left, right, f"{place}/{number}")
        ]
    return [] if one == other else [f"{place}: {one!r} != {other!r}"]
