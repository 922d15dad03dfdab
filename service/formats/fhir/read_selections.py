"""ImagingSelection (R5) to images, shapes and segment of a lesion, as HL7's DICOM SR guide has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from service.domain.codes import Term
from service.domain.geometry import (
    Graphic,
    Graphic3D,
    ImageReference,
    LesionImage,
    Point2D,
    Point3D,
    Region2D,
    Region3D,
    SegmentReference,
)
from service.domain.sop_classes import is_no_image
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Lexical, Node
from service.formats.fhir.read_study import Imaging, Instance
from service.formats.fhir.read_terms import layout
from service.formats.fhir.read_values import bare_uid, uid

_KIND: Final = "ImagingSelection"
_SEGMENTATION: Final = "referenced-segment"
_LINE_POINTS: Final = 2
_PLANE: Final = 2
_FLOAT32_MOST: Final = 3.4028234663852886e38


class Selected:
    """What the selections of one lesion hold, in their order."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.images: list[LesionImage[Term]] = []
        self.regions3d: list[Region3D] = []
        self.segment: SegmentReference | None = None

    def add(self, image: ImageReference, region: Region2D[Term] | None) -> None:
        """An image, or a shape on it; what follows on one image stands together."""
        regions = (region,) if region is not None else ()
        last = self.images[-1] if self.images else None
        if last is not None and last.image == image and last.regions and regions:
            self.images[-1] = LesionImage(image, (*last.regions, *regions))
        else:
            self.images.append(LesionImage(image, regions))

    def show(self, image: ImageReference, region: Region2D[Term], measurement: Term) -> None:
        """Name the measurement that a shape of the lesion shows; one that the lesion does not have itself is added."""
        for place, shown in enumerate(self.images):
            for turn, known in enumerate(shown.regions):
                if known.measurement is None and shown.image == image and _drawn(known) == _drawn(region):
                    named = replace(known, measurement=measurement)
                    regions = (*shown.regions[:turn], named, *shown.regions[turn + 1 :])
                    self.images[place] = LesionImage(shown.image, regions)
                    return
        self.add(image, replace(region, measurement=measurement))


class Selections:
    """Reads the ImagingSelections that Observations are derived from."""

    def __init__(self, document: Document, imaging: Imaging, study: str) -> None:
        """``study`` is the report's own Study Instance UID."""
        self._document = document
        self._imaging = imaging
        self._study = study

    def of_lesion(self, observation: Node, into: Selected) -> None:
        """Images, shapes and segment of a lesion."""
        for selection in self._document.linked(observation, "derivedFrom", _KIND):
            if layout(selection.value.get("code")) == _SEGMENTATION:
                into.segment = self._segment(selection) or into.segment
                continue
            for image, region in self._items(selection, into.regions3d):
                into.add(image, region)

    def of_measurement(self, observation: Node, concept: Term, into: Selected) -> str | None:
        """The image of a measurement; a shape that shows it is named after it."""
        source = None
        shapes: list[Region3D] = []
        for selection in self._document.linked(observation, "derivedFrom", _KIND):
            kind = layout(selection.value.get("code"))
            items = list(self._items(selection, shapes))
            if kind == "source-of-measurement" and not items:
                source = self._bare(selection) or source
            for image, region in items:
                if region is not None:
                    into.show(image, region, concept)
                else:
                    source = image.sop_instance
        # A shape in millimetres names no measurement, so one that the lesion has already says no more.
        into.regions3d += [shape for shape in shapes if shape not in into.regions3d]
        return source

    def _common(self, selection: Node) -> tuple[str | None, str | None]:
        """Study and series of a selection; the study is None for the report's own."""
        selection.take("status", "code")
        for name in ("derivedFrom", "basedOn"):
            for reference in selection.nodes(name):
                self._document.target(reference, selection)
        study = uid(selection, "studyUid")
        return (None if study == self._study else study), uid(selection, "seriesUid")

    def _items(
        self, selection: Node, regions3d: list[Region3D]
    ) -> Iterator[tuple[ImageReference, Region2D[Term] | None]]:
        study, series = self._common(selection)
        frame = uid(selection, "frameOfReferenceUid")
        for instance in selection.nodes("instance"):
            if "imageRegion3D" in instance:
                self._regions3d(instance, frame, regions3d)
                continue
            image = self._image(instance, study, series)
            if image is None:
                continue
            regions = [self._region2d(one) for one in instance.nodes("imageRegion2D")]
            for region in regions or [None]:
                if region is not None or not regions:
                    yield image, region

    def _bare(self, selection: Node) -> str | None:
        """An image that nothing but its UID is known of."""
        for instance in selection.nodes("instance"):
            return uid(instance, "uid")
        return None

    def _image(self, instance: Node, study: str | None, series: str | None) -> ImageReference | None:
        sop = bare_uid(instance.string("uid"))
        kind = instance.node("sopClass")
        sop_class = uid(kind, "code") if kind is not None else None
        listed = self._imaging.instances.get(sop or "")
        if listed is not None:
            sop_class, series = sop_class or listed.sop_class, series or listed.series
        if sop is None or sop_class is None or series is None:
            return None
        known = self._imaging.instances.setdefault(sop, Instance(sop_class, series, study))
        if known != (sop_class, series, study):
            why = "this instance stands elsewhere with another class, series or study"
            instance.noted.skip(instance.path, "instance", why, "fhir-image")
            return None
        if kind is not None:
            kind.take("system", "display")
        self._imaging.used.add(sop)
        frames = instance.strings("subset")
        try:
            numbers = tuple(int(frame) for frame in frames)
            if is_no_image(sop_class):
                raise ValueError("no image by its SOP class")
            return ImageReference(sop_class, sop, series, study, numbers, instance.path)
        except ValueError:
            instance.noted.skip(instance.path, "instance", "it is no reference to an image", "fhir-image")
            return None

    def _region2d(self, node: Node) -> Region2D[Term] | None:
        kind = node.string("regionType")
        points = self._points(node, 2)
        if points is None:
            return None
        pairs: tuple[Point2D, ...] = tuple((x, y) for x, y in points)
        if kind == "point":
            graphic = Graphic.POINT
        elif kind == "polyline" and len(pairs) == _LINE_POINTS:
            graphic = Graphic.LINE
        elif kind == "polyline" and pairs[0] == pairs[-1]:
            graphic, pairs = Graphic.POLYGON, pairs[:-1]
        else:
            node.noted.skip(node.path, "imageRegion2D", "a lesion has points, lines and closed polygons", "fhir-shape")
            return None
        try:
            return Region2D(graphic, pairs, None, node.path)
        except ValueError as error:
            node.noted.skip(node.path, "imageRegion2D", str(error), "fhir-shape")
            return None

    def _regions3d(self, instance: Node, frame: str | None, into: list[Region3D]) -> None:
        """Shapes in millimetres; the instance is the SR that holds them, or an image."""
        instance.take("uid", "sopClass")
        for node in instance.nodes("imageRegion3D"):
            kind = node.string("regionType")
            points = self._points(node, 3)
            if points is None:
                continue
            triples: tuple[Point3D, ...] = tuple((x, y, z) for x, y, z in points)
            if kind == Graphic3D.POLYGON and triples[0] == triples[-1]:
                triples = triples[:-1]
            try:
                if frame is None:
                    raise ValueError("shapes in millimetres have a frame of reference")
                made = Region3D(frame, Graphic3D(str(kind)), triples, node.path)
            except ValueError as error:
                node.noted.skip(node.path, "imageRegion3D", str(error), "fhir-shape")
                continue
            into.append(made)

    def _points(self, node: Node, axes: int) -> list[tuple[float, ...]] | None:
        """Coordinates by the point; None, listed, where there are none or too many, or what is none among them."""
        raw = node.raw("coordinate")
        listed = raw if isinstance(raw, list) else []
        limit = node.noted.intake.limits.points
        # Graphic Data is FL, and pixels count from the top left corner (PS3.3 C.18.6).
        least = 0.0 if axes == _PLANE else -_FLOAT32_MOST
        found = (_number(one) for one in listed)
        numbers = [number for number in found if number is not None and least <= number <= _FLOAT32_MOST]
        if not numbers or len(numbers) != len(listed) or len(numbers) % axes or len(numbers) > limit * axes:
            why = f"it has no points of {axes} coordinates within bounds, or more than {limit}"
            node.take(*node.value)
            node.noted.skip(node.path, "coordinate", why, "fhir-shape")
            return None
        return [tuple(numbers[place : place + axes]) for place in range(0, len(numbers), axes)]

    def _segment(self, selection: Node) -> SegmentReference | None:
        _, series = self._common(selection)
        source = None
        for focus in self._document.linked(selection, "focus", _KIND):
            _, source = self._common(focus)
            self._imaging.take_series(source or "")
        for instance in selection.nodes("instance"):
            sop, numbers = uid(instance, "uid"), instance.strings("subset")
            instance.take("sopClass")
            try:
                if sop is None or series is None or not numbers:
                    raise ValueError("a segment has instance, series and number")
                self._imaging.used.add(sop)
                self._imaging.take_series(series)
                return SegmentReference(sop, series, int(numbers[0]), source, instance.path)
            except ValueError as error:
                instance.noted.skip(instance.path, "instance", str(error), "fhir-image")
        return None


def _number(value: object) -> float | None:
    """A coordinate; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Lexical):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _drawn(region: Region2D[Term]) -> object:
    return region.graphic, region.points
