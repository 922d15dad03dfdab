"""Coded terms, measurements and descriptors as words: what is not coded says so beside itself."""

from collections.abc import Iterable, Sequence

from service.domain.codes import Code, CodedTerm
from service.domain.report import CountKind, Evaluation, Lesion, Measurement, ReferenceRange, TimePoint
from service.formats.html.phrases import Say, english
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


def term(item: CodedTerm, say: Say = english) -> str:
    """The words of a term, marked where they are only text."""
    if item.codes:
        # Only the label of a concept: a sender's own words beside a broader or given code may name the patient.
        return label(item.text) if item.concept is not None else inline(item.text)
    why = "not coded" if item.concept is None else "no code exists"
    return f'<span class="uncoded">{inline(item.text)} <i>({say(why)})</i></span>'


def terms(items: Iterable[CodedTerm], between: str = "; ", say: Say = english) -> str:
    """Several terms in their order."""
    return between.join([term(item, say) for item in items])


def listed(items: Sequence[str], tag: str = "ul") -> str:
    """Markup of items as a list, nothing when there are none."""
    if not items:
        return ""
    return f"<{tag}><li>{'</li><li>'.join(items)}</li></{tag}>"


def sizes(lesion: Lesion[CodedTerm], say: Say = english) -> str:
    """How large a lesion is, one measurement a line; a plain long and short axis of one unit as ``14.2 × 11.0 mm``."""
    lines = []
    long, short = _axes(lesion.measurements) or (None, None)
    if long is not None and short is not None:
        lines.append(f"<b>{long.value} × {short.value} {unit(long.unit, say)}</b>")
    rest = (item for item in lesion.measurements if item is not long and item is not short)
    lines.extend(measurement(item, say) for item in rest if _is_size(item))
    return "<br/>".join(lines)


def other_measurements(lesion: Lesion[CodedTerm], say: Say = english) -> str:
    """What was measured besides the size: density, uptake, diffusion, parts of the volume."""
    return "; ".join(measurement(item, say) for item in lesion.measurements if not _is_size(item))


def has_joined_axes(lesion: Lesion[CodedTerm]) -> bool:
    """Whether `sizes` joins a long and a short axis, so that the reader must be told which is which."""
    return _axes(lesion.measurements) is not None


def measurement(item: Measurement[CodedTerm], say: Say = english) -> str:
    """A measurement: what, how much, and how it was found."""
    how = [term(part, say) for part in (item.method, item.derivation) if part is not None]
    if item.range is not None:
        how.append(reference_range(item.range, say))
    found = f" <small>({'; '.join(how)})</small>" if how else ""
    return f'<span class="k">{term(item.concept, say)}</span> <b>{item.value}{_spaced(unit(item.unit, say))}</b>{found}'


def unit(item: CodedTerm, say: Say = english) -> str:
    """The unit as the sender wrote it, nothing for a number without one."""
    if item.code is not None and item.code.code == _NO_UNIT:
        return ""
    if item.said and item.codes:
        return inline(item.said)
    return _RAISED.get(item.text) or term(item, say)


def reference_range(limits: ReferenceRange, say: Say = english) -> str:
    """What is normal, in words."""
    if limits.low is not None and limits.high is not None:
        bounds = say("{} to {}").format(limits.low, limits.high)
    elif limits.low is not None:
        bounds = say("{} or more").format(limits.low)
    else:
        bounds = say("{} or less").format(limits.high) if limits.high is not None else ""
    said = inline(limits.text) if limits.text else ""
    return f"{say('reference')} {', '.join(filter(None, (bounds, said)))}"


_KEPT = 8_192
_fields: dict[tuple[int, str], tuple[tuple[Code, ...], str]] = {}


def evaluations(items: Sequence[Evaluation[CodedTerm]], say: Say = english) -> str:
    """Descriptors as ``field: answer, answer; field: answer``; the answers of one field stand together."""
    parts: list[str] = []
    previous: CodedTerm | None = None
    for item in items:
        name = item.name
        if previous is not None and name.text == previous.text and name == previous:
            parts[-1] += f", {term(item.value, say)}"
        else:
            parts.append(f"{field(name, say)} {term(item.value, say)}")
        previous = name
    return "; ".join(parts)


def field(item: CodedTerm, say: Say = english) -> str:
    """The name of a field before its answer."""
    known = _fields.get((id(item.codes), item.text))
    if known is not None and known[0] is item.codes:
        return known[1]
    made = f'<span class="k">{term(item, say)}:</span>'
    if item.codes and item.concept is not None:  # words of the tables alone: what `label` remembers
        if len(_fields) >= _KEPT:
            _fields.clear()
        _fields[id(item.codes), item.text] = (item.codes, made)
    return made


def site(lesion: Lesion[CodedTerm], say: Say = english) -> str:
    """Where a lesion is: side first, since that is what must not be misread; then site and topography."""
    parts = []
    if lesion.laterality is not None:
        parts.append(f"<b>{term(lesion.laterality, say)}</b>")
    if lesion.site is not None:
        parts.append(term(lesion.site, say))
    where = " ".join(parts)
    if lesion.topography is not None:
        where += f"{', ' if where else ''}{term(lesion.topography, say)}"
    return where


def count(lesion: Lesion[CodedTerm], say: Say = english) -> str:
    """How many the entry stands for, in words."""
    if isinstance(lesion.count, CountKind):
        return say(f"{lesion.count.value} lesions")
    return say("1 lesion") if lesion.count == 1 else say("{} lesions").format(lesion.count)


def time_point(point: TimePoint[CodedTerm], say: Say = english) -> str:
    """When in a protocol it was seen."""
    parts = [inline(point.label)]
    if point.type is not None:
        parts.append(term(point.type, say))
    if point.order is not None:
        parts.append(f"{say('number')} {point.order}")
    for name, identifier in (
        ("subject's id {}", point.subject_identifier),
        ("protocol's id {}", point.protocol_identifier),
    ):
        if identifier is not None:
            parts.append(say(name).format(inline(identifier)))
    return f'<span class="k">{say("time point:")}</span> {", ".join(parts)}'


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
