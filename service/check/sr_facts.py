"""The facts that an SR document states, read from its bytes: TID 1500 as `service.formats.sr` lays it out."""

import re
from collections.abc import Callable, Iterator

from service.check.shapes import shape_value
from service.check.sr_tree import TreeContext
from service.check.sr_words import Worded, Words
from service.check.values import (
    ABSENT,
    Fact,
    answer_value,
    codes_value,
    image_value,
    lines,
    measurement_value,
    range_value,
    said_with,
)
from service.coding import Vocabulary
from service.domain.codes import Code
from service.formats.sr.items import Image, Scoord, Scoord3D
from service.formats.sr.tree import ContentItem
from service.formats.sr.values import Number

_TOOL = re.compile(r"Cornerstone3DTools@[^:]+:[A-Za-z]+:")  # how the dialect ohif begins a tracking identifier
_LESION_TERMS = ("finding", "category", "site", "laterality", "topography", "certainty", "change")
_TIME_POINT = {
    "time-point": "label",
    "time-point-type": "type",
    "time-point-order": "order",
    "subject-time-point-identifier": "subjectIdentifier",
    "protocol-time-point-identifier": "protocolIdentifier",
}
_REGIONS = ("image-region", "volume-surface")
_IMAGES = ("illustration-of-roi", "source-image-for-segmentation", "source-of-measurement")
_TEXTS = ("findings", "impression")
_MEMBERS = (
    *_LESION_TERMS,
    "conclusion",
    "count",
    "derivation",
    "differential",
    "method",
    "modality",
    "procedure",
    "technique",
    "time-point-type",
)
_CONCEPTS = (
    *_TIME_POINT,
    *_TEXTS,
    "comment",
    "measurement-group",
    "unit-no-units",
    "normal-range-description",
    "normal-range-lower-limit",
    "normal-range-upper-limit",
    "prior-procedure-descriptions",
    "referenced-segment",
    *_REGIONS,
    *_IMAGES,
    "source",
    "source-series-for-segmentation",
    "tracking-identifier",
    "tracking-unique-identifier",
)
_NO_STATEMENTS = ("comment", "equivalent-meaning-of-value")


class DocumentFacts(TreeContext):
    """The facts of one SR document."""

    def __init__(self, content: bytes, vocabulary: Vocabulary) -> None:
        """Parse the document; raises ValueError when the bytes are none of ours."""
        super().__init__(content, vocabulary)
        self.learn(_CONCEPTS, _MEMBERS)

    @property
    def of_numbers(self) -> bool:
        """Whether it is of a dialect that has shapes below numbers only."""
        names = (item.value for item in self.root.walk() if self.key(item) == "tracking-identifier")
        return any(_TOOL.match(name) for name in names)

    def facts(self) -> Iterator[Fact]:
        """Every fact that the document states."""
        yield from self.context()
        for item in self.root.children:
            key = self.key(item)
            if key == "imaging-measurements":
                for group in item.children:
                    if self.key(group) == "measurement-group":
                        yield from self._group(group)
                    elif self.key(group) not in ("algorithm-name", "algorithm-version"):
                        yield Fact("unknown item", self.name(group))
            elif key == "qualitative-evaluations":
                yield from self._statements(item)

    def _statements(self, container: ContentItem) -> Iterator[Fact]:
        """Report-level evaluations; the words of a code come right after it."""
        differential = 0
        children = container.children
        for item, after in zip(children, (*children[1:], None), strict=True):
            key = self.key(item)
            is_worded = after is not None and self.key(after) == "equivalent-meaning-of-value"
            words = after.value if after is not None and is_worded else None
            if key in _TEXTS and item.value_type == "TEXT":
                yield Fact(key, lines(item.value))
            elif key == "differential":
                differential += 1
                yield Fact(f"differential/{differential}", self.answer(item, words))
            elif key in ("conclusion", "technique"):
                yield Fact(key, self.answer(item, words))
            elif key == "prior-procedure-descriptions":
                yield Fact("comparison", item.value)
            elif key == ABSENT and item.value_type == "TEXT":
                yield Fact("statement", answer_value(codes_value((), item.value), ABSENT))
            elif key not in _NO_STATEMENTS:
                yield Fact("statement", self.statement(item, words))

    def _group(self, group: ContentItem) -> Iterator[Fact]:
        uid = self.below(group, "tracking-unique-identifier")
        identifier = self.below(group, "tracking-identifier")
        if uid is None or identifier is None:
            raise ValueError("a measurement group without tracking identifiers")
        here, own_id = f"lesion/{uid.value}", _TOOL.sub("", identifier.value)
        yield Fact(f"{here}/id", own_id)
        drawn = _drawn_on(group)
        words = Words(self._said_in_words(group))
        series = self.below(group, "source-series-for-segmentation")
        source = series.value if series is not None else None
        for item in group.children:
            if item.value_type == "NUM" and self.key(item) not in _TIME_POINT:
                yield from self._number(here, item, drawn)
            elif self.key(item) != "qualitative-evaluations":
                yield from self._item(here, item, own_id, words, source)
        yield from self._uncoded(here, words)
        for image in dict.fromkeys(_images(group, self.key)):
            yield Fact(f"{here}/image", image)

    def _said_in_words(self, group: ContentItem) -> Iterator[Worded]:
        """The texts that stand beside a code or instead of one."""
        for item in group.children:
            if self.key(item) != "qualitative-evaluations":
                continue
            field = self.below(item, "equivalent-meaning-of-concept-name")
            code = self.below(item, "equivalent-meaning-of-value")
            if field is None:
                raise ValueError("a statement in words without its field")
            entry = field.value if field.value_type == "CODE" else None
            label = field.value if entry is None else entry.codes[0].display
            yield Worded(entry, label, code.value if code is not None else None, item.value.removeprefix(f"{label}: "))

    def _uncoded(self, here: str, words: Words) -> Iterator[Fact]:
        """What is said in words alone; words whose code is gone are a fact too many."""
        for said in words.left():
            key = self.key_of(said.field) if said.field is not None else None
            value = codes_value((), said.text)
            if key in _LESION_TERMS or key == "time-point-type":
                yield Fact(f"{here}/{'timePoint/type' if key == 'time-point-type' else key}", value)
            else:
                name = codes_value(said.field.codes if said.field else (), said.label if said.field is None else None)
                yield Fact(f"{here}/evaluation", answer_value(name, value))

    def _item(self, here: str, item: ContentItem, own_id: str, words: Words, source: str | None) -> Iterator[Fact]:
        key = self.key(item)
        if isinstance(item, (Scoord, Scoord3D)):
            yield Fact(f"{here}/region", _shape(item) + ("" if key in _REGIONS else f" as {self.name(item)}"))
            yield from self._selected(item)
        elif isinstance(item, Image):
            if key not in ("referenced-segment", *_IMAGES):
                yield Fact("unknown item", self.name(item))
            elif key == "referenced-segment":
                said = f"{item.value.sop_instance} {item.value.segments[0]}"
                yield Fact(f"{here}/segment", said_with(said, source=source))
        elif key in _TIME_POINT:
            yield Fact(f"{here}/timePoint/{_TIME_POINT[key]}", self._plain(item, words))
        elif key in _LESION_TERMS:
            yield Fact(f"{here}/{key}", self.answer(item, words.of(item)))
            for modifier in item.children:
                if self.key(modifier) in ("laterality", "topography"):
                    yield Fact(f"{here}/{self.key(modifier)}", self.answer(modifier, words.of(modifier)))
        elif key == "count":  # in words; a number stands among the measurements
            yield Fact(f"{here}/count", self.answer(item))
        elif key == "comment":
            if item.value != own_id:  # the label that the dialect ohif adds
                yield Fact(f"{here}/text", lines(item.value))
        elif item.value_type in ("CODE", "TEXT") and item.relationship_type == "CONTAINS":
            yield Fact(f"{here}/evaluation", self.statement(item, words.of(item)))

    def _plain(self, item: ContentItem, words: Words) -> str:
        if item.value_type == "NUM":
            return _digits(item.value) + self._other_unit(item.value, "unit-no-units")
        return item.value if item.value_type == "TEXT" else self.answer(item, words.of(item))

    def _selected(self, shape: ContentItem) -> Iterator[Fact]:
        """The image below a shape is its source, and nothing else."""
        for image in shape.children:
            if self.key(image) != "source":
                yield Fact("unknown item", self.name(image))

    def _other_unit(self, number: Number, key: str) -> str:
        """A unit that is not the one that always stands there."""
        return "" if self.key_of(number.unit) == key else f" {codes_value(number.unit.codes)}"

    def _number(self, here: str, item: ContentItem, drawn: frozenset[str]) -> Iterator[Fact]:
        yield Fact(f"{here}/measurement", self._measurement(item, drawn))
        for shape in item.children:
            if isinstance(shape, (Scoord, Scoord3D)):
                named = "" if self.key(shape) == "source" else f" as {self.name(shape)}"
                yield from self._selected(shape)
                yield Fact(f"{here}/region", f"{_shape(shape)} shows {self.name(item)} {_digits(item.value)}{named}")

    def _measurement(self, item: ContentItem, drawn: frozenset[str]) -> str:
        """A NUM; its image only where no shape of the lesion lies there, which would say it (PS3.16 TID 320)."""
        unit: tuple[Code, ...] = item.value.unit.codes
        parts = {self.key(child): child for child in item.children}
        low, high = (
            _digits(parts[key].value) + ("" if parts[key].value.unit.codes == unit else " in another unit")
            if key in parts
            else ""
            for key in ("normal-range-lower-limit", "normal-range-upper-limit")
        )
        text = parts["normal-range-description"].value if "normal-range-description" in parts else ""
        image = parts.get("source-of-measurement")
        return measurement_value(
            self.name(item),
            _digits(item.value),
            codes_value(unit),
            method=self.answer(parts["method"]) if "method" in parts else None,
            derivation=self.answer(parts["derivation"]) if "derivation" in parts else None,
            range=range_value(low, high, text) if low or high or text else None,
            image=image.value.sop_instance if image is not None and image.value.sop_instance not in drawn else None,
        )


def _digits(number: Number) -> str:
    return number.digits if number.floating is None else f"{number.digits} {number.floating!r}"


def _shape(item: ContentItem) -> str:
    said = shape_value(item.value.graphic_type, item.value.numbers)
    if item.value.frame_of_reference is not None:
        return f"{said} in {item.value.frame_of_reference}"
    return f"{said} on {item.children[0].value.sop_instance}"


def _drawn_on(group: ContentItem) -> frozenset[str]:
    """The images that shapes of the group lie on."""
    shapes = (one for item in group.children for one in (item, *item.children) if isinstance(one, Scoord))
    return frozenset(shape.children[0].value.sop_instance for shape in shapes)


def _images(group: ContentItem, key_of: Callable[[ContentItem], str | None]) -> Iterator[str]:
    """The images of a group: of its shapes, and those it names itself; not the image that a number alone refers to."""
    for item in group.children:
        if isinstance(item, Image) and key_of(item) != "referenced-segment":
            yield image_value(item.value.sop_instance, item.value.frames)
        shapes = item.children if item.value_type == "NUM" else (item,)
        for shape in shapes:
            if isinstance(shape, Scoord):
                image = shape.children[0].value
                yield image_value(image.sop_instance, image.frames)
