"""Whose report this is, of what, and how far it can be trusted: what stands above everything else."""

from collections.abc import Iterator

from service.domain.report import CodedReport, Issuer, Sex, Status
from service.formats.html.sections import person
from service.formats.html.terms import term, terms
from service.formats.html.text import filed_name, inline, spoken_name, when

_SEXES = {Sex.MALE: "male", Sex.FEMALE: "female", Sex.OTHER: "other"}
STATUS_WORDS = {
    Status.PRELIMINARY: ("PRELIMINARY", "Not final: it may still change."),
    Status.FINAL: ("Final", ""),
    Status.AMENDED: ("AMENDED", "Changed after it was final."),
    Status.CORRECTED: ("CORRECTED", "Replaces an earlier version that was in error."),
    Status.APPENDED: ("APPENDED", "Added to after it was final."),
    Status.CANCELLED: ("CANCELLED", "Never completed: do not act on it."),
    Status.ENTERED_IN_ERROR: ("ENTERED IN ERROR", "Withdrawn: do not use it."),
}
"""Each status as it is shown, and what it means for the reader."""


def notice(report: CodedReport) -> str:
    """What the status means for the reader, nothing for a plain final report."""
    name, meaning = STATUS_WORDS[report.status]
    if not meaning:
        return ""
    return f"<strong>{name}</strong> {meaning}"


def patient_rows(report: CodedReport) -> Iterator[tuple[str, str]]:
    """Label and markup of what is known of the patient, the name left to the heading."""
    patient = report.patient
    yield "Patient ID", _identifier(patient.id, patient.issuer)
    for other in patient.other_ids:
        yield "Also", _identifier(other.id, other.issuer)
    if patient.birth_date is not None:
        yield "Born", when(patient.birth_date)
    if patient.sex is not None:
        yield "Sex", _SEXES[patient.sex]


def patient_name(report: CodedReport) -> str:
    """The name of the patient, or that there is none."""
    name = report.patient.name
    return filed_name(name) if name is not None else "Name not given"


def study_rows(report: CodedReport) -> Iterator[tuple[str, str]]:
    """Label and markup of the study and of the report as a document, the procedure left to the heading."""
    study = report.study
    yield "Modality", term(study.modality)
    if study.started is not None:
        yield "Study", when(study.started)
    if study.accession:
        yield "Accession", _identifier(study.accession, study.accession_issuer)
    if study.description:
        yield "Description", inline(study.description)
    referring = study.referring_physician
    if referring is not None:
        yield "Referred by", person(referring)


def report_rows(report: CodedReport) -> Iterator[tuple[str, str]]:
    """Label and markup of the report: its id, status, time and who verified it."""
    version = f", version {report.version}" if report.version > 1 else ""
    yield "Report", f"{inline(report.id)}{version}"
    yield "Status", STATUS_WORDS[report.status][0]
    yield "Issued", when(report.issued)
    verifier = report.verifier
    if verifier is not None and verifier.verified_at is not None:
        yield "Verified by", f"<b>{spoken_name(verifier.name)}</b>, {when(verifier.verified_at)}"
    else:
        yield "Verified by", "nobody: not verified by a person"
    if report.predecessor is not None:
        yield "Replaces", f"<small>{report.predecessor.sop_instance}</small>"


def procedures(report: CodedReport) -> str:
    """What was done."""
    return terms(report.study.procedures, " · ")


def origin(report: CodedReport) -> str:
    """Who made this, and whether something is missing from it."""
    missing = len(report.losses)
    if missing == 0:
        whole = "No loss is recorded."
    else:
        whole = f"{missing} item{'s' if missing > 1 else ''} of the sender not carried over whole: listed above."
    return f"Made by LesionBridge from report {inline(report.id)} of {inline(report.sender)}. {whole}"


def _identifier(value: str, issuer: Issuer | None) -> str:
    return inline(value) + (f" <small>({inline(issuer.key)})</small>" if issuer is not None else "")
