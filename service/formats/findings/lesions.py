"""Lesions: one of the members that were read, and what holds between all of a report."""

from typing import Any

from service.domain.codes import Term
from service.domain.geometry import SEGMENTATION
from service.domain.report import Lesion, Study
from service.formats.findings.rules import Rule
from service.formats.findings.shapes import without_dangling
from service.formats.reading import Reading


def lesion(values: dict[str, Any], where: str) -> Lesion[Term]:
    """The lesion of members that are right each by itself, an image's shapes without what is not measured."""
    measurements, images = values.get("measurements", ()), values.get("images", ())
    if images:
        images = without_dangling(images, [measurement.concept.text for measurement in measurements])
    # One by one: native code gives a native class its members by position ten times as fast as by their names.
    said = values.get
    return Lesion(
        values["id"],
        values["finding"],
        said("tracking_uid"),
        said("category"),
        said("site"),
        said("laterality"),
        said("topography"),
        said("count"),
        said("certainty"),
        said("change"),
        said("time_point"),
        said("text"),
        measurements,
        said("evaluations", ()),
        images,
        said("regions3d", ()),
        said("segment"),
        where,
    )


def check_ids(lesions: tuple[Lesion[Term], ...], reading: Reading) -> None:
    """One id, and one tracking UID, names one lesion."""
    ids: set[str] = set()
    uids: set[str] = set()
    for lesion in lesions:
        if lesion.id in ids:
            reading.refuse(f"{lesion.where}/id", Rule.DUPLICATE_ID, "Give each lesion an id of its own.")
        ids.add(lesion.id)
        if lesion.tracking_uid is not None:
            if lesion.tracking_uid in uids:
                reading.refuse(f"{lesion.where}/trackingUid", Rule.DUPLICATE_ID, "Give each lesion a UID of its own.")
            uids.add(lesion.tracking_uid)


def check_images(study: Study[Term], lesions: tuple[Lesion[Term], ...], reading: Reading) -> None:
    """An instance is of one class, series and study; a measurement was made on an image that is listed."""
    known: dict[str, tuple[str, str, str]] = {}
    listed = list(study.images)
    for lesion in lesions:
        listed += [shown.image for shown in lesion.images]
    for image in listed:
        facts = (image.sop_class, image.series, image.study or study.uid)
        if known.setdefault(image.sop_instance, facts) != facts:
            reading.refuse(
                image.where, Rule.IMAGE, "This instance stands elsewhere with another class, series or study."
            )
    evidence = {image.sop_instance for image in study.images}
    for lesion in lesions:
        own = {shown.image.sop_instance for shown in lesion.images}
        for measurement in lesion.measurements:
            if measurement.image is not None and measurement.image not in own and measurement.image not in evidence:
                reading.refuse(
                    f"{measurement.where}/image",
                    Rule.IMAGE,
                    "List this image too, with the lesion or the study: its class and series are needed.",
                )


def check_segments(study: Study[Term], lesions: tuple[Lesion[Term], ...], reading: Reading) -> None:
    """A SEG instance is of one class, series and study, as an image too; both places are pointed at."""
    images = [*study.images, *(shown.image for lesion in lesions for shown in lesion.images)]
    known = {one.sop_instance: ((one.sop_class, one.series, one.study or study.uid), one.where) for one in images}
    for segment in [lesion.segment for lesion in lesions if lesion.segment is not None]:
        facts = (SEGMENTATION, segment.series, study.uid)
        stated, place = known.setdefault(segment.sop_instance, (facts, segment.where))
        if stated != facts:
            for one, other in ((segment.where, place), (place, segment.where)):
                reading.refuse(one, Rule.IMAGE, f"This instance stands at {other} with another class, series or study.")
