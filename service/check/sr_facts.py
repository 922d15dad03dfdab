"""The facts that an SR document states, read from its bytes: TID 1500 as `service.formats.sr` lays it out.

Bytes become a tree by ``decode``, which is no part of the writer; what the tree says is read here by codes alone.
"""

import re
from collections.abc import Callable, Iterator

from service.check.facts import (
    ABSENT,
    Fact,
    answer_value,
    codes_value,
    first_value,
    image_value,
    issuer_value,
    lines,
    measurement_value,
    range_value,
)
from service.check.shapes import shape_value
from service.check.sr_words import UNNAMED, Worded, Words
from service.coding import Vocabulary
from service.domain.codes import Code
from service.formats.sr.coded import CodedEntry
from service.formats.sr.decode import decode_file
from service.formats.sr.tree import ContentItem, Image, Number, Scoord, Scoord3D

_TOOL = re.compile(r"Cornerstone3DTools@[^:]+:[A-Za-z]+:")  # how the dialect ohif begins a tracking identifier
_LESION_TERMS = ("finding", "category", "site", "laterality", "topography", "certainty", "change")
_TIME_POINT = {
    "time-point": "label",
    "time-point-type": "type",
    "time-point-order": "order",
    "subject-time-point-identifier": "subjectIdentifier",
    "protocol-time-point-identifier": "protocolIdentifier",
}
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
    ABSENT,
    "comment",
    "device-observer-name",
    "device-observer-uid",
    "equivalent-meaning-of-concept-name",
    "equivalent-meaning-of-value",
    "image-library",
    "imaging-measurements",
    "measurement-group",
    "normal-range-description",
    "normal-range-lower-limit",
    "normal-range-upper-limit",
    "person-observer-name",
    "prior-procedure-descriptions",
    "qualitative-evaluations",
    "referenced-segment",
    "source-of-measurement",
    "tracking-identifier",
    "tracking-unique-identifier",
)
_NO_STATEMENTS = ("prior-procedure-descriptions", "comment", "equivalent-meaning-of-value")


class DocumentFacts:
    """The facts of one SR document."""

    def __init__(self, content: bytes, vocabulary: Vocabulary) -> None:
        """Parse the document; raises ValueError when the bytes are none of ours."""
        self._elements, self._root = decode_file(content)
        named = {key: key for key in _CONCEPTS} | {key: vocabulary.members[key].concept for key in _MEMBERS}
        codes = {key: vocabulary.name(concept).codes[0] for key, concept in named.items()}
        self._keys = {(code.system, code.code): key for key, code in codes.items()}

    def facts(self) -> Iterator[Fact]:
        """Every fact that the document states."""
        yield from self._header()
        for item in self._root.children:
            key = self._key(item)
            if key == "procedure":
                yield Fact("study/procedure", self._answer(item, imprecise=True))
            elif key == "person-observer-name":
                yield Fact("observer/person", item.value)
            elif key == "image-library":
                said = self._below(item.children[0], "modality")
                if said is not None:
                    codes = said.value.codes if said.value_type == "CODE" else ()
                    yield Fact("study/modality", first_value(codes, "" if codes else said.value))
            elif key == "imaging-measurements":
                for group in item.children:
                    if self._key(group) == "measurement-group":
                        yield from self._group(group)
            elif key == "qualitative-evaluations":
                yield from self._statements(item)
        yield from self._devices()

    def _header(self) -> Iterator[Fact]:
        said = self._elements
        yield Fact("issued", said["ContentDate"] + said["ContentTime"] + said["TimezoneOffsetFromUTC"])
        plain = "preliminary" if said["PreliminaryFlag"] == "PRELIMINARY" else "final"
        yield Fact("status", said.get("CompletionFlagDescription", plain))
        for document in said.get("PredecessorDocumentsSequence", ()):
            (instance,) = document["ReferencedSeriesSequence"][0]["ReferencedSOPSequence"]
            yield Fact("predecessor", instance["ReferencedSOPInstanceUID"])
        yield Fact("patient/id", said["PatientID"])
        if "IssuerOfPatientID" in said:
            (universal,) = said.get("IssuerOfPatientIDQualifiersSequence", ({},))
            yield Fact("patient/issuer", issuer_value(said["IssuerOfPatientID"], universal.get("UniversalEntityID")))
        for other in said.get("OtherPatientIDsSequence", ()):
            yield Fact("patient/otherId", other["PatientID"])
        if said["PatientName"]:
            yield Fact("patient/name", said["PatientName"])
        born = said["PatientBirthDate"]
        if born:
            yield Fact("patient/birthDate", f"{born[:4]}-{born[4:6]}-{born[6:]}")
        if said["PatientSex"]:
            yield Fact("patient/sex", said["PatientSex"])
        yield Fact("study/uid", said["StudyInstanceUID"])
        if said["AccessionNumber"]:
            yield Fact("study/accession", said["AccessionNumber"])
        for observer in said.get("VerifyingObserverSequence", ()):
            yield Fact("verified", observer["VerifyingObserverName"])
            yield Fact("verified/at", observer["VerificationDateTime"])

    def _devices(self) -> Iterator[Fact]:
        """TID 1004: the UID comes first, the name after it."""
        uid = ""
        for item in self._root.children:
            key = self._key(item)
            if key == "device-observer-uid":
                uid = item.value
            elif key == "device-observer-name":
                yield Fact("observer/device", f"{uid} {item.value}")

    def _key(self, item: ContentItem) -> str | None:
        return self._key_of(item.concept_name) if item.concept_name is not None else None

    def _key_of(self, entry: CodedEntry) -> str | None:
        return self._keys.get((entry.codes[0].system, entry.codes[0].code))

    def _below(self, item: ContentItem, key: str) -> ContentItem | None:
        return next((child for child in item.children if self._key(child) == key), None)

    def _name(self, item: ContentItem) -> str:
        """The name of an item; in its own words where its code says less or nothing."""
        words = self._below(item, "equivalent-meaning-of-concept-name")
        codes: tuple[Code, ...] = item.concept_name.codes if item.concept_name is not None else ()
        if words is None:
            return codes_value(codes)
        return codes_value(codes if codes[0].code != "unnamed" else (), words.value)

    def _answer(self, item: ContentItem, beside: str | None = None, *, imprecise: bool = False) -> str:
        """The value of a CODE or TEXT item; ``beside`` are words of the code that do not stand below it.

        ``imprecise``: a stand-in code is there where only the words say it.
        """
        if item.value_type == "TEXT":
            return codes_value((), item.value)
        codes: tuple[Code, ...] = item.value.codes
        below = self._below(item, "equivalent-meaning-of-value")
        words = below.value if below is not None else beside
        if words is not None and ((imprecise and codes[0].display == "Imaging procedure") or codes[0].code == UNNAMED):
            return codes_value((), words)
        return codes_value(codes, words)

    def _statement(self, item: ContentItem, beside: str | None = None) -> str:
        """A field and its answer; *absent* is one word, however many codes it has."""
        is_absent = item.value_type == "CODE" and self._key_of(item.value) == ABSENT
        return answer_value(self._name(item), ABSENT if is_absent else self._answer(item, beside))

    def _statements(self, container: ContentItem) -> Iterator[Fact]:
        """Report-level evaluations; the words of a code come right after it."""
        differential = 0
        children = container.children
        for item, after in zip(children, (*children[1:], None), strict=True):
            key = self._key(item)
            is_worded = after is not None and self._key(after) == "equivalent-meaning-of-value"
            words = after.value if after is not None and is_worded else None
            if key in _TEXTS and item.value_type == "TEXT":
                yield Fact(key, lines(item.value))
            elif key == "differential":
                differential += 1
                yield Fact(f"differential/{differential}", self._answer(item, words))
            elif key in ("conclusion", "technique"):
                yield Fact(key, self._answer(item, words))
            elif key == ABSENT and item.value_type == "TEXT":
                yield Fact("statement", answer_value(codes_value((), item.value), ABSENT))
            elif key not in _NO_STATEMENTS:
                yield Fact("statement", self._statement(item, words))

    def _group(self, group: ContentItem) -> Iterator[Fact]:
        uid = self._below(group, "tracking-unique-identifier")
        identifier = self._below(group, "tracking-identifier")
        if uid is None or identifier is None:
            raise ValueError("a measurement group without tracking identifiers")
        here, own_id = f"lesion/{uid.value}", _TOOL.sub("", identifier.value)
        yield Fact(f"{here}/id", own_id)
        drawn = _drawn_on(group)
        words = Words(self._said_in_words(group))
        for item in group.children:
            if item.value_type == "NUM" and self._key(item) not in _TIME_POINT:
                yield from self._number(here, item, drawn)
            elif self._key(item) != "qualitative-evaluations":
                yield from self._item(here, item, own_id, words)
        yield from self._uncoded(here, words)
        for image in dict.fromkeys(_images(group, self._key)):
            yield Fact(f"{here}/image", image)

    def _said_in_words(self, group: ContentItem) -> Iterator[Worded]:
        """The texts that stand beside a code or instead of one."""
        for item in group.children:
            if self._key(item) != "qualitative-evaluations":
                continue
            field = self._below(item, "equivalent-meaning-of-concept-name")
            code = self._below(item, "equivalent-meaning-of-value")
            if field is None:
                raise ValueError("a statement in words without its field")
            entry = field.value if field.value_type == "CODE" else None
            label = field.value if entry is None else entry.codes[0].display
            yield Worded(entry, label, code.value if code is not None else None, item.value.removeprefix(f"{label}: "))

    def _uncoded(self, here: str, words: Words) -> Iterator[Fact]:
        """What is said in words alone; words whose code is gone are a fact too many."""
        for said in words.left():
            key = self._key_of(said.field) if said.field is not None else None
            value = codes_value((), said.text)
            if key in _LESION_TERMS or key == "time-point-type":
                yield Fact(f"{here}/{'timePoint/type' if key == 'time-point-type' else key}", value)
            else:
                name = codes_value(said.field.codes if said.field else (), said.label if said.field is None else None)
                yield Fact(f"{here}/evaluation", answer_value(name, value))

    def _item(self, here: str, item: ContentItem, own_id: str, words: Words) -> Iterator[Fact]:
        key = self._key(item)
        if isinstance(item, (Scoord, Scoord3D)):
            yield Fact(f"{here}/region", _shape(item))
        elif isinstance(item, Image):
            if key == "referenced-segment":
                yield Fact(f"{here}/segment", f"{item.value.sop_instance} {item.value.segments[0]}")
        elif key in _TIME_POINT:
            yield Fact(f"{here}/timePoint/{_TIME_POINT[key]}", self._plain(item, words))
        elif key in _LESION_TERMS:
            yield Fact(f"{here}/{key}", self._answer(item, words.of(item)))
            for modifier in item.children:
                if self._key(modifier) in ("laterality", "topography"):
                    yield Fact(f"{here}/{self._key(modifier)}", self._answer(modifier, words.of(modifier)))
        elif key == "count":  # in words; a number stands among the measurements
            yield Fact(f"{here}/count", self._answer(item))
        elif key == "comment":
            if item.value != own_id:  # the label that the dialect ohif adds
                yield Fact(f"{here}/text", lines(item.value))
        elif item.value_type in ("CODE", "TEXT") and item.relationship_type == "CONTAINS":
            yield Fact(f"{here}/evaluation", self._statement(item, words.of(item)))

    def _plain(self, item: ContentItem, words: Words) -> str:
        if item.value_type == "NUM":
            return _digits(item.value)
        return item.value if item.value_type == "TEXT" else self._answer(item, words.of(item))

    def _number(self, here: str, item: ContentItem, drawn: frozenset[str]) -> Iterator[Fact]:
        yield Fact(f"{here}/measurement", self._measurement(item, drawn))
        for shape in item.children:
            if isinstance(shape, (Scoord, Scoord3D)):
                yield Fact(f"{here}/region", _shape(shape))

    def _measurement(self, item: ContentItem, drawn: frozenset[str]) -> str:
        """A NUM; its image only where no shape of the lesion lies there, which would say it (PS3.16 TID 320)."""
        unit: tuple[Code, ...] = item.value.unit.codes
        parts = {self._key(child): child for child in item.children}
        low, high = (
            _digits(parts[key].value) if key in parts else ""
            for key in ("normal-range-lower-limit", "normal-range-upper-limit")
        )
        text = parts["normal-range-description"].value if "normal-range-description" in parts else ""
        image = parts.get("source-of-measurement")
        return measurement_value(
            self._name(item),
            _digits(item.value),
            codes_value(unit),
            method=self._answer(parts["method"]) if "method" in parts else None,
            derivation=self._answer(parts["derivation"]) if "derivation" in parts else None,
            range=range_value(low, high, text) if low or high or text else None,
            image=image.value.sop_instance if image is not None and image.value.sop_instance not in drawn else None,
        )


def _digits(number: Number) -> str:
    return number.digits if number.floating is None else repr(number.floating)


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
