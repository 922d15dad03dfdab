"""An AIM 4 ImageAnnotationCollection (XML) as a findings document: each ImageAnnotation is a lesion.

Elements as in the AIM v4 model (NCIP annotation-and-image-markup, AIM_v4_rv44_XML.xsd): values stand in attributes
(``root``, ``value``, ``code``), displays in a child of ISO 21090. Places are paths of elements with their number.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable
from service.domain.received import Intake
from service.domain.uids import derive_uid, is_uid
from service.formats.table.aim_elements import all_of, first_of, is_false, name_of, term_of, terms_of, value_of
from service.formats.table.drafts import Draft
from service.formats.table.mapping import mapping

RULE: Final = "aim"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_DAY: Final = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[T ]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:[.,][0-9]+)?(?:(Z)|([+-][0-9]{2}):?([0-9]{2}))?)?"
)
_CHARACTERISTICS: Final = (
    "imagingObservationCharacteristicCollection",
    "imagingObservationEntityCharacteristicCollection",
    "imagingPhysicalEntityCharacteristicCollection",
    "imagingPhysicalCharacteristicCollection",
)
_SHAPES: Final = {"TwoDimensionPoint": ("point", 1), "TwoDimensionPolyline": ("polygon", 3)}
_SEXES: Final = {"M": "M", "MALE": "M", "F": "F", "FEMALE": "F", "O": "O", "OTHER": "O"}
"""Words of English and DICOM: the first letter of another language's may be that of the other sex (mujer)."""
_LINE: Final = 2
_FRAME: Final = re.compile(r"[1-9][0-9]{0,6}")
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"


def draft(content: bytes, intake: Intake) -> Draft:
    """The findings document of a file; raises Unreadable, TooLarge, Invalid."""
    root = _parsed(content, intake)
    made = Draft()
    for pointer, value in mapping(intake.mapping).constants.items():
        made.put(pointer, value, "mapping")
    made.document["lesions"] = []
    annotations = list(all_of(root, "imageAnnotations", "ImageAnnotation"))
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
    if name_of(root) != "ImageAnnotationCollection":
        raise Invalid(Problem("", RULE, "no ImageAnnotationCollection (AIM 4)"))
    return root


def _moment(text: str, intake: Intake) -> str:
    """AIM's dateTime in the form of findings JSON, in its zone or that of the site; empty for what is none."""
    match = _DAY.fullmatch(text)
    if match is None:
        return ""
    year, month, day, hour, minute, second, utc, hours, minutes = match.groups()
    if hour is None:
        return f"{year}-{month}-{day}"
    at = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    if utc or hours:
        return f"{at}Z" if utc else f"{at}{hours}:{minutes}"
    try:
        return intake.with_zone(at)
    except ValueError:
        return ""


_DIGITS: Final = 10  # no shape has so many points


def _index(coordinate: Any) -> int:
    """The place of a point among the others; 0 where it is no number."""
    said = value_of(coordinate, "coordinateIndex")
    return int(said) if said.isascii() and said.isdigit() and len(said) < _DIGITS else 0


def _head(made: Draft, root: Any, intake: Intake) -> None:
    """Person, user, equipment and time of the collection."""
    said = {
        "/report/id": (value_of(root, "uniqueIdentifier", attribute="root"), "uniqueIdentifier"),
        "/report/issued": (_moment(value_of(root, "dateTime"), intake), "dateTime"),
        "/patient/id": (value_of(root, "person", "id"), "person/id"),
        "/patient/name": (value_of(root, "person", "name"), "person/name"),
        "/patient/birthDate": (_moment(value_of(root, "person", "birthDate"), intake)[:10], "person/birthDate"),
        "/patient/sex": (_SEXES.get(value_of(root, "person", "sex").upper(), ""), "person/sex"),
        "/observer/person/name": (value_of(root, "user", "name"), "user/name"),
        "/observer/person/id": (value_of(root, "user", "loginName"), "user/loginName"),
    }
    for pointer, (text, place) in said.items():
        if text and made.has(pointer) and pointer.startswith("/patient/") and _held(made, pointer) != text:
            made.assume(place, pointer, "the mapping file says another one, which is taken", "aim-constant")
        is_orphan = pointer == "/observer/person/id" and not made.has("/observer/person/name")
        if text and not made.has(pointer) and not is_orphan:
            made.put(pointer, text, place)
    sex = value_of(root, "person", "sex")
    if sex and sex.upper() not in _SEXES:
        made.skip("person/sex", "sex", "no word for one that is known", RULE)
    if not made.has("/report/status"):
        made.assume("", "status", "an annotation has none: preliminary", "aim-status")
        made.put("/report/status", "preliminary")
    if first_of(root, "equipment") is not None:
        made.skip("equipment", "equipment", "it annotated, and is no observer of the findings", RULE)


def _held(made: Draft, pointer: str) -> str:
    """A member of the patient as it was set before."""
    return str(made.document["patient"].get(pointer.rpartition("/")[2]))


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
        self.classes: dict[str, tuple[str, str, str]] = {}

    def read(self, turn: int) -> None:
        """All that it says of its lesion."""
        put = self.made.put
        name = value_of(self.element, "name").partition("~")[0]
        taken = {str(lesion.get("id")) for lesion in self.made.document["lesions"]}
        if not name or name in taken:
            said = self.made.document.get("report", {}).get("id", "")
            why = "it has no name of its own: numbered, and not the same lesion in any other collection"
            self.made.assume(f"{self.place}/name", "name", why, "aim-name")
            name = f"{name or 'annotation'} {turn} of {said}"
        put(f"{self.at}/id", name, f"{self.place}/name")
        uid = value_of(self.element, "trackingUniqueIdentifier", attribute="root")
        if is_uid(uid):
            put(f"{self.at}/trackingUid", uid, f"{self.place}/trackingUniqueIdentifier")
        comment = value_of(self.element, "comment")
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
            if name_of(child) and name_of(child) not in known:
                where = f"{self.place}/{name_of(child)}"
                self.made.skip(where, name_of(child), "a lesion report has no place for it", RULE)

    def _numbered(self, *path: str) -> Iterable[tuple[Any, str]]:
        for turn, found in enumerate(all_of(self.element, *path), 1):
            yield found, f"{self.place}/{'/'.join(path)}[{turn}]"

    def _entities(self) -> None:
        """The first observation is the finding, the first physical entity the site; characteristics are descriptors."""
        absent: list[tuple[Any, str]] = []
        for collection, kind, member in (
            ("imagingObservationEntityCollection", "ImagingObservationEntity", "finding"),
            ("imagingPhysicalEntityCollection", "ImagingPhysicalEntity", "site"),
        ):
            for found, place in self._numbered(collection, kind):
                term = term_of(found)
                if is_false(found, "isPresent"):
                    self._absent(term, member, place, absent)
                elif term is not None and not self.made.has(f"{self.at}/{member}"):
                    self.made.put(f"{self.at}/{member}", term, place)
                elif term is not None:
                    self.made.skip(place, kind, f"a lesion has one {member}", RULE)
                self._qualified(found, place)
                for name in _CHARACTERISTICS:
                    self._characteristics(found, place, name)
        self._name_finding(absent)

    def _absent(self, term: Any, member: str, place: str, absent: list[tuple[Any, str]]) -> None:
        """What is said not to be there (isPresent) is no finding, and no site."""
        if member == "finding" and term is not None:
            absent.append((term, place))
        else:
            self.made.skip(place, member, "it is said not to be there (isPresent)", RULE)

    def _name_finding(self, absent: list[tuple[Any, str]]) -> None:
        """A finding for a lesion without one; where all was denied, the first of that, as absent."""
        if not self.made.has(f"{self.at}/finding") and absent:
            term, place = absent.pop(0)
            self.made.put(f"{self.at}/finding", term, place)
            self.made.put(f"{self.at}/certainty", "absent", f"{place}/isPresent")
        for term, place in absent:
            at = self.made.begin(f"{self.at}/descriptors", place)
            self.made.put(f"{at}/field", term, place)
            self.made.put(f"{at}/value", "absent", f"{place}/isPresent")
        if not self.made.has(f"{self.at}/finding"):
            term = term_of(self.element)
            self.made.assume(self.place, "finding", "no observation is named: the annotation's own type", "aim-finding")
            self.made.put(f"{self.at}/finding", term or "lesion", f"{self.place}/typeCode")

    def _qualified(self, found: Any, place: str) -> None:
        """List what an entity or characteristic says beside its first code."""
        for turn in range(2, len(terms_of(found)) + 1):
            self.made.skip(f"{place}/typeCode[{turn}]", "typeCode", "a further code of the same", RULE)
        for name in ("comment", "annotatorConfidence"):
            said = value_of(found, name)
            if said and _is_said(name, said):
                self.made.skip(f"{place}/{name}", name, "a lesion report has no place for it", RULE)
        if first_of(found, "characteristicQuantificationCollection") is not None:
            where = f"{place}/characteristicQuantificationCollection"
            self.made.skip(where, "quantification", "a lesion report has no place for it", RULE)

    def _characteristics(self, entity: Any, place: str, name: str) -> None:
        for collection in all_of(entity, name):
            for turn, found in enumerate(collection, 1):
                where = f"{place}/{name}[{turn}]"
                label, term = value_of(found, "label"), term_of(found)
                if label and term is not None:
                    at = self.made.begin(f"{self.at}/descriptors", where)
                    self.made.put(f"{at}/field", {"system": "99AIM", "code": label[:16], "display": label}, where)
                    self.made.put(f"{at}/value", term, where)
                else:
                    self.made.skip(where, "characteristic", "it has no label, or no code", RULE)
                self._qualified(found, where)

    def _images(self) -> None:
        for found, place in self._numbered("imageReferenceEntityCollection", "ImageReferenceEntity"):
            study = first_of(found, "imageStudy")
            uid = value_of(study, "instanceUid", attribute="root")
            if is_uid(uid) and not self.made.has("/study/uid"):
                self.made.put("/study/uid", uid, f"{place}/imageStudy/instanceUid")
                modality = first_of(study, "imageSeries", "modality")
                if modality is not None and modality.get("code") and not self.made.has("/study/modality"):
                    self.made.put("/study/modality", modality.get("code"), f"{place}/imageStudy/imageSeries/modality")
            self._of_study(uid, place)
            series = value_of(study, "imageSeries", "instanceUid", attribute="root")
            for image in all_of(study, "imageSeries", "imageCollection", "Image"):
                sop = value_of(image, "sopInstanceUid", attribute="root")
                if all(map(is_uid, (uid, series, sop))):
                    self.classes[sop] = (value_of(image, "sopClassUid", attribute="root"), series, uid)
                else:
                    self.made.skip(place, "image", "its UIDs are none", RULE)

    def _of_study(self, uid: str, place: str) -> None:
        """Flag images of another study than the report's: the lesion may not be one that this study shows."""
        if is_uid(uid) and self.made.document["study"]["uid"] != uid:
            why = "they are of another study than the report is of: kept as images of that"
            self.made.assume(f"{place}/imageStudy/instanceUid", "images", why, "aim-study")

    def _calculations(self) -> None:
        for found, place in self._numbered("calculationEntityCollection", "CalculationEntity"):
            concept, (number, unit) = self._calculated(found), _result(found)
            if not concept or not unit or _NUMBER.fullmatch(number) is None:
                self.made.skip(place, "calculation", "it has no name, no unit, or no single number", RULE)
                continue
            at = self.made.begin(f"{self.at}/measurements", place)
            self.made.put(f"{at}/concept", concept, place)
            self.made.put(f"{at}/value", Decimal(number), place)
            self.made.put(f"{at}/unit", unit, place)

    def _calculated(self, found: Any) -> dict[str, str] | str | None:
        """What was calculated: its code; of several, as a derivation or a method beside it, the words of all."""
        terms, said = terms_of(found), value_of(found, "description")
        if len(terms) < _LINE:
            return terms[0] if terms else said
        names = (term if isinstance(term, str) else term.get("display", term["code"]) for term in terms)
        return said or ", ".join(names)

    def _shapes(self) -> None:
        """Shapes in pixels by their image; the first pixel's corner is 0, 0 in AIM, too (PS3.3 C.18.6)."""
        shown: dict[str, str] = {}
        excluded = self._excluded()
        for found, place in self._numbered("markupEntityCollection", "MarkupEntity"):
            uid = value_of(found, "uniqueIdentifier", attribute="root")
            if is_false(found, "includeFlag") or uid in excluded:
                self.made.skip(place, "markup", "what it encloses is no part of the lesion", RULE)
                continue
            kind = (found.get(_TYPE) or "").rpartition(":")[2]
            sop = value_of(found, "imageReferenceUid", attribute="root")
            points = self._points(found)
            shape, frame = self._shape(kind, points), value_of(found, "referencedFrameNumber")
            if frame and _FRAME.fullmatch(frame) is None:
                self.made.skip(place, "markup", "its frame is none", RULE)
                continue
            if sop not in self.classes or shape is None or len(points) > self.intake.limits.points:
                self.made.skip(place, "markup", "no shape that a report has, or on an image that is not named", RULE)
                continue
            at = self._image(sop, shown, place)
            if frame:
                self.made.put(f"{at}/frame", int(frame), f"{place}/referencedFrameNumber")
            self.made.put(f"{at}/{shape}", points[0] if shape == "point" else {"points": points}, place)
        for sop in self.classes:
            if sop not in shown:
                self._image(sop, shown, self.place)

    def _excluded(self) -> set[str]:
        """The shapes that another one excludes (...ShapeEntityExcludes...ShapeEntityStatement): holes in it."""
        found = all_of(self.element, "imageAnnotationStatementCollection", "ImageAnnotationStatement")
        said = [one for one in found if "Excludes" in (one.get(_TYPE) or "")]
        return {value_of(one, "objectUniqueIdentifier", attribute="root") for one in said} - {""}

    def _image(self, sop: str, shown: dict[str, str], place: str) -> str:
        """An image of the lesion, a new one for each shape: an image has one shape of a kind."""
        at = self.made.begin(f"{self.at}/images", place)
        sop_class, series, study = self.classes[sop]
        for member, value in (("sopClass", sop_class), ("sop", sop), ("series", series)):
            self.made.put(f"{at}/{member}", value, place)
        if self.made.document["study"]["uid"] != study:
            self.made.put(f"{at}/study", study, place)
        shown[sop] = at
        return at

    def _points(self, found: Any) -> list[list[float]]:
        coordinates = all_of(found, "twoDimensionSpatialCoordinateCollection", "TwoDimensionSpatialCoordinate")
        made = []
        for one in sorted(coordinates, key=_index):
            x, y = value_of(one, "x"), value_of(one, "y")
            if not (_NUMBER.fullmatch(x) and _NUMBER.fullmatch(y)):
                return []  # without one of its points it is another shape
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


def _is_said(name: str, value: str) -> bool:
    """A confidence of 0 is what programs write where nobody was asked for one."""
    return name != "annotatorConfidence" or _NUMBER.fullmatch(value) is None or Decimal(value) != 0


def _result(found: Any) -> tuple[str, str]:
    """The one number of a calculation and its unit; empty where there are several, or they are no scalar."""
    results = list(all_of(found, "calculationResultCollection", "CalculationResult"))
    if len(results) != 1 or results[0].get("type", "Scalar") != "Scalar":
        return "", ""
    path = ("calculationDataCollection", "CalculationData", "value")
    said = [*all_of(results[0], "value"), *all_of(results[0], *path)]
    number = (said[0].get("value") or "").strip() if len(said) == 1 else ""
    return number, value_of(results[0], "unitOfMeasure")
