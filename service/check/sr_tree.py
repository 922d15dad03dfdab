"""What the tree of an SR states around the lesions: language, observers, procedures, library and algorithm."""

from collections.abc import Iterable, Iterator

from service.check.sr_context import in_utc
from service.check.sr_document import Document
from service.check.sr_header import classes_of_evidence, header
from service.check.values import Fact, codes_value, first_value, said_with
from service.coding import Vocabulary
from service.formats.sr.tree import ContentItem

_OBSERVER = {
    "device-observer-uid": "uid",
    "device-observer-name": "name",
    "device-observer-manufacturer": "manufacturer",
    "device-observer-model-name": "model",
    "person-observer-name": "name",
    "person-observers-organization-name": "organization",
    "person-observers-role-in-the-organization": "role",
    "person-observers-role-in-this-procedure": "role",
}
_ROOT = (
    "device",
    "image-library",
    "image-library-group",
    "imaging-measurement-report",
    "imaging-measurements",
    "language-of-content-item-and-descendants",
    "observer-type",
    "person",
    "qualitative-evaluations",
    "study-date",
    "study-time",
)


class TreeContext(Document):
    """The facts of a document but for its lesions and statements."""

    def __init__(self, content: bytes, vocabulary: Vocabulary) -> None:
        """Parse it."""
        super().__init__(content, vocabulary)
        self.learn((*_ROOT, *_OBSERVER, "algorithm-name", "algorithm-version"), ("modality", "procedure"))

    def context(self) -> Iterator[Fact]:
        """All of them."""
        yield from header(self.elements)
        yield from self._observers()
        yield from self._references()
        if self.key(self.root) != "imaging-measurement-report":
            yield Fact("unknown item", self.name(self.root))
        for item in self.root.children:
            key = self.key(item)
            if key == "language-of-content-item-and-descendants":
                code = item.value.codes[0]
                yield Fact("language", code.code.lower() if code.system == "RFC5646" else f"{code.system} {code.code}")
            elif key == "procedure":
                yield Fact("study/procedure", self.answer(item, imprecise=True))
            elif key == "image-library":
                yield from self._library(item.children)
            elif key == "imaging-measurements":
                yield from self._algorithm(item)
            elif key not in ("observer-type", "qualitative-evaluations", *_OBSERVER):
                yield Fact("unknown item", codes_value(item.concept_name.codes if item.concept_name else ()))

    def _references(self) -> Iterator[Fact]:
        """Every reference is to an instance of the evidence, and of its class."""
        classes = classes_of_evidence(self.elements)
        for item in self.root.walk():
            if item.value_type == "IMAGE" and classes.get(item.value.sop_instance) != item.value.sop_class:
                yield Fact(f"image/{item.value.sop_instance}", f"an item says {item.value.sop_class}")

    def _observers(self) -> Iterator[Fact]:
        """TID 1002: each observer begins with its type."""
        kind, said = "", dict[str, str]()
        for item in self.root.children:
            key = self.key(item)
            if key == "observer-type":
                yield from _observer(kind, said)
                kind, said = self.key_of(item.value) or "unknown", {}
            elif key in _OBSERVER:
                said[_OBSERVER[key]] = self.answer(item) if _OBSERVER[key] == "role" else item.value
        yield from _observer(kind, said)

    def _library(self, groups: Iterable[ContentItem]) -> Iterator[Fact]:
        """What holds for the images of each group, on each of them; the first group has the modality of the study."""
        for number, group in enumerate(groups):
            modality, day, time = (self.below(group, key) for key in ("modality", "study-date", "study-time"))
            said = self.answer(modality) if modality is not None else ""
            if number == 0 and modality is not None:
                codes = modality.value.codes if modality.value_type == "CODE" else ()
                yield Fact("study/modality", first_value(codes, "" if codes else modality.value))
            moment = (day.value if day is not None else "") + (time.value if time is not None else "")
            value = f"{said} {in_utc(moment, self.elements['TimezoneOffsetFromUTC'])}".strip()
            if self.key(group) != "image-library-group":
                yield Fact("unknown item", self.name(group))
            images = [item for item in group.children if item.value_type == "IMAGE"]
            for image in images:
                yield Fact(f"library/{image.value.sop_instance}", value)
            if not images:
                yield Fact("library", value)

    def _algorithm(self, measurements: ContentItem) -> Iterator[Fact]:
        algorithm, version = (self.below(measurements, key) for key in ("algorithm-name", "algorithm-version"))
        if algorithm is not None or version is not None:
            said = algorithm.value if algorithm is not None else ""
            yield Fact("algorithm", said_with(said, version=version.value if version is not None else None))


def _observer(kind: str, said: dict[str, str]) -> Iterator[Fact]:
    if kind:
        parts = {part: text for part, text in said.items() if part != "name"}
        yield Fact(f"observer/{kind}", said_with(said.get("name", ""), **parts))
