"""The facts of a report as an SR states them: terms by their codes, shapes as float32, times as DICOM writes them."""

from collections.abc import Iterator
from decimal import Decimal

from service.check.shapes import region3d_value, region_value
from service.check.sr_context import SrContext
from service.check.values import Fact, answer_value, codes_value
from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, Region2D, Region3D, extent
from service.domain.report import CodedReport, CountKind, Lesion, Measurement
from service.domain.shown import measurement_of
from service.formats.sr.tools import COMPUTED, PIXELS

_LENGTHS = frozenset({"mm", "cm", "m", "um"})
_DRAWN = {Graphic.POLYGON: ("mm2", "cm2"), Graphic.LINE: ("mm", "cm")}
"""What a tool of a viewer takes a shape for."""
_COMPUTED = {Graphic.POLYGON: "area", Graphic.LINE: "length"}
"""What is computed from a shape for such a tool."""


class SrYardstick(SrContext):
    """What an SR must state of each lesion."""

    def lesion(self, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
        """All that is said of one lesion, with its shapes."""
        if lesion.where and lesion.where in self.lost:
            return
        here = f"lesion/{lesion.tracking_uid}"
        segment = lesion.segment
        gone = segment is not None and (segment.where or lesion.where) in self.lost
        for fact in super().lesion(lesion):
            if not (gone and fact.place == f"{here}/segment") and fact.place != f"{here}/count":
                yield fact
        yield from self._count(here, lesion)
        for shown in lesion.images:
            for region in shown.regions:
                if self.of_numbers and region.where and region.where in self.computed:
                    yield from self._computed(here, region, shown.image.sop_instance)
                elif self._stands(region):
                    shows = self._shown_by(lesion, region, shown.image.sop_instance)
                    yield Fact(f"{here}/region", f"{region_value(region)} on {shown.image.sop_instance}{shows}")
        for region3d in lesion.regions3d:
            if self._stands(region3d):
                yield Fact(f"{here}/region", region3d_value(region3d))

    def _computed(self, here: str, region: Region2D[CodedTerm], image: str) -> Iterator[Fact]:
        """A shape below the number in pixels that was computed from it, and the words that say so."""
        concept = vocabulary().name(_COMPUTED[region.graphic])
        said = Measurement(concept, extent(region), vocabulary().term(PIXELS))
        shows = f" shows {self.say(concept)} {self.number(said.value)}"
        yield Fact(f"{here}/region", f"{region_value(region)} on {image}{shows}")
        yield Fact(f"{here}/measurement", self.measured(said, None))
        yield Fact(f"{here}/evaluation", answer_value(self.say(concept), codes_value((), COMPUTED)))

    def images(self, report: CodedReport) -> Iterator[Fact]:  # noqa: ARG002 - its library has those of the lesions, too
        """None: an SR lists all images in one library."""
        return iter(())

    def studies(self, here: str, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:  # noqa: ARG002 - a group names no study
        """A group names images, and the evidence says of which studies they are."""
        return iter(())

    def _count(self, here: str, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
        """A number is a measurement, "multiple" and "innumerable" are concepts."""
        if isinstance(lesion.count, CountKind):
            yield Fact(f"{here}/count", self.say(vocabulary().term(lesion.count.value)))
        elif lesion.count is not None:
            concept = vocabulary().name(vocabulary().members["count"].concept)
            said = Measurement(concept, Decimal(lesion.count), vocabulary().term("unit-no-units"))
            yield Fact(f"{here}/measurement", self.measured(said, None))

    def _shown_by(self, lesion: Lesion[CodedTerm], region: Region2D[CodedTerm], image: str) -> str:
        """The number that a shape stands below: a length, one that its group would not tell, or any in some dialects.

        A group tells it by one shape beside one number of that unit. Where shapes stand below numbers only, an outline
        that shows nothing by name shows the lesion's only area, and a line its only length.
        """
        place = None if region.measurement is None else measurement_of(lesion, region.measurement, image)
        only = [said for said in lesion.measurements if _unit(said) in _DRAWN.get(region.graphic, ())]
        shown = lesion.measurements[place] if place is not None else None
        if shown is None and self.of_numbers and region.measurement is None and len(only) == 1:
            shown = only[0]
        if shown is None or not _unit(shown):
            return ""
        if not self.of_numbers and _unit(shown) not in _LENGTHS and _is_alone(lesion, shown):
            return ""
        return f" shows {self.say(shown.concept)} {self.number(shown.value)}"

    def _stands(self, region: Region2D[CodedTerm] | Region3D) -> bool:
        """Whether a shape was written."""
        return not region.where or region.where not in self.lost

    def measurement(self, here: str, lesion: Lesion[CodedTerm], item: Measurement[CodedTerm]) -> Fact:
        """A NUM, or words where the unit has no code; its image is said by its shape where one lies there."""
        if not item.unit.codes:
            words = codes_value((), f"{item.value} {item.unit.text}")
            return Fact(f"{here}/evaluation", answer_value(self.say(item.concept), words))
        said = None if self._is_said_otherwise(lesion, item) else item.image
        return Fact(f"{here}/measurement", self.measured(item, said))

    def _is_said_otherwise(self, lesion: Lesion[CodedTerm], item: Measurement[CodedTerm]) -> bool:
        """Whether a shape of the lesion names the image of a measurement, or the writer named it as lost."""
        return f"{item.where}/image" in self.lost or any(
            shown.image.sop_instance == item.image and self._stands(region)
            for shown in lesion.images
            for region in shown.regions
        )


def _is_alone(lesion: Lesion[CodedTerm], said: Measurement[CodedTerm]) -> bool:
    """Whether the lesion has no other number in the unit of this one, and one shape that shows no length."""
    others = 0
    for shown in lesion.images:
        for region in shown.regions:
            wanted = region.measurement
            place = None if wanted is None else measurement_of(lesion, wanted, shown.image.sop_instance)
            others += place is None or _unit(lesion.measurements[place]) not in _LENGTHS
    return others == 1 and [_unit(one) for one in lesion.measurements].count(_unit(said)) == 1


def _unit(said: Measurement[CodedTerm]) -> str:
    return said.unit.codes[0].code if said.unit.codes else ""
