"""Which version an SR belongs to: by the UID that it was kept under, or that it has at a destination."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import orjson
from sqlalchemy import Connection, Engine, select, text

from service.domain.emitted import SrReference
from service.store.database import reading
from service.store.patients import KeptId, is_one, resolved
from service.store.tables import DELIVERIES, OUTPUTS, REPORTS, VERSIONS

_COLUMNS = (
    VERSIONS.c.id,
    REPORTS.c.sender,
    REPORTS.c.report_id,
    VERSIONS.c.version,
    VERSIONS.c.study_uid,
    VERSIONS.c.patient_id,
    VERSIONS.c.patient_issuer,
    VERSIONS.c.said_id,
    VERSIONS.c.said_issuer,
)
_DOCUMENT = "sr"
_STUDY_LOCK: Final = 1  # the first of the two numbers of a lock on a sender's study


@dataclass(frozen=True, slots=True)
class Document:
    """An SR and its version, whose id of ours is ``id``; ``role`` is the output that it is kept as.

    ``patient`` are the id that counts now and the one that the version says.
    """

    id: str
    sender: str
    report_id: str
    version: int
    study: str
    patient: tuple[KeptId, KeptId]
    role: str = _DOCUMENT


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of the SRs of a sender's study when it was decided which version of which report another one is.

    ``own`` is its SOP Instance UID, empty where it has none; ``unknown`` are those of its predecessors that nobody
    knew, ``after`` our ids of the versions whose SR names it. ``follows``: it is the next version of a report.
    """

    sender: str
    study: str
    own: str = ""
    unknown: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    follows: bool = False


class Documents:
    """The SRs of one database."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def named(self, study: str, uids: Iterable[str]) -> Mapping[str, Document]:
        """The document of each SOP Instance UID that is known.

        An SR that was written for one destination alone is known in its own study only.
        """
        with reading(self._engine) as connection:
            return _named(connection, study, uids)

    def after(self, study: str, uid: str) -> tuple[Document, ...]:
        """The SRs of a study that name one as their predecessor."""
        with reading(self._engine) as connection:
            return _after(connection, study, uid)

    def is_of(self, document: Document, patient: KeptId) -> bool:
        """Whether a document is of this patient, by the ids that count now or by those that were said.

        Ids of which one has no known issuer are one patient's where they are the same text.
        """
        with reading(self._engine) as connection:
            names = (patient, resolved(connection, patient))
        return any(is_one(one, other) for one in names for other in document.patient)

    def made_of(self, document: Document, sha256: str) -> int | None:
        """The number of the version of its report that came as the bytes with this digest; None for others."""
        of = select(VERSIONS.c.report).where(VERSIONS.c.id == document.id).scalar_subquery()
        statement = (
            select(VERSIONS.c.version)
            .join(OUTPUTS, OUTPUTS.c.version == VERSIONS.c.id)
            .where(VERSIONS.c.report == of, OUTPUTS.c.sha256 == sha256)
        )
        with reading(self._engine) as connection:
            found = connection.execute(statement).scalar()
        return int(found) if found is not None else None


def is_as_seen(connection: Connection, looked: Looked) -> bool:
    """Whether another look, within the transaction that keeps the SR, sees the same.

    From here on nobody else keeps an SR of this sender and study until the transaction ends; SQLite has one writer.
    """
    if connection.dialect.name == "postgresql":
        # Keys of two numbers never meet those of one, as an accession number's (PostgreSQL, "Advisory Locks").
        lock = text(f"SELECT pg_advisory_xact_lock({_STUDY_LOCK}, hashtext(:study))")
        connection.execute(lock, {"study": f"{looked.sender}/{looked.study}"})
    # In statements of their own: one sees what was committed when it began, not when it got the lock.
    if looked.unknown and _named(connection, looked.study, looked.unknown):
        return False
    after = _after(connection, looked.study, looked.own) if looked.own else ()
    return {one.id for one in after} == set(looked.after)


def _named(connection: Connection, study: str, uids: Iterable[str]) -> dict[str, Document]:
    wanted = tuple(dict.fromkeys(uids))
    kept = select(VERSIONS.c.sr_instance, *_COLUMNS).join(REPORTS).where(VERSIONS.c.sr_instance.in_(wanted))
    found = {row[0]: _document(*row[1:]) for row in connection.execute(kept)}
    missing = [one for one in wanted if one not in found]
    return found | _sent(connection, study, missing) if missing else found


def _after(connection: Connection, study: str, uid: str) -> tuple[Document, ...]:
    statement = (
        select(*_COLUMNS)
        .join(REPORTS, REPORTS.c.id == VERSIONS.c.report)
        .where(VERSIONS.c.study_uid == study, VERSIONS.c.predecessors.contains(f" {uid} "))
        .order_by(VERSIONS.c.received)
    )
    return tuple(_document(*row) for row in connection.execute(statement))


def _sent(connection: Connection, study: str, uids: list[str]) -> dict[str, Document]:
    """Those that were written for a destination: its dialect is another document, with a UID of its own."""
    statement = (
        select(DELIVERIES.c.sr, DELIVERIES.c.role, *_COLUMNS)
        .join(VERSIONS, VERSIONS.c.id == DELIVERIES.c.version)
        .join(REPORTS, REPORTS.c.id == VERSIONS.c.report)
        .where(VERSIONS.c.study_uid == study, DELIVERIES.c.role.startswith(_DOCUMENT), DELIVERIES.c.sr != "")
    )
    # A study has few, and an SR may name more than a statement can.
    rows = [(SrReference(**orjson.loads(row[0])).sop_instance, row) for row in connection.execute(statement)]
    return {uid: replace(_document(*row[2:]), role=row[1]) for uid, row in rows if uid in uids}


def _document(id: str, sender: str, report_id: str, version: int, study: str, *ids: str | None) -> Document:  # noqa: A002 - the column's own word
    counts, issuer, said, said_issuer = ids
    now = KeptId(counts or "", issuer or "")
    return Document(id, sender, report_id, version, study, (now, KeptId(said or now.id, said_issuer or "")))
