"""The drawing tool that a viewer's dialect takes a lesion with, and the lesion in the order that the tool reads."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from service.coding import vocabulary
from service.domain.codes import Code, CodedTerm
from service.domain.geometry import ImageReference, LesionImage, Region2D
from service.domain.report import Lesion, Measurement
from service.formats.sr.dialects import Dialect, Tool


def draw(dialect: Dialect, lesion: Lesion[CodedTerm]) -> tuple[Lesion[CodedTerm], str | None]:
    """The lesion as the first tool that fits it reads it, and that tool's name; as it is where none fits."""
    for tool in dialect.tools:
        drawn = _of_concepts(tool, lesion) if tool.concepts else _of_unit(tool, lesion)
        if drawn is not None:
            return drawn, tool.name
    return lesion, None


@cache
def _codes(keys: tuple[str, ...]) -> tuple[Code, ...]:
    return tuple(vocabulary().code(key) for key in keys)


def _of_concepts(tool: Tool, lesion: Lesion[CodedTerm]) -> Lesion[CodedTerm] | None:
    """One shape for each of the tool's concepts, all on the same image; their numbers come first, in its order."""
    wanted = _codes(tool.concepts)
    for shown in _of_one_frame(lesion):
        numbers = [
            _measured(lesion, shown.regions, shape, code) for shape, code in zip(tool.shapes, wanted, strict=True)
        ]
        first = [number for number in numbers if number is not None]
        if len(first) == len(numbers):
            return _reordered(lesion, first, shown.image, tool)
    return None


def _measured(
    lesion: Lesion[CodedTerm], regions: tuple[Region2D[CodedTerm], ...], shape: str, code: Code
) -> Measurement[CodedTerm] | None:
    if not any(region.graphic.value == shape and _says(region.measurement, code) for region in regions):
        return None
    return next((said for said in lesion.measurements if _says(said.concept, code)), None)


def _says(term: CodedTerm | None, code: Code) -> bool:
    return term is not None and term.codes[:1] == (code,)


def _of_unit(tool: Tool, lesion: Lesion[CodedTerm]) -> Lesion[CodedTerm] | None:
    """One shape with a number in one of the tool's units; that number comes first."""
    measured = [said for said in lesion.measurements if said.unit.codes and said.unit.codes[0].code in tool.units]
    for shown in _of_one_frame(lesion):
        for region in shown.regions:
            if region.graphic.value != tool.shapes[0]:
                continue
            of_region = [said for said in measured if _is_of(region, said)]
            if of_region:
                return _reordered(lesion, of_region[:1], shown.image, tool)
            if region.measurement is None and len(measured) == 1:
                # The lesion's only area is the area of its outline, as in TID 1410.
                tied = _tied(lesion, shown.image, region, measured[0].concept)
                return _reordered(tied, measured, shown.image, tool)
    return None


def _is_of(region: Region2D[CodedTerm], said: Measurement[CodedTerm]) -> bool:
    wanted = region.measurement
    return wanted is not None and (said.concept.codes[:1], said.concept.text) == (wanted.codes[:1], wanted.text)


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
