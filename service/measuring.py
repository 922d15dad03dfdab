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

_TWO_DIGITS: Final = Decimal("0.01")
_MEASURED: Final = ("long-axis", "short-axis", "volume")
_Sizes: TypeAlias = Mapping[str, Mapping[int, SegmentSize | str]]
"""Of each segment of each mask, by SOP Instance UID and number; or why it has none."""


def measured(
    report: CodedReport, masks: Sequence[bytes], tables: Vocabulary, limits: Limits | None = None
) -> CodedReport:
    """The report with the sizes of its segments; a mask that is not there, or tells nothing, is flagged."""
    losses: list[Loss] = []
    sizes = _looked_at(report, masks, limits or Limits(), losses)
    lesions = tuple(_measured(lesion, sizes, tables, losses) for lesion in report.lesions)
    return replace(report, lesions=lesions, losses=(*report.losses, *losses))


def _looked_at(report: CodedReport, masks: Sequence[bytes], limits: Limits, losses: list[Loss]) -> _Sizes:
    """The sizes of all segments that lesions refer to: one mask after the other is held, and each segment once."""
    wanted: dict[str, set[int]] = {}
    for lesion in report.lesions:
        if lesion.segment is not None:
            wanted.setdefault(lesion.segment.sop_instance, set()).add(lesion.segment.number)
    sizes: dict[str, dict[int, SegmentSize | str]] = {}
    left = limits.measured_voxels
    for number, content in enumerate(masks, 1):
        try:
            mask = Mask(content, limits)
        except Unmeasurable as error:
            losses.append(Loss(LossKind.SKIPPED, "", f"segmentation {number}", f"{error}.", "mask-unreadable"))
            continue
        found = sizes[mask.sop_instance] = {}
        for segment in sorted(wanted.get(mask.sop_instance, ())):
            left -= mask.voxels
            found[segment] = _size(mask, segment) if left >= 0 else "the masks have more than limits.measured_voxels"
    return sizes


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


def _measured(lesion: Lesion[CodedTerm], known: _Sizes, tables: Vocabulary, losses: list[Loss]) -> Lesion[CodedTerm]:
    segment = lesion.segment
    if segment is None:
        return lesion
    where = segment.where or lesion.where
    if segment.sop_instance not in known:
        why = "No segmentation with its SOP Instance UID came along: not measured."
        losses.append(Loss(LossKind.FLAGGED, where, "segment", why, "mask-missing"))
        return lesion
    size = known[segment.sop_instance][segment.number]
    if isinstance(size, str):
        losses.append(Loss(LossKind.FLAGGED, where, "segment", f"{size}: not measured.", "mask-unmeasured"))
        return lesion
    said = {one.concept.concept for one in lesion.measurements}
    made = [one for one in _sizes(size, tables, where) if one.concept.concept not in said]
    if not all(one.value.is_finite() for one in made):
        why = "a size has more digits than a number: not measured."
        losses.append(Loss(LossKind.FLAGGED, where, "segment", why, "mask-unmeasured"))
        return lesion
    kept = [one for one in made if one.value > 0]
    for key in _MEASURED:
        if tables.measurements[key].concept not in said.union(one.concept.concept for one in kept):
            name = key.replace("-", " ")
            rounds = f"its {name} rounds to nothing"
            why = size.volume_mm3 if key == "volume" and isinstance(size.volume_mm3, str) else rounds
            losses.append(Loss(LossKind.FLAGGED, where, name, f"{why}: it has no {name}.", "mask-unmeasured"))
    losses.extend(_doubtful(kept, tables))
    return replace(lesion, measurements=(*lesion.measurements, *kept))


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
