"""The facts around the lesions, as a bundle states them: whose report it is, of which study, and who says so."""

from collections.abc import Iterator

from service.check.saying import Saying
from service.check.values import Fact, said_with
from service.coding.modalities import modality_of
from service.domain.codes import CodedTerm
from service.domain.geometry import ImageReference
from service.domain.report import CodedReport, Comparison, Device, Observer, Patient, Person, Study

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
"""Segmentation Storage (PS3.6 table A-1)."""
UNKNOWN_MODALITY = "unknown"


class Context(Saying):
    """The facts of a report but for its lesions and statements."""

    def context(self, report: CodedReport) -> Iterator[Fact]:
        """All of them."""
        yield from self.document(report)
        yield from self.patient(report.patient)
        yield from self.study(report)
        yield from self.comparisons(report)
        for observer in report.observers:
            yield from self.observer(report, observer)
        yield from self.evidence(report)

    def document(self, report: CodedReport) -> Iterator[Fact]:
        """The report as a document: its identity, state and language."""
        yield Fact("report/id", report.id)
        yield Fact("report/sender", report.sender)
        yield Fact("report/version", str(report.version))
        yield Fact("language", report.language)
        yield Fact("status", report.status.value)
        yield Fact("issued", self.issued(report))
        if report.predecessor is not None:
            one = report.predecessor
            yield Fact(
                "predecessor", said_with(one.sop_instance, sop_class=one.sop_class, series=one.series, study=one.study)
            )

    def patient(self, patient: Patient) -> Iterator[Fact]:
        """Whose report it is."""
        yield Fact("patient/id", patient.id)
        if patient.issuer is not None:
            yield Fact("patient/issuer", self.issuer(patient.issuer))
        for other in patient.other_ids:
            yield Fact("patient/otherId", said_with(other.id, issuer=self.issuer(other.issuer)))
        if patient.name is not None:
            yield Fact("patient/name", self.name(patient.name))
        if patient.birth_date is not None:
            yield Fact("patient/birthDate", patient.birth_date.date)
        if patient.sex is not None:
            yield Fact("patient/sex", patient.sex.value)

    def study(self, report: CodedReport) -> Iterator[Fact]:
        """The study reported on."""
        study = report.study
        yield Fact("study/uid", study.uid)
        yield Fact("study/modality", self.single(study.modality))
        yield from self.accession(study)
        if study.started is not None:
            yield Fact("study/started", self.moment(study.started))
        if study.description is not None:
            yield Fact("study/description", study.description)
        for procedure in study.procedures:
            yield Fact("study/procedure", self.say(procedure))
        if study.referring_physician is not None:
            yield from self.referring(study.referring_physician)

    def accession(self, study: Study[CodedTerm]) -> Iterator[Fact]:
        """The accession number with its issuer."""
        if study.accession is not None:
            yield Fact("study/accession", study.accession)
            if study.accession_issuer is not None:
                yield Fact("study/accessionIssuer", self.issuer(study.accession_issuer))

    def referring(self, person: Person[CodedTerm]) -> Iterator[Fact]:
        """Who asked for the study."""
        yield Fact("study/referringPhysician", self.person(person))

    def person(self, person: Person[CodedTerm]) -> str:
        """A person with all that is said of one."""
        role = self.said(person.role)
        return said_with(self.name(person.name), id=self.id_of(person), organization=person.organization, role=role)

    def id_of(self, person: Person[CodedTerm]) -> str | None:
        """The id that an output says of a person."""
        return person.id

    def device(self, device: Device) -> str:
        """A device with all that is said of one."""
        return said_with(
            device.name,
            uid=device.uid,
            version=device.version,
            manufacturer=device.manufacturer,
            model=device.model,
            algorithm=device.algorithm,
        )

    def comparisons(self, report: CodedReport) -> Iterator[Fact]:
        """The prior studies, each once, and those that images are of."""
        seen = {report.study.uid}
        for prior in report.study.comparisons:
            if prior.uid not in seen:
                seen.add(prior.uid)
                yield from self.comparison(prior)
        for image in images_of(report):
            if image.study is not None and image.study not in seen:
                seen.add(image.study)
                yield Fact("comparison", said_with(image.study, because="study of an image"))

    def comparison(self, prior: Comparison[CodedTerm]) -> Iterator[Fact]:
        """One prior study."""
        yield Fact(
            "comparison",
            said_with(
                prior.uid,
                started=self.moment(prior.started) if prior.started is not None else None,
                accession=prior.accession,
                modality=self.single(prior.modality) if prior.modality is not None else None,
                description=prior.description,
            ),
        )

    def observer(self, report: CodedReport, observer: Observer[CodedTerm]) -> Iterator[Fact]:  # noqa: ARG002 - the SR's asks the report
        """Who observed, and who verified when."""
        device, person = observer.device, observer.person
        if device is not None:
            yield Fact("observer/device", self.device(device))
        if person is not None:
            yield Fact("observer/person", self.person(person))
            if device is not None:
                yield Fact("observer/together", f"{self.device(device)} for {self.person(person)}")
            if person.verified_at is not None:
                yield Fact("verified", said_with(self.name(person.name), id=self.id_of(person)))
                yield Fact("verified/at", self.moment(person.verified_at))

    def evidence(self, report: CodedReport) -> Iterator[Fact]:
        """The instances that the report refers to, and the modality of each series."""
        own = report.study
        modalities: dict[str, CodedTerm | None] = {prior.uid: prior.modality for prior in own.comparisons}
        modalities[own.uid] = own.modality
        series: dict[tuple[str, str], list[str]] = {}
        for sop, sop_class, uid, study in dict.fromkeys(instances_of(report)):
            yield Fact(f"image/{sop}", f"{sop_class} in {uid} of {study}")
            series.setdefault((study, uid), []).append(sop_class)
        for lesion in report.lesions:
            if lesion.segment is not None and lesion.segment.source_series is not None:
                series.setdefault((own.uid, lesion.segment.source_series), [])
        for (study, uid), classes in series.items():
            fixed = next(filter(None, map(modality_of, classes)), None)
            said = fixed if fixed is not None else modalities.get(study)
            yield Fact(f"series/{uid}", self.single(said) if said is not None else UNKNOWN_MODALITY)


def images_of(report: CodedReport) -> Iterator[ImageReference]:
    """Every image that the report refers to, as often as it does."""
    yield from report.study.images
    for lesion in report.lesions:
        yield from (shown.image for shown in lesion.images)


def instances_of(report: CodedReport) -> Iterator[tuple[str, str, str, str]]:
    """SOP instance, class, series and study of every image and segmentation."""
    own = report.study.uid
    for image in images_of(report):
        yield image.sop_instance, image.sop_class, image.series, image.study or own
    for lesion in report.lesions:
        if lesion.segment is not None:
            yield lesion.segment.sop_instance, SEGMENTATION, lesion.segment.series, own
