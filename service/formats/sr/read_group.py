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
from service.formats.sr.read_notes import NAME_WORDS, VALUE_WORDS, Notes, key_of_code, only
from service.formats.sr.read_shapes import Shown, segment
from service.formats.sr.read_words import put_back

NO_FINDING: Final = "finding not stated"
"""The finding of a group that has none: a report can't do without."""
_OURS: Final = re.compile(r"Cornerstone3DTools@[^:]+:[A-Za-z]+:(?=.)")  # how our dialect ohif begins an identifier
_TERMS: Final = ("finding-category", "certainty", "change")
_OF_FINDING: Final = frozenset({"finding-site", "laterality", "topographical-modifier", "certainty"})
"""What makers put below the finding, too: it says the same of the lesion there."""
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


class Group:
    """The items of one group by the concept keys of their names, each handed out once."""

    __slots__ = ("_found", "_items", "_notes", "node")

    def __init__(self, notes: Notes, node: Node, items: tuple[Node, ...]) -> None:
        """Sort the items."""
        self._notes = notes
        self.node = node
        self._items = put_back(notes, _flat(notes, items))
        self._found: dict[str, list[Node]] = {}
        for child in self._items:
            self._found.setdefault(notes.key(child), []).append(child)

    def all(self, key: str) -> list[Node]:
        """All items of a name."""
        return self._found.pop(key, [])

    def named(self, key: str) -> list[Node]:
        """All items of a name, which stay."""
        return self._found.get(key, [])

    def give(self, node: Node) -> None:
        """Hand out one item."""
        self._found[self._notes.key(node)].remove(node)

    def give_back(self, node: Node) -> None:
        """Take one item back: it is none of what it was asked for as."""
        self._found.setdefault(self._notes.key(node), []).append(node)

    def add(self, key: str, node: Node) -> None:
        """Take an item from below another one in, after those of the group itself."""
        self._found.setdefault(key, []).append(node)

    def first(self, key: str, *kinds: str) -> Node | None:
        """The one item of a name; others beside it are listed, since a lesion has one of it."""
        found = [node for node in self.all(key) if not kinds or node.kind in kinds]
        for more in found[1:]:
            self._notes.skip_all(more, f"a lesion has one {key.replace('-', ' ')}", "sr-one-of-a-kind")
        return found[0] if found else None

    def term(self, key: str) -> Term | None:
        """The one answer of a name."""
        node = self.first(key)
        return self._notes.answer(node) if node is not None else None

    def text(self, key: str) -> str | None:
        """The one text of a name."""
        node = self.first(key)
        if node is None:
            return None
        if isinstance(node.value, Coded):
            node.taken = True
            return node.value.meaning or None
        if isinstance(node.value, str) and node.kind != "CONTAINER":
            node.taken = True
            return node.value
        self._notes.skip(node, "it has no value", "sr-no-value")
        return None

    def rest(self) -> Iterator[Node]:
        """What was not handed out, in document order."""
        left = {id(node) for nodes in self._found.values() for node in nodes}
        return (child for child in self._items if id(child) in left)


def _flat(notes: Notes, items: tuple[Node, ...]) -> tuple[Node, ...]:
    """The items of a group; those of a container of its answers, as some makers have it, stand beside others."""
    within = [item for item in items if item.kind == "CONTAINER" and notes.key(item) == "qualitative-evaluations"]
    for container in within:
        container.taken = True
        items = tuple(one for item in items for one in (item.children if item is container else (item,)))
    return items


def lesion(notes: Notes, node: Node, ids: Ids, items: tuple[Node, ...] | None = None) -> Lesion[Term]:
    """The lesion that a group tells of; ``items`` where they do not stand in a group."""
    node.taken = True
    group = Group(notes, node, node.children if items is None else items)
    identifier = group.text("tracking-identifier") or ""
    uid = _tracking_uid(notes, group)
    finding = _finding(notes, group)
    category, certainty, change = (group.term(key) for key in _TERMS)
    if finding is None:
        notes.lack(node.path, "finding", "the group says none (121071)", "sr-no-finding")
        finding = Term(NO_FINDING, None, node.path)
    site, laterality, topography = _site(notes, group)
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


def _finding(notes: Notes, group: Group) -> Term | None:
    """The finding; its place, its side and how sure it is are those of the group where they stand below it."""
    node = group.first("finding")
    if node is None:
        return None
    for child in node.children:
        key = notes.key(child)
        if key in _OF_FINDING:
            group.add(key, child)
        elif _is_absent(child):
            group.add("certainty", child)
    return notes.answer(node)


def _is_absent(node: Node) -> bool:
    """Whether an answer is *absent*, whatever it answers: of a finding, that it is not there."""
    value = node.value
    code = value.code if isinstance(value, Coded) else None
    return code is not None and key_of_code(code.system, code.code) == "absent"


def _site(notes: Notes, group: Group) -> tuple[Term | None, Term | None, Term | None]:
    """Where the lesion is, with the side and the modifier that stand below the site or, without one, beside it."""
    node = group.first("finding-site")
    beside = (group.first("laterality"), group.first("topographical-modifier"))
    if node is None:
        side, topography = (notes.answer(one) if one is not None else None for one in beside)
        return None, side, topography
    site = notes.answer(node)
    found: list[Term | None] = []
    for key, other in zip(("laterality", "topographical-modifier"), beside, strict=True):
        below = [child for child in node.children if notes.key(child) == key]
        below += [other] if other is not None else []
        found.append(notes.answer(below[0]) if below else None)
        for more in below[1:]:
            notes.skip_all(more, f"a lesion has one {key.replace('-', ' ')}", "sr-one-of-a-kind")
    return site, found[0], found[1]


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
