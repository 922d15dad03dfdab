"""Patients whose ids were merged: what is kept under one id is found under the other. Bytes never change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, exists, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from service.domain.errors import Conflict, Invalid, Problem, Unavailable
from service.store.database import reading, transaction
from service.store.failures import LOCKED, state_of
from service.store.tables import DELIVERIES, MERGES, REPORTS, VERSIONS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

UNKNOWN: Final = "merge-unknown"
"""The rule of a merge of an id that no report has, whoever issued it."""
OTHER_ISSUER: Final = "merge-issuer"
"""The rule of a merge of an id that reports have, but with another issuer."""
MERGE_LOCK: Final = "3, 0"
"""The two numbers of the lock that all who keep a version or remove one share, and that who merges has alone.

The first is 1 in `service.store.documents` and 2 in `service.store.holds`.
"""
_PATIENCE_MS: Final = 5_000
"""So long a merge waits for another's lock: who comes to keep a version meanwhile waits behind it."""


@dataclass(frozen=True, slots=True)
class KeptId:
    """A patient's id as it is kept; ``issuer`` is empty where none is known."""

    id: str
    issuer: str = ""


Said = tuple[KeptId, KeptId]
"""The id of a version that counts now, and the one that the version says."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A version that is found under the surviving id now: what it says has the other one still."""

    id: str
    sender: str
    report_id: str
    version: int
    status: str


@dataclass(frozen=True, slots=True)
class Resend:
    """A delivery by which a peer got the other id."""

    id: str
    report: str
    destination: str
    state: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge touched: ``reports`` is the newest version of each, ``deliveries`` are of all their versions.

    ``notices`` say where no report had the prior id; their candidates are the issuers with which one has it.
    """

    reports: tuple[Moved, ...]
    deliveries: tuple[Resend, ...]
    notices: tuple[Problem, ...] = ()


class PatientStore:
    """The merges of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self._engine, self._now = engine, now

    def merge(self, survivor: KeptId, prior: KeptId, *, dry_run: bool = False) -> Merged:
        """Let all that is kept under ``prior`` be found under ``survivor``; the same merge again moves what was left.

        ``dry_run``: only say what is touched. Raises Invalid for one id twice, Conflict where ``prior`` was merged into
        another one, or ``survivor`` into it, Unavailable where versions are being kept for too long.
        """
        with self.merging(dry_run=dry_run) as one:
            return one(survivor, prior)

    @contextmanager
    def merging(self, *, dry_run: bool = False) -> Iterator[Callable[[KeptId, KeptId], Merged]]:
        """Several merges, as `merge` does each, of which all are kept or none."""
        with transaction(self._engine, writes=True) as connection:
            # Who only asks holds up nobody. SQLite has one writer.
            if connection.dialect.name == "postgresql" and not dry_run:
                _alone(connection)
            yield lambda survivor, prior: _merge(connection, survivor, prior, None if dry_run else self._now())

    def said(self, version: str) -> KeptId:
        """The patient's id that a version itself says, whatever it was merged into since; empty for no such version."""
        at = VERSIONS.c
        columns = (at.patient_id, at.patient_issuer, at.said_id, at.said_issuer)
        with reading(self._engine) as connection:
            row = connection.execute(select(*columns).where(at.id == version)).first()
        if row is None:
            return KeptId("")
        now, issuer, said, said_issuer = row
        return KeptId(now, issuer or "") if said is None else KeptId(said, said_issuer or "")

    def names(self, patient: str, issuer: str | None) -> Sequence[KeptId]:
        """The ids that one was merged into; of any issuer where none is said."""
        wanted = [MERGES.c.prior_id == patient, *([MERGES.c.prior_issuer == issuer] if issuer is not None else [])]
        with transaction(self._engine) as connection:
            rows = connection.execute(select(MERGES.c.survivor_id, MERGES.c.survivor_issuer).where(*wanted))
            return tuple(KeptId(row[0], row[1]) for row in rows)


def _alone(connection: Connection) -> None:
    """Hold the merges alone: who is keeping a version comes to an end first, and who comes to keep one waits."""
    connection.execute(text("SELECT set_config('lock_timeout', :ms, true)"), {"ms": str(_PATIENCE_MS)})
    try:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MERGE_LOCK})"))
    except OperationalError as error:
        if state_of(error.orig) != LOCKED:
            raise
        busy = "a report or a merge is being kept, or reports are being removed,"
        why = f"{busy} for more than {_PATIENCE_MS // 1000} s: nothing is merged, try again"
        raise Unavailable(Problem("", "database", why)) from None
    # Programs from before this lock hold the table alone.
    connection.execute(text("LOCK TABLE merges IN SHARE ROW EXCLUSIVE MODE"))


def _merge(connection: Connection, survivor: KeptId, prior: KeptId, now: str | None) -> Merged:
    """One merge; without a time only what it would touch."""
    if survivor == prior:
        raise Invalid(Problem("/prior", "merge", "an id is not merged into itself"))
    root = resolved(connection, survivor)
    if root == prior:
        raise Conflict(Problem("/survivor", "merge", "this id was merged into the other one before"))
    before = resolved(connection, prior)
    if before not in (prior, root):
        raise Conflict(Problem("/prior", "merge", "this id was merged into another one before"))
    notices = _unknown(connection, prior)
    if now is not None:
        if before == prior:
            _keep(connection, root, prior, now)
        # Also of a merge that is kept: a program from before its lock may have kept a version under the prior id since.
        _move(connection, root, prior)
    return replace(_touched(connection, prior), notices=notices)


def resolved(connection: Connection, patient: KeptId) -> KeptId:
    """The id that counts now."""
    row = connection.execute(
        select(MERGES.c.survivor_id, MERGES.c.survivor_issuer).where(
            MERGES.c.prior_id == patient.id, MERGES.c.prior_issuer == patient.issuer
        )
    ).first()
    return patient if row is None else KeptId(row[0], row[1])


def of_accession(patient: KeptId, others: Iterable[KeptId]) -> None:
    """Raise Conflict where an accession number (and its issuer) that a sender has used is another patient's.

    Ids of which one has no known issuer are one patient's where they are the same text; so are accession numbers.
    """
    if any(not is_one(patient, other) for other in others):
        why = "the sender has used this accession number for another patient; if they are one, merge their ids first"
        raise Conflict(Problem("/study/accession", "accession-patient", why))


def of_one_patient(patient: KeptId, now: KeptId, said: Sequence[Said]) -> None:
    """Raise Conflict where a report is another patient's; who keeps a version of it holds the report.

    ``now`` is the patient's id after all merges, ``said`` are the ids of the report's versions, the newest first. Peers
    would put the new version in the place of one that the other patient's record has. The ids that count now are
    compared, and those that were said: one without an issuer may have been merged with it.
    """
    kept = _ids_of(said)
    if kept and not any(_is_among(one, kept) for one in _both(now, patient)):
        why = (
            "the report is kept as another patient's: withdraw it, and send this one as a report of its own; "
            "if the two are one patient, merge their ids first"
        )
        raise Conflict(Problem("/patient/id", "version-patient", why))


def _ids_of(said: Sequence[Said]) -> set[KeptId]:
    """The ids of a report's patient: those of the newest version, and of each that is one with them, also by others.

    Those of all versions, since one without its issuer would let in every issuer after it.
    """
    left = [_both(*one) for one in said]
    known: set[KeptId] = set()
    while left:
        joins = next((one for one in left if not known or any(_is_among(each, known) for each in one)), None)
        if joins is None:
            break
        left.remove(joins)
        known.update(joins)
    return known


def _both(now: KeptId, said: KeptId) -> tuple[KeptId, ...]:
    """The id that counts now and the one that was said; one without an issuer that was merged counts no more."""
    return (now, said) if said.issuer else (now,)


def _is_among(patient: KeptId, known: set[KeptId]) -> bool:
    """Whether an id is one of a patient's: one without an issuer stands for all of them only while none is known."""
    issuers = {one.issuer for one in known if one.id == patient.id}
    return bool(issuers) if not patient.issuer else patient.issuer in issuers or issuers == {""}


def is_one(patient: KeptId, other: KeptId) -> bool:
    """Whether two ids are one patient's: an issuer that is not known contradicts none."""
    return patient.id == other.id and (not patient.issuer or not other.issuer or patient.issuer == other.issuer)


def _unknown(connection: Connection, prior: KeptId) -> tuple[Problem, ...]:
    """What to say where no report has the id that goes, as with a wrong issuer; nothing where one has it."""
    issuers: set[str] = set()
    at = VERSIONS.c
    for named, issuer in ((at.patient_id, at.patient_issuer), (at.said_id, at.said_issuer)):
        rows = connection.execute(select(issuer).where(named == prior.id).distinct())
        issuers.update(row[0] or "" for row in rows)
    if prior.issuer in issuers:
        return ()
    why = "no report has the prior id with this issuer: nothing is moved, only what comes under it later"
    if not issuers:
        return (Problem("/prior", UNKNOWN, why),)
    others = " and ".join(["with another issuer"] * any(issuers) + ["without one"] * ("" in issuers))
    why = f"{why}. Reports have it {others}: is that meant, merge it so"
    return (Problem("/prior/issuer", OTHER_ISSUER, why, tuple(sorted(issuers - {""}))),)


def _keep(connection: Connection, survivor: KeptId, prior: KeptId, now: str) -> None:
    connection.execute(
        insert(MERGES).values(
            prior_id=prior.id,
            prior_issuer=prior.issuer,
            survivor_id=survivor.id,
            survivor_issuer=survivor.issuer,
            merged=now,
        )
    )
    connection.execute(
        update(MERGES)
        .where(MERGES.c.survivor_id == prior.id, MERGES.c.survivor_issuer == prior.issuer)
        .values(survivor_id=survivor.id, survivor_issuer=survivor.issuer)
    )


def _move(connection: Connection, survivor: KeptId, prior: KeptId) -> None:
    connection.execute(
        update(VERSIONS)
        .where(VERSIONS.c.patient_id == prior.id, func.coalesce(VERSIONS.c.patient_issuer, "") == prior.issuer)
        .values(patient_id=survivor.id, patient_issuer=survivor.issuer or None)
    )


def _touched(connection: Connection, prior: KeptId) -> Merged:
    """What says the other id still: the newest versions that came under it, and all deliveries of their reports by
    which a peer got it. A destination may have had an older version only.
    """
    later = VERSIONS.alias().c
    said: list[ColumnElement[bool]] = [
        VERSIONS.c.said_id == prior.id,
        func.coalesce(VERSIONS.c.said_issuer, "") == prior.issuer,
    ]
    newest = ~exists().where(later.report == VERSIONS.c.report, later.version > VERSIONS.c.version)
    rows = connection.execute(
        select(VERSIONS.c.id, REPORTS.c.sender, REPORTS.c.report_id, VERSIONS.c.version, VERSIONS.c.status)
        .join(REPORTS, REPORTS.c.id == VERSIONS.c.report)
        .where(*said, newest)
        .order_by(REPORTS.c.id, VERSIONS.c.version)
    )
    moved = tuple(Moved(*row) for row in rows)
    reports = select(VERSIONS.c.report).where(*said, newest)
    sent = connection.execute(
        select(DELIVERIES.c.id, DELIVERIES.c.version, DELIVERIES.c.destination, DELIVERIES.c.state)
        .join(VERSIONS, VERSIONS.c.id == DELIVERIES.c.version)
        .where(*said, VERSIONS.c.report.in_(reports))
        .order_by(DELIVERIES.c.position)
    )
    return Merged(moved, tuple(Resend(*row) for row in sent))
