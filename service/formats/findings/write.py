"""A lesion report to findings JSON: one canonical document, whatever form its members came in.

Terms of a coded report are written as the keys of their concepts, which nothing can mistake; where there is no concept,
as the code, or as text.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import Any

import orjson

from service.domain.codes import CodedTerm, Term
from service.domain.geometry import Graphic, ImageReference, LesionImage, Region3D, SegmentReference
from service.domain.report import (
    CodedReport,
    Evaluation,
    Issuer,
    Lesion,
    LesionReport,
    Measurement,
    Observer,
    Patient,
    Person,
    ReferenceRange,
    Report,
    Study,
    TimePoint,
)

_UCUM = "UCUM"


def write(report: LesionReport | CodedReport) -> bytes:
    """The document in UTF-8; read again it gives the same report, its numbers with the same digits."""
    return orjson.dumps(document(report))


def document(report: LesionReport | CodedReport) -> dict[str, object]:
    """The document as values; numbers are `orjson.Fragment`, so that 12.50 stays 12.50."""
    return _present(
        report=_report(report),
        patient=_patient(report.patient),
        study=_study(report.study),
        observers=[_observer(observer) for observer in report.observers],
        lesions=[_lesion(lesion) for lesion in report.lesions],
    )


def _present(**members: Any) -> dict[str, object]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], {})}


def _number(value: Decimal | None) -> orjson.Fragment | None:
    return None if value is None else orjson.Fragment(str(value))


def _term(term: Term | CodedTerm | None) -> object:
    if term is None:
        return None
    if isinstance(term, CodedTerm):
        if term.concept is not None:
            return term.concept
        if term.code is None:
            return term.text
        return _present(system=term.code.system, code=term.code.code, display=term.text)
    if term.code is None:
        return term.text
    return _present(system=term.code.system, code=term.code.code, display=term.code.display)


def _terms(terms: Iterable[Term | CodedTerm]) -> list[object]:
    return [_term(term) for term in terms]


def _unit(unit: Term | CodedTerm) -> object:
    if isinstance(unit, CodedTerm) and unit.code is not None and unit.code.system == _UCUM:
        return unit.code.code
    return _term(unit)


def _issuer(issuer: Issuer | None) -> str | None:
    """What any table knows the issuer by, else the sender's word."""
    if issuer is None:
        return None
    return issuer.uri or (f"urn:oid:{issuer.oid}" if issuer.oid else issuer.key)


def _report(report: Report[Any]) -> dict[str, object]:
    predecessor = report.predecessor
    return _present(
        id=report.id,
        sender=report.sender,
        version=report.version,
        status=str(report.status),
        issued=report.issued.text,
        language=report.language,
        predecessor=None
        if predecessor is None
        else _present(
            sop=predecessor.sop_instance,
            series=predecessor.series,
            sopClass=predecessor.sop_class,
            study=predecessor.study,
        ),
        impression=report.impression,
        findings=report.findings,
        conclusion=_terms(report.conclusions),
        differential=_terms(report.differential),
        negatives=_terms(report.negatives),
        descriptors=_evaluations(report.evaluations),
    )


def _patient(patient: Patient) -> dict[str, object]:
    return _present(
        id=patient.id,
        issuer=_issuer(patient.issuer),
        name=patient.name and str(patient.name),
        birthDate=patient.birth_date and patient.birth_date.text,
        sex=patient.sex and str(patient.sex),
        otherIds=[_present(id=other.id, issuer=_issuer(other.issuer)) for other in patient.other_ids],
    )


def _study(study: Study[Any]) -> dict[str, object]:
    comparisons = [
        _present(
            uid=prior.uid,
            started=prior.started and prior.started.text,
            accession=prior.accession,
            modality=_term(prior.modality),
            description=prior.description,
        )
        for prior in study.comparisons
    ]
    return _present(
        uid=study.uid,
        accession=study.accession,
        accessionIssuer=_issuer(study.accession_issuer),
        modality=_term(study.modality),
        started=study.started and study.started.text,
        procedure=_terms(study.procedures),
        description=study.description,
        referringPhysician=study.referring_physician and _person(study.referring_physician),
        technique=_terms(study.technique),
        comparisons=comparisons,
        images=[_image(image) for image in study.images],
    )


def _person(person: Person[Any]) -> dict[str, object]:
    return _present(
        name=str(person.name),
        id=person.id,
        organization=person.organization,
        role=_term(person.role),
        verifiedAt=person.verified_at and person.verified_at.text,
    )


def _observer(observer: Observer[Any]) -> dict[str, object]:
    device = observer.device
    return _present(
        device=None
        if device is None
        else _present(
            name=device.name,
            version=device.version,
            uid=device.uid,
            manufacturer=device.manufacturer,
            model=device.model,
            algorithm=device.algorithm,
        ),
        person=None if observer.person is None else _person(observer.person),
    )


def _lesion(lesion: Lesion[Any]) -> dict[str, object]:
    return _present(
        id=lesion.id,
        trackingUid=lesion.tracking_uid,
        finding=_term(lesion.finding),
        category=_term(lesion.category),
        site=_term(lesion.site),
        laterality=_term(lesion.laterality),
        topography=_term(lesion.topography),
        count=lesion.count,
        certainty=_term(lesion.certainty),
        change=_term(lesion.change),
        timePoint=None if lesion.time_point is None else _time_point(lesion.time_point),
        text=lesion.text,
        measurements=[_measurement(measurement) for measurement in lesion.measurements],
        descriptors=_evaluations(lesion.evaluations),
        images=[_lesion_image(image) for image in lesion.images],
        regions3d=[_region3d(region) for region in lesion.regions3d],
        segment=None if lesion.segment is None else _segment(lesion.segment),
    )


def _time_point(point: TimePoint[Any]) -> dict[str, object]:
    return _present(
        label=point.label,
        type=_term(point.type),
        order=point.order,
        subjectIdentifier=point.subject_identifier,
        protocolIdentifier=point.protocol_identifier,
    )


def _measurement(measurement: Measurement[Any]) -> dict[str, object]:
    return _present(
        concept=_term(measurement.concept),
        value=_number(measurement.value),
        unit=_unit(measurement.unit),
        method=_term(measurement.method),
        derivation=_term(measurement.derivation),
        range=None if measurement.range is None else _range(measurement.range),
        image=measurement.image,
    )


def _range(normal: ReferenceRange) -> dict[str, object]:
    return _present(low=_number(normal.low), high=_number(normal.high), text=normal.text)


def _evaluations(evaluations: tuple[Evaluation[Any], ...]) -> object:
    """An object from fields to answers; a list where a field is a code or its answers do not stand together."""
    names = [_field(evaluation) for evaluation in evaluations]
    runs = [
        (name, list(found)) for name, found in groupby(zip(names, evaluations, strict=True), key=lambda pair: pair[0])
    ]
    fields = [name for name, _ in runs]
    if all(isinstance(name, str) for name in fields) and len(set(map(str, fields))) == len(fields):
        return {str(name): _terms(evaluation.value for _, evaluation in found) for name, found in runs}
    return [
        {"field": name, "value": _term(evaluation.value)} for name, evaluation in zip(names, evaluations, strict=True)
    ]


def _field(evaluation: Evaluation[Any]) -> object:
    return evaluation.row or _term(evaluation.name)


def _image(image: ImageReference) -> dict[str, object]:
    return _present(
        sopClass=image.sop_class,
        sop=image.sop_instance,
        series=image.series,
        study=image.study,
        frame=list(image.frames),
    )


def _lesion_image(shown: LesionImage[Any]) -> dict[str, object]:
    shapes = {
        str(graphic): [
            _present(points=region.points, measurement=_term(region.measurement))
            for region in shown.regions
            if region.graphic is graphic
        ]
        for graphic in (Graphic.LINE, Graphic.POLYGON, Graphic.POINT)
    }
    return _present(**_image(shown.image), **shapes)


def _region3d(region: Region3D) -> dict[str, object]:
    return {"frameOfReference": region.frame_of_reference, "kind": str(region.graphic), "points": region.points}


def _segment(segment: SegmentReference) -> dict[str, object]:
    return _present(
        sop=segment.sop_instance, series=segment.series, number=segment.number, sourceSeries=segment.source_series
    )
