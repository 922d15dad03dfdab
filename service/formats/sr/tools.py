"""The drawing tool that a viewer's dialect takes a lesion with, and the lesion in the order that the tool reads.

A tool that must have a number gets one computed from the shape, in pixels, where nobody measured it: the spacing of the
pixels is not known, so nothing is said in millimetres.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final

from service.coding import vocabulary
from service.domain.codes import Code, CodedTerm
from service.domain.geometry import ImageReference, LesionImage, Region2D, extent
from service.domain.report import Lesion, Measurement
from service.domain.shown import measurement_of
from service.formats.sr.dialects import Dialect, Tool

PIXELS = "unit-pixels"
COMPUTED = "computed from the shape, in pixels; not measured"
"""What is said of a computed number."""


class Drawing:
    """A lesion as a tool reads it. ``tool`` is None where none does.

    ``derived`` is the shape, as the lesion has it, whose number was computed; ``bare`` the one that stands for itself.
    """

    __slots__ = ("bare", "derived", "lesion", "tool")

    def __init__(
        self,
        lesion: Lesion[CodedTerm],
        tool: str | None = None,
        derived: Region2D[CodedTerm] | None = None,
        bare: Region2D[CodedTerm] | None = None,
    ) -> None:
        """The lesion as ``tool`` reads it."""
        self.lesion: Final = lesion
        self.tool: Final = tool
        self.derived: Final = derived
        self.bare: Final = bare


def draw(dialect: Dialect, lesion: Lesion[CodedTerm]) -> Drawing:
    """The lesion as the first tool that fits it reads it; as it is where none fits.

    What was measured comes before what would have to be computed.
    """
    for tool in dialect.tools:
        drawn = _of_concepts(tool, lesion) if tool.concepts else _of_unit(tool, lesion)
        if drawn is not None:
            return Drawing(drawn, tool.name)
    for tool in dialect.tools:
        computed = _computed(tool, lesion) if tool.derived else _bare(tool, lesion) if tool.bare else None
        if computed is not None:
            return computed
    return Drawing(lesion)


@cache
def _codes(keys: tuple[str, ...]) -> tuple[Code, ...]:
    return tuple(vocabulary().code(key) for key in keys)


def _of_concepts(tool: Tool, lesion: Lesion[CodedTerm]) -> Lesion[CodedTerm] | None:
    """One shape for each of the tool's concepts, all on the same image; their numbers come first, in its order."""
    wanted = _codes(tool.concepts)
    for shown in _of_one_frame(lesion):
        numbers = [_measured(lesion, shown, shape, code) for shape, code in zip(tool.shapes, wanted, strict=True)]
        first = [number for number in numbers if number is not None]
        if len(first) == len(numbers):
            return _reordered(lesion, first, shown.image, tool)
    return None


def _measured(
    lesion: Lesion[CodedTerm], shown: LesionImage[CodedTerm], shape: str, code: Code
) -> Measurement[CodedTerm] | None:
    """The number of a concept that a shape on this image shows: one of another image may be of another day."""
    drawn = [region for region in shown.regions if region.graphic.value == shape and _says(region.measurement, code)]
    found = (_shown_by(lesion, region, shown.image) for region in drawn)
    return next((said for said in found if said is not None), None)


def _shown_by(
    lesion: Lesion[CodedTerm], region: Region2D[CodedTerm], image: ImageReference
) -> Measurement[CodedTerm] | None:
    wanted = region.measurement
    place = None if wanted is None else measurement_of(lesion, wanted, image.sop_instance)
    return None if place is None else lesion.measurements[place]


def _says(term: CodedTerm | None, code: Code) -> bool:
    return term is not None and term.codes[:1] == (code,)


def _of_unit(tool: Tool, lesion: Lesion[CodedTerm]) -> Lesion[CodedTerm] | None:
    """One shape with a number in one of the tool's units; that number comes first."""
    measured = [said for said in lesion.measurements if said.unit.codes and said.unit.codes[0].code in tool.units]
    for shown, region in _shapes(tool, lesion):
        of_region = _shown_by(lesion, region, shown.image)
        if any(said is of_region for said in measured):
            return _reordered(lesion, [said for said in measured if said is of_region], shown.image, tool)
        if region.measurement is None and [said.image for said in measured] in ([None], [shown.image.sop_instance]):
            # The lesion's only area is the area of its outline, as in TID 1410.
            tied = _tied(lesion, shown.image, region, measured[0].concept)
            return _reordered(tied, measured, shown.image, tool)
    return None


def _computed(tool: Tool, lesion: Lesion[CodedTerm]) -> Drawing | None:
    """The first shape of the tool, below its number in pixels, which comes first."""
    concept = vocabulary().name(tool.derived or "")
    named = (region.measurement for shown in lesion.images for region in shown.regions)
    if any(_says(term, concept.codes[0]) for term in named):
        return None  # a shape of the sender's own number would be taken for one of the computed
    for shown, region in _shapes(tool, lesion):
        number = Measurement(concept, extent(region), vocabulary().term(PIXELS), image=shown.image.sop_instance)
        tied = _tied(lesion, shown.image, region, concept)
        with_it = replace(tied, measurements=(number, *tied.measurements))
        return Drawing(_reordered(with_it, [number], shown.image, tool), tool.name, derived=region)
    return None


def _bare(tool: Tool, lesion: Lesion[CodedTerm]) -> Drawing | None:
    """The first shape of the tool: below the number that it shows, or for itself where no NUM stands in the group."""
    for shown, region in _shapes(tool, lesion):
        said = _shown_by(lesion, region, shown.image)
        if said is not None and said.unit.codes:
            return Drawing(_reordered(lesion, [said], shown.image, tool), tool.name)
        if not _has_numbers(lesion):
            return Drawing(_reordered(lesion, [], shown.image, tool), tool.name, bare=region)
    return None


def _has_numbers(lesion: Lesion[CodedTerm]) -> bool:
    has_order = lesion.time_point is not None and lesion.time_point.order is not None
    return has_order or isinstance(lesion.count, int) or any(said.unit.codes for said in lesion.measurements)


def _tied(
    lesion: Lesion[CodedTerm], image: ImageReference, region: Region2D[CodedTerm], concept: CodedTerm
) -> Lesion[CodedTerm]:
    """The lesion with the region showing the measurement of ``concept``."""
    images = tuple(
        LesionImage(
            shown.image,
            tuple(replace(one, measurement=concept) if one is region else one for one in shown.regions),
        )
        if shown.image is image
        else shown
        for shown in lesion.images
    )
    return replace(lesion, images=images)


def _shapes(tool: Tool, lesion: Lesion[CodedTerm]) -> Iterator[tuple[LesionImage[CodedTerm], Region2D[CodedTerm]]]:
    """The shapes that the tool could draw, each with its image."""
    return (
        (shown, region)
        for shown in _of_one_frame(lesion)
        for region in shown.regions
        if region.graphic.value == tool.shapes[0]
    )


def _of_one_frame(lesion: Lesion[CodedTerm]) -> Iterator[LesionImage[CodedTerm]]:
    """The images that a tool can draw on: it looks for one frame."""
    return (shown for shown in lesion.images if len(shown.image.frames) <= 1)


def _reordered(
    lesion: Lesion[CodedTerm], first: list[Measurement[CodedTerm]], image: ImageReference, tool: Tool
) -> Lesion[CodedTerm]:
    """The lesion with the tool's numbers, image and shapes before the others: a reader takes what comes first."""
    rest = [said for said in lesion.measurements if not any(said is one for one in first)]
    images = sorted(lesion.images, key=lambda shown: shown.image is not image)
    drawn = sorted(images[0].regions, key=lambda region: region.graphic.value not in tool.shapes)
    shown = (LesionImage(images[0].image, tuple(drawn)), *images[1:])
    return replace(lesion, measurements=(*first, *rest), images=shown)
