"""Coded reports built by hand, for the tests of every room that writes one.

``make_coded_report(...)`` and ``make_lesion(...)`` give a small valid one of which a test overrides only what matters;
`tests.report_set` has a whole set. The codes are test data (`tests.report_terms`): writers must pass on what they are
given, so nothing here asks the shipped tables.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from service.domain.codes import CodedTerm
from service.domain.geometry import (
    Graphic,
    ImageReference,
    LesionImage,
    Point2D,
    Region2D,
)
from service.domain.names import PersonName
from service.domain.report import (
    CodedReport,
    Device,
    Evaluation,
    Issuer,
    Lesion,
    Measurement,
    Observer,
    Patient,
    Sex,
    Status,
    Study,
)
from service.domain.times import DateTime
from service.domain.uids import tracking_uid
from tests.report_terms import (
    BRAIN_METASTASIS,
    EDEMA,
    ENHANCED_MR_IMAGE,
    ENHANCEMENT,
    FRONTAL_LOBE,
    HYPOINTENSE,
    LEFT,
    LONG_AXIS,
    MM,
    MM3,
    MR_BRAIN,
    MR_IMAGE,
    MRI,
    PRIOR_SERIES_UID,
    PRIOR_UID,
    RING,
    SERIES_UID,
    SHORT_AXIS,
    STUDY_UID,
    T1,
    VASOGENIC,
    VOLUME,
)

HOSPITAL = Issuer("HOSP", "urn:oid:1.2.276.0.76.3.1.999.1", "1.2.276.0.76.3.1.999.1")
TRIANGLE: tuple[Point2D, ...] = ((100.5, 80.25), (116.7, 81.0), (108.0, 96.5))
DESCRIPTORS = (Evaluation(T1, HYPOINTENSE), Evaluation(ENHANCEMENT, RING), Evaluation(EDEMA, VASOGENIC))


def image(number: int = 1, *frames: int, prior: bool = False, sop_class: str = "") -> ImageReference:
    """The n-th image of the study's own series, or of the prior study's; a multi-frame one where frames are named."""
    sop_class = sop_class or (ENHANCED_MR_IMAGE if frames else MR_IMAGE)
    series = PRIOR_SERIES_UID if prior else SERIES_UID
    return ImageReference(sop_class, f"{series}.{number}", series, study=PRIOR_UID if prior else None, frames=frames)


def number(concept: CodedTerm, value: str, unit: CodedTerm, **more: Any) -> Measurement[CodedTerm]:
    """A measurement of the digits as written."""
    return Measurement(concept, Decimal(value), unit, **more)


def region(graphic: Graphic, *points: Point2D, shows: CodedTerm | None = None, where: str = "") -> Region2D[CodedTerm]:
    """A shape in pixels, tied to the measurement of the concept that it shows."""
    return Region2D(graphic, points, measurement=shows, where=where)


def make_lesion(lesion_id: str = "L1", **changes: Any) -> Lesion[CodedTerm]:
    """A left frontal brain metastasis with two axes and a volume; ``changes`` override."""
    lesion = Lesion(
        id=lesion_id,
        finding=BRAIN_METASTASIS,
        tracking_uid=tracking_uid("local", HOSPITAL.key, "PID-11235", lesion_id),
        site=FRONTAL_LOBE,
        laterality=LEFT,
        measurements=(number(LONG_AXIS, "14.2", MM), number(SHORT_AXIS, "11.0", MM), number(VOLUME, "1450", MM3)),
        evaluations=DESCRIPTORS,
        images=(LesionImage(image()),),
        where="/lesions/0",
    )
    return replace(lesion, **changes)


def make_coded_report(**changes: Any) -> CodedReport:
    """A final report of one lesion in a brain MR, seen by a device; ``changes`` override."""
    report = CodedReport(
        id="MR-2026-000481",
        sender="local",
        status=Status.FINAL,
        issued=DateTime("2026-03-02T10:41:00+01:00"),
        patient=Patient(
            "PID-11235", HOSPITAL, PersonName.parse("Doe^Jane"), birth_date=DateTime("1961-04-02"), sex=Sex.FEMALE
        ),
        study=Study(
            STUDY_UID,
            MRI,
            (MR_BRAIN,),
            accession="A481",
            accession_issuer=HOSPITAL,
            started=DateTime("2026-03-02T09:12:00+01:00"),
        ),
        impression="Three new brain metastases.",
        observers=(Observer(device=Device("MetDetect", version="2.1", uid="1.2.3.4")),),
        lesions=(make_lesion(),),
    )
    return replace(report, **changes)
