"""What a report says against itself: flagged, never refused, since nobody here knows which of the two is wrong.

A short axis above the long one, a mean above the maximum, a volume that no shape of that length has, a lesion that is
gone and has a size, one that is denied, one that lies elsewhere than its site, and a finding that is absent and found.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from service.coding.negation import DENYING, denies
from service.coding.notes import Notes
from service.coding.units import factor
from service.coding.zones import Zones
from service.domain.codes import CodedTerm
from service.domain.report import Evaluation, Lesion, Measurement

Measurements = tuple[Measurement[CodedTerm], ...]
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
ROLE: Final = "lesion-role"
"""The field that says whether a lesion is a target."""
_TARGET, _NO_TARGET = "target-lesion-at-baseline", "non-target-lesion-at-baseline"
_RESPONSES: Final = {
    "target-lesion-complete-response": _TARGET,
    "target-lesion-partial-response": _TARGET,
    "target-lesion-progressive-disease": _TARGET,
    "target-lesion-stable-disease": _TARGET,
    "non-target-lesion-progressive-disease": _NO_TARGET,
}
"""Responses by the role of the lesion that they are of: "PD" is written as that of a target (DICOM CID 6143, 6144)."""
_DISC_LEVEL: Final = "-disc-level"
"""How the keys of the levels between two vertebrae end."""
_DISC: Final = re.compile(r"\bdis[ck]")
_OF_BONE: Final = "C79.51"
"""The class of every metastasis of a bone (ICD-10-CM)."""
_KEPT: Final = "Kept as it came."


def check_lesion(lesion: Lesion[CodedTerm], notes: Notes, zones: Zones) -> None:
    """Flag what a lesion says against itself."""
    certainty, finding = lesion.certainty, lesion.finding
    denied = certainty if certainty is not None and certainty.concept in DENYING else None
    if denied is None and finding.concept is None and denies(finding.text):
        denied = finding
    if denied is not None:
        why = "A lesion that is denied may be read as found. What was looked for and is not there belongs in negatives."
        notes.flag(denied.where, denied.text, f"{why} {_KEPT}", "denied-lesion")
    site = lesion.site
    if site is not None and finding.concept is not None and site.concept is not None:
        of_finding, of_site = zones.get(finding.concept), zones.get(site.concept)
        if of_finding is not None and of_site is not None and of_finding.isdisjoint(of_site):
            why = f"{finding.text!r} lies elsewhere in the body than {site.text!r}. {_KEPT}"
            notes.flag(site.where, f"{finding.text} at {site.text}", why, "finding-elsewhere")
    if site is not None and site.said and (site.concept or "").endswith(_DISC_LEVEL):
        _check_level(site, finding, notes)
    measurements = lesion.measurements
    if len(measurements) > 1:
        # Nothing is called for numbers that fit: this is run for every lesion of every report.
        sizes = {item.concept.concept: item for item in measurements}
        if _LONG in sizes:
            long, short, volume = sizes[_LONG], sizes.get(_SHORT), sizes.get(_VOLUME)
            if short is not None and not (short.unit.text == long.unit.text and short.value <= long.value):
                _check_axes(measurements, notes)
            in_mm = long.unit.text == "mm" and volume is not None and volume.unit.text == "mm3"
            if volume is not None and not (in_mm and volume.value <= _CUBES * long.value**3):
                _check_volume(measurements, notes)
        if len(sizes) < len(measurements):  # SUVmax and SUVmean are one concept
            _check_derivations([item for item in measurements if item.derivation is not None], notes)
    if lesion.change is not None and lesion.change.concept == GONE:
        for item in measurements:
            if item.concept.concept in _SIZES and item.value > 0:
                _flag(item, notes, "gone-with-size", "The lesion is said to be gone, and has a size.")


def _check_level(site: CodedTerm, finding: CodedTerm, notes: Notes) -> None:
    """Flag a metastasis of bone at "T5-T6": the two vertebrae may be meant, and what is written is the disc between."""
    if _DISC.search(site.said.casefold()) is None and any(code.code == _OF_BONE for code in finding.codes):
        why = f"{site.said!r} is written as {site.text}, and bone is in the vertebrae beside it. {_KEPT}"
        notes.flag(site.where, f"{finding.text} at {site.said}", why, "bone-at-disc-level")


def check_role(evaluations: Sequence[Evaluation[CodedTerm]], notes: Notes) -> None:
    """Flag a response of a target lesion for one that is none, and the other way round."""
    said = {one.value.concept for one in evaluations}
    for one in evaluations:
        of = _RESPONSES.get(one.value.concept or "")
        other = _NO_TARGET if of == _TARGET else _TARGET
        if of is not None and other in said and of not in said:
            why = f"{one.value.text!r} is not of a lesion with this role. {_KEPT}"
            notes.flag(one.where, one.value.text, why, "response-of-other-role")


def _check_axes(measurements: Measurements, notes: Notes) -> None:
    """Flag a short axis above the long one; of several the shortest and the longest."""
    long, short = _amounts(measurements, _LONG), _amounts(measurements, _SHORT)
    if long and short and min(short)[0] > max(long)[0]:
        _flag(measurements[min(short)[1]], notes, "short-above-long", "The short axis is longer than the long axis.")


def _check_volume(measurements: Measurements, notes: Notes) -> None:
    """Flag a volume that no body of the longest axis has."""
    long, volume = _amounts(measurements, _LONG), _amounts(measurements, _VOLUME)
    if long and volume and min(volume)[0] > _CUBES * max(long)[0] ** 3:
        _flag(measurements[min(volume)[1]], notes, "volume-above-axis", "No shape of this long axis has such a volume.")


def _amounts(measurements: Measurements, key: str) -> list[tuple[Decimal, int]]:
    """The numbers of one kind in one unit, each with its place in the list; those that can be said in it."""
    made = []
    for place, item in enumerate(measurements):
        code = item.unit.code
        if item.concept.concept == key and code is not None:
            times = factor(code.code, _SIZES[key])
            if times is not None:
                made.append((item.value * times, place))
    return made


def _flag(item: Measurement[CodedTerm], notes: Notes, rule: str, why: str) -> None:
    notes.flag(item.where, f"{item.concept.text} {item.value} {item.unit.text}", f"{why} {_KEPT}", rule)


def _check_derivations(derived: list[Measurement[CodedTerm]], notes: Notes) -> None:
    """Flag a minimum above the mean, and a mean above the maximum, of one measurement in one unit."""
    for lower, upper in ((0, 1), (1, 2), (0, 2)):
        for item in derived:
            above = [other for other in derived if _is(other, upper) and _is_same(item, other)]
            if _is(item, lower) and above and item.value > max(other.value for other in above):
                why = f"The {_ORDER[lower]} is above the {_ORDER[upper]}."
                _flag(item, notes, "derivations-out-of-order", why)


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
        if not gone and not (lesion.certainty is not None and lesion.certainty.concept in DENYING):
            found |= {lesion.finding.concept, *(one.value.concept for one in lesion.evaluations)}
    for term in negatives:
        if term.concept is not None and term.concept in found:
            why = f"The report says that it is absent, and elsewhere that it was found. {_KEPT}"
            notes.flag(term.where, term.text, why, "absent-and-found")
