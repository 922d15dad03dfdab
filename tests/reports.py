"""Coded reports built by hand, for the tests of every room that writes one.

``make_coded_report(...)`` and ``make_lesion(...)`` give a small valid one of which a test overrides only what matters;
``REPORTS`` names a whole set that together uses every member of the domain. The codes are test data: writers must pass
on what they are given, so nothing here asks the shipped tables.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm, Resolution
from service.domain.geometry import (
    Graphic,
    Graphic3D,
    ImageReference,
    LesionImage,
    Point2D,
    Region2D,
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
    Measurement,
    Observer,
    Patient,
    PatientId,
    Person,
    Predecessor,
    ReferenceRange,
    Sex,
    Status,
    Study,
    TimePoint,
)
from service.domain.times import DateTime
from service.domain.uids import derive_uid, tracking_uid

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
STUDY_UID = "1.2.826.0.1.3680043.10.1561.1"
SERIES_UID = "1.2.826.0.1.3680043.10.1561.1.2"
PRIOR_UID = "1.2.826.0.1.3680043.10.1561.9"
PRIOR_SERIES_UID = "1.2.826.0.1.3680043.10.1561.9.2"
FRAME_OF_REFERENCE = "1.2.826.0.1.3680043.10.1561.1.5"


def term(text: str, *codes: str, concept: str | None = None, broader: bool = False) -> CodedTerm:
    """A coded term from ``SYSTEM|code|display`` strings, the primary code first; none means text only."""
    made = tuple(Code(*code.split("|")) for code in codes)
    return CodedTerm(
        text,
        made,
        concept=concept if concept is not None or not made else text.replace(" ", "-"),
        broader=broader,
        resolution=Resolution.SYNONYM if made else Resolution.TEXT,
    )


def field(key: str, label: str) -> CodedTerm:
    """The name of a field without a standard code of its own: the project's own scheme."""
    return CodedTerm(label, (Code(LOCAL_SCHEME, key, label),), concept=key, resolution=Resolution.KEY)


BRAIN_METASTASIS = term(
    "brain metastasis",
    "SCT|94225005|Secondary malignant neoplasm of brain",
    "RADLEX|RID5231|metastasis",
    "I10C|C79.31|Secondary malignant neoplasm of brain",
)
BONE_METASTASIS = term(
    "bone metastasis", "SCT|94222008|Secondary malignant neoplasm of bone", "RADLEX|RID5231|metastasis"
)
INTRACRANIAL_METASTASES = term(
    "intracranial metastases", "SCT|128462008|Secondary malignant neoplastic disease", broader=True
)
UNCODED_FINDING = term("watershed-like cluster")
NEOPLASM_SECONDARY = term("neoplasm, secondary", "SCT|14799000|Neoplasm, Secondary")
FRONTAL_LOBE = term("frontal lobe", "SCT|83251001|Frontal lobe", "RADLEX|RID6440|frontal lobe")
CEREBELLUM = term("cerebellum", "SCT|113305005|Cerebellum", "RADLEX|RID6815|cerebellum")
HUMERUS = term("humerus", "SCT|85050009|Humerus", "RADLEX|RID1971|humerus")
L3_VERTEBRA = term("L3 vertebra", "SCT|36470004|L3 vertebra", "RADLEX|RID29195|third lumbar vertebra")
LEFT = term("left", "SCT|7771000|Left", "RADLEX|RID5824|left")
RIGHT = term("right", "SCT|24028007|Right", "RADLEX|RID5825|right")
JUNCTION = term("grey-white matter junction", "RADLEX|RID6387|subcortical", broader=True)
SUSPICIOUS = term("suspicious", "RADLEX|RID39314|suspicious")
PRESENT = term("present", "SCT|52101004|Present", "RADLEX|RID28472|present")
NEW = term("new lesion", "SCT|7147002|New", "RADLEX|RID5720|new")
ENLARGED = term("enlarged", "SCT|260376009|Enlarged", "RADLEX|RID5791|enlarged")
RESOLVED = term("resolved", concept="resolved")
MRI = term("magnetic resonance imaging", "DCM|MR|Magnetic Resonance", "SCT|113091000|Magnetic resonance imaging")
CT = term("computed tomography", "DCM|CT|Computed Tomography", "SCT|77477000|Computed tomography")
MR_BRAIN = term("MR brain with contrast", "RADLEX|RPID480|MR Head w and wo IV Contrast")
UNCODED_PROCEDURE = term("whole spine survey, house protocol 7")
SUBTRACTION = term("subtraction imaging")
DIFFUSION = term("diffusion-weighted imaging", "RADLEX|RID10799|diffusion weighted")
GLIOBLASTOMA = term("glioblastoma", "SCT|1163375002|Glioblastoma", "ICDO3|9440/3|Glioblastoma")
ABSCESS = term("cerebral abscess", "SCT|60404007|Cerebral abscess", "RADLEX|RID3711|abscess", "I10C|G06.0|Abscess")
HEMORRHAGE = term("hemorrhage", "SCT|50960005|Bleeding", "RADLEX|RID4700|hemorrhage")
MIDLINE_SHIFT = term("midline shift")
LONG_AXIS = term("long axis", "SCT|103339001|Long Axis")
SHORT_AXIS = term("short axis", "SCT|103340004|Short Axis")
VOLUME = term("volume", "SCT|118565006|Volume")
AREA = term("area", "SCT|42798000|Area")
LENGTH = term("length", "SCT|410668003|Length")
SUV = term("SUVbw", "DCM|126401|SUVbw")
UNCODED_MEASUREMENT = term("tortuosity of the feeding vessel")
MM = term("mm", "UCUM|mm|mm")
MM2 = term("mm2", "UCUM|mm2|mm2")
MM3 = term("mm3", "UCUM|mm3|mm3")
SUV_UNIT = term("g/ml{SUVbw}", "UCUM|g/ml{SUVbw}|Standardized Uptake Value body weight")
NO_UNITS = term("1", "UCUM|1|no units")
MAXIMUM = term("maximum", "SCT|56851009|Maximum")
MEAN = term("mean", "SCT|373098007|Mean")
AREA_METHOD = term("area of closed irregular polygon", "DCM|122501|Area of closed irregular polygon")
RECORDING = term("recording", "DCM|121097|Recording")
POSTTREATMENT = term("posttreatment", "DCM|126074|Posttreatment")

T1 = field("t1-signal", "T1 signal")
ENHANCEMENT = field("t1c-enhancement", "T1 post-contrast")
EDEMA = field("edema", "Edema")
EDEMA_DEGREE = field("edema-degree", "Edema degree")
MATRIX = field("bone-matrix", "Bone matrix")
RESPONSE = field("response", "Response")
HYPOINTENSE = term("hypointense", "RADLEX|RID35804|hypointense")
RING = term("ring enhancement", "RADLEX|RID34303|rim enhancement", "RADLEX|RID43290|rim enhancement pattern")
VASOGENIC = term("vasogenic edema", "SCT|2032001|Cerebral edema", "RADLEX|RID4865|edema", broader=True)
MODERATE = term("moderate", "SCT|6736007|Moderate", "RADLEX|RID5672|moderate")

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
"""Each by name; together they use every member of the domain."""
