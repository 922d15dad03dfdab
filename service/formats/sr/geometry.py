"""Where the shapes of a lesion go: with a number, as the one kind of region that its group has, or nowhere.

A shape that shows a length goes below that number (INFERRED FROM), and so does one that shows another number where the
group could not tell which: the lesion has a second number in that unit, or a second shape of no length (PS3.16 TID 300,
320). What is left decides the group:

- a segment: TID 1411, with the series or images that it was made from;
- one shape in pixels, or one in millimetres that lies in a plane: TID 1410;
- several in pixels: TID 1411; several polygons or ellipses in millimetres, or an ellipsoid: TID 1411 as volume surface;
- nothing: TID 1501.

A group has one kind of region (PS3.16 TID 1410, 1411). What is of another kind is named as a loss, never dropped
silently.
"""

from itertools import chain

from service.domain.codes import CodedTerm
from service.domain.geometry import SEGMENTATION, Graphic, Graphic3D, ImageReference, Region2D, Region3D
from service.domain.report import Lesion, Measurement
from service.domain.shown import measurement_of
from service.formats.sr.coded import CodedEntry
from service.formats.sr.dialects import Dialect, Placement
from service.formats.sr.draft import Draft
from service.formats.sr.items import Image, Scoord, Scoord3D, UidRef
from service.formats.sr.names import name
from service.formats.sr.relationships import Relationship
from service.formats.sr.tree import ContentItem
from service.formats.sr.values import Reference

LENGTHS = frozenset({"mm", "cm", "m", "um"})
"""UCUM codes of what a line, or the outline that it is read from, shows."""
_GRAPHIC_TYPES = {Graphic.POINT: "POINT", Graphic.LINE: "POLYLINE", Graphic.POLYGON: "POLYLINE"}
_IN_A_PLANE = (Graphic3D.POINT, Graphic3D.POLYLINE, Graphic3D.POLYGON, Graphic3D.ELLIPSE)
_SURFACES = (Graphic3D.POLYGON, Graphic3D.ELLIPSE)

Shape = tuple[Region2D[CodedTerm], ImageReference]


class Places:
    """What one lesion's shapes became: the group's template and regions, and the shapes of each of its numbers."""

    __slots__ = ("of_number", "regions", "template")

    def __init__(self) -> None:
        """No shapes as yet."""
        self.template = "1501"
        self.regions: tuple[ContentItem, ...] = ()
        self.of_number: dict[int, list[ContentItem]] = {}

    def shapes(self, number: int) -> tuple[ContentItem, ...]:
        """What the n-th measurement is inferred from."""
        return tuple(self.of_number.get(number, ()))

    def references(self) -> set[Reference]:
        """The images that the shapes are on, or that a segment or surface was made from."""
        items = chain(self.regions, *self.of_number.values()) if self.of_number else self.regions
        return {one.value for item in items for one in (item, *item.children) if one.value_type == "IMAGE"}


def place(draft: Draft, lesion: Lesion[CodedTerm], bare: Region2D[CodedTerm] | None = None) -> Places:
    """Give every shape of the lesion its place; ``bare`` stands for itself where the others need a number."""
    made = Places()
    if not (lesion.regions3d or lesion.segment is not None or any(shown.regions for shown in lesion.images)):
        return made
    free: list[Shape] = []
    for shown in lesion.images:
        for region in shown.regions:
            number = None
            if region.measurement is not None:
                number = measurement_of(lesion, region.measurement, shown.image.sop_instance)
            if number is not None and _is_below(draft.dialect, lesion, lesion.measurements[number]):
                _put(draft, made, number, (region, shown.image))
            else:
                free.append((region, shown.image))
    if draft.dialect.placement is Placement.NUMBER:
        _lose(
            draft,
            [*(region for region, _ in free if region is not bare), *lesion.regions3d],
            "this dialect has shapes of numbers only",
        )
        if lesion.segment is not None:
            draft.lose(lesion.segment.where or lesion.where, "segment", "this dialect has no segments", "sr-dialect")
        _place_regions(draft, lesion, made, [shape for shape in free if shape[0] is bare])
    else:
        _place_free(draft, lesion, made, free)
    return made


def _is_below(dialect: Dialect, lesion: Lesion[CodedTerm], said: Measurement[CodedTerm]) -> bool:
    """Whether a shape of this measurement stands below it; one without a unit's code is no NUM."""
    if is_length(said) or not said.unit.codes:
        return is_length(said)
    return dialect.placement is Placement.NUMBER or not _is_told_by_the_group(lesion, said)


def _is_told_by_the_group(lesion: Lesion[CodedTerm], said: Measurement[CodedTerm]) -> bool:
    """Whether a group with its one shape tells that the shape shows this number: no other one has its unit."""
    alike = [one for one in lesion.measurements if one.unit.codes[:1] == said.unit.codes[:1]]
    shapes = [(region, shown.image.sop_instance) for shown in lesion.images for region in shown.regions]
    free = [region for region, image in shapes if not _shows_a_length(lesion, region, image)]
    return len(alike) == len(free) == 1


def _shows_a_length(lesion: Lesion[CodedTerm], region: Region2D[CodedTerm], image: str) -> bool:
    number = None if region.measurement is None else measurement_of(lesion, region.measurement, image)
    return number is not None and is_length(lesion.measurements[number])


def is_length(said: Measurement[CodedTerm]) -> bool:
    """Whether it is measured in a unit of length."""
    return bool(said.unit.codes) and said.unit.codes[0].code in LENGTHS


def _put(draft: Draft, made: Places, number: int, shape: Shape) -> None:
    item = _scoord(draft, shape, name("source"), "INFERRED FROM")
    if item is not None:
        made.of_number.setdefault(number, []).append(item)


def _place_free(draft: Draft, lesion: Lesion[CodedTerm], made: Places, free: list[Shape]) -> None:
    """Decide the group by what is left; the rest of another kind is lost."""
    if lesion.segment is not None and _place_segment(draft, lesion, made):
        _lose(draft, [*(region for region, _ in free), *lesion.regions3d], "the group has a segment already")
        return
    _place_regions(draft, lesion, made, free)
    if made.regions:
        _lose(draft, lesion.regions3d, "the group has regions in pixels already")
    elif lesion.regions3d:
        _place_3d(draft, lesion, made)


def _place_regions(draft: Draft, lesion: Lesion[CodedTerm], made: Places, shapes: list[Shape]) -> None:
    """Shapes as the regions of the group."""
    regions = [_scoord(draft, shape, name("image-region"), "CONTAINS") for shape in shapes]
    items = tuple([item for item in regions if item is not None])
    if items:
        # TID 1410 takes one illustration, TID 1411 any number, and one region as well as several.
        others = sum([not shown.regions for shown in lesion.images])
        made.template, made.regions = "1410" if len(items) == 1 and others <= 1 else "1411", items


def _lose(draft: Draft, regions: "list[Region2D[CodedTerm] | Region3D] | tuple[Region3D, ...]", why: str) -> None:
    for region in regions:
        draft.lose(region.where, region.graphic.value, f"{why} (PS3.16 TID 1410, 1411)", "sr-one-kind-of-region")


def _place_segment(draft: Draft, lesion: Lesion[CodedTerm], made: Places) -> bool:
    """TID 1411 row 7; False where nobody said what it was made from (rows 11 and 12 are mandatory with it)."""
    segment = lesion.segment
    assert segment is not None  # noqa: S101 - for the type checker; asked by the caller
    sources = _sources(draft, lesion, segment.source_series)
    if not sources:
        why = "the series or images that it was made from are not known (PS3.16 TID 1411 rows 11 and 12)"
        draft.lose(segment.where or lesion.where, "segment", why, "sr-segment-source")
        return False
    draft.evidence.note(SEGMENTATION, segment.sop_instance, segment.series, draft.report.study.uid, segment.where)
    reference = Reference(SEGMENTATION, segment.sop_instance, segments=(segment.number,))
    made.template = "1411"
    made.regions = (Image(name("referenced-segment"), reference, "CONTAINS"), *sources)
    return True


def _sources(draft: Draft, lesion: Lesion[CodedTerm], series: str | None) -> tuple[ContentItem, ...]:
    """The source series (121232), else the lesion's images (121233)."""
    if series is not None:
        return (UidRef(name("source-series-for-segmentation"), series, "CONTAINS"),)
    images = dict.fromkeys(draft.evidence.add(shown.image) for shown in lesion.images)
    return tuple(Image(name("source-image-for-segmentation"), image, "CONTAINS") for image in images)


def _place_3d(draft: Draft, lesion: Lesion[CodedTerm], made: Places) -> None:
    """One shape in a plane is a region, polygons or ellipses together or an ellipsoid a surface, all else a loss."""
    kinds = {region.graphic for region in lesion.regions3d}
    if not draft.allows_3d:
        _lose(draft, lesion.regions3d, "the document asked for has no SCOORD3D (PS3.3 A.35)")
        return
    if len(lesion.regions3d) == 1 and kinds <= set(_IN_A_PLANE):
        made.template, made.regions = "1410", (_scoord3d(lesion.regions3d[0], name("image-region")),)
        return
    is_surface = (len(kinds) == 1 and kinds <= set(_SURFACES)) or (
        kinds == {Graphic3D.ELLIPSOID} and len(lesion.regions3d) == 1
    )
    sources = _sources(draft, lesion, None) if is_surface else ()
    if not sources:
        why = "the images of the surface are not known" if is_surface else "no region or surface is made of these"
        _lose(draft, lesion.regions3d, why)
        return
    surface = (_scoord3d(region, name("volume-surface")) for region in lesion.regions3d)
    made.template, made.regions = "1411", (*surface, *sources)


def _scoord(
    draft: Draft, shape: Shape, concept_name: CodedEntry, relationship_type: Relationship
) -> ContentItem | None:
    """SCOORD on its image; a polygon is a POLYLINE that ends where it begins (PS3.3 C.18.6.1.2)."""
    region, image = shape
    points = region.points
    if region.graphic is Graphic.POLYGON and points[0] != points[-1]:
        points = (*points, points[0])
    try:
        return Scoord(
            concept_name,
            _GRAPHIC_TYPES[region.graphic],
            tuple(chain.from_iterable(points)),
            relationship_type,
            Image(name("source"), draft.evidence.add(image), "SELECTED FROM"),
        )
    except ValueError as error:
        draft.lose(region.where, region.graphic.value, str(error), "sr-graphic-data")
        return None


def _scoord3d(region: Region3D, concept_name: CodedEntry) -> ContentItem:
    """SCOORD3D; a POLYGON repeats its first point (PS3.3 C.18.9.1.2)."""
    points = region.points
    if region.graphic is Graphic3D.POLYGON and points[0] != points[-1]:
        points = (*points, points[0])
    numbers = tuple(chain.from_iterable(points))
    return Scoord3D(concept_name, region.graphic.value.upper(), numbers, region.frame_of_reference, "CONTAINS")
