"""A report among its versions: read again as it came, coded as the one that follows another, written anew."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import orjson

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.coding.identities import named_issuer
from service.coding.loading import URN_OID
from service.domain.emitted import Emitted
from service.domain.errors import Invalid, NotFound
from service.domain.loss import Loss, LossKind
from service.domain.received import OutlineItem, Received
from service.domain.report import CodedReport, Issuer, LesionReport, Predecessor
from service.doors import MEDIA_TYPES, NAME_THE_SR, RELEASES, WRITERS, Format, Options, encoded
from service.drafts import ROLES, SOURCE, UNMEASURED
from service.formats.html.outline import APPENDIX
from service.pipeline import AMENDMENT, Source, code, read, vocabulary_of
from service.stages import Stage
from service.versions_unlike import unlike

if TYPE_CHECKING:
    # Only who keeps a report needs the database.
    from service.store.reports import Store
    from service.store.versions import Stored


NOT_REPLACED = frozenset({"predecessor-patient", "predecessor-kind", "predecessor-maker", "predecessor-several"})
"""Rules by which an SR goes on from others' content and replaces none of them: its report has no predecessor."""


def as_it_came(source: Source, store: Store, stored: Stored) -> Source:
    """A kept report to be read once more: as the document that it came as, since others' are not refused over one item.

    The findings JSON beside it is ours, and held to the contract with senders. It is read where it came so, and of a
    table, which holds other reports, too.
    """
    role, form = ROLES[Format.FINDINGS], Format.FINDINGS
    if came_as_sr(stored):
        role, form = ROLES[Format.SR], Format.SR
    body = store.output(stored.id, role).content
    if form is Format.FINDINGS:
        with suppress(NotFound):
            came = store.output(stored.id, SOURCE)
            known = MEDIA_TYPES.get(came.media_type, Format.CSV)
            body, form = (came.content, known) if known is not Format.CSV else (body, form)
    again = replace(source, body=body, format=form, default_sender=stored.sender)
    if form in (Format.HL7V2, Format.SR):
        return replace(again, received=as_kept(read(again), stored))
    return replace(again, received=_with_issuer(read(again), store, stored)) if form is Format.FINDINGS else again


def _with_issuer(received: Received, store: Store, stored: Stored) -> Received:
    """The document with the word by which its patient's issuer is kept; findings JSON of ours has its URI or OID."""
    patient, known = received.report.patient, store.patients.said(stored.id)
    written = patient.issuer.key if patient.issuer else ""
    if ":" not in written or known.issuer in ("", written) or known.id != patient.id:
        return received
    oid = written.removeprefix(URN_OID) if written.startswith(URN_OID) else None
    issuer = Issuer(known.issuer, None if oid else written, oid)
    return replace(received, report=replace(received.report, patient=replace(patient, issuer=issuer)))


def came_as_sr(stored: Stored) -> bool:
    """Whether the SR of a version is the document that it came as."""
    if stored.sr.sop_instance == stored.report_id:  # an SR has no other id of the report
        return True
    said = orjson.loads(stored.receipt)
    return "follows" in said and not {SOURCE, UNMEASURED} & {one["role"] for one in said["outputs"]}


def as_kept(received: Received, stored: Stored) -> Received:
    """A document that does not say which version of which report it is, as the one that it was kept as.

    A message of others has no number, and an SR has no id of a report but its own.
    """
    report = replace(received.report, id=stored.report_id, version=stored.version)
    said = orjson.loads(stored.receipt)
    follows = said.get("follows")
    if follows is None:
        if NOT_REPLACED & {one.get("rule") for one in said["losses"]}:
            report = replace(report, predecessor=None)
        return replace(received, report=report)
    named = next((one for one in received.predecessors if one.sop_instance == follows["sr"]), report.predecessor)
    return replace(received, report=replace(report, predecessor=named), follows=True)


def anew(source: Source, store: Store, stored: Stored, target: Format, options: Options) -> Emitted:
    """A report that is kept, in a format that is not kept: coded by the tables of today; it points to the kept SR.

    FHIR withdraws what its delivery would, and HL7 v2 deletes it: what the versions before say in this very form, or
    was emitted of them.
    """
    until = [one for one in store.versions(stored.id) if one.version <= stored.version]
    made: list[Emitted] = []
    for previous, version in zip([None, *until], until, strict=False):
        is_last = version.id == stored.id
        if not is_last and target not in NAME_THE_SR:
            continue
        said = as_it_came(source, store, version)
        received = after(read(said), previous, store).seen_by()
        tables_used, _ = vocabulary_of(said, received.report.sender)
        report = let_in(_following(received.report, previous), tables_used)
        coded = _placed(said, received, code_report(report, tables_used), tables_used)
        earlier = (*reversed(made), *(one.content for one in received.earlier))
        outline = outline_of(source, store, version) if target not in RELEASES else ()
        wish = replace(options, earlier=earlier, outline=outline, pdf=options.pdf and is_last)
        made.append(WRITERS[target](coded, wish, version.sr))
    return encoded(target, made[-1], options)


def outline_of(source: Source, store: Store, stored: Stored) -> tuple[OutlineItem, ...]:
    """What the page of a version shows of a document that holds more than a report can, for another page of it.

    That is the document that it came as, or that it was amended by; what was withdrawn shows what it showed before.
    """
    if APPENDIX.encode() not in store.output(stored.id, ROLES[Format.HTML]).content:
        return ()
    found = read(as_it_came(source, store, stored)).outline
    with suppress(NotFound):
        came = store.output(stored.id, AMENDMENT)
        form = MEDIA_TYPES.get(came.media_type, Format.FINDINGS)
        found = found or read(replace(source, body=came.content, format=form, received=None)).outline
    previous = store.newest_before(stored.sender, stored.report_id, stored.version)
    return found or (outline_of(source, store, previous) if previous is not None else ())


def coded_again(source: Source, received: Received, store: Store) -> CodedReport:
    """A stored report coded by the tables and overlays of now, following the version before it."""
    report = received.report
    tables_used, _ = vocabulary_of(source, report.sender, store.overlays)
    previous = store.newest_before(report.sender, report.id, report.version)
    return coded_after(source, replace(received, report=let_in(report, tables_used)), previous, tables_used)


def let_in(report: LesionReport, tables_used: Vocabulary) -> LesionReport:
    """A report that is kept, so that it is coded: what was taken once is refused no more over what it says.

    It may have come in a format of others, which is not refused over one item, and be kept as findings JSON, which is;
    or the tables were others.
    """
    try:
        code_report(report, tables_used)
    except Invalid:
        return cast(LesionReport, _as_others(report))
    return report


def _as_others(part: Any) -> Any:
    """A part of a report with its places as those of a document of others: no JSON pointers."""
    if isinstance(part, tuple):
        parts = tuple([_as_others(one) for one in part])
        return parts if any(now is not was for now, was in zip(parts, part, strict=True)) else part
    if not is_dataclass(part):
        return part
    changed = {}
    for member in fields(part):
        was = getattr(part, member.name)
        is_place = member.name == "where" and was.startswith("/")
        now = f"kept{was}" if is_place else _as_others(was)
        if now is not was:
            changed[member.name] = now
    return replace(part, **changed) if changed else part  # type: ignore[type-var]  # it is no class


def coded_after(source: Source, received: Received, previous: Stored | None, tables_used: Vocabulary) -> CodedReport:
    """The report coded as the version after ``previous``, with what its site and the archive add."""
    made = _placed(source, received, code(_following(received.report, previous), tables_used), tables_used)
    return made if previous is None else replace(made, losses=(*made.losses, *unlike(made, previous)))


def after(received: Received, previous: Stored | None, store: Store) -> Received:
    """The report with what was emitted of the versions before it, and where they went.

    What only those said, a bundle withdraws; who has one, has to get the next. An SR has a number of its own in no
    archive: the one before it is its predecessor (PS3.3 C.17.2), where that is of the same sender and patient.
    """
    if previous is not None:
        return replace(received, earlier=store.earlier(previous), sent=store.deliveries.sent(previous.id))
    at = received.report.predecessor
    report = received.report
    before = store.deliveries.of_sr(report.sender, at.sop_instance, report.patient.id) if at is not None else None
    return replace(received, sent=store.deliveries.sent(before)) if before is not None else received


def _placed(source: Source, received: Received, report: CodedReport, tables_used: Vocabulary) -> CodedReport:
    """The report with its site's issuers, and what the archive knows of its study unless it came as an SR."""
    report = _issued_by(source, report, tables_used)
    if source.archive is None or received.sr is not None:
        return report
    from service.study_context import with_context

    with Stage("study-context"):
        return with_context(report, source.archive, tables_used, source.intake)


def _issued_by(source: Source, report: CodedReport, tables_used: Vocabulary) -> CodedReport:
    """The report with its site's issuers where it names none; after coding, so that no UID depends on a setting."""
    known = source.habits.get(report.sender)
    if known is None:
        return report
    losses = list(report.losses)
    why = "The sender names none; it is the one that is set for its site."
    patient, study = report.patient, report.study
    if known.patient_issuer and patient.issuer is None:
        patient = replace(patient, issuer=named_issuer(known.patient_issuer, tables_used))
        losses.append(Loss(LossKind.FLAGGED, "/patient/issuer", "issuer", why, "site-issuer"))
    if known.accession_issuer and study.accession and study.accession_issuer is None:
        study = replace(study, accession_issuer=named_issuer(known.accession_issuer, tables_used))
        losses.append(Loss(LossKind.FLAGGED, "/study/accessionIssuer", "issuer", why, "site-issuer"))
    return replace(report, patient=patient, study=study, losses=tuple(losses))


def _following(report: LesionReport, previous: Stored | None) -> LesionReport:
    """The report naming the SR it replaces (PS3.3 C.17.2), unless the sender named one."""
    if previous is None or report.predecessor is not None:
        return report
    at = previous.sr
    return replace(report, predecessor=Predecessor(at.sop_instance, at.series, at.sop_class, at.study))
