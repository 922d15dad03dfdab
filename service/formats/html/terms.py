"""Coded terms, measurements and descriptors as words: what is not coded says so beside itself."""

from collections.abc import Iterable, Sequence

from service.domain.codes import CodedTerm
from service.domain.report import CountKind, Evaluation, Lesion, Measurement, ReferenceRange, TimePoint
from service.formats.html.text import inline, label

# UCUM writes powers as plain digits; people do not.
_RAISED = {
    "mm2": "mm<sup>2</sup>",
    "mm3": "mm<sup>3</sup>",
    "cm2": "cm<sup>2</sup>",
    "cm3": "cm<sup>3</sup>",
}
_SIZES = frozenset({"long-axis", "short-axis", "diameter", "length", "area", "volume"})
"""Concepts that answer how large a lesion is."""
_NO_UNIT = "1"  # UCUM's unity


def term(item: CodedTerm) -> str:
    """The words of a term, marked where they are only text."""
    if item.codes:
        # Only the label of a concept: a sender's own words beside a broader or given code may name the patient.
        return label(item.text) if item.concept is not None else inline(item.text)
    why = "not coded" if item.concept is None else "no code exists"
    return f'<span class="uncoded">{inline(item.text)} <i>({why})</i></span>'


def terms(items: Iterable[CodedTerm], between: str = "; ") -> str:
    """Several terms in their order."""
    return between.join(map(term, items))


def listed(items: Sequence[str], tag: str = "ul") -> str:
    """Markup of items as a list, nothing when there are none."""
    if not items:
        return ""
    return f"<{tag}><li>{'</li><li>'.join(items)}</li></{tag}>"


def sizes(lesion: Lesion[CodedTerm]) -> str:
    """How large a lesion is, one measurement a line; a plain long and short axis of one unit as ``14.2 × 11.0 mm``."""
    lines = []
    long, short = _axes(lesion.measurements) or (None, None)
    if long is not None and short is not None:
        lines.append(f"<b>{long.value} × {short.value} {unit(long.unit)}</b>")
    rest = (item for item in lesion.measurements if item is not long and item is not short)
    lines.extend(measurement(item) for item in rest if _is_size(item))
    return "<br/>".join(lines)


def other_measurements(lesion: Lesion[CodedTerm]) -> str:
    """What was measured besides the size: density, uptake, diffusion, parts of the volume."""
    return "; ".join(measurement(item) for item in lesion.measurements if not _is_size(item))


def has_joined_axes(lesion: Lesion[CodedTerm]) -> bool:
    """Whether `sizes` joins a long and a short axis, so that the reader must be told which is which."""
    return _axes(lesion.measurements) is not None


def measurement(item: Measurement[CodedTerm]) -> str:
    """A measurement: what, how much, and how it was found."""
    how = [term(part) for part in (item.method, item.derivation) if part is not None]
    if item.range is not None:
        how.append(reference_range(item.range))
    found = f" <small>({'; '.join(how)})</small>" if how else ""
    return f'<span class="k">{term(item.concept)}</span> <b>{item.value}{_spaced(unit(item.unit))}</b>{found}'


def unit(item: CodedTerm) -> str:
    """The unit as the sender wrote it, nothing for a number without one."""
    if item.code is not None and item.code.code == _NO_UNIT:
        return ""
    if item.said and item.codes:
        return inline(item.said)
    return _RAISED.get(item.text) or term(item)


def reference_range(limits: ReferenceRange) -> str:
    """What is normal, in words."""
    if limits.low is not None and limits.high is not None:
        bounds = f"{limits.low} to {limits.high}"
    elif limits.low is not None:
        bounds = f"{limits.low} or more"
    else:
        bounds = f"{limits.high} or less" if limits.high is not None else ""
    said = inline(limits.text) if limits.text else ""
    return f"reference {', '.join(filter(None, (bounds, said)))}"


def evaluations(items: Sequence[Evaluation[CodedTerm]]) -> str:
    """Descriptors as ``field: answer, answer; field: answer``; the answers of one field stand together."""
    parts: list[str] = []
    previous: CodedTerm | None = None
    for item in items:
        if previous is not None and item.name.text == previous.text and item.name == previous:
            parts[-1] += f", {term(item.value)}"
        else:
            parts.append(f'<span class="k">{term(item.name)}:</span> {term(item.value)}')
        previous = item.name
    return "; ".join(parts)


def site(lesion: Lesion[CodedTerm]) -> str:
    """Where a lesion is: side first, since that is what must not be misread; then site and topography."""
    parts = []
    if lesion.laterality is not None:
        parts.append(f"<b>{term(lesion.laterality)}</b>")
    if lesion.site is not None:
        parts.append(term(lesion.site))
    where = " ".join(parts)
    if lesion.topography is not None:
        where += f"{', ' if where else ''}{term(lesion.topography)}"
    return where


def count(lesion: Lesion[CodedTerm]) -> str:
    """How many the entry stands for, in words."""
    if isinstance(lesion.count, CountKind):
        return f"{lesion.count.value} lesions"
    return "1 lesion" if lesion.count == 1 else f"{lesion.count} lesions"


def time_point(point: TimePoint[CodedTerm]) -> str:
    """When in a protocol it was seen."""
    parts = [inline(point.label)]
    if point.type is not None:
        parts.append(term(point.type))
    if point.order is not None:
        parts.append(f"number {point.order}")
    for name, identifier in (("subject's", point.subject_identifier), ("protocol's", point.protocol_identifier)):
        if identifier is not None:
            parts.append(f"{name} id {inline(identifier)}")
    return f'<span class="k">time point:</span> {", ".join(parts)}'


def _spaced(text: str) -> str:
    return f" {text}" if text else ""


def _is_size(item: Measurement[CodedTerm]) -> bool:
    return item.concept.concept in _SIZES


def _axes(
    items: Sequence[Measurement[CodedTerm]],
) -> tuple[Measurement[CodedTerm], Measurement[CodedTerm]] | None:
    """The one long and one short axis that may be joined: one unit, nothing else said of either."""
    long = short = None
    for item in items:
        key = item.concept.concept
        if key not in {"long-axis", "short-axis"}:
            continue
        if item.method is not None or item.derivation is not None or item.range is not None:
            return None
        if key == "long-axis":
            if long is not None:
                return None
            long = item
        else:
            if short is not None:
                return None
            short = item
    return (long, short) if long is not None and short is not None and long.unit == short.unit else None
