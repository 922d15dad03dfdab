"""A set of coded reports that together uses every member of the domain."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from service.domain.geometry import (
    Graphic,
    Graphic3D,
    LesionImage,
    Region3D,
    SegmentReference,
)
from service.domain.names import NameGroup, PersonName
from service.domain.report import (
    CodedReport,
    Comparison,
    CountKind,
    Device,
    Evaluation,
    Issuer,
    Lesion,
    Observer,
    Patient,
    PatientId,
    Person,
    Predecessor,
    ReferenceRange,
    Status,
    Study,
    TimePoint,
)
from service.domain.times import DateTime
from service.domain.uids import derive_uid
from tests.report_terms import (
    ABSCESS,
    AREA,
    AREA_METHOD,
    BONE_METASTASIS,
    BRAIN_METASTASIS,
    CEREBELLUM,
    CT,
    CT_IMAGE,
    DIFFUSION,
    EDEMA_DEGREE,
    ENLARGED,
    FRAME_OF_REFERENCE,
    GLIOBLASTOMA,
    HEMORRHAGE,
    HUMERUS,
    HYPOINTENSE,
    INTRACRANIAL_METASTASES,
    JUNCTION,
    L3_VERTEBRA,
    LENGTH,
    LONG_AXIS,
    MATRIX,
    MAXIMUM,
    MEAN,
    MIDLINE_SHIFT,
    MM,
    MM2,
    MM3,
    MODERATE,
    MR_BRAIN,
    MRI,
    NEOPLASM_SECONDARY,
    NEW,
    NO_UNITS,
    POSTTREATMENT,
    PRESENT,
    PRIOR_UID,
    RECORDING,
    RESOLVED,
    RESPONSE,
    RIGHT,
    SERIES_UID,
    SHORT_AXIS,
    STUDY_UID,
    SUBTRACTION,
    SUSPICIOUS,
    SUV,
    SUV_UNIT,
    T1,
    UNCODED_FINDING,
    UNCODED_MEASUREMENT,
    UNCODED_PROCEDURE,
    VOLUME,
    term,
)
from tests.reports import DESCRIPTORS, TRIANGLE, image, make_coded_report, make_lesion, number, region


def minimal_report() -> CodedReport:
    """Only what a report must have: no name, no observer, no lesion detail but a finding."""
    return CodedReport(
        id="R1",
        sender="local",
        status=Status.FINAL,
        issued=DateTime("2026-03-02T10:41:00Z"),
        patient=Patient("P1"),
        study=Study(STUDY_UID, MRI, (UNCODED_PROCEDURE,)),
        lesions=(
            Lesion(
                "L1",
                BRAIN_METASTASIS,
                tracking_uid=derive_uid("test", "L1"),
                evaluations=(Evaluation(T1, HYPOINTENSE),),
            ),
        ),
    )


def rich_report() -> CodedReport:
    """Every member of the domain that is no shape: persons, priors, ids, ranges, methods, counts, time points, text."""
    reader = Person(
        PersonName(
            NameGroup("Yamada", "Tarou", prefix="Dr."), NameGroup("山田", "太郎"), NameGroup("やまだ", "たろう")
        ),
        id="R77",
        organization="Klinikum Nord",
        role=RECORDING,
        verified_at=DateTime("2026-03-02T10:40:12.5+01:00"),
    )
    resident = Person(PersonName.parse("Kowalska^Żaneta"), role=term("resident on call"))
    first = make_lesion(
        category=NEOPLASM_SECONDARY,
        topography=JUNCTION,
        count=1,
        certainty=SUSPICIOUS,
        change=ENLARGED,
        time_point=TimePoint("Follow-up 2", POSTTREATMENT, 3, subject_identifier="TP-3", protocol_identifier="P-3"),
        text="Grew since the last study.\nSee image 12; ärztlich geprüft.",
        measurements=(
            number(LONG_AXIS, "14.20", MM, method=AREA_METHOD, derivation=MAXIMUM, image=image().sop_instance),
            number(SHORT_AXIS, "11.0", MM, derivation=term("widest of three readings")),
            number(
                VOLUME,
                "1450.123456789012345",
                MM3,
                range=ReferenceRange(Decimal(0), Decimal("10.5"), "none is normal"),
            ),
            number(SUV, "7.10", SUV_UNIT, derivation=MEAN, method=term("house method")),
        ),
        evaluations=(*DESCRIPTORS, Evaluation(EDEMA_DEGREE, MODERATE), Evaluation(T1, term("speckled"))),
        images=(LesionImage(image()), LesionImage(image(2, 3, 4)), LesionImage(image(7, prior=True))),
    )
    second = make_lesion("L2", site=CEREBELLUM, laterality=RIGHT, count=CountKind.MULTIPLE, change=NEW, measurements=())
    third = make_lesion(
        "L3", finding=UNCODED_FINDING, site=term("far corner"), laterality=None, count=CountKind.INNUMERABLE
    )
    fourth = make_lesion(
        "L4", finding=INTRACRANIAL_METASTASES, site=None, laterality=None, change=RESOLVED, category=term("odd")
    )
    report = make_coded_report()
    return replace(
        report,
        status=Status.CORRECTED,
        version=2,
        language="de-DE",
        predecessor=Predecessor("1.2.3.99.1", "1.2.3.99", "1.2.840.10008.5.1.4.1.1.88.22"),
        findings="Seven enhancing lesions.\n\nNo <b>midline</b> shift & no haemorrhage.",
        conclusions=(BRAIN_METASTASIS, term("treat again")),
        differential=(GLIOBLASTOMA, ABSCESS, term("something else")),
        negatives=(HEMORRHAGE, MIDLINE_SHIFT),
        evaluations=(Evaluation(RESPONSE, term("complete response", "DCM|112041|Target Lesion Complete Response")),),
        patient=replace(
            report.patient,
            name=PersonName(NameGroup("Doe", "Jane", "Q"), NameGroup("土井", "ジェーン")),
            other_ids=(PatientId("N-1", Issuer("NATIONAL", oid="1.2.276.0.76.4.8")), PatientId("OLD-9")),
        ),
        study=replace(
            report.study,
            procedures=(MR_BRAIN, UNCODED_PROCEDURE),
            description="MR brain, staging",
            referring_physician=Person(PersonName.parse("Weiß^Jörg"), id="D-5", organization="Praxis Süd"),
            technique=(SUBTRACTION, DIFFUSION),
            comparisons=(
                Comparison(PRIOR_UID, DateTime("2025-11-30T08:00:00+01:00"), "A300", MRI, "MR brain"),
                Comparison("1.2.826.0.1.3680043.10.1561.8", DateTime("2025-06")),
            ),
            images=(image(20), image(21, prior=True)),
        ),
        observers=(
            Observer(Device("MetDetect", "2.1", "1.2.3.4", "ACME", "MD-1", "metseg"), reader),
            Observer(person=resident),
            Observer(device=Device("Volumer", uid="1.2.3.5")),
        ),
        lesions=(first, second, third, fourth),
    )


def regions_report() -> CodedReport:
    """Every shape in pixels, tied to a measurement or not, one or several, in the study or a prior one."""
    line = region(Graphic.LINE, (102.5, 88.0), (116.7, 88.0), shows=LONG_AXIS)
    across = region(Graphic.LINE, (108.0, 82.0), (108.0, 93.0), shows=SHORT_AXIS)
    area = number(AREA, "122.5", MM2)
    polygon = region(Graphic.POLYGON, *TRIANGLE)
    shapes: dict[str, dict[str, Any]] = {
        "two-axes": {"images": (LesionImage(image(), (line, across)),)},
        "line-alone": {"images": (LesionImage(image(), (region(Graphic.LINE, (1.0, 2.0), (3.0, 4.0)),)),)},
        "polygon": {"images": (LesionImage(image(3), (polygon,)),), "measurements": (area,)},
        "polygon-of-area": {
            "images": (LesionImage(image(3), (region(Graphic.POLYGON, *TRIANGLE, shows=AREA),)),),
            "measurements": (area,),
        },
        "polygon-and-line": {
            "images": (LesionImage(image(3), (polygon, line)),),
            "measurements": (area, number(LONG_AXIS, "14.2", MM)),
        },
        "two-polygons": {"images": (LesionImage(image(3), (polygon,)), LesionImage(image(4), (polygon,)))},
        "point": {"images": (LesionImage(image(5, 2), (region(Graphic.POINT, (55.5, 60.5)),)),), "measurements": ()},
        "polygon-in-a-frame": {"images": (LesionImage(image(5, 2), (polygon,)),)},
        "polygon-in-a-prior": {"images": (LesionImage(image(6, prior=True), (polygon,)),)},
    }
    lesions = tuple(make_lesion(name, **changes) for name, changes in shapes.items())
    study = replace(make_coded_report().study, comparisons=(Comparison(PRIOR_UID, modality=MRI),))
    return make_coded_report(id="REGIONS", study=study, lesions=lesions)


def regions3d_report() -> CodedReport:
    """Every shape in millimetres, one lesion each, and one lesion with two polygons."""
    square = ((10.0, 10.0, 5.0), (20.0, 10.0, 5.0), (20.0, 20.0, 5.0), (10.0, 20.0, 5.0))
    ways = ((10.0, 15.0, 5.0), (20.0, 15.0, 5.0), (15.0, 10.0, 5.0), (15.0, 20.0, 5.0))
    six = (*ways, (15.0, 15.0, 0.0), (15.0, 15.0, 10.0))
    points = {
        Graphic3D.POINT: square[:1],
        Graphic3D.MULTIPOINT: square,
        Graphic3D.POLYLINE: square[:3],
        Graphic3D.POLYGON: square,
        Graphic3D.ELLIPSE: ((10.0, 15.0, 5.0), (20.0, 15.0, 5.0), (15.0, 12.0, 5.0), (15.0, 18.0, 5.0)),
        Graphic3D.ELLIPSOID: six,
    }
    shapes: dict[str, tuple[Region3D, ...]] = {
        graphic.value: (Region3D(FRAME_OF_REFERENCE, graphic, points[graphic], f"/lesions/{graphic}/regions3d/0"),)
        for graphic in Graphic3D
    }
    higher = tuple((x, y, z + 3.0) for x, y, z in square)
    shapes["two-polygons"] = (*shapes["polygon"], Region3D(FRAME_OF_REFERENCE, Graphic3D.POLYGON, higher))
    lesions = tuple(make_lesion(name, regions3d=regions) for name, regions in shapes.items())
    return make_coded_report(id="REGIONS-3D", lesions=lesions)


def segment_report() -> CodedReport:
    """Segments of a SEG, one with the series it was made from, one with the images of the lesion only."""
    seg = SegmentReference("1.2.3.77.1", "1.2.3.77", 1, source_series=SERIES_UID)
    first = make_lesion("S1", segment=seg)
    second = make_lesion("S2", segment=SegmentReference("1.2.3.77.1", "1.2.3.77", 2), images=(LesionImage(image(4)),))
    return make_coded_report(id="SEGMENTS", lesions=(first, second))


def bone_report() -> CodedReport:
    """Bone metastases on CT, preliminary, no device, a person who did not verify."""
    humerus = make_lesion(
        "B1",
        finding=BONE_METASTASIS,
        site=HUMERUS,
        measurements=(number(LENGTH, "31", MM),),
        evaluations=(Evaluation(MATRIX, term("lytic", "RADLEX|RID45729|lytic")),),
        images=(LesionImage(image(1, sop_class=CT_IMAGE)),),
    )
    spine = make_lesion(
        "B2",
        finding=BONE_METASTASIS,
        site=L3_VERTEBRA,
        laterality=None,
        measurements=(number(UNCODED_MEASUREMENT, "0.40", NO_UNITS), number(LENGTH, "8.0", MM)),
        evaluations=(Evaluation(MATRIX, term("mixed")),),
        images=(),
    )
    study = Study(
        STUDY_UID, CT, (term("plain CT", "SCT|399331006|CT without contrast"),), started=DateTime("2026-03-02")
    )
    return make_coded_report(
        id="BONE",
        status=Status.PRELIMINARY,
        study=study,
        impression=None,
        observers=(Observer(person=Person(PersonName.parse("Reader^Ann"))),),
        lesions=(humerus, spine),
    )


def ohif_report() -> CodedReport:
    """One lesion for each tool that OHIF hydrates: two axes, a length, a polygon with its area; one segment only."""
    long_line = region(Graphic.LINE, (102.5, 88.0), (116.7, 88.0), shows=LONG_AXIS)
    short_line = region(Graphic.LINE, (108.0, 82.0), (108.0, 93.0), shows=SHORT_AXIS)
    length_line = region(Graphic.LINE, (10.0, 10.0), (20.0, 10.0), shows=LENGTH)
    outline = region(Graphic.POLYGON, *TRIANGLE, shows=AREA)
    axes = make_lesion("O1", images=(LesionImage(image(1), (long_line, short_line)),))
    length = make_lesion(
        "O2", images=(LesionImage(image(2), (length_line,)),), measurements=(number(LENGTH, "10.0", MM),), text="second"
    )
    polygon = make_lesion("O3", images=(LesionImage(image(3), (outline,)),), measurements=(number(AREA, "122.5", MM2),))
    return make_coded_report(id="OHIF", lesions=(axes, length, polygon))


def benchmark_report(lesions: int = 10) -> CodedReport:
    """What speed is measured on: lesions of 3 measurements, 6 evaluations and one polygon of 24 points each."""
    outline = tuple((100.0 + step, 80.0 + (step * 7) % 24) for step in range(24))
    evaluations = (
        *DESCRIPTORS,
        Evaluation(EDEMA_DEGREE, MODERATE),
        Evaluation(MATRIX, PRESENT),
        Evaluation(RESPONSE, NEW),
    )
    made = tuple(
        make_lesion(
            f"L{index}",
            evaluations=evaluations,
            images=(LesionImage(image(index), (region(Graphic.POLYGON, *outline),)),),
        )
        for index in range(1, lesions + 1)
    )
    return make_coded_report(id="BENCH", lesions=made)


def no_lesion_report() -> CodedReport:
    """Nothing found: text and negatives only."""
    return make_coded_report(
        id="NONE", lesions=(), negatives=(HEMORRHAGE, BRAIN_METASTASIS), impression="No metastasis."
    )


def status_report(status: Status) -> CodedReport:
    """The default report in another state."""
    return make_coded_report(id=f"STATUS-{status.value.upper()}", status=status)


REPORTS: dict[str, Callable[[], CodedReport]] = {
    "minimal": minimal_report,
    "default": make_coded_report,
    "rich": rich_report,
    "regions": regions_report,
    "regions3d": regions3d_report,
    "segment": segment_report,
    "bone": bone_report,
    "ohif": ohif_report,
    "no-lesion": no_lesion_report,
    "benchmark": benchmark_report,
}
"""Each by name."""
