"""Images: SOP instances, with the shapes that stand on them."""

from typing import Any, ClassVar

from service.domain.codes import Term
from service.domain.geometry import SINGLE_FRAME, ImageReference, LesionImage, Region2D
from service.domain.quick import interpreted
from service.domain.sop_classes import is_no_image
from service.formats.findings.fields import Member, objects, too_long, uid, whole
from service.formats.findings.members import refuse_member
from service.formats.findings.rules import Rule
from service.formats.findings.shapes import SHAPES, shapes
from service.formats.reading import Reading

_IMAGE_UIDS = {"sopClass": "sop_class", "sop": "sop_instance", "series": "series", "study": "study"}
_UID: dict[str, object] = {"type": "string", "maxLength": 64}
_MOST_FRAMES = 2**31 - 1  # Referenced Frame Number is IS (PS3.3 C.10.3)
_FRAME: dict[str, object] = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": {"type": "integer", "minimum": 1}}],
    "description": "Frame or frames of a multi-frame image, from 1; the whole image when left out.",
}
_PROPERTIES: dict[str, object] = {
    "sopClass": {**_UID, "description": "SOP Class UID of the image."},
    "sop": {**_UID, "description": "SOP Instance UID of the image."},
    "series": {**_UID, "description": "Series Instance UID of the image."},
    "study": {**_UID, "description": "Study Instance UID, where it is not the study reported on."},
    "frame": _FRAME,
}


def _list_of(properties: dict[str, object]) -> dict[str, object]:
    required = ["sopClass", "sop", "series"]
    item = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "array", "items": item}


_KINDS = tuple(SHAPES)


def _frames(value: Any, where: str, reading: Reading) -> tuple[int, ...]:
    if type(value) is not list:
        return (whole(value, where, reading, 1, _MOST_FRAMES) or 0,)
    if too_long(value, where, reading, reading.limits.items):
        return ()
    return tuple([whole(item, f"{where}/{index}", reading, 1, _MOST_FRAMES) or 0 for index, item in enumerate(value)])


def _refuse_frames(value: Any, where: str, reading: Reading) -> None:
    """Frames after the first are of multi-frame images only (PS3.3 C.18.4); the first of one frame is the image."""
    said = enumerate(value) if type(value) is list else [(None, value)]
    for index, frame in said:
        if type(frame) is int and frame > 1:
            place = where if index is None else f"{where}/{index}"
            reading.refuse(place, Rule.FRAME, "Leave it out: images of this SOP class have one frame (PS3.3 C.18.4).")


def image(value: Any, where: str, reading: Reading, kinds: tuple[str, ...] = ()) -> LesionImage[Term] | None:
    """An image with the shapes of the ``kinds`` that may stand on it."""
    if type(value) is not dict:
        reading.refuse_type(where, value, "an object with sopClass, sop and series")
        return None
    before = reading.found
    made: dict[str, Any] = {}
    for name, item in value.items():
        if name in _IMAGE_UIDS:
            made[_IMAGE_UIDS[name]] = uid(item, f"{where}/{name}", reading)
        elif name == "frame":
            made["frames"] = _frames(item, f"{where}/frame", reading)
        elif name not in kinds:
            refuse_member(name, where, reading, dict.fromkeys([*_IMAGE_UIDS, "frame", *kinds]))
    sop_class = made.get("sop_class")
    if sop_class is not None and is_no_image(sop_class):
        reading.refuse(f"{where}/sopClass", Rule.SOP_CLASS, "Give the SOP class of an image: this is none.")
    if made.get("frames") and sop_class in SINGLE_FRAME:
        _refuse_frames(value["frame"], f"{where}/frame", reading)
    for name in ("sopClass", "sop", "series"):
        if name not in value:
            reading.refuse(f"{where}/{name}", Rule.REQUIRED, "Give this member.")
    regions: list[Region2D[Term] | None] = []
    for name in kinds:
        if name in value:
            regions.extend(shapes(name, value[name], f"{where}/{name}", reading))
    if reading.found != before:
        return None
    reference = ImageReference(
        made["sop_class"], made["sop_instance"], made["series"], made.get("study"), made.get("frames", ()), where
    )
    return LesionImage(reference, tuple([region for region in regions if region is not None]))


@interpreted
class LesionImages(Member):
    """The images that show a lesion, with the shapes on them."""

    describes: ClassVar[dict[str, object]] = _list_of({**_PROPERTIES, **SHAPES})

    def read(self, value: Any, where: str, reading: Reading) -> tuple[LesionImage[Term], ...] | None:
        """The images in the order they came."""
        return objects(
            lambda item, place, to: image(item, place, to, _KINDS), value, where, reading, reading.limits.items
        )


@interpreted
class Images(Member):
    """Images without shapes."""

    describes: ClassVar[dict[str, object]] = _list_of(_PROPERTIES)

    def read(self, value: Any, where: str, reading: Reading) -> tuple[ImageReference, ...] | None:
        """The images in the order they came."""
        made = objects(image, value, where, reading, reading.limits.items)
        return None if made is None else tuple([item.image for item in made if item is not None])
