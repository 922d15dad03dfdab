"""The facts around the lesions as an SR states them: in its header, its observer context, library and evidence."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from service.check.context import SEGMENTATION, images_of, instances_of
from service.check.facts import Yardstick
from service.check.values import Fact, by_codes, codes_value, issuer_value, said_with
from service.coding.modalities import modality_of
from service.domain.codes import CodedTerm
from service.domain.names import PersonName
from service.domain.report import CodedReport, Comparison, Device, Issuer, Observer, Patient, Person, Study
from service.domain.times import DateTime
from service.formats.sr import vr

_DT = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2}(?:\.[0-9]+)?)(?P<offset>[+-][0-9]{4})?)?"
)
_DAY = 24 * 60
UNKNOWN = "unknown"
"""What an attribute of type 1 says where nobody said it."""


class SrContext(Yardstick):
    """What an SR must state; ``lost`` are the places in the sender's document that its writer named as lost.

    ``of_numbers``: it is of a dialect that has shapes below numbers only; ``computed`` are the places of shapes that
    got a number there which was computed from them.
    """

    def __init__(
        self, lost: frozenset[str], *, of_numbers: bool = False, computed: frozenset[str] = frozenset()
    ) -> None:
        """Leave out what was lost by name."""
        self.lost = lost
        self.of_numbers = of_numbers
        self.computed = computed

    def say(self, term: CodedTerm) -> str:
        """Codes, and the text only where there is no code or a broader one."""
        return by_codes(term)

    def deny(self, term: CodedTerm) -> str:
        """An exact name, else the words."""
        return codes_value(term.codes) if term.codes and not term.broader else codes_value((), term.text)

    def unit(self, term: CodedTerm) -> str:
        """Codes, and the text only where there is no code."""
        return by_codes(term)

    def number(self, value: Decimal) -> str:
        """Digits as written; what no DS holds, as its rounding and the binary64 beside it (0040,A161)."""
        text, exact = vr.digits(value)
        return text if exact else f"{text} {float(value)!r}"

    def name(self, name: PersonName) -> str:
        """PN, with its middle names."""
        return str(name)

    def issued(self, report: CodedReport) -> str:
        """Content Date and Time with the offset."""
        return report.issued.dt

    def issuer(self, issuer: Issuer | None) -> str:
        """The word, and the OID or else the URI (PS3.3 table 10-17)."""
        return issuer_value(self.fits(issuer.key, vr.lo), issuer.oid or issuer.uri) if issuer is not None else ""

    def moment(self, when: DateTime) -> str:
        """DT."""
        return when.dt

    def fits(self, text: str | None, check: Callable[[str], bytes]) -> str:
        """A text as an attribute has it; nothing where it does not fit, which the writer names."""
        try:
            check(text or "")
        except ValueError:
            return ""
        return text or ""

    def line(self, text: str | None) -> str:
        """Words on one line of an LO: spaces within count, control characters stand for one (PS3.5 6.2)."""
        parts = re.split(r"[\x00-\x1f\x7f-\x9f]", text or "")
        words = " ".join(part.strip(" ") for part in parts if part.strip(" "))
        return self.fits(words.replace("\\", "/"), vr.lo)

    def document(self, report: CodedReport) -> Iterator[Fact]:
        """An SR has no place for the sender and its id of the report."""
        for fact in super().document(report):
            if fact.place == "language":
                yield Fact("language", report.language.lower())
            elif fact.place == "predecessor" and report.predecessor is not None:
                one = report.predecessor
                study = one.study or report.study.uid
                yield Fact("predecessor", f"{one.sop_class} {one.sop_instance} in {one.series} of {study}")
            elif fact.place not in ("report/id", "report/sender"):
                yield fact

    def patient(self, patient: Patient) -> Iterator[Fact]:
        """Other ids that fit, and a whole day of birth."""
        for fact in super().patient(patient):
            if fact.place not in ("patient/otherId", "patient/birthDate"):
                yield fact
        for other in patient.other_ids:
            if self.fits(other.id, vr.lo):
                yield Fact("patient/otherId", said_with(other.id, issuer=self.issuer(other.issuer)))
        if patient.birth_date is not None and patient.birth_date.da:
            yield Fact("patient/birthDate", patient.birth_date.da)

    def study(self, report: CodedReport) -> Iterator[Fact]:
        """Start and description as the header has them, and the procedures that have a code once more."""
        for fact in super().study(report):
            if fact.place not in ("study/started", "study/description"):
                yield fact
        study = report.study
        if study.started is not None and "/study/started" not in self.lost:
            yield Fact("study/started", in_utc(study.started.dt, report.issued.offset))
        if self.line(study.description):
            yield Fact("study/description", self.line(study.description))
        for procedure in study.procedures:
            if procedure.codes:
                yield Fact("study/performed", codes_value(procedure.codes))
        if study.accession is not None and study.procedures[0].codes:
            yield Fact("study/requested", codes_value(study.procedures[0].codes))

    def accession(self, study: Study[CodedTerm]) -> Iterator[Fact]:
        """An accession number that fits, in the study and in the request."""
        said = self.fits(study.accession, vr.sh)
        if said:
            yield Fact("study/accession", said)
            if study.accession_issuer is not None:
                yield Fact("study/accessionIssuer", self.issuer(study.accession_issuer))

    def referring(self, person: Person[CodedTerm]) -> Iterator[Fact]:
        """Name and id; the organization stands beside an id only."""
        organization = (self.line(person.organization) or UNKNOWN) if person.id is not None else None
        yield Fact(
            "study/referringPhysician", said_with(self.name(person.name), id=person.id, organization=organization)
        )

    def comparisons(self, report: CodedReport) -> Iterator[Fact]:
        """Every prior in words, and the library."""
        for prior in report.study.comparisons:
            yield Fact("comparison", _in_words(prior))
        yield from self._library(report)

    def _library(self, report: CodedReport) -> Iterator[Fact]:
        """The images with what holds for their group, and a study of which no image is known."""
        study = report.study
        shown: dict[str, dict[str, str]] = {}
        for image in images_of(report):
            if image.sop_class != SEGMENTATION:
                shown.setdefault(image.study or study.uid, {})[image.sop_instance] = image.sop_class
        known: list[tuple[str, CodedTerm | None, DateTime | None]] = [(study.uid, study.modality, study.started)]
        known += [
            (prior.uid, prior.modality, prior.started)
            for prior in study.comparisons
            if prior.modality is not None or prior.uid in shown
        ]
        named = {study.uid, *(prior.uid for prior in study.comparisons)}
        known += [(uid, None, None) for uid in shown if uid not in named]
        for uid, modality, started in known:
            moment = _of_library(started.dt, report.issued.offset) if started is not None else ""
            said = self.say(modality) if modality is not None else ""
            of_study = 0
            for sop, sop_class in shown.get(uid, {}).items():
                fixed = modality_of(sop_class)
                own = said if fixed is None or (modality and fixed.codes[:1] == modality.codes[:1]) else self.say(fixed)
                of_study += own == said
                yield Fact(f"library/{sop}", f"{own} {moment}".strip() if own else "")
            if modality is not None and not of_study:
                yield Fact("library", f"{said} {moment}".strip())

    def observer(self, report: CodedReport, observer: Observer[CodedTerm]) -> Iterator[Fact]:
        """Person and device each for itself (TID 1003, 1004), and what only the header has."""
        device, person = observer.device, observer.person
        if device is not None:
            yield from self._device(report, device)
        if person is not None:
            said = said_with(self.name(person.name), organization=person.organization, role=self.said(person.role))
            yield Fact("observer/person", said)
            organization = self.line(person.organization)
            if person.id is not None:
                yield Fact(
                    "observer/author", said_with(self.name(person.name), id=person.id, organization=organization)
                )
            if person.verified_at is not None and report.is_complete:
                organization = organization or UNKNOWN
                yield Fact("verified", said_with(self.name(person.name), id=person.id, organization=organization))
                yield Fact("verified/at", self.moment(person.verified_at))

    def _device(self, report: CodedReport, device: Device) -> Iterator[Fact]:
        said = said_with(device.name, uid=device.uid, manufacturer=device.manufacturer, model=device.model)
        yield Fact("observer/device", said)
        made = said_with(
            self.line(device.model or device.name),
            manufacturer=self.line(device.manufacturer) or UNKNOWN,
            version=self.line(device.version),
            algorithm=self.line(device.algorithm),
        )
        yield Fact("observer/equipment", made)
        devices = [one.device for one in report.observers if one.device is not None]
        if len(devices) == 1 and device.version is not None:
            yield Fact("algorithm", said_with(device.algorithm or device.name, version=device.version))

    def evidence(self, report: CodedReport) -> Iterator[Fact]:
        """The evidence sequences; no series has a modality there."""
        kept: dict[str, bool] = {}
        for lesion in report.lesions:
            if lesion.segment is not None:
                is_lost = not self.lost.isdisjoint({lesion.where, lesion.segment.where} - {""})
                sop = lesion.segment.sop_instance
                kept[sop] = kept.get(sop, False) or not is_lost
        for sop, sop_class, series, study in dict.fromkeys(instances_of(report)):
            if sop_class != SEGMENTATION or kept.get(sop, True):
                yield Fact(f"image/{sop}", f"{sop_class} in {series} of {study}")


def _in_words(prior: Comparison[CodedTerm]) -> str:
    """A prior study as the report's text has it."""
    said = [
        prior.started.text if prior.started is not None else None,
        prior.modality.text if prior.modality is not None else None,
        prior.description,
        f"accession {prior.accession}" if prior.accession is not None else None,
        f"study {prior.uid}",
    ]
    return ", ".join(part for part in said if part)


def in_utc(moment: str, document: str) -> str:
    """A DT as minutes and seconds in UTC; without an offset it is in the zone of the ``document``.

    A day alone stays a day. Nothing where the day is not known, or is none in that zone.
    """
    part = _DT.fullmatch(moment)
    if part is None:
        return ""
    day = date(int(part["year"]), int(part["month"]), int(part["day"]))
    if part["hour"] is None:
        return moment
    minutes = day.toordinal() * _DAY + int(part["hour"]) * 60 + int(part["minute"])
    minutes -= _minutes(part["offset"] or document)
    if not date.min.toordinal() <= (minutes + _minutes(document)) // _DAY <= date.max.toordinal():
        return ""
    return f"{minutes} {part['second']}"


def _of_library(moment: str, document: str) -> str:
    """What a library says of a moment: of one in a leap second its day in the zone of the ``document``."""
    said = in_utc(moment, document)
    minutes, _, second = said.partition(" ")
    if not second.startswith("60"):
        return said
    return date.fromordinal((int(minutes) + _minutes(document)) // _DAY).isoformat().replace("-", "")


def _minutes(offset: str) -> int:
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return -minutes if offset[0] == "-" else minutes
