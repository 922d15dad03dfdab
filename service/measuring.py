"""Lesions that refer to a segment, measured from its mask: volume, long and short axis, where nobody has said them.

The mask is a DICOM SEG that comes beside the document. What a sender has measured is never replaced.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from service.coding import Vocabulary
from service.coding.units import factor
from service.domain.codes import CodedTerm, Term
from service.domain.limits import Limits
from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport, Lesion, LesionReport, Measurement
from service.imaging.segments import Mask, SegmentSize, Unmeasurable
from service.measuring_owners import Looked, Segment, not_its, shared

_TWO_DIGITS: Final = Decimal("0.01")
_MEASURED: Final = ("long-axis", "short-axis", "volume")
_ALIKE: Final[Mapping[str, Decimal]] = {
    "long-axis": Decimal("1.5"),
    "short-axis": Decimal("1.5"),
    "volume": Decimal("3.375"),
}
"""How many times one number of the same may be the other: half as long again, and the cube of that."""
_AXES: Final = {"long-axis": "short-axis", "short-axis": "long-axis"}
_Masks: TypeAlias = Mapping[str, Looked | None]
"""What each mask says, by SOP Instance UID; None where two files have one."""


def measured(
    report: CodedReport, masks: Sequence[bytes], tables: Vocabulary, limits: Limits | None = None
) -> CodedReport:
    """The report with the sizes of its segments; a mask that is not there, or tells nothing, is flagged."""
    losses: list[Loss] = []
    seen = _looked_at(report, masks, limits or Limits(), losses)
    of_several = shared(report)
    lesions = []
    for lesion in report.lesions:
        size = _size_of(lesion, report, seen, of_several, tables, losses)
        lesions.append(lesion if size is None else _measured(lesion, size, tables, losses))
    return replace(report, lesions=tuple(lesions), losses=(*report.losses, *losses))


def _looked_at(report: CodedReport, masks: Sequence[bytes], limits: Limits, losses: list[Loss]) -> _Masks:
    """What the masks say of the segments that lesions refer to: one mask after the other is held, each segment once."""
    wanted: dict[str, set[int]] = {}
    for lesion in report.lesions:
        if lesion.segment is not None:
            wanted.setdefault(lesion.segment.sop_instance, set()).add(lesion.segment.number)
    seen: dict[str, Looked | None] = {}
    contents: dict[str, bytes] = {}
    left = limits.measured_voxels
    for number, content in enumerate(masks, 1):
        try:
            mask = Mask(content, limits)
        except Unmeasurable as error:
            losses.append(Loss(LossKind.SKIPPED, "", f"segmentation {number}", f"{error}.", "mask-unreadable"))
            continue
        if contents.setdefault(mask.sop_instance, content) != content:
            why = "another file beside it has its SOP Instance UID: none of them is measured."
            losses.append(Loss(LossKind.SKIPPED, "", f"segmentation {number}", why, "mask-twice"))
            seen[mask.sop_instance] = None
        if mask.sop_instance in seen:
            continue
        found: dict[int, SegmentSize | str] = {}
        for segment in sorted(wanted.get(mask.sop_instance, ())):
            left -= mask.voxels
            found[segment] = _size(mask, segment) if left >= 0 else "the masks have more than limits.measured_voxels"
        seen[mask.sop_instance] = Looked(mask.whose(), {one: mask.tracked(one) for one in found}, found)
    return seen


def _size(mask: Mask, segment: int) -> SegmentSize | str:
    """The size of a segment, or why it has none."""
    try:
        return mask.size(segment)
    except Unmeasurable as error:
        return str(error)


def sized(report: LesionReport, coded: CodedReport, found: CodedReport) -> tuple[LesionReport, tuple[Loss, ...]]:
    """A report in the sender's terms with the sizes of its segments, and what the masks did not tell.

    ``coded`` is the same report coded, with a lesion and a measurement for each of its own; ``found`` that, measured.
    """
    made = tuple(
        replace(lesion, measurements=(*lesion.measurements, *map(_as_sent, now.measurements[len(was.measurements) :])))
        for lesion, was, now in zip(report.lesions, coded.lesions, found.lesions, strict=True)
    )
    # mypy does not bind T of a subclass that adds no field.
    return replace(report, lesions=made), found.losses[len(coded.losses) :]  # type: ignore[arg-type]


def _as_sent(said: Measurement[CodedTerm]) -> Measurement[Term]:
    """A measurement as a sender would write it."""
    method = None if said.method is None else _term(said.method)
    return Measurement(_term(said.concept), said.value, _term(said.unit), method, where=said.where)


def _term(term: CodedTerm) -> Term:
    return Term(term.text, term.codes[0] if term.codes else None, term.where)


def _size_of(
    lesion: Lesion[CodedTerm],
    report: CodedReport,
    seen: _Masks,
    of_several: frozenset[Segment],
    tables: Vocabulary,
    losses: list[Loss],
) -> SegmentSize | None:
    """The size of the segment that is a lesion; None where there is none, which is flagged."""
    segment = lesion.segment
    if segment is None:
        return None
    looked = seen.get(segment.sop_instance)
    size = looked.sizes[segment.number] if looked is not None else None
    if looked is None:
        why, rule = "No segmentation with its SOP Instance UID came along", "mask-missing"
    elif (segment.sop_instance, segment.number) in of_several:
        why, rule = "Several lesions of the report refer to this segment", "mask-shared"
    elif why := not_its(lesion, report, looked, tables):
        rule = "mask-other"
    elif isinstance(size, str):
        why, rule = size, "mask-unmeasured"
    else:
        return size
    losses.append(Loss(LossKind.FLAGGED, segment.where or lesion.where, "segment", f"{why}: not measured.", rule))
    return None


def _measured(
    lesion: Lesion[CodedTerm], size: SegmentSize, tables: Vocabulary, losses: list[Loss]
) -> Lesion[CodedTerm]:
    where = (lesion.segment.where if lesion.segment is not None else "") or lesion.where
    said = {one.concept.concept for one in lesion.measurements}
    found = _sizes(size, tables, where)
    losses.extend(_differing(lesion, found, tables))
    made = [one for one in found if one.concept.concept not in said]
    if not all(one.value.is_finite() for one in made):
        why = "a size has more digits than a number: not measured."
        losses.append(Loss(LossKind.FLAGGED, where, "segment", why, "mask-unmeasured"))
        return lesion
    crossed = _crossed(lesion, made, tables)
    kept = [one for one in made if one.value > 0 and one.concept.concept not in crossed]
    for key in _MEASURED:
        if tables.measurements[key].concept not in said.union(one.concept.concept for one in kept):
            name = key.replace("-", " ")
            rounds = f"its {name} rounds to nothing"
            why = size.volume_mm3 if key == "volume" and isinstance(size.volume_mm3, str) else rounds
            if tables.measurements[key].concept in crossed:
                why = f"its {name} does not go with the other axis, which the sender gave"
            losses.append(Loss(LossKind.FLAGGED, where, name, f"{why}: it has no {name}.", "mask-unmeasured"))
    losses.extend(_doubtful(kept, tables))
    return replace(lesion, measurements=(*lesion.measurements, *kept))


def _differing(
    lesion: Lesion[CodedTerm], found: Sequence[Measurement[CodedTerm]], tables: Vocabulary
) -> Iterator[Loss]:
    """Numbers of the sender that the mask contradicts: one of them is of another lesion, or in another unit."""
    most: dict[str | None, Decimal] = {tables.measurements[key].concept: times for key, times in _ALIKE.items()}
    for one in found:
        for said, value in _given(lesion, one.concept.concept, one.unit):
            if value > 0 and one.value > 0 and max(value / one.value, one.value / value) > most[one.concept.concept]:
                why = f"the mask of its segment has {one.value} {one.unit.text}. Kept as it came."
                what = f"{said.concept.text} {said.value} {said.unit.text}"
                yield Loss(LossKind.FLAGGED, said.where, what, why, "mask-differs")


def _crossed(lesion: Lesion[CodedTerm], made: Sequence[Measurement[CodedTerm]], tables: Vocabulary) -> set[str | None]:
    """The axes of the mask that would be a short axis above the sender's long one, or the other way round."""
    concepts = {tables.measurements[key].concept: tables.measurements[other].concept for key, other in _AXES.items()}
    long = tables.measurements["long-axis"].concept
    return {
        one.concept.concept
        for one in made
        if one.concept.concept in concepts
        for _, value in _given(lesion, concepts[one.concept.concept], one.unit)
        if (one.value < value if one.concept.concept == long else one.value > value)
    }


def _given(
    lesion: Lesion[CodedTerm], concept: str | None, unit: CodedTerm
) -> Iterator[tuple[Measurement[CodedTerm], Decimal]]:
    """The sender's numbers for a concept, with their values in a unit."""
    for one in lesion.measurements:
        times = factor(one.unit.codes[0].code, unit.codes[0].code) if one.unit.codes else None
        if one.concept.concept == concept and times is not None:
            yield one, one.value * times


def _doubtful(made: Sequence[Measurement[CodedTerm]], tables: Vocabulary) -> Iterator[Loss]:
    """What is as hard to believe of a mask as of a sender (`service.coding.measuring`)."""
    rows = {row.concept: row for row in tables.measurements.values()}
    for one in made:
        row = rows[one.concept.concept or ""]
        times = factor(one.unit.codes[0].code, row.units[0])
        if row.implausible_above is not None and times is not None and one.value * times > row.implausible_above:
            why = f"{row.key} is rarely above {row.implausible_above} {row.units[0]}. Kept as it was measured."
            yield Loss(LossKind.FLAGGED, one.where, f"{row.key} {one.value} {one.unit.text}", why, "implausible-value")


def _sizes(size: SegmentSize, tables: Vocabulary, where: str) -> list[Measurement[CodedTerm]]:
    """The numbers to two digits, each with the method that it was measured by."""
    found = [
        ("long-axis", size.long_axis_mm, "mm", "segmentation-longest-diameter"),
        ("short-axis", size.short_axis_mm, "mm", "segmentation-perpendicular-chord"),
    ]
    if not isinstance(size.volume_mm3, str):
        found.append(("volume", size.volume_mm3, "mm3", "segmented-voxel-method"))
    return [
        Measurement(
            tables.name(tables.measurements[key].concept),
            _rounded(value),
            _unit(tables, unit),
            tables.term(method),
            where=where,
        )
        for key, value, unit, method in found
    ]


def _rounded(value: float) -> Decimal:
    """To two digits; NaN where there are more digits than a number has here."""
    try:
        return Decimal(value).quantize(_TWO_DIGITS)
    except InvalidOperation:
        return Decimal("NaN")


def _unit(tables: Vocabulary, unit: str) -> CodedTerm:
    key = tables.units.find(unit)
    assert key is not None  # noqa: S101 - both units are rows of the tables
    return replace(tables.term(key), text=unit)
