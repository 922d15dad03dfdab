"""The facts of a coded report: the yardstick that SR and FHIR are held to.

A fact is a place and a value, both plain text, such as ``lesion/<tracking UID>/laterality`` and ``SCT 7771000``. What a
list holds in order has its position in the place; the rest is compared as a multiset.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from service.domain.codes import Code, CodedTerm
from service.domain.report import CodedReport, CountKind, Evaluation, Lesion, Measurement, Observer, ReferenceRange

DS_CHARACTERS = 16  # of a decimal string (PS3.5 6.2)


class Fact(NamedTuple):
    """One statement: what is said, and where in the report."""

    place: str
    value: str


def codes_value(codes: Iterable[Code], text: str | None = None) -> str:
    """Codes as one value: schemes and values in order, and the text where it says more than they do."""
    said = [f"{code.system} {code.code}" for code in codes]
    return " + ".join(said + ([f"'{text}'"] if text is not None else []))


def term_value(term: CodedTerm) -> str:
    """A coded term as one value: its codes, and its text where there is no code or only a broader one."""
    return codes_value(term.codes, term.text if term.broader or not term.codes else None)


def number_value(value: Decimal) -> str:
    """A number with its digits as written; past what a DS holds, as the binary64 that stands beside it (0040,A161)."""
    text = str(value)
    return text if len(text) <= DS_CHARACTERS else repr(float(value))


def range_value(limits: ReferenceRange) -> str:
    """A reference range as one value."""
    low, high = (number_value(bound) if bound is not None else "" for bound in (limits.low, limits.high))
    return f"{low}..{high} {limits.text or ''}".strip()


def measurement_value(item: Measurement[CodedTerm]) -> str:
    """A measurement as one value: concept, number, unit and what qualifies them."""
    parts = [term_value(item.concept), number_value(item.value), term_value(item.unit)]
    for name, term in (("method", item.method), ("derivation", item.derivation)):
        if term is not None:
            parts.append(f"{name} {term_value(term)}")
    if item.range is not None:
        parts.append(f"range {range_value(item.range)}")
    return " | ".join(parts)


def evaluation_value(item: Evaluation[CodedTerm]) -> str:
    """An evaluation as one value: field and answer."""
    return f"{term_value(item.name)} = {term_value(item.value)}"


def facts_of_report(report: CodedReport) -> Iterator[Fact]:
    """Every fact that both outputs must state."""
    yield from _header(report)
    for observer in report.observers:
        yield from _observer(observer)
    for place, text in (("impression", report.impression), ("findings", report.findings)):
        if text is not None:
            yield Fact(place, text)
    for term in report.conclusions:
        yield Fact("conclusion", term_value(term))
    for number, term in enumerate(report.differential, 1):
        yield Fact(f"differential/{number}", term_value(term))
    for term in report.negatives:
        yield Fact("negative", term_value(term))
    for item in report.evaluations:
        yield Fact("evaluation", evaluation_value(item))
    for lesion in report.lesions:
        yield from _lesion(lesion)


def _header(report: CodedReport) -> Iterator[Fact]:
    patient, study = report.patient, report.study
    yield Fact("patient/id", patient.id)
    if patient.name is not None:
        yield Fact("patient/name", str(patient.name))
    if patient.birth_date is not None and patient.birth_date.da:
        yield Fact("patient/birthDate", patient.birth_date.date)
    if patient.sex is not None:
        yield Fact("patient/sex", patient.sex)
    yield Fact("study/uid", study.uid)
    if study.accession is not None:
        yield Fact("study/accession", study.accession)
    for procedure in study.procedures:
        yield Fact("study/procedure", term_value(procedure))


def _observer(observer: Observer[CodedTerm]) -> Iterator[Fact]:
    if observer.device is not None:
        yield Fact("observer/device", f"{observer.device.uid or ''} {observer.device.name}".strip())
    if observer.person is not None:
        yield Fact("observer/person", str(observer.person.name))


def _lesion(lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
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
            yield Fact(f"{here}/{name}", term_value(term))
    if lesion.count is not None:
        yield Fact(f"{here}/count", lesion.count.value if isinstance(lesion.count, CountKind) else str(lesion.count))
    if lesion.time_point is not None:
        yield Fact(f"{here}/timePoint", lesion.time_point.label)
    if lesion.text is not None:
        yield Fact(f"{here}/text", lesion.text)
    for measurement in lesion.measurements:
        yield Fact(f"{here}/measurement", measurement_value(measurement))
    for evaluation in lesion.evaluations:
        yield Fact(f"{here}/evaluation", evaluation_value(evaluation))
