"""Which version of which report an SR is that comes in: an SR has no attribute for either, but names those before it.

Predecessor Documents Sequence (PS3.3 C.17.2) names documents "whose content has been wholly or partially included":
older versions, and duplicates of them in other studies (C.17.2.2), but also other documents that one was made from. So
an SR is the next version of a report where it names the SR of its newest version, in the same study, of the same sender
and patient, and is a document of the same kind, by the same maker or of some of the same lesions. Otherwise it is a
report of its own, and its receipt says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from service.coding.identities import code_issuer
from service.coding.notes import Notes
from service.domain.errors import Conflict, LesionBridgeError, Problem
from service.domain.loss import Loss, LossKind
from service.domain.report import LesionReport, Predecessor, Status
from service.doors import Format
from service.pipeline import Source, read, tables
from service.versions import NOT_REPLACED, as_kept, came_as_sr

if TYPE_CHECKING:
    # Only who keeps a report needs the database.
    from collections.abc import Iterable, Iterator, Mapping

    from service.domain.received import Received
    from service.store.documents import Document, Looked
    from service.store.patients import KeptId
    from service.store.reports import Store
    from service.store.versions import Stored

_PLACE: Final = "PredecessorDocumentsSequence"
_WITHDRAWN: Final = (Status.CANCELLED, Status.ENTERED_IN_ERROR)
_UNKNOWN: Final = (
    "no report of this sender is kept in this study that has this SR: a report of its own, withdrawing nothing"
)
_PATIENT: Final = "the SR is of another patient: a report of its own, withdrawing nothing"
_KIND: Final = (
    "the SR is a document of another kind, which this one goes on from: a report of its own, withdrawing nothing"
)
_MAKER: Final = (
    "the SR is of another maker and of none of these lesions (Tracking Unique Identifier): a report of its own, "
    "withdrawing nothing"
)
_SEVERAL: Final = "SRs of several reports are named: a report of its own, withdrawing none of them"
_NAMED: Final = (
    "it is the SR of another report of the sender, which stays as it is: the next version of that has its id"
)


@dataclass(frozen=True, slots=True)
class _Base:
    """A document that an SR may follow, as it names it."""

    named: Predecessor
    document: Document


@dataclass(frozen=True, slots=True)
class Placed:
    """A document as the version that it is; ``there`` is that version where it is kept already.

    ``looked`` is what an SR's place was decided by: whoever keeps it looks once more.
    """

    source: Source
    there: Stored | None = None
    looked: Looked | None = None


def placed_in_its_report(source: Source, store: Store) -> Placed:
    """The SR as the version that it is of the report that it goes on with.

    What is no SR says itself which version it is. Raises Conflict for an SR that follows one which is not the newest,
    or would take back.
    """
    from service.store.documents import Looked

    received = read(source)
    if source.amendment is not None:
        return Placed(source)
    if source.format is not Format.SR:
        return Placed(replace(source, received=_named(received, store)))
    report = received.report
    own = (received.sr.sop_instance,) if received.sr is not None else ()
    known = store.documents.named(report.study.uid, (*own, *(one.sop_instance for one in received.predecessors)))
    for document in (known[uid] for uid in own if uid in known):
        return _again(source, received, document, store)
    after = [one for uid in own for one in store.documents.after(report.study.uid, uid)]
    _not_passed(source, report, after, store)
    unknown = tuple(one.sop_instance for one in received.predecessors if one.sop_instance not in known)
    looked = Looked(report.sender, report.study.uid, "".join(own), unknown, tuple(one.id for one in after))
    bases, losses = _bases(source, received, known, store)
    base = max(bases, key=lambda one: one.document.version, default=None)
    kept = [one for one in received.losses if base is None or not _left_out(one, base.named)]
    received = replace(received, losses=(*kept, *losses))
    if base is None:
        if NOT_REPLACED & {one.rule for one in losses}:
            # Nowhere may it be said to replace what it only goes on from.
            received = replace(received, report=replace(report, predecessor=None))
        return Placed(replace(source, received=received), looked=looked)
    number = _number(source, report, base.document, store)
    next_one = replace(report, id=base.document.report_id, version=number, predecessor=base.named)
    next_source = replace(source, received=replace(received, report=next_one, follows=True))
    return Placed(next_source, looked=replace(looked, follows=True))


def _named(received: Received, store: Store) -> Received:
    """A report that says which it is, flagged where it names the SR of another one of its sender as predecessor."""
    report = received.report
    at = report.predecessor
    if at is None:
        return received
    found = store.documents.named(report.study.uid, (at.sop_instance,)).get(at.sop_instance)
    if found is None or found.sender != report.sender or found.report_id == report.id:
        return received
    loss = Loss(LossKind.FLAGGED, "/report/predecessor", at.sop_instance, _NAMED, "predecessor-report")
    return replace(received, losses=(*received.losses, loss))


def _again(source: Source, received: Received, document: Document, store: Store) -> Placed:
    """An SR that is known: as it came before, or one that was emitted here and comes back from where it went."""
    if document.sender != received.report.sender:
        raise Conflict(Problem("SOPInstanceUID", "sr-instance", "this SR is kept as that of another sender"))
    stored = store.get(document.id)
    if document.role == "sr" and came_as_sr(stored):
        return Placed(replace(source, received=as_kept(received, stored)))
    emitted = store.output(stored.id, document.role).content
    if read(replace(source, body=emitted, received=None)).report != received.report:
        why = "this SR was written here with other content; what was sent out never changes"
        raise Conflict(Problem("SOPInstanceUID", "version", why))
    return Placed(source, stored)


def _not_passed(source: Source, report: LesionReport, after: Iterable[Document], store: Store) -> None:
    """Refuse an SR that comes after the one which replaces it: both would be final at the EHR. ``after`` name it."""
    later = [one for one in after if one.sender == report.sender]
    later = [one for one in later if Status(store.versions(one.id)[-1].status) not in _WITHDRAWN]
    if not later:
        return
    patient = _patient(source, report)
    for one in later:
        if not store.documents.is_of(one, patient):
            continue
        covers = _Covers.of(source, one, store)
        if not covers.are_of_one_kind:
            continue
        if covers.are_of_one_maker or not _is_anothers_account(_report(source, one, store), report):
            why = "an SR that names it as its predecessor came before it"
            raise Conflict(Problem("SOPInstanceUID", "superseded", why))


def _bases(
    source: Source, received: Received, known: Mapping[str, Document], store: Store
) -> tuple[list[_Base], list[Loss]]:
    """The documents of one report that the SR may be the next version of; why others are none."""
    found: list[_Base] = []
    losses: list[Loss] = []
    patient = _patient(source, received.report)
    for named in received.predecessors:
        document = known.get(named.sop_instance)
        why, rule = "", ""
        if document is None or (document.sender, document.study) != (received.report.sender, received.report.study.uid):
            why, rule = _UNKNOWN, "predecessor-unknown"
        elif not store.documents.is_of(document, patient):
            why, rule = _PATIENT, "predecessor-patient"
        elif not (covers := _Covers.of(source, document, store)).are_of_one_kind:
            why, rule = _KIND, "predecessor-kind"
        elif not covers.are_of_one_maker and _is_anothers_account(received.report, _report(source, document, store)):
            why, rule = _MAKER, "predecessor-maker"
        else:
            found.append(_Base(named, document))
        if rule:
            losses.append(_flagged(named, why, rule))
    if len({one.document.report_id for one in found}) > 1:
        losses += [_flagged(one.named, _SEVERAL, "predecessor-several") for one in found]
        found = []
    return found, losses


def _left_out(loss: Loss, named: Predecessor) -> bool:
    """Whether it says that this predecessor, of several, was left out."""
    return loss.rule == "sr-predecessor" and loss.what == named.sop_instance


def _flagged(named: Predecessor, why: str, rule: str) -> Loss:
    return Loss(LossKind.FLAGGED, _PLACE, named.sop_instance, why, rule)


def _patient(source: Source, report: LesionReport) -> KeptId:
    """The patient as it is kept."""
    from service.store.patients import KeptId

    known = tables(source.issuers_file)
    issuer = code_issuer(report.patient.issuer, "", known, Notes(known))
    return KeptId(report.patient.id, issuer.key if issuer is not None else "")


@dataclass(frozen=True, slots=True)
class _Covers:
    """What two documents say of themselves."""

    are_of_one_kind: bool
    are_of_one_maker: bool

    @classmethod
    def of(cls, source: Source, document: Document, store: Store) -> _Covers:
        """One title, or two of measurement reports (TID 1500, CID 7021), are one kind; of none nothing is known."""
        from service.formats.sr.read import ROOTS, titled

        try:
            (one, maker), (other, others) = (
                titled(content, source.limits)
                for content in (source.body, store.output(document.id, document.role).content)
            )
        except LesionBridgeError:
            return cls(are_of_one_kind=False, are_of_one_maker=False)
        measured = all(title is not None and title.system == "DCM" and title.code in ROOTS for title in (one, other))
        return cls(
            are_of_one_kind=measured or (one is not None and one == other),
            are_of_one_maker=maker == others,
        )


def _report(source: Source, document: Document, store: Store) -> LesionReport:
    """The report of a document, read again."""
    content = store.output(document.id, document.role).content
    return read(replace(source, body=content, received=None)).report


def _is_anothers_account(report: LesionReport, before: LesionReport) -> bool:
    """Whether the one before has lesions, and none under a Tracking Unique Identifier (112040) of this one.

    Who writes a report of their own beside another maker's does not correct it: what they do not repeat is not wrong.
    """
    mine, others = ({one.tracking_uid for one in each.lesions if one.tracking_uid} for each in (report, before))
    return bool(before.lesions) and not mine & others


def _number(source: Source, report: LesionReport, base: Document, store: Store) -> int:
    """The number of the version after ``base``; of one that came before without a UID that is known, the one it got."""
    made = store.documents.made_of(base, sha256(source.body).hexdigest())
    if made is not None:
        return made
    newest = store.versions(base.id)[-1]
    if newest.version > base.version:
        why = f"version {base.version} of the report is followed by {newest.version}, which this one does not name"
        raise Conflict(Problem(_PLACE, "newest-version", why))
    for why, rule in _takes_back(report.status, Status(newest.status)):
        raise Conflict(Problem("CompletionFlag", rule, why))
    from service.store.versions import HIGHEST

    # Ours have the version as Instance Number, of which some may never have come.
    number = max(newest.version + 1, report.version)
    if number > HIGHEST:
        raise Conflict(Problem("InstanceNumber", "version", f"no version follows {newest.version}"))
    return number


def _takes_back(status: Status, newest: Status) -> Iterator[tuple[str, str]]:
    """What keeps a status from following another one: all but preliminary and withdrawn are of one rank in an SR."""
    if newest in _WITHDRAWN and status not in _WITHDRAWN:
        yield f"the report is {newest}: what is withdrawn is not gone on with", "withdrawn"
    if status is Status.PRELIMINARY and newest is not Status.PRELIMINARY:
        yield f"the report is {newest}: what is {status} does not follow", "status-order"
