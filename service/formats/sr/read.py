"""The one door in: any DICOM SR as a lesion report, item by item.

TID 1500 documents, and whatever else holds measurement groups, become lesions; all other documents their narrative. An
item that the report can't hold never costs the document: it stands in the list of losses with its path. Raises
Unreadable for bytes that are no DICOM SR, Invalid or TooLarge past a limit.
"""

from dataclasses import replace
from hashlib import sha256

from service.domain.codes import Code, Term
from service.domain.errors import Problem, TooLarge, Unreadable
from service.domain.geometry import ImageReference
from service.domain.limits import Limits
from service.domain.received import Intake, Received
from service.domain.report import Lesion, LesionReport, Observer, Study
from service.domain.uids import is_uid
from service.formats.sr.characters import characters
from service.formats.sr.content import TAG, Node, Tree
from service.formats.sr.elements import Elements, Encoded
from service.formats.sr.read_days import OTHER_TIME, Days
from service.formats.sr.read_header import Header, is_own
from service.formats.sr.read_notes import Notes
from service.formats.sr.read_people import observers, with_algorithm
from service.formats.sr.read_report import (
    Library,
    Statements,
    language,
    lesions,
    modality,
    procedures,
    statements,
)
from service.formats.sr.read_shapes import image_reference
from service.formats.sr.read_subjects import Subjects
from service.formats.sr.read_text import SAID, is_textual, narrative, outline, title

ROOTS = frozenset({"126000", "126001", "126002", "126003"})
"""Document titles of TID 1500 (CID 7021)."""
_SECONDS = len("20260302104100")
"""Of a DT: to the second."""


def read(content: bytes, intake: Intake) -> Received:
    """The report that an SR holds, with everything that it could not take."""
    if len(content) > intake.limits.body_bytes:
        raise TooLarge(Problem("", "limit", f"the document is larger than {intake.limits.body_bytes} bytes"))
    encoded = Encoded(content, intake.limits)
    elements = encoded.elements((encoded.start, len(encoded.data)))
    if TAG["ValueType"] not in elements:
        raise Unreadable(Problem("", "sr-no-tree", "a DICOM object, but no SR: it has no content (PS3.3 C.17.3)"))
    notes = _begin(encoded, elements, intake)
    if not notes.tree.root.children:
        why = "the document has no content below its root: nothing was said, not that nothing was found"
        notes.flag(notes.tree.root.path, "content", why, "sr-empty")
    return _Reading(notes, Header(notes, elements, sha256(content).hexdigest())).received()


def named(content: bytes, limits: Limits) -> tuple[str, str, str]:
    """SOP class, SOP instance and study of any DICOM object; empty where it does not say. Raises Unreadable."""
    encoded = Encoded(content, limits)
    elements = encoded.elements((encoded.start, len(encoded.data)))
    places = [elements.get(TAG[keyword]) for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID")]
    said = [
        encoded.data[place[0] : place[1]].decode("ascii", "replace").strip("\0 ") if place is not None else ""
        for place in places
    ]
    uid, instance, study = (text if is_uid(text) else "" for text in said)
    return uid, instance, study


def titled(content: bytes, limits: Limits) -> tuple[Code | None, str]:
    """What kind of document an SR is, and whose: Document Title (PS3.3 C.17.3) and Manufacturer (C.7.5.2).

    The title is None where it has no code.
    """
    encoded = Encoded(content, limits)
    elements = encoded.elements((encoded.start, len(encoded.data)))
    tree = _begin(encoded, elements, Intake(limits=limits)).tree
    title = tree.root.name.code if tree.root.name is not None else None
    return title, tree.text(elements, TAG["Manufacturer"])


def _begin(encoded: Encoded, elements: Elements, intake: Intake) -> Notes:
    place = elements.get(TAG["SpecificCharacterSet"])
    said = characters(encoded.data[place[0] : place[1]] if place is not None else b"")
    tree = Tree(encoded, elements, said, intake.limits.values)
    own = is_own(tree.text(elements, TAG["Manufacturer"]), tree.text(elements, TAG["ManufacturerModelName"]))
    notes = Notes(tree, intake, own=own)
    if said.fault is not None:
        notes.flag("SpecificCharacterSet", "texts", said.fault, "sr-character-set")
    return notes


class _Reading:
    """One document on its way to a report."""

    __slots__ = ("header", "notes", "root")

    def __init__(self, notes: Notes, header: Header) -> None:
        self.notes, self.header, self.root = notes, header, notes.tree.root

    def received(self) -> Received:
        """The report, its losses, and the outline of a document that is no measurement report."""
        notes = self.notes
        measured = self._is_measurement_report()
        self.root.taken = True
        library = Library(notes)
        subjects = Subjects(notes)
        found = lesions(notes, subjects, Days(notes, self.header.started(), self.header.offset))
        spoken = language(notes)
        reported = procedures(notes)
        said = statements(notes, subjects) if measured or found else Statements()
        watched = with_algorithm(notes, observers(notes, self.header.offset, self.header.elements), self._algorithms())
        if not measured:
            self._tell(said, bool(found))
        images = self._images(library, found)
        report = self._report(found, said, watched, images, library, spoken, reported)
        predecessors = self.header.predecessors()
        report = replace(report, predecessor=predecessors[-1]) if predecessors else report
        reference = self.header.reference()
        self._observed()
        notes.rest()
        for why in sorted(notes.tree.met):
            notes.flag("SpecificCharacterSet", "texts", why, "sr-character-set")
        if notes.tree.is_cleaned:
            why = "control characters were replaced (PS3.5 6.1.3)"
            notes.flag("SpecificCharacterSet", "texts", why, "sr-character-set")
        losses = tuple(dict.fromkeys(notes.losses))
        shown = () if measured else tuple(outline(self.root))
        return Received(report, losses, reference, shown, predecessors=predecessors)

    def _observed(self) -> None:
        """Say when items were observed, where that is another time than the document's: a report has one time."""
        issued = "".join(self.header.line(keyword) for keyword in ("ContentDate", "ContentTime"))
        told: set[str] = set()
        left_out = {loss.where for loss in self.notes.losses if loss.rule == OTHER_TIME}
        for path, when in self.notes.tree.observed.items():
            if when and when not in told and path not in left_out and not issued.startswith(when[:_SECONDS]):
                told.add(when)
                why = "the item was observed then (0040,A032), and a report has one time: its own"
                self.notes.flag(path, when, why, "sr-observed-at")

    def _is_measurement_report(self) -> bool:
        """By its title, or by its template under whatever name it stands."""
        name, template = self.root.name, self.root.value
        titled = name is not None and name.code is not None and name.code.system == "DCM" and name.code.code in ROOTS
        return titled or (isinstance(template, str) and template.upper().removeprefix("TID").strip() == "1500")

    def _tell(self, said: Statements, has_lesions: bool) -> None:
        """The narrative of a document; its title where there is none, since a report says something."""
        kinds = SAID if is_textual(self.header.line("SOPClassUID"), self.root) else ("TEXT",)
        findings, impression = narrative(self.notes, kinds)
        if findings is None and impression is None and not has_lesions:
            findings = title(self.root)
        for key, text in (("findings", findings), ("impression", impression)):
            if text is not None:
                said.texts[key].append(text)

    def _algorithms(self) -> list[tuple[str, str, tuple[Node, ...]]]:
        """Name, version and items of each algorithm that stands above the numbers (TID 4019)."""
        found: list[tuple[str, str, tuple[Node, ...]]] = []
        for node in self.notes.tree.nodes:
            if node.kind != "CONTAINER":
                continue
            name = self.notes.below(node, "algorithm-name")
            version = self.notes.below(node, "algorithm-version")
            if name is not None and isinstance(name.value, str) and name.value.strip():
                number = version.value.strip() if version is not None and isinstance(version.value, str) else ""
                nodes = (name, version) if version is not None else (name,)
                found.append((name.value.strip(), number, nodes))
        return found

    def _images(self, library: Library, found: tuple[Lesion[Term], ...]) -> tuple[ImageReference, ...]:
        """The images of the study that no lesion shows: those of the library, and others that the document contains."""
        used = {shown.image.sop_instance for one in found for shown in one.images}
        images = {image.sop_instance: image for image in library.images}
        for node in self.notes.tree.nodes:
            if node.kind == "IMAGE" and not node.taken and node.relationship in ("CONTAINS", ""):
                image = image_reference(self.notes, node)
                if image is not None:
                    images.setdefault(image.sop_instance, image)
        for lesion in found:
            for one in lesion.measurements:
                if one.image is not None and one.image not in used and one.image not in images:
                    image = self._measured_on(one.image, one.where)
                    if image is not None:
                        images[one.image] = image
        return tuple(image for instance, image in images.items() if instance not in used)

    def _measured_on(self, instance: str, where: str) -> ImageReference | None:
        """The image of a number, which must be one of the study's (its reference was held when it was read)."""
        for node in self.notes.tree.by_path[where].children:
            below = self.notes.reached(node)
            if below.kind == "IMAGE" and getattr(below.value, "sop_instance", None) == instance:
                return image_reference(self.notes, below)
        return None

    def _report(
        self,
        found: tuple[Lesion[Term], ...],
        said: Statements,
        watched: tuple[Observer[Term], ...],
        images: tuple[ImageReference, ...],
        library: Library,
        spoken: str,
        reported: tuple[Term, ...],
    ) -> LesionReport:
        header = self.header
        every = [*images, *(shown.image for one in found for shown in one.images)]
        started, description = header.started(), header.first("StudyDescription")
        study = Study(
            uid=self.notes.study,
            modality=modality(self.notes, library, every),
            procedures=reported or header.procedures(description),
            accession=header.first("AccessionNumber") or None,
            accession_issuer=header.issuer("LocalNamespaceEntityID", "IssuerOfAccessionNumberSequence"),
            started=started,
            description=description or None,
            referring_physician=header.referring(),
            technique=tuple(said.technique),
            comparisons=tuple(said.priors),
            images=images,
        )
        return LesionReport(
            id=header.report_id(),
            sender=self.notes.intake.sender,
            status=header.status(),
            issued=header.issued(),
            patient=header.patient(),
            study=study,
            version=header.version(),
            language=spoken,
            impression=said.text("impression"),
            findings=said.text("findings"),
            conclusions=tuple(said.conclusions),
            differential=tuple(said.differential),
            negatives=tuple(said.negatives),
            evaluations=tuple(said.evaluations),
            observers=watched,
            lesions=found,
        )
