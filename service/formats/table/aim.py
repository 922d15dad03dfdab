"""An AIM 4 ImageAnnotationCollection (XML) as a findings document: each ImageAnnotation is a lesion.

Elements as in the AIM v4 model (NCIP annotation-and-image-markup): values stand in attributes (``root``, ``value``,
``code``), displays in a child of ISO 21090. Places are paths of elements with their number.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable
from service.domain.received import Intake
from service.domain.uids import derive_uid, is_uid
from service.formats.table.drafts import Draft
from service.formats.table.mapping import mapping

RULE: Final = "aim"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_DAY: Final = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ]?([0-9]{2}):?([0-9]{2}):?([0-9]{2}).*)?")
_SHAPES: Final = {"TwoDimensionPoint": ("point", 1), "TwoDimensionPolyline": ("polygon", 3)}
_LINE: Final = 2
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"


def draft(content: bytes, intake: Intake) -> Draft:
    """The findings document of a file; raises Unreadable, TooLarge, Invalid."""
    root = _parsed(content, intake)
    made = Draft()
    for pointer, value in mapping(intake.mapping).constants.items():
        made.put(pointer, value, "mapping")
    made.document["lesions"] = []
    annotations = list(_all(root, "imageAnnotations", "ImageAnnotation"))
    if not annotations:
        raise Invalid(Problem("/imageAnnotations", RULE, "the collection has no ImageAnnotation"))
    _head(made, root, intake)
    for turn, annotation in enumerate(annotations, 1):
        _Annotation(made, annotation, f"imageAnnotations/ImageAnnotation[{turn}]", intake).read(turn)
    _study(made, intake)
    return made


def _parsed(content: bytes, intake: Intake) -> Any:
    """The root, without any entity or address being resolved."""
    from lxml import etree

    if len(content) > intake.limits.body_bytes:
        raise TooLarge(Problem("", "limit", "the document is larger than this deployment takes"))
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Unreadable(Problem("", "xml-dtd", "a document type or entity is not taken"))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(Problem("", "xml", f"not XML, from line {error.lineno} on")) from error
    if _name(root) != "ImageAnnotationCollection":
        raise Invalid(Problem("", RULE, "no ImageAnnotationCollection (AIM 4)"))
    return root


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(element: Any, *path: str) -> Iterator[Any]:
    """The elements at the end of a path of names, whatever their namespace."""
    if not path:
        yield element
        return
    for child in element if element is not None else ():
        if _name(child) == path[0]:
            yield from _all(child, *path[1:])


def _first(element: Any, *path: str) -> Any:
    return next(_all(element, *path), None)


def _value(element: Any, *path: str, attribute: str = "value") -> str:
    found = _first(element, *path)
    return (found.get(attribute) or "").strip() if found is not None else ""


def _term(element: Any) -> dict[str, str] | str | None:
    """A typeCode: its code in its scheme; without one its display."""
    found = _first(element, "typeCode")
    if found is None:
        return None
    display = _value(found, "displayName") or (found.get("displayName") or "").strip()
    value, scheme = (found.get("code") or "").strip(), (found.get("codeSystemName") or "").strip()
    if value and scheme:
        return {"system": scheme, "code": value} | ({"display": display} if display else {})
    return display or None


def _moment(text: str, intake: Intake) -> str:
    """AIM's dateTime in the form of findings JSON, in the zone of the site; empty for what is none."""
    match = _DAY.fullmatch(text)
    if match is None:
        return ""
    year, month, day, hour, minute, second = match.groups()
    if hour is None:
        return f"{year}-{month}-{day}"
    try:
        return intake.with_zone(f"{year}-{month}-{day}T{hour}:{minute}:{second}")
    except ValueError:
        return ""


_DIGITS: Final = 10  # no shape has so many points


def _index(coordinate: Any) -> int:
    """The place of a point among the others; 0 where it is no number."""
    said = _value(coordinate, "coordinateIndex")
    return int(said) if said.isascii() and said.isdigit() and len(said) < _DIGITS else 0


def _head(made: Draft, root: Any, intake: Intake) -> None:
    """Person, user, equipment and time of the collection."""
    said = {
        "/report/id": (_value(root, "uniqueIdentifier", attribute="root"), "uniqueIdentifier"),
        "/report/issued": (_moment(_value(root, "dateTime"), intake), "dateTime"),
        "/patient/id": (_value(root, "person", "id"), "person/id"),
        "/patient/name": (_value(root, "person", "name"), "person/name"),
        "/patient/birthDate": (_moment(_value(root, "person", "birthDate"), intake)[:10], "person/birthDate"),
        "/patient/sex": (_value(root, "person", "sex")[:1].upper(), "person/sex"),
        "/observer/person/name": (_value(root, "user", "name"), "user/name"),
        "/observer/person/id": (_value(root, "user", "loginName"), "user/loginName"),
    }
    for pointer, (text, place) in said.items():
        is_orphan = pointer == "/observer/person/id" and not made.has("/observer/person/name")
        if text and not made.has(pointer) and not is_orphan:
            made.put(pointer, text, place)
    if not made.has("/report/status"):
        made.assume("", "status", "an annotation has none: preliminary", "aim-status")
        made.put("/report/status", "preliminary")
    if _first(root, "equipment") is not None:
        made.skip("equipment", "equipment", "it annotated, and is no observer of the findings", RULE)


def _study(made: Draft, intake: Intake) -> None:
    if not made.has("/study/uid"):
        made.assume("", "study UID", "no image is named: one is derived from the collection", "study-uid-derived")
        said = made.document.get("report", {}).get("id", "")
        made.put("/study/uid", derive_uid("aim-study", intake.sender, str(said)))
    if not made.has("/study/modality"):
        made.assume("", "modality", "no modality is named: other", "aim-modality")
        made.put("/study/modality", "other-modality")
    if not made.has("/study/procedure"):
        made.assume("", "procedure", "an annotation names none: an imaging procedure", "aim-procedure")
        made.put("/study/procedure", "imaging-procedure")


class _Annotation:
    """One ImageAnnotation."""

    def __init__(self, made: Draft, element: Any, place: str, intake: Intake) -> None:
        self.made, self.element, self.place, self.intake = made, element, place, intake
        self.at = made.begin("/lesions", place)
        self.classes: dict[str, tuple[str, str]] = {}

    def read(self, turn: int) -> None:
        """All that it says of its lesion."""
        put = self.made.put
        name = _value(self.element, "name").partition("~")[0]
        taken = {str(lesion.get("id")) for lesion in self.made.document["lesions"]}
        put(
            f"{self.at}/id",
            name if name and name not in taken else f"{name or 'annotation'} {turn}",
            f"{self.place}/name",
        )
        uid = _value(self.element, "trackingUniqueIdentifier", attribute="root")
        if is_uid(uid):
            put(f"{self.at}/trackingUid", uid, f"{self.place}/trackingUniqueIdentifier")
        comment = _value(self.element, "comment")
        if comment:
            put(f"{self.at}/text", comment, f"{self.place}/comment")
        self._entities()
        self._images()
        self._calculations()
        self._shapes()
        known = {
            "name", "comment", "uniqueIdentifier", "trackingUniqueIdentifier", "typeCode", "dateTime",
            "imagingPhysicalEntityCollection", "imagingObservationEntityCollection", "imageReferenceEntityCollection",
            "calculationEntityCollection", "markupEntityCollection", "imageAnnotationStatementCollection",
        }  # fmt: skip
        for child in self.element:
            if _name(child) and _name(child) not in known:
                where = f"{self.place}/{_name(child)}"
                self.made.skip(where, _name(child), "a lesion report has no place for it", RULE)

    def _numbered(self, *path: str) -> Iterable[tuple[Any, str]]:
        for turn, found in enumerate(_all(self.element, *path), 1):
            yield found, f"{self.place}/{'/'.join(path)}[{turn}]"

    def _entities(self) -> None:
        """The first observation is the finding, the first physical entity the site; characteristics are descriptors."""
        for collection, kind, member in (
            ("imagingObservationEntityCollection", "ImagingObservationEntity", "finding"),
            ("imagingPhysicalEntityCollection", "ImagingPhysicalEntity", "site"),
        ):
            for found, place in self._numbered(collection, kind):
                term = _term(found)
                if term is not None and not self.made.has(f"{self.at}/{member}"):
                    self.made.put(f"{self.at}/{member}", term, place)
                elif term is not None:
                    self.made.skip(place, kind, f"a lesion has one {member}", RULE)
                characteristics = f"{kind[0].lower()}{kind[1:]}".removesuffix("Entity")
                self._characteristics(found, place, (f"{characteristics}CharacteristicCollection",
                                                     f"{characteristics}EntityCharacteristicCollection"))  # fmt: skip
        if not self.made.has(f"{self.at}/finding"):
            term = _term(self.element)
            self.made.assume(self.place, "finding", "no observation is named: the annotation's own type", "aim-finding")
            self.made.put(f"{self.at}/finding", term or "lesion", f"{self.place}/typeCode")

    def _characteristics(self, entity: Any, place: str, collections: tuple[str, ...]) -> None:
        for collection in (child for child in entity if _name(child) in collections):
            for turn, found in enumerate(collection, 1):
                where = f"{place}/{_name(collection)}[{turn}]"
                label, term = _value(found, "label"), _term(found)
                if label and term is not None:
                    at = self.made.begin(f"{self.at}/descriptors", where)
                    self.made.put(f"{at}/field", {"system": "99AIM", "code": label[:16], "display": label}, where)
                    self.made.put(f"{at}/value", term, where)
                else:
                    self.made.skip(where, "characteristic", "it has no label, or no code", RULE)

    def _images(self) -> None:
        for found, place in self._numbered("imageReferenceEntityCollection", "ImageReferenceEntity"):
            study = _first(found, "imageStudy")
            uid = _value(study, "instanceUid", attribute="root")
            if is_uid(uid) and not self.made.has("/study/uid"):
                self.made.put("/study/uid", uid, f"{place}/imageStudy/instanceUid")
                modality = _first(study, "imageSeries", "modality")
                if modality is not None and modality.get("code") and not self.made.has("/study/modality"):
                    self.made.put("/study/modality", modality.get("code"), f"{place}/imageStudy/imageSeries/modality")
            series = _value(study, "imageSeries", "instanceUid", attribute="root")
            for image in _all(study, "imageSeries", "imageCollection", "Image"):
                sop = _value(image, "sopInstanceUid", attribute="root")
                if all(map(is_uid, (uid, series, sop))):
                    self.classes[sop] = (_value(image, "sopClassUid", attribute="root"), series)
                else:
                    self.made.skip(place, "image", "its UIDs are none", RULE)

    def _calculations(self) -> None:
        for found, place in self._numbered("calculationEntityCollection", "CalculationEntity"):
            concept = _term(found) or _value(found, "description")
            result = _first(found, "calculationResultCollection", "CalculationResult")
            number = _value(result, "value") or _value(result, "calculationDataCollection", "CalculationData", "value")
            unit = _value(result, "unitOfMeasure")
            if not concept or not unit or _NUMBER.fullmatch(number) is None:
                self.made.skip(place, "calculation", "it has no name, no unit, or no single number", RULE)
                continue
            at = self.made.begin(f"{self.at}/measurements", place)
            self.made.put(f"{at}/concept", concept, place)
            self.made.put(f"{at}/value", Decimal(number), place)
            self.made.put(f"{at}/unit", unit, place)

    def _shapes(self) -> None:
        """Shapes in pixels by their image; the first pixel's corner is 0, 0 in AIM, too (PS3.3 C.18.6)."""
        shown: dict[str, str] = {}
        for found, place in self._numbered("markupEntityCollection", "MarkupEntity"):
            kind = (found.get(_TYPE) or "").rpartition(":")[2]
            sop = _value(found, "imageReferenceUid", attribute="root")
            points = self._points(found)
            shape = self._shape(kind, points)
            if sop not in self.classes or shape is None or len(points) > self.intake.limits.points:
                self.made.skip(place, "markup", "no shape that a report has, or on an image that is not named", RULE)
                continue
            at = self._image(sop, shown, place)
            self.made.put(f"{at}/{shape}", points[0] if shape == "point" else {"points": points}, place)
        for sop in self.classes:
            if sop not in shown:
                self._image(sop, shown, self.place)

    def _image(self, sop: str, shown: dict[str, str], place: str) -> str:
        """An image of the lesion, a new one for each shape: an image has one shape of a kind."""
        at = self.made.begin(f"{self.at}/images", place)
        sop_class, series = self.classes[sop]
        for member, value in (("sopClass", sop_class), ("sop", sop), ("series", series)):
            self.made.put(f"{at}/{member}", value, place)
        shown[sop] = at
        return at

    def _points(self, found: Any) -> list[list[float]]:
        coordinates = _all(found, "twoDimensionSpatialCoordinateCollection", "TwoDimensionSpatialCoordinate")
        made = []
        for one in sorted(coordinates, key=_index):
            x, y = _value(one, "x"), _value(one, "y")
            if _NUMBER.fullmatch(x) and _NUMBER.fullmatch(y):
                made.append([float(x), float(y)])
        return made

    def _shape(self, kind: str, points: list[list[float]]) -> str | None:
        if kind == "TwoDimensionMultiPoint" and len(points) == _LINE:
            return "line"
        if kind not in _SHAPES:
            return None
        shape, fewest = _SHAPES[kind]
        if kind == "TwoDimensionPolyline" and len(points) == _LINE:
            return "line"
        return shape if len(points) >= fewest else None
