"""A measurement group (125007; TID 1410, 1411, 1501) of any maker as a lesion, whatever the relationships say."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from service.domain.codes import Term
from service.domain.report import CountKind, Evaluation, Lesion, Measurement, TimePoint
from service.domain.uids import is_uid
from service.formats.sr.content import Coded, Measured, Node
from service.formats.sr.read_measurement import in_words, measurement, qualified, value_of
from service.formats.sr.read_notes import NAME_WORDS, VALUE_WORDS, Notes, only
from service.formats.sr.read_places import Group, finding_of, site_of
from service.formats.sr.read_shapes import Shown, segment

NO_FINDING: Final = "finding not stated"
"""The finding of a group that has none: a report can't do without."""
_OURS: Final = re.compile(r"Cornerstone3DTools@[^:]+:[A-Za-z]+:(?=.)")  # how our dialect ohif begins an identifier
_TERMS: Final = ("finding-category", "certainty", "change")
_TIME_POINT: Final = ("time-point", "subject-time-point-identifier", "protocol-time-point-identifier")
_SAID: Final = frozenset({"CODE", "TEXT", "DATE", "TIME", "DATETIME", "PNAME"})
_STATED: Final = frozenset({"CONTAINS", "HAS PROPERTIES", ""})
"""Relationships of an answer about the lesion; the others qualify the group or say who observed it."""
_WORDS: Final = frozenset({NAME_WORDS, VALUE_WORDS})


class Ids:
    """The ids of the lesions of one report: each its own."""

    __slots__ = ("_notes", "_used")

    def __init__(self, notes: Notes) -> None:
        """None is taken yet."""
        self._notes = notes
        self._used: set[str] = set()

    def of(self, said: str, where: str) -> str:
        """The id of a lesion; numbered where another group has the same tracking identifier, or this has none."""
        wanted = _OURS.sub("", said).strip()
        base = wanted or f"group {where}"
        found, number = base, 1
        while found in self._used:
            number += 1
            found = f"{base} ({number})"
        self._used.add(found)
        if not wanted:
            self._notes.lack(where, "tracking identifier", "the group has none: its place is its id", "sr-lesion-id")
        elif found != base:
            self._notes.flag(where, base, f"another group has this tracking identifier: {found} here", "sr-lesion-id")
        return found


def lesion(notes: Notes, node: Node, ids: Ids, items: tuple[Node, ...] | None = None) -> Lesion[Term]:
    """The lesion that a group tells of; ``items`` where they do not stand in a group."""
    node.taken = True
    group = Group(notes, node, node.children if items is None else items)
    identifier = group.text("tracking-identifier") or ""
    uid = _tracking_uid(notes, group)
    finding = finding_of(notes, group)
    category, certainty, change = (group.term(key) for key in _TERMS)
    if finding is None:
        notes.lack(node.path, "finding", "the group says none (121071)", "sr-no-finding")
        finding = Term(NO_FINDING, None, node.path)
    site, laterality, topography = site_of(notes, group)
    time_point = _time_point(notes, group)
    count = _count(notes, group)
    text = _comment(notes, group, identifier)
    shown = Shown(notes)
    sources = group.all("source-series-for-segmentation")
    marked = [one for key in ("referenced-segment", "referenced-segmentation-frame") for one in group.all(key)]
    segments = [made for one in marked for made in [segment(notes, one, sources)] if made is not None]
    for more in segments[1:]:
        notes.flag(more.where, f"segment {more.number}", "a lesion has one segment; this is left out", "sr-segment")
    for one in sources:
        notes.skip(one, "no segment is referred to that came from it", "sr-segment-source")
    method = group.term("measurement-method")
    measurements, evaluations = _said(notes, list(group.rest()), shown)
    if method is not None:
        measurements = [replace(one, method=one.method or method) for one in measurements]
    return Lesion(
        id=ids.of(identifier, node.path),
        finding=finding,
        tracking_uid=uid,
        category=category,
        site=site,
        laterality=laterality,
        topography=topography,
        count=count,
        certainty=certainty,
        change=change,
        time_point=time_point,
        text=text,
        measurements=_told_apart(measurements, shown),
        evaluations=tuple(evaluations),
        images=shown.images(),
        regions3d=tuple(shown.regions3d),
        segment=segments[0] if segments else None,
        where=node.path,
    )


def _tracking_uid(notes: Notes, group: Group) -> str | None:
    node = group.first("tracking-unique-identifier")
    if node is None:
        return None
    if isinstance(node.value, str) and is_uid(node.value):
        node.taken = True
        return node.value
    notes.skip(node, "not a DICOM UID (PS3.5 9.1): another is derived", "sr-uid")
    return None


def _time_point(notes: Notes, group: Group) -> TimePoint[Term] | None:
    """TID 1502; it has a label, for which another identifier or the order stands where it is not there."""
    label, subject, protocol = (group.text(key) for key in _TIME_POINT)
    kind = group.term("time-point-type")
    node = group.first("time-point-order")
    order = None
    if node is not None:
        order = _whole(node)
        if order is None:
            notes.skip(node, "the order is no whole number from 0", "sr-time-point")
        else:
            node.taken = True
    if label is None and subject is None and protocol is None and kind is None and order is None:
        return None
    said = label or subject or protocol or (kind.text if kind is not None else str(order))
    if label is None:
        notes.lack(group.node.path, "time point", f"it has no label: {said!r} stands for it", "sr-time-point")
    return TimePoint(said, kind, order, subject, protocol)


def _whole(node: Node) -> int | None:
    """A NUM as a whole number from 0."""
    if not isinstance(node.value, Measured):
        return None
    try:
        value = value_of(node.value)
    except ValueError:
        return None
    return int(value) if value == value.to_integral_value() and 0 <= value < Decimal(2**31) else None


def _count(notes: Notes, group: Group) -> int | CountKind | None:
    """How many lesions the group stands for: a whole number from 1, "multiple" or "innumerable"."""
    plain = [node for node in group.named("lesion-count") if not (node.kind == "NUM" and node.children)]
    if not plain:
        return None
    node = plain[-1]  # numbers with qualifiers, and those before it, are measurements of the same name
    group.give(node)
    made: int | CountKind | None = _whole(node) or None
    if isinstance(node.value, Coded) and node.value.code is not None:
        said = notes.vocabulary.by_code.get((node.value.code.system, node.value.code.code), ())
        keys = {key for key, _ in said} | {node.value.code.code, node.value.meaning}
        made = next((kind for kind in CountKind if kind.value in keys), None)
    elif isinstance(node.value, str):
        made = next((kind for kind in CountKind if kind.value == node.value.strip().casefold()), None)
    if made is None and node.kind == "NUM":
        group.give_back(node)
    elif made is None:
        notes.skip(node, "neither a whole number from 1 nor a word for many", "sr-count")
    else:
        node.taken = True
        notes.words(node, VALUE_WORDS)
    return made


def _comment(notes: Notes, group: Group, identifier: str) -> str | None:
    """What is said in words; the label that our dialect ``ohif`` makes of the id says nothing of its own."""
    said = []
    for node in group.all("comment"):
        if isinstance(node.value, str) and node.kind == "TEXT":
            node.taken = True
            if not (_OURS.match(identifier) and node.value == _OURS.sub("", identifier)):
                said.append(node.value)
        else:
            notes.skip(node, "it has no text", "sr-no-value")
    return "\n".join(said) or None


def _said(notes: Notes, items: list[Node], shown: Shown) -> tuple[list[Measurement[Term]], list[Evaluation[Term]]]:
    """Numbers, shapes, images and answers, in document order."""
    measurements: list[Measurement[Term]] = []
    evaluations: list[Evaluation[Term]] = []
    for item in items:
        node = notes.reached(item)
        if node is not item:
            item.taken = node.kind in ("SCOORD", "SCOORD3D", "IMAGE")
        if node.kind == "NUM" and node is item:
            made = measurement(notes, node, shown)
            doubted = qualified(notes, node) if made is None else None
            if made is not None:
                measurements.append(made)
            elif doubted is not None:
                evaluations.append(doubted)
        elif node.kind == "SCOORD":
            measurements.extend(_shape(notes, node, shown))
        elif node.kind == "SCOORD3D":
            shown.solid(node)
        elif node.kind == "IMAGE":
            shown.image(node)
        elif node is item and node.kind in _SAID and node.relationship in _STATED:
            number = in_words(notes, node)
            answer = evaluation(notes, node) if number is None else None
            if number is not None:
                measurements.append(number)
            elif answer is not None:
                evaluations.append(answer)
    return measurements, evaluations


def _shape(notes: Notes, node: Node, shown: Shown) -> Iterator[Measurement[Term]]:
    """A shape of the group; some makers put the number below the shape that shows it."""
    numbers = [made for below in only(list(node.children), ("NUM",)) for made in [measurement(notes, below, shown)]]
    made = [one for one in numbers if one is not None]
    shown.shape(node, made[0].concept if made else None)
    yield from made


def evaluation(notes: Notes, node: Node) -> Evaluation[Term] | None:
    """A named answer; one in words where the item is no CODE."""
    name = notes.name(node)
    if name is None:
        notes.skip(node, "it has no name", "sr-no-name")
        return None
    value = notes.answer(node)
    if value is None:
        return None
    for child in node.children:
        if notes.key(child) in _WORDS:
            child.taken = True
    return Evaluation(name, value, "", node.path)


def _told_apart(found: list[Measurement[Term]], shown: Shown) -> tuple[Measurement[Term], ...]:
    """Several numbers of one concept name the images that their shapes lie on, so that each shape finds its own."""
    concepts = [one.concept.code or one.concept.text for one in found]
    times = Counter(concepts)
    if len(times) == len(concepts):
        return tuple(found)
    on = {
        region.where.rpartition(".")[0]: image.image.sop_instance
        for image in shown.images()
        for region in image.regions
        if region.measurement is not None
    }
    return tuple(
        replace(one, image=one.image or on.get(one.where)) if times[concept] > 1 else one
        for one, concept in zip(found, concepts, strict=True)
    )
