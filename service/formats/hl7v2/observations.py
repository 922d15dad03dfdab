"""The OBX segments of a report, in order; each says one thing, its name in OBX-3 and its sub-id in OBX-4 (7.4.2)."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.emitted import SrReference
from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport, Device, Evaluation, Lesion, Measurement, TimePoint
from service.formats.hl7v2.fields import Field, Value, coded, limits, named, number, segment, unit
from service.formats.hl7v2.tables import WRITTEN

MEMBERS: Final = ("finding", "category", "site", "laterality", "topography", "certainty", "change")
"""Coded members of a lesion by their rows in ``mappings/report.toml``, in the order in which they are written."""
DEVICE: Final = (
    ("device-observer-uid", "uid"),
    ("device-observer-name", "name"),
    ("device-observer-manufacturer", "manufacturer"),
    ("device-observer-model-name", "model"),
    ("algorithm-version", "version"),
    ("algorithm-name", "algorithm"),
)
"""Members of a device by the concept that names each."""
TIME_POINT: Final = (
    ("time-point", "label"),
    ("subject-time-point-identifier", "subject_identifier"),
    ("protocol-time-point-identifier", "protocol_identifier"),
)
"""Texts of a time point by the concept that names each."""


_PIXELS: Final = "HL7 v2 has no place for it; the SR has it"


@dataclass(slots=True)
class Observations:
    """The segments as they are made, and what none of them can carry."""

    report: CodedReport
    segments: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    def lose(self, where: str, what: str, why: str, rule: str, kind: LossKind = LossKind.LOST) -> None:
        """Name what is not in the message, or not as it was said."""
        self.losses.append(Loss(kind, where, what, why, rule))

    def add(self, kind: str, name: CodedTerm, value: Field, sub: str = "", **more: Field) -> None:
        """One OBX: value type, name and value; ``more`` are ``unit``, ``limits`` and ``method``."""
        self._codes(name)
        device_times = ("", "", "")  # OBX-14 to 16
        self.segments.append(
            segment(
                "OBX",
                str(len(self.segments) + 1),
                kind,
                named(name),
                sub,
                value,
                more.get("unit", ""),
                more.get("limits", ""),
                *("",) * 3,
                WRITTEN[self.report.status][1],
                *("",) * 2,
                *device_times,
                more.get("method", ""),
            )
        )

    def answer(self, name: CodedTerm, term: CodedTerm, sub: str = "") -> None:
        """One coded answer."""
        self._codes(term)
        self.add("CWE", name, coded(term), sub)

    def text(self, name: CodedTerm, words: str, sub: str = "") -> None:
        """Free text, an OBX a line; an empty line stays one."""
        for line in words.replace("\r\n", "\n").split("\n"):
            self.add("TX", name, line, sub)

    def _codes(self, term: CodedTerm) -> None:
        for code in term.codes[2:]:
            why = "a CWE has places for two codes (HL7 v2.5.1, 2A.89)"
            self.lose(term.where, f"{code.system} {code.code}", why, "v2-third-code")


def key(concept: str) -> CodedTerm:
    """A concept of the tables as the name of an OBX."""
    return vocabulary().name(concept)


def observations(report: CodedReport, sr: SrReference | None) -> Observations:
    """All OBX of a report; ``sr`` is named in one where it is given."""
    made = Observations(report)
    for concept, words in (("findings", report.findings), ("impression", report.impression)):
        if words is not None:
            made.text(key(concept), words)
    made.add("ST", key("study-instance-uid"), report.study.uid)
    made.answer(key("modality"), report.study.modality)
    for procedure in report.study.procedures[1:]:
        made.answer(key("procedure-reported"), procedure)
    for member, terms in (
        ("technique", report.study.technique),
        ("conclusion", report.conclusions),
        ("differential", report.differential),
    ):
        for term in terms:
            made.answer(_member(member), term)
    for turn, term in enumerate(report.negatives, 1):
        made.answer(_denied(term), vocabulary().term("absent"), f"N{turn}")
    _evaluations(made, report.evaluations, "")
    devices = [observer.device for observer in report.observers if observer.device is not None]
    for turn, device in enumerate(devices, 1):
        _device(made, device, f"D{turn}")
    for turn, lesion in enumerate(report.lesions, 1):
        _lesion(made, lesion, str(turn))
    if sr is not None:
        made.add("RP", key("source"), _pointer(sr))
    return made


def _member(row: str) -> CodedTerm:
    return key(vocabulary().members[row].concept)


def _denied(term: CodedTerm) -> CodedTerm:
    """The finding without a code that says less than it: the absence of the one is not that of the other."""
    return CodedTerm(term.text, where=term.where) if term.broader else term


def _pointer(sr: SrReference) -> Value:
    """RP (2A.70): the SOP instance, of the application DICOM, type of data Application, subtype DICOM."""
    return (f"{sr.sop_instance}", ("DICOM", sr.sop_class, "ISO"), "AP", "DICOM")


def encapsulated(pdf: bytes) -> Value:
    """ED (2A.24) of the application data (table 0191) that are a PDF, in Base64 (table 0299).

    Table 0291 has no PDF, in no version up to 2.8.2: the subtype is that of its media type (RFC 8118).
    """
    return ("", "AP", "PDF", "Base64", b64encode(pdf).decode())


def _device(made: Observations, device: Device, sub: str) -> None:
    for concept, member in DEVICE:
        said = getattr(device, member)
        if said is not None:
            made.add("ST", key(concept), said, sub)


def _evaluations(made: Observations, evaluations: tuple[Evaluation[CodedTerm], ...], sub: str) -> None:
    for evaluation in evaluations:
        made.answer(evaluation.name, evaluation.value, sub)


def _lesion(made: Observations, lesion: Lesion[CodedTerm], sub: str) -> None:
    made.add("ST", key("tracking-identifier"), lesion.id, sub)
    if lesion.tracking_uid is not None:
        made.add("ST", key("tracking-unique-identifier"), lesion.tracking_uid, sub)
    for member in MEMBERS:
        term: CodedTerm | None = getattr(lesion, member)
        if term is not None:
            made.answer(_member(member), term, sub)
    if isinstance(lesion.count, int) and not isinstance(lesion.count, str):
        made.add("NM", _member("count"), str(lesion.count), sub)
    elif lesion.count is not None:
        made.answer(_member("count"), vocabulary().term(str(lesion.count)), sub)
    if lesion.time_point is not None:
        _time_point(made, lesion.time_point, sub)
    if lesion.text is not None:
        made.text(key("comment"), lesion.text, sub)
    for turn, measurement in enumerate(lesion.measurements, 1):
        _measurement(made, measurement, f"{sub}.{turn}")
    _evaluations(made, lesion.evaluations, sub)
    _left_out(made, lesion)


def _time_point(made: Observations, point: TimePoint[CodedTerm], sub: str) -> None:
    for concept, member in TIME_POINT:
        said = getattr(point, member)
        if said is not None:
            made.add("ST", key(concept), said, sub)
    if point.type is not None:
        made.answer(key("time-point-type"), point.type, sub)
    if point.order is not None:
        made.add("NM", key("time-point-order"), str(point.order), sub)


def _measurement(made: Observations, item: Measurement[CodedTerm], sub: str) -> None:
    normal = item.range
    if normal is not None and normal.text is not None and (normal.low is not None or normal.high is not None):
        made.lose(item.where, "text of the reference range", "OBX-7 has the numbers", "v2-range-text")
    made.add(
        "NM",
        item.concept,
        number(item.value),
        sub,
        unit=unit(item.unit),
        limits=limits(normal),
        method=named(item.method) if item.method is not None else "",
    )
    if item.derivation is not None:
        made.answer(key("derivation"), item.derivation, sub)
    if item.image is not None:
        made.lose(item.where, "image of a measurement", _PIXELS, "v2-images")


def _left_out(made: Observations, lesion: Lesion[CodedTerm]) -> None:
    """What belongs to pixels."""
    for what, there in (
        ("images and shapes on them", lesion.images),
        ("shapes in millimetres", lesion.regions3d),
        ("segment", lesion.segment),
    ):
        if there:
            made.lose(lesion.where, what, _PIXELS, "v2-images")
