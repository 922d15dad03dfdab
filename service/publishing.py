"""Keeping a report: what was said, what was emitted and the receipt in one transaction.

A report that is there already is answered with the receipt it got then.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol
from uuid import uuid4

import orjson

from service import drafts
from service.curation import unmapped
from service.domain.errors import Conflict, KeyReused, Problem, Unavailable
from service.domain.processing import hold
from service.domain.received import Received
from service.domain.report import CodedReport, LesionReport
from service.doors import Format, Options
from service.formats.findings import write as findings
from service.pipeline import Amendment, Outcome, Source, code, emit, read, vocabulary_of
from service.stages import Stage
from service.succession import Placed, placed_in_its_report
from service.versions import after, coded_after

if TYPE_CHECKING:
    # The routes and the command line import this to convert, too: the database comes with whoever hands in a store.
    from service.store.reports import Store
    from service.store.versions import Consignment, Key, Stored

ATTEMPTS = 8
"""How often a version is tried again when others keep the same report at the same time."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a publication; ``created`` is False when the report was there already, ``id`` None on a dry run.

    ``fresh``: it was kept just now; a key that is used again has the answer it got then, and is not.
    """

    id: str | None
    content: bytes
    created: bool
    fresh: bool = False


class Planner(Protocol):
    """Says what is delivered of a report, once it is emitted and has an id of ours."""

    def of(self, identity: str, outcome: Outcome, received: Received, options: Options) -> Consignment:
        """The deliveries, with the outputs that are made for them alone."""
        ...


def publish(
    source: Source,
    options: Options,
    store: Store,
    *,
    key: str | None = None,
    dry_run: bool = False,
    planner: Planner | None = None,
) -> Receipt:
    """Keep a report with all that is made of it and its deliveries; the same report again gives the same receipt.

    Raises Conflict for another content under the same sender, id and version, KeyReused for a key with another request,
    Unavailable when the database is, Invalid for an HL7 v2 message that is for something else than the source's
    ``processing``. A dry run raises the same, says what would be kept, and keeps nothing.
    """
    source = replace(source, received=read(source))
    hold(read(source).processing, source.processing)
    for _ in range(ATTEMPTS):
        placed = placed_in_its_report(source, store)
        if placed.source.masks and placed.there is None:
            placed = replace(placed, source=_sized(placed.source, store))
        digest = _digest(read(placed.source).report, options, placed.source.amendment)
        if placed.there is not None:
            again = _once_more(placed.there, digest, store, key, dry_run=dry_run)
            if again is not None:
                return again
            continue
        if dry_run:
            return _foreseen(placed.source, digest, options, store, planner)
        kept = _keep(placed, digest, options, store, key, planner)
        if kept is not None:
            return kept
    raise Unavailable(Problem("", "busy", "too many at once keep versions of this report"))


def _foreseen(source: Source, digest: str, options: Options, store: Store, planner: Planner | None) -> Receipt:
    """What a report would be kept as."""
    received = read(source)
    report = received.report
    around = store.around(report.sender, report.id, report.version)
    previous = around.before
    _already(source, digest, store, None, around.here)
    tables_used, overlays = vocabulary_of(source, report.sender, around.uploads)
    received = after(received, previous, store)
    coded = coded_after(source, received, previous, tables_used)
    _check_patient(coded, store)
    outcome = emit(coded, drafts.kept_of(received), options, received.seen_by())
    there = planner.of("", outcome, received, options) if planner is not None else None
    followed = previous if received.follows else None
    return Receipt(None, drafts.foreseen(outcome, overlays, there, received.sent, followed), created=False)


def _sized(source: Source, store: Store) -> Source:
    """A document with the sizes that its masks tell as a part of its report, which is then no longer what it says.

    Raises Invalid for a report that no findings JSON can say: it is kept and read again as that.
    """
    from service.measuring import measured, sized

    received = read(source)
    tables_used, _ = vocabulary_of(source, received.report.sender, store.overlays)
    coded = code(received.report, tables_used)
    found = measured(coded, source.masks, tables_used, source.limits)
    report, losses = sized(received.report, coded, found)
    if report == received.report:
        return replace(source, received=replace(received, losses=(*received.losses, *losses)))
    said = findings.write(report)
    read(Source(said, default_sender=report.sender, limits=source.limits))
    made = replace(received, report=report, losses=(*received.losses, *losses), sr=None)
    return replace(source, received=made, amendment=Amendment(("measured", said.decode()), drafts.UNMEASURED))


def _keep(
    placed: Placed,
    digest: str,
    options: Options,
    store: Store,
    key: str | None,
    planner: Planner | None,
) -> Receipt | None:
    """One attempt; None when another was first and the look-up must be done again."""
    from service.store.reports import Taken
    from service.store.versions import Consignment, Key

    source = placed.source
    received = read(source)
    report = received.report
    said = Key(key, digest) if key is not None else None
    around = store.around(report.sender, report.id, report.version)
    previous = around.before
    there = _already(source, digest, store, said, around.here)
    if there is not None:
        return there
    received = after(received, previous, store)
    tables_used, overlays = vocabulary_of(source, report.sender, around.uploads)
    coded = coded_after(source, received, previous, tables_used)
    outcome = emit(coded, drafts.kept_of(received), options, received.seen_by())
    identity = str(uuid4())
    consignment = planner.of(identity, outcome, received, options) if planner is not None else Consignment()
    try:
        draft = drafts.draft(
            identity,
            outcome,
            drafts.documents_of(source, received),
            consignment,
            received=store.now(),
            digest=digest,
            key=said,
            previous=previous,
            overlays=overlays,
            sent=received.sent,
            follows=received.follows,
            named=tuple(one.sop_instance for one in received.predecessors),
        )
        counted = unmapped(outcome.report, tables_used, source.limits)
        with Stage("store"):
            store.keep(replace(draft, unmapped=counted, looked=placed.looked))
    except Taken:
        return None
    return Receipt(draft.stored.id, draft.stored.receipt, created=True, fresh=True)


def _check_patient(report: CodedReport, store: Store) -> None:
    """What `Store.keep` holds of patients and accession numbers, for what is not kept."""
    from service.store.keeping import Asked
    from service.store.patients import KeptId

    patient, study = report.patient, report.study
    issuer = study.accession_issuer.key if study.accession_issuer else ""
    named = KeptId(patient.id, patient.issuer.key if patient.issuer else "")
    store.check(Asked(report.sender, report.id, named, (study.accession or "", issuer)))


_NUMBERED: Final = {
    Format.FINDINGS: ("/report/version", "send it with a higher version"),
    Format.CSV: ("/report/version", "send it with a higher version"),
    **dict.fromkeys(
        (Format.FHIR_R4, Format.FHIR_R5),
        (
            "DiagnosticReport.meta.versionId",
            "send it with a higher number in meta.versionId of the DiagnosticReport (one without is version 1)",
        ),
    ),
}
"""Where a document of a format says its version, and how it says another one; the others have no place for it."""


def _once_more(there: Stored, digest: str, store: Store, key: str | None, *, dry_run: bool) -> Receipt | None:
    """The receipt of an SR that was written here and comes back; None when another uses the key now."""
    from service.store.versions import Key

    if dry_run or key is None:
        return Receipt(None if dry_run else there.id, there.receipt, created=False)
    said = Key(key, digest)
    return _keyed(there.sender, said, store) or _remembered(there, said, store)


def _keyed(sender: str, key: Key, store: Store) -> Receipt | None:
    """The receipt of the request that came with this key before; raises KeyReused where that was another one."""
    keyed = store.keyed(sender, key.text)
    if keyed is None:
        return None
    if keyed[0] != key.digest:
        raise KeyReused(Problem("", "idempotency-key", "this Idempotency-Key came with another request before"))
    return Receipt(keyed[1].id, keyed[1].receipt, created=True)


def _remembered(found: Stored, key: Key | None, store: Store) -> Receipt | None:
    """The receipt of a version that is kept, once its key is, too; None when another uses the key now."""
    from service.store.reports import Taken

    if key is not None:
        try:
            store.keep_key(found, key)
        except Taken:
            return None
    return Receipt(found.id, found.receipt, created=False)


def _already(source: Source, digest: str, store: Store, key: Key | None, found: Stored | None) -> Receipt | None:
    """The receipt of the same request, if it was made before; ``found`` is the version that is kept."""
    keyed = _keyed(read(source).report.sender, key, store) if key is not None else None
    if keyed is not None:
        return keyed
    if found is None:
        return None
    if found.digest != digest:
        raise Conflict(_taken(source, found))
    return _remembered(found, key, store)


def _taken(source: Source, found: Stored) -> Problem:
    """That a version is kept with other content, and how a document of this format says another one."""
    number = read(source).report.version
    kept = (
        f"version {number} of the report is stored with other content or other options; what was sent out never changes"
    )
    amend = f"send it as an amendment of {found.id} (POST /v1/reports/{found.id}/amend)"
    place, how = _NUMBERED.get(source.format, ("/report/id", ""))
    return Problem(place, "version", f"{kept}: {f'{how}, or ' if how else ''}{amend}")


def _digest(report: LesionReport, options: Options, amendment: Amendment | None = None) -> str:
    """Of what was said and asked for; how the JSON was laid out does not count, and neither does a check.

    It is kept for as long as the report is. Only options that were said are in it: one that a later version of the
    service brings must not make the replay of an older report a conflict.
    """
    defaults = asdict(Options())
    asked = {name: value for name, value in asdict(replace(options, check=False)).items() if value != defaults[name]}
    said = findings.write(report) if amendment is None else orjson.dumps(amendment.asked)
    return sha256(said + orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
