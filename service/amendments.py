"""The next version of a report that is kept: corrected, added to, changed or withdrawn, in every format at once.

The version gets the next number, a status that says what was done, and the SR of the version before as predecessor.
What becomes of that in each format, its writer decides by the status: PS3.3 C.17.2, FHIR diagnostic-report-status and
observation-status, HL7 v2 tables 0085 and 0123.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from service.coding.notes import Notes, is_others
from service.coding.resolve import UNKNOWN_MODALITY, is_uncoded_modality
from service.coding.terms import Terms
from service.domain.codes import Term
from service.domain.errors import Conflict, Invalid, Problem
from service.domain.loss import Loss, LossKind
from service.domain.received import Received
from service.domain.report import Issuer, LesionReport, Status
from service.domain.times import DateTime
from service.formats.findings import write as findings
from service.pipeline import Amendment, Format, Source, read, tables, vocabulary_of
from service.store.times import instant
from service.versions import as_it_came, let_in

if TYPE_CHECKING:
    from service.store.reports import Store
    from service.store.versions import Stored


class Kind(StrEnum):
    """What an amendment does."""

    CORRECT = "correct"
    ADDEND = "addend"
    AMEND = "amend"


STATUS: Final[Mapping[Kind, Status]] = {
    Kind.CORRECT: Status.CORRECTED,
    Kind.ADDEND: Status.APPENDED,
    Kind.AMEND: Status.AMENDED,
}
"""The status of a report after it."""
REASONS: Final[Mapping[str, str]] = {
    "patient-safety": "rejected-for-patient-safety-reasons",
    "quality": "rejected-for-quality-reasons",
    "worklist": "incorrect-modality-worklist-entry",
    "retention": "data-retention-policy-expired",
}
"""Why the SRs before are rejected: the title of the note (CID 7010). The first is meant where no reason is said."""
_WITHDRAWN: Final = (Status.CANCELLED, Status.ENTERED_IN_ERROR)
_OWN_NAMES: Final = frozenset({Format.SR, Format.DCMQI, Format.AIM})
"""Formats that have no place for the sender's id of a report: the call says which report it is."""


def amended(source: Source, base: "Stored", kind: Kind, store: "Store", *, reject: str | None = None) -> Source:
    """The document that amends ``base`` as the next version of it, to be published.

    Raises Conflict for a version that is not the newest, or in no state to be amended; Invalid for a document of
    another report, patient or study, and for what no findings JSON can say.
    """
    _newest(base, store)
    if base.status in _WITHDRAWN:
        raise Conflict(Problem("", "withdrawn", f"it is {base.status}: what is withdrawn is not amended"))
    if base.status == Status.PRELIMINARY:
        why = "it is preliminary: its next version is sent to /v1/reports, only what was final is amended"
        raise Conflict(Problem("", "amend-preliminary", why))
    received = read(replace(source, default_sender=base.sender))
    said, was = received.report, _kept(source, base, store).report
    problems = tuple(_others(said, was, source))
    if problems:
        raise Invalid(*problems)
    # Another way to write the issuer would give the lesions other tracking UIDs.
    patient = replace(said.patient, issuer=was.patient.issuer)
    report = _with_modality(replace(_next(said, base, STATUS[kind]), patient=patient), was, source, store)
    # It is read again from this: what is not let in again may not be kept.
    read(Source(findings.write(report), default_sender=base.sender, limits=source.limits))
    asked = (kind.value, reject or "", findings.write(report).decode())
    made = replace(received, report=report, sr=None)
    return replace(source, received=made, amendment=Amendment(asked))


def cancelled(
    source: Source, base: "Stored", store: "Store", *, issued: DateTime | None = None, reject: str | None = None
) -> Source:
    """``base`` withdrawn, as the next version of it, to be published: what it said, said to be wrong.

    What never was final is cancelled, all else was entered in error. Without ``issued`` it is withdrawn now. Raises
    Conflict for a version that is not the newest, or withdrawn already.
    """
    _newest(base, store)
    if base.status in _WITHDRAWN:
        raise Conflict(Problem("", "withdrawn", f"it is {base.status} already"))
    received = _kept(source, base, store)
    status = Status.CANCELLED if base.status == Status.PRELIMINARY else Status.ENTERED_IN_ERROR
    report, losses = _unverified(_next(received.report, base, status))
    if issued is not None and _utc(issued) < base.issued:
        raise Invalid(_too_early("?issued"))
    at = issued if issued is not None else DateTime(f"{max(store.now(), base.issued)[:19]}Z")
    tables_used, _ = vocabulary_of(source, report.sender, store.overlays)
    report = let_in(replace(report, issued=at), tables_used)
    asked = ("cancel", reject or "", base.digest, issued.text if issued is not None else "")
    made = replace(received, report=report, losses=(*received.losses, *losses), sr=None)
    return replace(source, body=b"", format=Format.FINDINGS, received=made, amendment=Amendment(asked))


def default_reason(said: str | None) -> str | None:
    """A reason as it was asked for; the first of `REASONS` for ``true``."""
    return next(iter(REASONS)) if said == "true" else said


def destinations(base: "Stored", store: "Store") -> tuple[str, ...]:
    """The destinations that any version of a report up to this one went to: whoever has it has to hear of the next."""
    until = [one for one in store.versions(base.id) if one.version <= base.version]
    return tuple(dict.fromkeys(to.destination for one in until for to in store.deliveries.of(one.id)))


def _newest(base: "Stored", store: "Store") -> None:
    """Hold that no version follows it but the one that this call made before."""
    later = [one.version for one in store.versions(base.id) if one.version > base.version]
    if later not in ([], [base.version + 1]):
        why = f"version {base.version} is not the newest of the report: amend version {max(later)}"
        raise Conflict(Problem("", "newest-version", why))


def _kept(source: Source, base: "Stored", store: "Store") -> Received:
    """The version as it is kept. What is made of it is no document that came, and so follows none by what it names."""
    kept = as_it_came(replace(source, received=None, mapping="", validate=False), store, base)
    return replace(read(kept), follows=False)


def _next(report: LesionReport, base: "Stored", status: Status) -> LesionReport:
    """The report as the version after ``base``; its predecessor is the SR of that, whatever was said."""
    return replace(
        report, id=base.report_id, sender=base.sender, version=base.version + 1, status=status, predecessor=None
    )


def _unverified(report: LesionReport) -> tuple[LesionReport, tuple[Loss, ...]]:
    """The report verified by nobody: who attested to what it said (PS3.3 C.17.2) did not attest that it is wrong."""
    why = "what was verified is the version before; nobody has verified that it is withdrawn"
    observers, losses = [], []
    for number, observer in enumerate(report.observers):
        if observer.person is not None and observer.person.verified_at is not None:
            where = f"/observers/{number}/person/verifiedAt"
            losses.append(Loss(LossKind.FLAGGED, where, "verification", why, "withdrawn-verified"))
            observer = replace(observer, person=replace(observer.person, verified_at=None))  # noqa: PLW2901 - as the list
        observers.append(observer)
    # mypy does not bind T of a subclass that adds no field.
    return replace(report, observers=tuple(observers)), tuple(losses)  # type: ignore[arg-type]


def _with_modality(report: LesionReport, was: LesionReport, source: Source, store: "Store") -> LesionReport:
    """The report with its modality in words, where it is not known: that of the version before, or of others' format.

    Nobody can mend it in a document of others, which is not refused over it; the next version is findings JSON of ours,
    that has to be let in again, and a code that is not known is not passed on as one.
    """
    said, before = report.study.modality, was.study.modality
    if not (is_others(said.where) or _meaning(said) == _meaning(before)) or is_uncoded_modality(said.text):
        return report
    vocabulary, _ = vocabulary_of(source, report.sender, store.overlays)
    asking = vocabulary.remote.session(vocabulary, report) if vocabulary.remote is not None else None
    made = Terms(vocabulary, Notes(vocabulary), asking).term(
        replace(said, where="modality"), vocabulary.members["modality"]
    )
    if made.codes or made.concept is not None:
        return report
    words = Term(f"{UNKNOWN_MODALITY}{made.text}", None, "/study/modality")
    # mypy does not bind T of a subclass that adds no field.
    return replace(report, study=replace(report.study, modality=words))  # type: ignore[arg-type]


def _meaning(term: Term) -> tuple[str, str]:
    """What a term is told by: its code, else its words."""
    return (term.code.system, term.code.code) if term.code is not None else ("", term.text)


def _others(said: LesionReport, was: LesionReport, source: Source) -> Iterator[Problem]:
    """Where a document is of something else than what it is to amend. Nothing of the patient is in the reasons."""
    why = "is not that of the report: withdraw the report and send this one as a new one"
    if said.sender != was.sender:
        yield Problem("/report/sender", "amend-report", f"the sender {why}")
    if source.format not in _OWN_NAMES and said.id != was.id:
        yield Problem("/report/id", "amend-report", f"the id {why}")
    issuer = _names(said.patient.issuer, source)
    if said.patient.id != was.patient.id or (issuer and not issuer & _names(was.patient.issuer, source)):
        yield Problem("/patient/id", "amend-patient", f"the patient {why}")
    if said.study.uid != was.study.uid:
        yield Problem("/study/uid", "amend-study", f"the study {why}")
    if said.status in (*_WITHDRAWN, Status.PRELIMINARY):
        yield Problem("/report/status", "amend-status", f"what amends a report is not {said.status}")
    if _utc(said.issued) < _utc(was.issued):
        yield _too_early("/report/issued")


def _names(issuer: Issuer | None, source: Source) -> frozenset[str]:
    """Everything that an issuer is known by: its key, URI and OID, as said and as the issuer table has them."""
    if issuer is None:
        return frozenset()
    known = tables(source.issuers_file)
    found = known.issuers.get(issuer.key) or known.issuer_by_id(issuer.uri or issuer.oid or issuer.key)
    said = [name for one in (issuer, found) if one is not None for name in (one.key, one.uri, one.oid)]
    return frozenset(name.removeprefix("urn:oid:") for name in said if name)


def _too_early(pointer: str) -> Problem:
    return Problem(pointer, "amend-issued", "it is before the issue of the version that it follows")


def _utc(at: DateTime) -> str:
    return instant(at.text)
