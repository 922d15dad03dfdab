"""What a report says against itself: flagged, never refused, since nobody here knows which of the two is wrong.

A short axis above the long one, a mean above the maximum, a volume that no shape of that length has, a lesion that is
gone and has a size, one that is denied, and a finding that is absent and found.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from service.coding.negation import denies, is_denial
from service.coding.notes import Notes
from service.coding.units import factor
from service.domain.codes import CodedTerm
from service.domain.report import Evaluation, Lesion, Measurement

GONE: Final = "resolved"
"""The change of a lesion that is no longer seen: only of such a one is a size of 0 true."""
_LONG, _SHORT, _VOLUME = "long-axis", "short-axis", "volume"
_SIZES: Final = {_LONG: "mm", _SHORT: "mm", "diameter": "mm", _VOLUME: "mm3"}
"""Measurements that are a size of the lesion, with the unit that they are compared in."""
_ORDER: Final = ("minimum", "mean", "maximum")
"""Derivations of one measurement, none of which may be above the next."""
_CUBES: Final = 10
"""No body has more than pi/6, some half, of the cube of its longest diameter (isodiametric inequality).

Twenty times that leaves room for an axis that was measured in one plane only, and finds a slip of a unit.
"""
_KEPT: Final = "Kept as it came."


def check_lesion(lesion: Lesion[CodedTerm], notes: Notes) -> None:
    """Flag what a lesion says against itself."""
    certainty, finding = lesion.certainty, lesion.finding
    denied = certainty if certainty is not None and is_denial(certainty.concept) else None
    if denied is None and finding.concept is None and denies(finding.text):
        denied = finding
    if denied is not None:
        why = "A lesion that is denied may be read as found. What was looked for and is not there belongs in negatives."
        notes.flag(denied.where, denied.text, f"{why} {_KEPT}", "denied-lesion")
    if lesion.measurements:
        gone = lesion.change is not None and lesion.change.concept == GONE
        _check_sizes(lesion.measurements, notes, gone=gone)


def _check_sizes(measurements: tuple[Measurement[CodedTerm], ...], notes: Notes, *, gone: bool) -> None:
    """Flag sizes that do not go together; of several of a kind the ones that come nearest to going."""
    sizes: dict[str, list[tuple[Decimal, Measurement[CodedTerm]]]] = {}
    for item in measurements:
        key = item.concept.concept
        unit = _SIZES.get(key) if key is not None else None
        times = factor(item.unit.code.code, unit) if unit is not None and item.unit.code is not None else None
        if key is not None and times is not None:
            amount = item.value * times
            sizes.setdefault(key, []).append((amount, item))
            if gone and amount > 0:
                why = f"The lesion is said to be gone, and has a size. {_KEPT}"
                notes.flag(item.where, f"{key} {item.value} {item.unit.text}", why, "gone-with-size")
    if _LONG in sizes:
        longest = max(amount for amount, _ in sizes[_LONG])
        for key, limit, rule, why in (
            (_SHORT, longest, "short-above-long", "The short axis is longer than the long axis."),
            (_VOLUME, _CUBES * longest**3, "volume-above-axis", "No shape of this long axis has such a volume."),
        ):
            amount, item = min(sizes.get(key, sizes[_LONG]), key=lambda size: size[0])
            if key in sizes and amount > limit:
                notes.flag(item.where, f"{key} {item.value} {item.unit.text}", f"{why} {_KEPT}", rule)
    _check_derivations([item for item in measurements if item.derivation is not None], notes)


def _check_derivations(derived: list[Measurement[CodedTerm]], notes: Notes) -> None:
    """Flag a minimum above the mean, and a mean above the maximum, of one measurement in one unit."""
    for lower, upper in ((0, 1), (1, 2), (0, 2)):
        for item in derived:
            above = [other for other in derived if _is(other, upper) and _is_same(item, other)]
            if _is(item, lower) and above and item.value > max(other.value for other in above):
                why = f"The {_ORDER[lower]} is above the {_ORDER[upper]}. {_KEPT}"
                what = f"{item.concept.text} {item.value} {item.unit.text}"
                notes.flag(item.where, what, why, "derivations-out-of-order")


def _is(item: Measurement[CodedTerm], place: int) -> bool:
    return item.derivation is not None and item.derivation.concept == _ORDER[place]


def _is_same(one: Measurement[CodedTerm], other: Measurement[CodedTerm]) -> bool:
    return one.concept.concept == other.concept.concept and one.unit.codes == other.unit.codes


def check_negatives(
    negatives: tuple[CodedTerm, ...],
    lesions: Iterable[Lesion[CodedTerm]],
    conclusions: Iterable[CodedTerm],
    evaluations: Iterable[Evaluation[CodedTerm]],
    notes: Notes,
) -> None:
    """Flag a finding that is absent by the report's list, and found by a lesion, an answer or a conclusion of it."""
    if not negatives:
        return
    found = {term.concept for term in conclusions} | {one.value.concept for one in evaluations}
    for lesion in lesions:
        gone = lesion.change is not None and lesion.change.concept == GONE
        if not gone and not (lesion.certainty is not None and is_denial(lesion.certainty.concept)):
            found |= {lesion.finding.concept, *(one.value.concept for one in lesion.evaluations)}
    for term in negatives:
        if term.concept is not None and term.concept in found:
            why = f"The report says that it is absent, and elsewhere that it was found. {_KEPT}"
            notes.flag(term.where, term.text, why, "absent-and-found")
