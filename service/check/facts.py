"""The facts of a coded report: the yardstick that SR and FHIR are held to.

A fact is a place and a value, both plain text, such as ``lesion/<tracking UID>/laterality`` and the code of *left*.
What a list holds in order has its position in the place; the rest is compared as a multiset. Two formats say the same
thing in two ways, so there are two yardsticks: `Yardstick` as FHIR says it, `service.check.sr_yardstick` as an SR does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from service.coding import vocabulary
from service.domain.codes import Code, CodedTerm
from service.domain.names import NameGroup, PersonName
from service.domain.report import (
    CodedReport,
    CountKind,
    Issuer,
    Lesion,
    Measurement,
    Observer,
    ReferenceRange,
    TimePoint,
)
from service.domain.times import DateTime

ABSENT = "absent"


class Fact(NamedTuple):
    """One statement: what is said, and where in the report."""

    place: str
    value: str


def codes_value(codes: Iterable[Code], text: str | None = None) -> str:
    """Codes as one value: schemes and values in order, and the text where it belongs to what is said."""
    said = [f"{code.system} {code.code}" for code in codes]
    return " + ".join(said + ([f"'{text}'"] if text is not None else []))


def by_codes(term: CodedTerm) -> str:
    """A coded term as its codes, and its text where there is no code or only a broader one."""
    return codes_value(term.codes, term.text if term.broader or not term.codes else None)


def first_value(codes: Iterable[Code], text: str) -> str:
    """What a single code says: the first one, the text where there is none."""
    first = next(iter(codes), None)
    return codes_value([first]) if first is not None else codes_value((), text)


def issuer_value(key: str, universal: str | None) -> str:
    """An issuer as one value."""
    return f"{key} {universal or ''}".strip()


def number_value(value: Decimal) -> str:
    """A number with its digits as written."""
    return str(value)


def range_value(low: str, high: str, text: str) -> str:
    """A reference range as one value."""
    return f"{low}..{high} {text}".strip()


def measurement_value(concept: str, number: str, unit: str, **qualifiers: str | None) -> str:
    """A measurement as one value: concept, number, unit and what qualifies them (method, derivation, range, image)."""
    named = [f"{name} {said}" for name, said in sorted(qualifiers.items()) if said is not None]
    return " | ".join([concept, number, unit, *named])


def answer_value(name: str, value: str) -> str:
    """A field and its answer as one value."""
    return f"{name} = {value}"


def image_value(sop_instance: str, frames: Iterable[int]) -> str:
    """An image, and the frames of it."""
    return " ".join([sop_instance, *map(str, frames)])


class Yardstick:
    """The facts of a report as a bundle states them: terms with codes and text."""

    def facts(self, report: CodedReport) -> Iterator[Fact]:
        """Every fact that an output must state, unless it names it as lost."""
        yield from self.header(report)
        for observer in report.observers:
            yield from self._observer(observer)
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

    def images(self, report: CodedReport) -> Iterator[Fact]:
        """The images of the study itself."""
        for image in report.study.images:
            yield Fact("study/image", image_value(image.sop_instance, image.frames))

    def say(self, term: CodedTerm) -> str:
        """A term as the format says it."""
        return codes_value(term.codes, term.text)

    def deny(self, term: CodedTerm) -> str:
        """A negative: a broader code is not denied when only the narrower finding is absent."""
        return codes_value(term.codes if not term.broader else (), term.text)

    def answer(self, term: CodedTerm) -> str:
        """A term as an answer; *absent* is one word, however many codes it has."""
        return ABSENT if term.code == vocabulary().code(ABSENT) else self.say(term)

    def name(self, name: PersonName) -> str:
        """A name as HumanName has it: a middle name is one of the given names, so alone it is the first of them."""
        groups = (name.alphabetic, name.ideographic, name.phonetic)
        return str(PersonName(*(group if group.given else _middle_first(group) for group in groups)))

    def _observer(self, observer: Observer[CodedTerm]) -> Iterator[Fact]:
        if observer.device is not None:
            yield Fact("observer/device", f"{observer.device.uid or ''} {observer.device.name}".strip())
        if observer.person is not None:
            name = self.name(observer.person.name)
            yield Fact("observer/person", name)
            if observer.person.verified_at is not None:
                yield Fact("verified", name)
                yield Fact("verified/at", self.moment(observer.person.verified_at))

    def issued(self, report: CodedReport) -> str:
        """When the report was issued."""
        return report.issued.text

    def issuer(self, issuer: Issuer) -> str:
        """Who issued an id: the word for it, and its URI or else its OID as one."""
        return issuer_value(issuer.key, issuer.uri or (f"urn:oid:{issuer.oid}" if issuer.oid else None))

    def moment(self, when: DateTime) -> str:
        """A time; only its day where it has no zone (R4 datatypes.html#dateTime)."""
        return when.date if when.has_time and not when.has_zone else when.text

    def header(self, report: CodedReport) -> Iterator[Fact]:
        """Whose report it is, and of which study."""
        patient, study = report.patient, report.study
        yield Fact("status", report.status.value)
        yield Fact("issued", self.issued(report))
        if report.predecessor is not None:
            yield Fact("predecessor", report.predecessor.sop_instance)
        yield Fact("patient/id", patient.id)
        if patient.issuer is not None:
            yield Fact("patient/issuer", self.issuer(patient.issuer))
        for other in patient.other_ids:
            yield Fact("patient/otherId", other.id)
        if patient.name is not None:
            yield Fact("patient/name", self.name(patient.name))
        if patient.birth_date is not None and patient.birth_date.da:
            yield Fact("patient/birthDate", patient.birth_date.date)
        if patient.sex is not None:
            yield Fact("patient/sex", patient.sex.value)
        yield Fact("study/uid", study.uid)
        yield Fact("study/modality", first_value(study.modality.codes, study.modality.text))
        if study.accession is not None:
            yield Fact("study/accession", study.accession)
        for procedure in study.procedures:
            yield Fact("study/procedure", self.say(procedure))

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
        for image in dict.fromkeys(shown.image for shown in lesion.images):
            yield Fact(f"{here}/image", image_value(image.sop_instance, image.frames))
        if lesion.segment is not None:
            yield Fact(f"{here}/segment", f"{lesion.segment.sop_instance} {lesion.segment.number}")

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
            by_codes(item.unit),
            method=self.say(item.method) if item.method is not None else None,
            derivation=self.say(item.derivation) if item.derivation is not None else None,
            range=self._range(item.range) if item.range is not None else None,
            image=image,
        )

    def number(self, value: Decimal) -> str:
        """A number as the format says it."""
        return number_value(value)

    def _range(self, limits: ReferenceRange) -> str:
        low, high = (self.number(bound) if bound is not None else "" for bound in (limits.low, limits.high))
        return range_value(low, high, limits.text or "")


def _middle_first(group: NameGroup) -> NameGroup:
    return replace(group, given=group.middle, middle="")


def lines(text: str) -> str:
    """A text without what neither format keeps: white space at the ends of lines, and which line end it was."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
