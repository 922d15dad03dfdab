"""The facts of a coded report: the yardstick that SR and FHIR are held to.

A fact is a place and a value, both plain text, such as ``lesion/<tracking UID>/laterality`` and the code of *left*.
What a list holds in order has its position in the place; the rest is compared as a multiset. Two formats say the same
thing in two ways, so there are two yardsticks: `Yardstick` as FHIR says it, `service.check.sr_yardstick` as an SR does.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from service.check.context import Context
from service.check.values import (
    ABSENT,
    Fact,
    answer_value,
    image_value,
    lines,
    measurement_value,
    range_value,
    said_with,
)
from service.domain.codes import CodedTerm
from service.domain.names import PersonName
from service.domain.report import CodedReport, CountKind, Lesion, Measurement, Person, ReferenceRange, TimePoint


class Yardstick(Context):
    """The facts of a report as a bundle states them: terms with codes and text."""

    own = ""
    """Study Instance UID of the report."""
    names: Mapping[str, PersonName] = MappingProxyType({})
    """Ids of persons, each with the first name that has it."""

    def facts(self, report: CodedReport) -> Iterator[Fact]:
        """Every fact that an output must state, unless it names it as lost."""
        self.own = report.study.uid
        people = [observer.person for observer in report.observers] + [report.study.referring_physician]
        known = (person for person in reversed(people) if person is not None and person.id is not None)
        self.names = {person.id or "": person.name for person in known}
        yield from self.context(report)
        for place, text in (("impression", report.impression), ("findings", report.findings)):
            if text is not None:
                yield Fact(place, lines(text))
        for place, terms in (("conclusion", report.conclusions), ("technique", report.study.technique)):
            for term in terms:
                yield Fact(place, self.say(term))
        for number, term in enumerate(report.differential, 1):
            yield Fact(f"differential/{number}", self.say(term))
        for term in report.negatives:
            yield Fact("statement", answer_value(self.deny(term), ABSENT))
        for item in report.evaluations:
            yield Fact("statement", answer_value(self.say(item.name), self.answer(item.value)))
        yield from self.images(report)
        for lesion in report.lesions:
            yield from self.lesion(lesion)

    def id_of(self, person: Person[CodedTerm]) -> str | None:
        """One Practitioner has an id: the other names that a report gives it to are people without one."""
        return person.id if self.names.get(person.id or "") == person.name else None

    def images(self, report: CodedReport) -> Iterator[Fact]:
        """The images of the study itself."""
        for image in report.study.images:
            yield Fact("study/image", image_value(image.sop_instance, image.frames))

    def studies(self, here: str, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
        """The studies that a lesion was seen in: the report's own, and those of its images."""
        for uid in dict.fromkeys([self.own, *(shown.image.study or self.own for shown in lesion.images)]):
            yield Fact(f"{here}/study", uid)

    def lesion(self, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
        """All that is said of one lesion."""
        here = f"lesion/{lesion.tracking_uid}"
        yield Fact(f"{here}/id", lesion.id)
        for name, term in (
            ("finding", lesion.finding),
            ("category", lesion.category),
            ("site", lesion.site),
            ("laterality", lesion.laterality),
            ("topography", lesion.topography),
            ("certainty", lesion.certainty),
            ("change", lesion.change),
        ):
            if term is not None:
                yield Fact(f"{here}/{name}", self.say(term))
        if lesion.count is not None:
            yield Fact(
                f"{here}/count", str(lesion.count.value if isinstance(lesion.count, CountKind) else lesion.count)
            )
        if lesion.time_point is not None:
            yield from self._time_point(f"{here}/timePoint", lesion.time_point)
        if lesion.text is not None:
            yield Fact(f"{here}/text", lines(lesion.text))
        for measurement in lesion.measurements:
            yield self.measurement(here, lesion, measurement)
        for evaluation in lesion.evaluations:
            yield Fact(f"{here}/evaluation", answer_value(self.say(evaluation.name), self.answer(evaluation.value)))
        yield from self.studies(here, lesion)
        for image in dict.fromkeys(shown.image for shown in lesion.images):
            yield Fact(f"{here}/image", image_value(image.sop_instance, image.frames))
        if lesion.segment is not None:
            segment = lesion.segment
            source = segment.source_series
            yield Fact(f"{here}/segment", said_with(f"{segment.sop_instance} {segment.number}", source=source))

    def _time_point(self, here: str, point: TimePoint[CodedTerm]) -> Iterator[Fact]:
        yield Fact(f"{here}/label", point.label)
        if point.type is not None:
            yield Fact(f"{here}/type", self.say(point.type))
        if point.order is not None:
            yield Fact(f"{here}/order", str(point.order))
        if point.subject_identifier is not None:
            yield Fact(f"{here}/subjectIdentifier", point.subject_identifier)
        if point.protocol_identifier is not None:
            yield Fact(f"{here}/protocolIdentifier", point.protocol_identifier)

    def measurement(self, here: str, lesion: Lesion[CodedTerm], item: Measurement[CodedTerm]) -> Fact:  # noqa: ARG002 - the SR's yardstick asks the lesion
        """One measurement with all that qualifies it."""
        return Fact(f"{here}/measurement", self.measured(item, item.image))

    def measured(self, item: Measurement[CodedTerm], image: str | None) -> str:
        """A measurement as one value, measured on ``image``."""
        return measurement_value(
            self.say(item.concept),
            self.number(item.value),
            self.unit(item.unit),
            method=self.say(item.method) if item.method is not None else None,
            derivation=self.say(item.derivation) if item.derivation is not None else None,
            range=self._range(item.range) if item.range is not None else None,
            image=image,
        )

    def _range(self, limits: ReferenceRange) -> str:
        low, high = (self.number(bound) if bound is not None else "" for bound in (limits.low, limits.high))
        return range_value(low, high, limits.text or "")
