"""The contract with senders: findings JSON version 1 as marshmallow schemas.

What is declared here is what `read` takes, what OpenAPI shows and what docs/findings-json.md explains. A schema makes
the domain object of its name; rules across members stand in its `make`.
"""

from functools import cache
from typing import Any, ClassVar

from service.domain.codes import Term
from service.domain.geometry import SegmentReference
from service.domain.report import Comparison, CountKind, Lesion, LesionReport, Predecessor, Status, Study, TimePoint
from service.formats.findings.fields import (
    SH,
    Choice,
    Language,
    Line,
    Member,
    Organization,
    Precision,
    Prose,
    Reader,
    Uid,
    When,
    Whole,
    choose,
    line,
    whole,
)
from service.formats.findings.images import Images, LesionImages
from service.formats.findings.lesions import check_ids, check_images, check_segments, lesion
from service.formats.findings.measurements import Measurements
from service.formats.findings.people import ObserverSchema, PatientSchema, Physician
from service.formats.findings.records import Part, Parts, Record, object_schema
from service.formats.findings.rules import Rule
from service.formats.findings.shapes import Regions3D
from service.formats.findings.terms import Descriptors, TermMember, TermsMember
from service.formats.reading import Reading

_MOST_COUNT = 100_000  # a lesion entry that stands for more is innumerable
_MOST_SEGMENT = 65_535  # Segment Number is US (PS3.3 C.8.20.2)


class PredecessorSchema(Record):
    """The SR document that this report replaces."""

    made_by = Predecessor

    sop_instance = Uid("SOP Instance UID of the document.", data_key="sop", required=True, example="1.2.3.9.1")
    series = Uid("Its Series Instance UID.", required=True, example="1.2.3.9")
    sop_class = Uid("Its SOP Class UID.", data_key="sopClass", required=True, example="1.2.840.10008.5.1.4.1.1.88.34")
    study = Uid("Its Study Instance UID, where it is not the study reported on.", example="1.2.3")


class HeaderSchema(Record):
    """The report itself: identity, state, text and what holds for it as a whole."""

    id = Line("The sender's id of the report; its versions share it.", required=True, example="MR-2026-000481")
    sender = Line("Who sends it. Left out: the authenticated sender, or the deployment's default.", example="metdetect")
    version = Whole("The version of the report.", example=1)
    status = Choice("The state of the report.", Status, required=True, example="final")
    issued = When(
        "When this version was issued, with its zone.",
        precision=Precision.INSTANT,
        required=True,
        example="2026-03-02T10:41:00+01:00",
    )
    language = Language("The language of the texts; en-US when left out.", example="en-US")
    predecessor = Part(PredecessorSchema, "The SR document that this report replaces.")
    impression = Prose("The conclusion in words.", example="Three new brain metastases.")
    findings = Prose("The findings in words.", example="No haemorrhage. No midline shift.")
    conclusions = TermsMember("Coded conclusions.", data_key="conclusion", example=["brain metastasis"])
    differential = TermsMember("Differential diagnoses, the likeliest first.", example=["glioblastoma", "abscess"])
    negatives = TermsMember("What was looked for and is not there.", example=["haemorrhage"])
    evaluations = Descriptors(
        "Coded answers for the report as a whole: field to term.",
        data_key="descriptors",
        example={"primary tumor": "lung carcinoma"},
    )


class ComparisonSchema(Record):
    """A prior study that the report compares with."""

    made_by = Comparison

    uid = Uid("Study Instance UID.", required=True, example="1.2.840.113619.2.1.0")
    started = When("When it was made.", example="2025-12-01")
    accession = Line("Its accession number.", most=SH, example="A377")
    modality = TermMember("Its modality.", example="MR")
    description = Line("Its description.", example="MR brain")


class StudySchema(Record):
    """The imaging study reported on."""

    made_by = Study

    uid = Uid("Study Instance UID.", required=True, example="1.2.840.113619.2.1.1")
    accession = Line("Accession number.", most=SH, example="A481")
    accession_issuer = Organization(
        "Who issued the accession number: a key of the issuer table, a URI or an OID.",
        data_key="accessionIssuer",
        example="HOSP",
    )
    modality = TermMember("The modality.", required=True, example="MR")
    started = When("When it was made.", example="2026-03-02T09:12:00+01:00")
    procedures = TermsMember(
        "The procedure, or a list of them.",
        least=1,
        data_key="procedure",
        required=True,
        example="MR brain with contrast",
    )
    description = Line("The study's description.", example="MR head w/wo contrast")
    referring_physician = Physician("Who asked for it.", data_key="referringPhysician", example="Gray^Henry")
    technique = TermsMember("Technique and sequences.", example=["T1 post-contrast", "FLAIR"])
    comparisons = Parts(ComparisonSchema, "Prior studies that the report compares with.")
    images = Images("Images used as evidence that show no lesion listed here.")


class TimePointSchema(Record):
    """When in a protocol the lesion was seen."""

    made_by = TimePoint

    label = Line("The name of the time point.", required=True, example="baseline")
    type = TermMember("Its kind.", example="baseline")
    order = Whole("Its place in the row of time points, from 0.", least=0, example=0)
    subject_identifier = Line("The patient's id within the protocol.", data_key="subjectIdentifier", example="S-12")
    protocol_identifier = Line(
        "The id of the time point in the protocol.", data_key="protocolIdentifier", example="TP0"
    )


class TimePointMember(Member):
    """A time point: its label alone, or an object."""

    _LABEL: ClassVar[Line] = Line("The name of the time point.")
    describes: ClassVar[dict[str, object]] = {"anyOf": [dict(_LABEL.metadata), object_schema(TimePointSchema())]}

    def reader(self) -> Reader:
        """A reader of either form."""
        read_object = TimePointSchema().read

        def read(value: Any, where: str, reading: Reading) -> TimePoint[Term] | None:
            if type(value) is dict:
                made: TimePoint[Term] | None = read_object(value, where, reading)
                return made
            label = self._LABEL.read(value, where, reading)
            return None if label is None else TimePoint(label)

        return read


class Count(Member):
    """How many lesions an entry stands for."""

    _KINDS: ClassVar[dict[str, Any]] = {str(kind): kind for kind in CountKind}
    describes: ClassVar[dict[str, object]] = {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": _MOST_COUNT}, {"type": "string", "enum": list(_KINDS)}]
    }

    def read(self, value: Any, where: str, reading: Reading) -> int | CountKind | None:
        """A number, ``multiple`` or ``innumerable``."""
        if type(value) is str:
            kind: Any = choose(value, where, reading, self._KINDS)
            return kind if kind is None else CountKind(kind)
        return whole(value, where, reading, 1, _MOST_COUNT)


class SegmentSchema(Record):
    """A segment of a DICOM SEG."""

    made_by = SegmentReference

    sop_instance = Uid("SOP Instance UID of the SEG.", data_key="sop", required=True, example="1.2.3.8.1")
    series = Uid("Its Series Instance UID.", required=True, example="1.2.3.8")
    number = Whole("Segment Number, from 1.", most=_MOST_SEGMENT, required=True, example=1)
    source_series = Uid(
        "Series Instance UID of the images it was made from.", data_key="sourceSeries", example="1.2.3.4"
    )

    def make(self, values: dict[str, Any], where: str, reading: Reading) -> SegmentReference:  # noqa: ARG002 - see Record
        """The segment, with its place."""
        return SegmentReference(where=where, **values)


class LesionId(Member):
    """The sender's id of a lesion (Tracking Identifier is UT: no backslash rule, no 64 characters)."""

    describes: ClassVar[dict[str, object]] = {"type": "string", "minLength": 1, "maxLength": 256}

    def read(self, value: Any, where: str, reading: Reading) -> str | None:
        """The id, white space around it taken away."""
        return line(value, where, reading)


class LesionSchema(Record):
    """One lesion, or one entry for several that are alike."""

    id = LesionId(
        "The sender's id of the lesion, the same in every report of the patient.", required=True, example="L1"
    )
    tracking_uid = Uid(
        "Tracking Unique Identifier; derived from sender, patient and id when left out.",
        data_key="trackingUid",
        example="1.2.3.7",
    )
    finding = TermMember("What it is.", required=True, example="brain metastasis")
    category = TermMember("The category of the finding.", example="target lesion")
    site = TermMember("Where it is.", example="frontal lobe")
    laterality = TermMember("On which side.", example="left")
    topography = TermMember("Where within the site.", example="grey-white matter junction")
    count = Count("How many lesions the entry stands for.", example=3)
    certainty = TermMember("How certain the finding is.", example="probable")
    change = TermMember("How it changed since the comparison study.", example="new")
    time_point = TimePointMember("When in a protocol it was seen.", data_key="timePoint", example="baseline")
    text = Prose("Whatever else is to be said of it.", example="Abuts the falx.")
    measurements = Measurements("What was measured.", example={"long axis": "14.2 mm"})
    evaluations = Descriptors(
        "Coded answers: field to term.", data_key="descriptors", example={"T1": "hypointense", "edema": "vasogenic"}
    )
    images = LesionImages("The images that show it.")
    regions3d = Regions3D("Shapes in millimetres, patient coordinates.")
    segment = Part(SegmentSchema, "The segment of a SEG that is this lesion.")

    def make(self, values: dict[str, Any], where: str, reading: Reading) -> Lesion[Term]:  # noqa: ARG002 - see Record
        """The lesion, with its place."""
        return lesion(values, where)


class ReportSchema(Record):
    """Findings JSON, version 1: a lesion report of one imaging study."""

    report = Part(HeaderSchema, "The report itself.", required=True)
    patient = Part(PatientSchema, "The patient.", required=True)
    study = Part(StudySchema, "The imaging study reported on.", required=True)
    observer = Part(ObserverSchema, "Who observed, where it was one.")
    observers = Parts(ObserverSchema, "Who observed, where there were several.")
    lesions = Parts(LesionSchema, "The lesions.", most="lesions")

    def make(self, values: dict[str, Any], where: str, reading: Reading) -> LesionReport | None:
        """The report, once what holds between its members is held."""
        before = reading.found
        said = values["report"]
        observers = values.get("observers", ())
        if "observer" in values:
            if "observers" in values:
                reading.refuse(f"{where}/observer", Rule.EITHER_OR, "Give observer or observers, not both.")
            observers = (values["observer"], *observers)
        lesions = values.get("lesions", ())
        check_ids(lesions, reading)
        check_images(values["study"], lesions, reading)
        check_segments(values["study"], lesions, reading)
        if reading.found != before:
            return None
        said.setdefault("sender", reading.default_sender)
        made = LesionReport(
            **said, patient=values["patient"], study=values["study"], observers=observers, lesions=lesions
        )
        _check_state(made, "observer" in values, where, reading)
        return None if reading.found != before else made


def _check_state(report: LesionReport, single: bool, where: str, reading: Reading) -> None:
    """A report says something, and only a complete one is verified (Verification Flag, PS3.3 C.17.2)."""
    if not report.is_complete:
        for index, observer in enumerate(report.observers):
            if observer.person is not None and observer.person.verified_at is not None:
                place = f"{where}/observer" if single else f"{where}/observers/{index}"
                reading.refuse(
                    f"{place}/person/verifiedAt", Rule.VERIFIED, f"A {report.status} report is not verified by anybody."
                )
    says = (
        report.lesions
        or report.evaluations
        or report.conclusions
        or report.differential
        or report.negatives
        or report.impression
        or report.findings
    )
    if not says and report.status not in (Status.CANCELLED, Status.ENTERED_IN_ERROR):
        reading.refuse(
            where,
            Rule.EMPTY_REPORT,
            "Say something: lesions, findings, impression, negatives; or that it is cancelled.",
        )


@cache
def findings() -> ReportSchema:
    """The schema, made once: making it takes longer than reading a report."""
    return ReportSchema()


def json_schema() -> dict[str, object]:
    """The contract as a JSON Schema (draft 2020-12) in one piece, for senders that check before they send."""
    title: dict[str, object] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Findings JSON, version 1",
    }
    return {**title, **object_schema(findings())}
