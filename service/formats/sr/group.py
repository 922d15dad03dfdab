"""One lesion as a Measurement Group (125007): TID 1410, 1411 or 1501, by what the lesion brings.

The rows stand in the order of the templates. The lesion's evaluations, and what else is said of it, follow its numbers.
"""

from decimal import Decimal
from typing import Final

from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.report import CountKind, Lesion, TimePoint
from service.formats.sr.draft import Draft
from service.formats.sr.geometry import Places, place
from service.formats.sr.items import Container, Image, Num, UidRef
from service.formats.sr.measurement import measurement
from service.formats.sr.names import member, name
from service.formats.sr.statements import Items, coded, in_words, of_lesion
from service.formats.sr.tools import COMPUTED, Drawing, draw
from service.formats.sr.tree import ContentItem

_CONTEXT: Final = "HAS OBS CONTEXT"
_MODIFIER: Final = "HAS CONCEPT MOD"


def measurement_group(draft: Draft, lesion: Lesion[CodedTerm]) -> ContentItem | None:
    """The group of a lesion; None where the dialect can't carry it, which is then noted as a loss."""
    drawing = draw(draft.dialect, lesion)
    if drawing.tool is None and draft.dialect.needs_shape:
        why = f"the dialect {draft.dialect.name} reads no lesion without a shape of one of its tools"
        draft.lose(lesion.where, "lesion", why, "sr-dialect")
        return None
    lesion = drawing.lesion
    places = place(draft, lesion, drawing.bare)
    words: list[ContentItem] = []  # what the rows' codes can't say, for the end of the group
    children = (
        *_tracking(draft, lesion, drawing.tool),
        *_finding(draft, lesion, words),
        *(() if draft.dialect.tools else _order(lesion)),
        *places.regions,
        *_site(draft, lesion, words),
        *[measurement(draft, said, places.shapes(number)) for number, said in enumerate(lesion.measurements)],
        # A viewer with tools takes the first NUM for the one that its tool drew.
        *(_order(lesion) if draft.dialect.tools else ()),
        *_count(draft, lesion),
        *_images(draft, lesion, places),
        *words,
        *_computed(draft, drawing),
        *_statements(draft, lesion),
    )
    return Container(name("measurement-group"), "CONTAINS", children, template=places.template)


def _computed(draft: Draft, drawing: Drawing) -> Items:
    """That the first number was computed from its shape, in the list of losses and in words in the group.

    Not as its method: a viewer looks for the shape of a number that has nothing else below it.
    """
    shape = drawing.derived
    if shape is None:
        return ()
    where, said = shape.where or drawing.lesion.where, drawing.lesion.measurements[0]
    why = f"its {said.concept.text} in pixels is computed: the viewer takes no {shape.graphic} without that number"
    draft.losses.append(Loss(LossKind.FLAGGED, where, shape.graphic.value, why, "sr-computed-number"))
    if shape.measurement is not None:
        why = "it stands below the number computed from it, and below no other"
        draft.lose(f"{where}/measurement", shape.measurement.text, why, "sr-dialect")
    return in_words(draft, draft.named(said.concept)[0], CodedTerm(COMPUTED, where=where))


def _tracking(draft: Draft, lesion: Lesion[CodedTerm], tool: str | None) -> Items:
    """Rows 2 and 3; first of all, since a reader may take the first UIDREF it finds."""
    identifier = draft.dialect.tracking.format(id=lesion.id, tool=tool)
    if lesion.tracking_uid is None:
        raise ValueError("a coded lesion has a tracking UID")
    return (
        *draft.text(name("tracking-identifier"), identifier, _CONTEXT, f"{lesion.where}/id"),
        UidRef(name("tracking-unique-identifier"), lesion.tracking_uid, _CONTEXT),
    )


def _finding(draft: Draft, lesion: Lesion[CodedTerm], words: list[ContentItem]) -> Items:
    """Category, finding and time point."""
    made: Items = ()
    for key, term in (("finding-category", lesion.category), ("finding", lesion.finding)):
        if term is not None:
            said = coded(draft, name(key), term, "CONTAINS")
            words.extend(said.words)
            made += said.items
    if lesion.time_point is None:
        return made
    return made + _time_point(draft, lesion.time_point, f"{lesion.where}/timePoint", words)


def _time_point(draft: Draft, point: TimePoint[CodedTerm], where: str, words: list[ContentItem]) -> Items:
    """TID 1502, but for the order."""
    made: Items = ()
    for key, text in (
        ("subject-time-point-identifier", point.subject_identifier),
        ("protocol-time-point-identifier", point.protocol_identifier),
        ("time-point", point.label),
    ):
        if text is not None:
            made += draft.text(name(key), text, _CONTEXT, where)
    if point.type is not None:
        said = coded(draft, name("time-point-type"), point.type, _CONTEXT)
        words.extend(said.words)
        made += said.items
    return made


def _order(lesion: Lesion[CodedTerm]) -> Items:
    """The last row of TID 1502."""
    if lesion.time_point is None or lesion.time_point.order is None:
        return ()
    return (Num(name("time-point-order"), Decimal(lesion.time_point.order), name("unit-no-units"), _CONTEXT),)


def _site(draft: Draft, lesion: Lesion[CodedTerm], words: list[ContentItem]) -> Items:
    """Finding Site with laterality and topographical modifier below it; without its code they stand for themselves."""
    modifiers: Items = ()
    for key, term in (("laterality", lesion.laterality), ("topographical-modifier", lesion.topography)):
        if term is not None:
            said = coded(draft, name(key), term, _MODIFIER)
            words.extend(said.words)
            modifiers += said.items
    if lesion.site is not None:
        said = coded(draft, name("finding-site"), lesion.site, _MODIFIER, modifiers)
        words.extend(said.words)
        return said.items or modifiers
    return modifiers


def _count(draft: Draft, lesion: Lesion[CodedTerm]) -> Items:
    """How many lesions the entry stands for: a number among the measurements, or the concept for many."""
    if lesion.count is None:
        return ()
    if isinstance(lesion.count, CountKind):
        return coded(draft, member("count"), vocabulary().term(lesion.count.value), "CONTAINS").items
    return (Num(member("count"), Decimal(lesion.count), name("unit-no-units"), "CONTAINS"),)


def _images(draft: Draft, lesion: Lesion[CodedTerm], places: Places) -> Items:
    """The images that show the lesion and on which no shape of it lies.

    TID 1501 row 10b takes them as source of measurement; TID 1410 and 1411 have a row for illustrations only.
    """
    shown = places.references()
    references = [draft.evidence.add(one.image) for one in lesion.images]
    if shown.issuperset(references):
        return ()
    concept_name = name("source-of-measurement" if places.template == "1501" else "illustration-of-roi")
    others = dict.fromkeys(reference for reference in references if reference not in shown)
    return tuple([Image(concept_name, reference, "CONTAINS") for reference in others])


def _statements(draft: Draft, lesion: Lesion[CodedTerm]) -> list[ContentItem]:
    """Evaluations, certainty, change and text."""
    made = of_lesion(draft, lesion.evaluations)
    for key, term in (("certainty", lesion.certainty), ("change", lesion.change)):
        if term is not None:
            said = coded(draft, member(key), term, "CONTAINS")
            made += said.items + said.words
    if lesion.text is not None:
        made += draft.text(name("comment"), lesion.text, "CONTAINS", f"{lesion.where}/text")
    elif draft.dialect.label:
        made += draft.text(name("comment"), lesion.id, "CONTAINS", f"{lesion.where}/id")
    return made
