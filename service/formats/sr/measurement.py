"""One measurement: TID 300, and as rows 5 to 16 of TID 1419, with its reference range, TID 310 and 312."""

from collections.abc import Iterator

from service.domain.codes import CodedTerm
from service.domain.report import Measurement, ReferenceRange
from service.formats.sr.coded import CodedEntry
from service.formats.sr.draft import Draft
from service.formats.sr.items import Image, Num
from service.formats.sr.names import name
from service.formats.sr.statements import in_words
from service.formats.sr.tree import ContentItem


def measurement(draft: Draft, said: Measurement[CodedTerm], shapes: tuple[ContentItem, ...] = ()) -> ContentItem:
    """A NUM with what qualifies it; ``shapes`` is what it is inferred from.

    A unit without a UCUM code makes no NUM (Measurement Units Code Sequence is coded): it is said in words.
    """
    concept, words = draft.named(said.concept)
    if not said.unit.codes:
        number = CodedTerm(f"{said.value} {said.unit.text}", where=said.where)
        return in_words(draft, concept, number, named=words)[0]
    unit = draft.entry(said.unit.codes)
    if said.method is None and said.derivation is None and said.range is None and said.image is None and not words:
        return Num(concept, said.value, unit, "CONTAINS", shapes)
    children = (*_qualifiers(draft, said, unit), *shapes, *_source(draft, said, shapes), *words)
    return Num(concept, said.value, unit, "CONTAINS", children)


def _qualifiers(draft: Draft, said: Measurement[CodedTerm], unit: CodedEntry) -> Iterator[ContentItem]:
    """Method, derivation, range: the rows of TID 300 and 1419 in their order."""
    if said.method is not None:
        yield from draft.answer(name("measurement-method"), said.method, "HAS CONCEPT MOD")
    if said.derivation is not None:
        yield from draft.answer(name("derivation"), said.derivation, "HAS CONCEPT MOD")
    if said.range is not None:
        yield from _range(draft, said.range, unit, said.where)


def _range(draft: Draft, limits: ReferenceRange, unit: CodedEntry, where: str) -> Iterator[ContentItem]:
    """TID 312: the limits in the unit of the measurement, and the range in words."""
    if limits.low is not None:
        yield Num(name("normal-range-lower-limit"), limits.low, unit, "HAS PROPERTIES")
    if limits.high is not None:
        yield Num(name("normal-range-upper-limit"), limits.high, unit, "HAS PROPERTIES")
    if limits.text is not None:
        yield from draft.text(name("normal-range-description"), limits.text, "HAS PROPERTIES", f"{where}/range")


def _source(draft: Draft, said: Measurement[CodedTerm], shapes: tuple[ContentItem, ...]) -> Iterator[ContentItem]:
    """The image it was measured on; TID 320 takes an image or a shape, and the shape names its image."""
    if said.image is None or any(
        below.value.sop_instance == said.image for shape in shapes for below in shape.children
    ):
        return
    where = f"{said.where}/image"
    reference = draft.evidence.find(said.image)
    if shapes:
        why = "its shape lies on another image, and a number has an image or a shape (PS3.16 TID 320)"
        draft.lose(where, "image", why, "sr-image-or-shape")
    elif reference is None:
        why = "the image measured on is none of the lesion's or the study's, so its class and series are not known"
        draft.lose(where, "image", why, "sr-unknown-image")
    else:
        yield Image(name("source-of-measurement"), reference, "INFERRED FROM")
