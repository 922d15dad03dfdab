"""The tables. Unique constraints decide who was first; nothing else does."""

from typing import ClassVar

from sqlalchemy import Double, ForeignKey, Index, Integer, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

INSTANT = String(27)
"""UTC as ``2026-03-02T09:41:00.000000Z``: sorts as text, and reads the same from both databases."""


class Base(DeclarativeBase):
    """Constraints have names, so that a migration can change them."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ReportRow(Base):
    """A report of a sender, over its versions."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("sender", "report_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sender: Mapped[str] = mapped_column(String())
    report_id: Mapped[str] = mapped_column(String())


class VersionRow(Base):
    """One version of a report; ``digest`` is of what the sender said and asked for, ``receipt`` the answer as sent.

    ``patient_id`` is the id that counts now, ``said_id`` the one that the version itself says.
    """

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("report", "version"),
        Index(None, "accession"),
        Index(None, "study_uid"),
        Index(None, "patient_id"),
        Index(None, "said_id"),
        Index(None, "issued"),
        Index(None, "received"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    report: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    version: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(32))
    issued: Mapped[str] = mapped_column(INSTANT)
    received: Mapped[str] = mapped_column(INSTANT)
    study_uid: Mapped[str] = mapped_column(String(64))
    accession: Mapped[str | None] = mapped_column(String())
    patient_id: Mapped[str] = mapped_column(String())
    patient_issuer: Mapped[str | None] = mapped_column(String())
    said_id: Mapped[str | None] = mapped_column(String())
    said_issuer: Mapped[str | None] = mapped_column(String())
    accession_issuer: Mapped[str | None] = mapped_column(String())
    digest: Mapped[str] = mapped_column(String(64))
    sr_class: Mapped[str] = mapped_column(String(64))
    sr_instance: Mapped[str] = mapped_column(String(64), unique=True)
    sr_series: Mapped[str] = mapped_column(String(64))
    receipt: Mapped[bytes] = mapped_column(LargeBinary)


class MergeRow(Base):
    """An id of a patient that was merged into another one; the other one is never a prior one itself."""

    __tablename__ = "merges"

    prior_id: Mapped[str] = mapped_column(String(), primary_key=True)
    prior_issuer: Mapped[str] = mapped_column(String(), primary_key=True)
    survivor_id: Mapped[str] = mapped_column(String())
    survivor_issuer: Mapped[str] = mapped_column(String())
    merged: Mapped[str] = mapped_column(INSTANT)


class OutputRow(Base):
    """Bytes as they were emitted; they never change."""

    __tablename__ = "outputs"

    version: Mapped[str] = mapped_column(ForeignKey("versions.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(128), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class KeyRow(Base):
    """An Idempotency-Key of a sender: the digest of the request that came with it, and what it made."""

    __tablename__ = "idempotency_keys"

    sender: Mapped[str] = mapped_column(String(), primary_key=True)
    key: Mapped[str] = mapped_column(String(), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    created: Mapped[str] = mapped_column(INSTANT)


class OverlayRow(Base):
    """One version of a site's overlay, as it was uploaded; the highest version of a sender is in use."""

    __tablename__ = "overlays"
    __table_args__ = (UniqueConstraint("sender", "version"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sender: Mapped[str] = mapped_column(String())
    version: Mapped[int] = mapped_column(Integer)
    created: Mapped[str] = mapped_column(INSTANT)
    author: Mapped[str] = mapped_column(String())
    origin: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class UnmappedRow(Base):
    """A term that was kept as text: how often, from whom; ``form`` is what spelling variants share."""

    __tablename__ = "unmapped"
    __table_args__ = (UniqueConstraint("sender", "field", "system", "form", "language"), Index(None, "state", "count"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    sender: Mapped[str] = mapped_column(String())
    field: Mapped[str] = mapped_column(String())
    system: Mapped[str] = mapped_column(String())
    code: Mapped[str] = mapped_column(String())
    form: Mapped[str] = mapped_column(String())
    term: Mapped[str] = mapped_column(String())
    language: Mapped[str] = mapped_column(String(35))
    count: Mapped[int] = mapped_column(Integer)
    first_seen: Mapped[str] = mapped_column(INSTANT)
    last_seen: Mapped[str] = mapped_column(INSTANT)
    suggestions: Mapped[str] = mapped_column(String())
    state: Mapped[str] = mapped_column(String(16))
    decision: Mapped[str] = mapped_column(String())
    author: Mapped[str] = mapped_column(String())
    decided: Mapped[str | None] = mapped_column(INSTANT)


class DeliveryRow(Base):
    """One output on its way to one destination; what it became, and when it is looked at again.

    ``run`` counts how often work on it was started: a worker whose run is not the present one may write no state.
    ``fed`` says that a workflow has the run. ``report`` and ``number`` hold the order of the versions of a report.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("id"),
        Index(None, "version"),
        Index(None, "report", "destination", "number"),
        Index(None, "state", "destination", "position"),
        Index(None, "destination", "open", "fed", "priority", "position"),
        {"sqlite_autoincrement": True},
    )

    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(String(36))
    version: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    report: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    number: Mapped[int] = mapped_column(Integer)
    destination: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(128))
    identifiers: Mapped[str] = mapped_column(String())
    sr: Mapped[str] = mapped_column(String())
    parent: Mapped[str | None] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(16))
    open: Mapped[int] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(Integer)
    counted: Mapped[int] = mapped_column(Integer)
    run: Mapped[int] = mapped_column(Integer)
    fed: Mapped[str | None] = mapped_column(INSTANT)
    priority: Mapped[int] = mapped_column(Integer)
    created: Mapped[str] = mapped_column(INSTANT)
    changed: Mapped[str] = mapped_column(INSTANT)
    next_at: Mapped[str] = mapped_column(INSTANT)
    settled: Mapped[str | None] = mapped_column(INSTANT)
    status: Mapped[str] = mapped_column(String())
    reason: Mapped[str] = mapped_column(String())
    request: Mapped[str] = mapped_column(String(64))
    trace: Mapped[str] = mapped_column(String(64))


class AttemptRow(Base):
    """One try of one step, sending or verifying; without an end it is under way, or its worker was lost."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "destination", "started"),)

    delivery: Mapped[str] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    destination: Mapped[str] = mapped_column(String(64))
    step: Mapped[str] = mapped_column(String(16))
    run: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str] = mapped_column(String())
    started: Mapped[str] = mapped_column(INSTANT)
    ended: Mapped[str | None] = mapped_column(INSTANT)
    outcome: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String())
    reason: Mapped[str] = mapped_column(String())
    detail: Mapped[str] = mapped_column(String())


class CircuitRow(Base):
    """How a destination is: failures in a row, and until when nothing but a single try is sent to it."""

    __tablename__ = "circuits"

    destination: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    opened: Mapped[str | None] = mapped_column(INSTANT)
    until: Mapped[str | None] = mapped_column(INSTANT)
    reason: Mapped[str] = mapped_column(String())
    changed: Mapped[str] = mapped_column(INSTANT)


class ApiKeyRow(Base):
    """An API key: of its secret only the digest; one that is revoked stays, for the trail."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    sender: Mapped[str] = mapped_column(String())
    scopes: Mapped[str] = mapped_column(String())
    digest: Mapped[str] = mapped_column(String(64))
    rate_per_minute: Mapped[int] = mapped_column(Integer)
    body_bytes: Mapped[int] = mapped_column(Integer)
    created: Mapped[str] = mapped_column(INSTANT)
    expires: Mapped[str | None] = mapped_column(INSTANT)
    revoked: Mapped[str | None] = mapped_column(INSTANT)


class RateRow(Base):
    """A caller whose requests are bounded: the instant, in seconds, at which it may ask as often as ever again."""

    __tablename__ = "rates"

    caller: Mapped[str] = mapped_column(String(), primary_key=True)
    due: Mapped[float] = mapped_column(Double)


class SchemaStepRow(Base):
    """A step of the tables, and the step of the oldest program that may run on it."""

    __tablename__ = "schema_steps"

    step: Mapped[str] = mapped_column(String(32), primary_key=True)
    oldest_program: Mapped[str] = mapped_column(String(32))


class AuditRow(Base):
    """One event of the audit trail; ``hash`` covers the event and the hash before it, so nothing can be taken out."""

    __tablename__ = "audit"

    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    event: Mapped[bytes] = mapped_column(LargeBinary)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class WorkerRow(Base):
    """A slot for one worker process: who has it, and when it was last heard of."""

    __tablename__ = "workers"

    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String())
    revision: Mapped[str] = mapped_column(String(64))
    heartbeat: Mapped[str] = mapped_column(INSTANT)


class BatchRow(Base):
    """A batch of reports; ``asked`` is what was wanted of each of them, as JSON."""

    __tablename__ = "batches"
    __table_args__ = (Index(None, "state", "created"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    sender: Mapped[str] = mapped_column(String())
    created: Mapped[str] = mapped_column(INSTANT)
    settled: Mapped[str | None] = mapped_column(INSTANT)
    lines: Mapped[int] = mapped_column(Integer)
    asked: Mapped[str] = mapped_column(String())


class BatchPartRow(Base):
    """Some lines of a batch, packed until they are done; a worker has them since ``fed``."""

    __tablename__ = "batch_parts"
    __table_args__ = (Index(None, "state", "fed"),)

    batch: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16))
    run: Mapped[int] = mapped_column(Integer)
    fed: Mapped[str | None] = mapped_column(INSTANT)
    kept: Mapped[int] = mapped_column(Integer)
    known: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)


class BatchLineRow(Base):
    """What became of a line of a batch: the version it was kept as, or why it was refused."""

    __tablename__ = "batch_lines"
    __table_args__ = (Index(None, "batch", "outcome", "line"),)

    batch: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(String(16))
    report: Mapped[str | None] = mapped_column(String(36))
    problems: Mapped[str] = mapped_column(String())
