"""The facts of a report as an SR states them: terms by their codes, shapes as float32, times as DICOM writes them."""

from collections.abc import Collection, Iterator
from decimal import Decimal

from service.check.facts import Fact, Yardstick, answer_value, by_codes, codes_value, issuer_value
from service.check.shapes import region3d_value, region_value
from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.geometry import Region2D, Region3D
from service.domain.names import PersonName
from service.domain.report import CodedReport, CountKind, Issuer, Lesion, Measurement
from service.domain.times import DateTime
from service.formats.sr.vr import digits


class SrYardstick(Yardstick):
    """What an SR must state; ``lost`` are the places in the sender's document that its writer named as lost."""

    def __init__(self, lost: Collection[str]) -> None:
        """Leave out what was lost by name."""
        self._lost = lost

    def say(self, term: CodedTerm) -> str:
        """Codes, and the text only where there is no code or a broader one."""
        return by_codes(term)

    def deny(self, term: CodedTerm) -> str:
        """An exact name, else the words."""
        return codes_value(term.codes) if term.codes and not term.broader else codes_value((), term.text)

    def number(self, value: Decimal) -> str:
        """Digits as written; what no DS holds, as the binary64 that stands beside its rounding (0040,A161)."""
        text, exact = digits(value)
        return text if exact else repr(float(value))

    def images(self, report: CodedReport) -> Iterator[Fact]:  # noqa: ARG002 - its library has those of the lesions, too
        """None: an SR lists all images in one library."""
        yield from ()

    def name(self, name: PersonName) -> str:
        """PN, with its middle names."""
        return str(name)

    def issued(self, report: CodedReport) -> str:
        """Content Date and Time with the offset."""
        return report.issued.dt

    def issuer(self, issuer: Issuer) -> str:
        """The word, and the OID or else the URI (PS3.3 table 10-17)."""
        return issuer_value(issuer.key, issuer.oid or issuer.uri)

    def moment(self, when: DateTime) -> str:
        """DT."""
        return when.dt

    def lesion(self, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
        """All that is said of one lesion, with its shapes."""
        if lesion.where and lesion.where in self._lost:
            return
        here = f"lesion/{lesion.tracking_uid}"
        segment = lesion.segment
        gone = segment is not None and (segment.where or lesion.where) in self._lost
        for fact in super().lesion(lesion):
            if not (gone and fact.place == f"{here}/segment") and fact.place != f"{here}/count":
                yield fact
        yield from self._count(here, lesion)
        for shown in lesion.images:
            for region in shown.regions:
                if self._stands(region):
                    yield Fact(f"{here}/region", f"{region_value(region)} on {shown.image.sop_instance}")
        for region3d in lesion.regions3d:
            if self._stands(region3d):
                yield Fact(f"{here}/region", region3d_value(region3d))

    def _count(self, here: str, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
        """A number is a measurement, "multiple" and "innumerable" are concepts."""
        if isinstance(lesion.count, CountKind):
            yield Fact(f"{here}/count", self.say(vocabulary().term(lesion.count.value)))
        elif lesion.count is not None:
            concept = vocabulary().name(vocabulary().members["count"].concept)
            said = Measurement(concept, Decimal(lesion.count), vocabulary().term("unit-no-units"))
            yield Fact(f"{here}/measurement", self.measured(said, None))

    def _stands(self, region: Region2D[CodedTerm] | Region3D) -> bool:
        """Whether a shape was written."""
        return not region.where or region.where not in self._lost

    def measurement(self, here: str, lesion: Lesion[CodedTerm], item: Measurement[CodedTerm]) -> Fact:
        """A NUM, or words where the unit has no code; its image is said by its shape where one lies there."""
        if not item.unit.codes:
            words = codes_value((), f"{item.value} {item.unit.text}")
            return Fact(f"{here}/evaluation", answer_value(self.say(item.concept), words))
        said = None if self._is_said_otherwise(lesion, item) else item.image
        return Fact(f"{here}/measurement", self.measured(item, said))

    def _is_said_otherwise(self, lesion: Lesion[CodedTerm], item: Measurement[CodedTerm]) -> bool:
        """Whether a shape of the lesion names the image of a measurement, or the writer named it as lost."""
        return f"{item.where}/image" in self._lost or any(
            shown.image.sop_instance == item.image and self._stands(region)
            for shown in lesion.images
            for region in shown.regions
        )
