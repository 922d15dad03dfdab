"""A lesion in words: where no measurement group holds it, in a Basic Text SR or for a viewer that draws none of it.

All that qualifies a lesion or a number of it is said: without its certainty a suspected lesion would read as found.
"""

from service.domain.codes import CodedTerm
from service.domain.report import Lesion, Measurement, ReferenceRange


def in_words(lesion: Lesion[CodedTerm]) -> str:
    """All that is said of a lesion but its images and shapes, on one line and the lesion's own text behind it."""
    places = [term.text for term in (lesion.laterality, lesion.site, lesion.topography) if term is not None]
    parts = [f"{lesion.id}: {lesion.finding.text}", ", ".join(places)]
    for label, term in (("category", lesion.category), ("certainty", lesion.certainty), ("change", lesion.change)):
        if term is not None:
            parts.append(f"{label} {term.text}")
    if lesion.count is not None:
        parts.append(f"number of lesions {lesion.count}")
    point = lesion.time_point
    if point is not None:
        more = (point.type.text if point.type is not None else "", point.subject_identifier, point.protocol_identifier)
        order = f"order {point.order}" if point.order is not None else ""
        parts.append(" ".join(["time point", point.label, *filter(None, more), order]).strip())
    parts.extend(map(_number, lesion.measurements))
    parts.extend(f"{one.name.text}: {one.value.text}" for one in lesion.evaluations)
    line = "; ".join(filter(None, parts))
    return f"{line}\n{lesion.text}" if lesion.text else line


def _number(said: Measurement[CodedTerm]) -> str:
    qualified = [term.text for term in (said.derivation, said.method) if term is not None]
    if said.range is not None:
        qualified.append(_range(said.range))
    more = f" ({', '.join(qualified)})" if qualified else ""
    return f"{said.concept.text} {said.value} {said.unit.text}{more}"


def _range(normal: ReferenceRange) -> str:
    low = f"from {normal.low}" if normal.low is not None else ""
    high = f"to {normal.high}" if normal.high is not None else ""
    return " ".join(filter(None, ("normal", low, high, normal.text)))
