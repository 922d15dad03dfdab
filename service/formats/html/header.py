"""Whose report this is, of what, and how far it can be trusted: what stands above everything else."""

from collections.abc import Iterator

from service.domain.report import CodedReport, Issuer, Sex, Status
from service.formats.html.phrases import Say, english
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


def notice(report: CodedReport, say: Say = english) -> str:
    """What the status means for the reader, nothing for a plain final report."""
    name, meaning = STATUS_WORDS[report.status]
    if not meaning:
        return ""
    said = f"<strong>{say(name)}</strong> {say(meaning)}"
    # Whether a report may be acted on is never left to a translation alone.
    return said if say(name) == name else f"{said} ({name}: {meaning})"


def patient_rows(report: CodedReport, say: Say = english) -> Iterator[tuple[str, str]]:
    """Label and markup of what is known of the patient, the name left to the heading."""
    patient = report.patient
    yield say("Patient ID"), _identifier(patient.id, patient.issuer)
    for other in patient.other_ids:
        yield say("Also"), _identifier(other.id, other.issuer)
    if patient.birth_date is not None:
        yield say("Born"), when(patient.birth_date)
    if patient.sex is not None:
        yield say("Sex"), say(_SEXES[patient.sex])


def patient_name(report: CodedReport, say: Say = english) -> str:
    """The name of the patient, or that there is none."""
    name = report.patient.name
    return filed_name(name) if name is not None else say("Name not given")


def study_rows(report: CodedReport, say: Say = english) -> Iterator[tuple[str, str]]:
    """Label and markup of the study and of the report as a document, the procedure left to the heading."""
    study = report.study
    yield say("Modality"), term(study.modality, say)
    if study.started is not None:
        yield say("Study"), when(study.started)
    if study.accession:
        yield say("Accession"), _identifier(study.accession, study.accession_issuer)
    if study.description:
        yield say("Description"), inline(study.description)
    referring = study.referring_physician
    if referring is not None:
        yield say("Referred by"), person(referring, say)


def report_rows(report: CodedReport, say: Say = english) -> Iterator[tuple[str, str]]:
    """Label and markup of the report: its id, status, time and who verified it."""
    version = f", {say('version')} {report.version}" if report.version > 1 else ""
    yield say("Report"), f"{inline(report.id)}{version}"
    yield say("Status"), say(STATUS_WORDS[report.status][0])
    yield say("Issued"), when(report.issued)
    verifier = report.verifier
    if verifier is not None and verifier.verified_at is not None:
        yield say("Verified by"), f"<b>{spoken_name(verifier.name)}</b>, {when(verifier.verified_at)}"
    else:
        yield say("Verified by"), say("nobody: not verified by a person")
    if report.predecessor is not None:
        yield say("Replaces"), f"<small>{report.predecessor.sop_instance}</small>"


def procedures(report: CodedReport, say: Say = english) -> str:
    """What was done."""
    return terms(report.study.procedures, " · ", say)


def origin(report: CodedReport, say: Say = english) -> str:
    """Who made this, and whether something is missing from it."""
    missing = len(report.losses)
    if missing == 0:
        whole = say("No loss is recorded.")
    elif missing == 1:
        whole = say("1 item of the sender not carried over whole: listed above.")
    else:
        whole = say("{} items of the sender not carried over whole: listed above.").format(missing)
    made = say("Made by LesionBridge from report {} of {}.").format(inline(report.id), inline(report.sender))
    return f"{made} {whole}"


def _identifier(value: str, issuer: Issuer | None) -> str:
    return inline(value) + (f" <small>({inline(issuer.key)})</small>" if issuer is not None else "")
