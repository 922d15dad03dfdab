"""The tables. Unique constraints decide who was first; nothing else does.

Tables and no mapped classes: no row is ever an object here, and the mapper is dear to import.
"""

from typing import Final

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Named,
    String,
    Table,
    TypedColumns,
    UniqueConstraint,
    and_,
    literal_column,
)

INSTANT = String(27)
"""UTC as ``2026-03-02T09:41:00.000000Z``: sorts as text, and reads the same from both databases."""


METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Constraints have names, so that a migration can change them."""


class _Report(TypedColumns):
    """A report of a sender, over its versions."""

    id: Named[int] = Column(Integer, primary_key=True)
    sender: Named[str] = Column(String())
    report_id: Named[str] = Column(String())


REPORTS: Final = Table("reports", METADATA, _Report, UniqueConstraint("sender", "report_id"))


class _Version(TypedColumns):
    """One version of a report; ``digest`` is of what the sender said and asked for, ``receipt`` the answer as sent.

    ``patient_id`` is the id that counts now, ``said_id`` the one that the version itself says. ``predecessors`` are the
    SOP Instance UIDs that an SR names, each between blanks.
    """

    id: Named[str] = Column(String(36), primary_key=True)
    report: Named[int] = Column(Integer, ForeignKey("reports.id"))
    version: Named[int] = Column(Integer)
    status: Named[str] = Column(String(32))
    issued: Named[str] = Column(INSTANT)
    received: Named[str] = Column(INSTANT)
    study_uid: Named[str] = Column(String(64))
    accession: Named[str | None] = Column(String())
    patient_id: Named[str] = Column(String())
    patient_issuer: Named[str | None] = Column(String())
    said_id: Named[str | None] = Column(String())
    said_issuer: Named[str | None] = Column(String())
    accession_issuer: Named[str | None] = Column(String())
    digest: Named[str] = Column(String(64))
    sr_class: Named[str] = Column(String(64))
    sr_instance: Named[str] = Column(String(64), unique=True)
    sr_series: Named[str] = Column(String(64))
    receipt: Named[bytes] = Column(LargeBinary)
    predecessors: Named[str | None] = Column(String())


VERSIONS: Final = Table(
    "versions",
    METADATA,
    _Version,
    UniqueConstraint("report", "version"),
    Index(None, "accession"),
    Index(None, "study_uid"),
    Index(None, "patient_id"),
    Index(None, "said_id"),
    Index(None, "issued"),
    Index(None, "received"),
)


class _Merge(TypedColumns):
    """An id of a patient that was merged into another one; the other one is never a prior one itself."""

    prior_id: Named[str] = Column(String(), primary_key=True)
    prior_issuer: Named[str] = Column(String(), primary_key=True)
    survivor_id: Named[str] = Column(String())
    survivor_issuer: Named[str] = Column(String())
    merged: Named[str] = Column(INSTANT)


MERGES: Final = Table("merges", METADATA, _Merge)


class _Output(TypedColumns):
    """Bytes as they were emitted; they never change."""

    version: Named[str] = Column(String(36), ForeignKey("versions.id"), primary_key=True)
    role: Named[str] = Column(String(128), primary_key=True)
    media_type: Named[str] = Column(String(128))
    sha256: Named[str] = Column(String(64))
    content: Named[bytes] = Column(LargeBinary)


OUTPUTS: Final = Table("outputs", METADATA, _Output)


class _Key(TypedColumns):
    """An Idempotency-Key of a sender: the digest of the request that came with it, and what it made."""

    sender: Named[str] = Column(String(), primary_key=True)
    key: Named[str] = Column(String(), primary_key=True)
    digest: Named[str] = Column(String(64))
    version: Named[str] = Column(String(36), ForeignKey("versions.id"))
    created: Named[str] = Column(INSTANT)


KEYS: Final = Table("idempotency_keys", METADATA, _Key)


class _Overlay(TypedColumns):
    """One version of a site's overlay, as it was uploaded; the highest version of a sender is in use."""

    id: Named[int] = Column(Integer, primary_key=True)
    sender: Named[str] = Column(String())
    version: Named[int] = Column(Integer)
    created: Named[str] = Column(INSTANT)
    author: Named[str] = Column(String())
    origin: Named[str] = Column(String(64))
    rows: Named[int] = Column(Integer)
    media_type: Named[str] = Column(String(128))
    sha256: Named[str] = Column(String(64))
    content: Named[bytes] = Column(LargeBinary)


OVERLAYS: Final = Table(
    "overlays",
    METADATA,
    _Overlay,
    UniqueConstraint("sender", "version"),
    sqlite_autoincrement=True,
)


class _Unmapped(TypedColumns):
    """A term that was kept as text: how often, from whom; ``form`` is what spelling variants share."""

    id: Named[int] = Column(Integer, primary_key=True)
    sender: Named[str] = Column(String())
    field: Named[str] = Column(String())
    system: Named[str] = Column(String())
    code: Named[str] = Column(String())
    form: Named[str] = Column(String())
    term: Named[str] = Column(String())
    language: Named[str] = Column(String(35))
    count: Named[int] = Column(Integer)
    first_seen: Named[str] = Column(INSTANT)
    last_seen: Named[str] = Column(INSTANT)
    suggestions: Named[str] = Column(String())
    state: Named[str] = Column(String(16))
    decision: Named[str] = Column(String())
    author: Named[str] = Column(String())
    decided: Named[str | None] = Column(INSTANT)


UNMAPPED: Final = Table(
    "unmapped",
    METADATA,
    _Unmapped,
    UniqueConstraint("sender", "field", "system", "form", "language"),
    Index(None, "state", "count"),
)


class _Delivery(TypedColumns):
    """One output on its way to one destination; what it became, and when it is looked at again.

    ``run`` counts how often work on it was started: a worker whose run is not the present one may write no state.
    ``fed`` says that a workflow has the run. ``report`` and ``number`` hold the order of the versions of a report.
    """

    position: Named[int] = Column(Integer, primary_key=True)
    id: Named[str] = Column(String(36))
    version: Named[str] = Column(String(36), ForeignKey("versions.id"))
    report: Named[int] = Column(Integer, ForeignKey("reports.id"))
    number: Named[int] = Column(Integer)
    destination: Named[str] = Column(String(64))
    format: Named[str] = Column(String(16))
    role: Named[str] = Column(String(128))
    identifiers: Named[str] = Column(String())
    sr: Named[str] = Column(String())
    parent: Named[str | None] = Column(String(36))
    state: Named[str] = Column(String(16))
    open: Named[int] = Column(Integer)
    attempts: Named[int] = Column(Integer)
    counted: Named[int] = Column(Integer)
    run: Named[int] = Column(Integer)
    fed: Named[str | None] = Column(INSTANT)
    priority: Named[int] = Column(Integer)
    created: Named[str] = Column(INSTANT)
    changed: Named[str] = Column(INSTANT)
    next_at: Named[str] = Column(INSTANT)
    settled: Named[str | None] = Column(INSTANT)
    status: Named[str] = Column(String())
    reason: Named[str] = Column(String())
    request: Named[str] = Column(String(64))
    trace: Named[str] = Column(String(64))


DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    _Delivery,
    UniqueConstraint("id"),
    Index(None, "version"),
    Index(None, "report", "destination", "number"),
    Index(None, "state", "destination", "position"),
    sqlite_autoincrement=True,
)
# Said as the indexes below say it, in digits: with a parameter neither database knows that one of them will do.
IS_OPEN: Final = DELIVERIES.c.open == literal_column("1")
WAITING: Final = and_(IS_OPEN, DELIVERIES.c.fed.is_(None))
"""Open, and no workflow has it."""
UNDER_WAY: Final = and_(IS_OPEN, DELIVERIES.c.fed > literal_column("''"))
"""A workflow has it: no instant is empty, and what is not NULL is no range to SQLite."""
# What they are limited to stands in ``info``: said to each dialect it would import PostgreSQL's with every start.
Index(
    "ix_deliveries_waiting",
    DELIVERIES.c.destination,
    DELIVERIES.c.priority,
    DELIVERIES.c.position,
    info={"where": WAITING},
)
Index(
    "ix_deliveries_open",
    DELIVERIES.c.fed,
    DELIVERIES.c.destination,
    DELIVERIES.c.created,
    DELIVERIES.c.priority,
    info={"where": IS_OPEN},
)


class _Attempt(TypedColumns):
    """One try of one step, sending or verifying; without an end it is under way, or its worker was lost."""

    delivery: Named[str] = Column(String(36), ForeignKey("deliveries.id"), primary_key=True)
    number: Named[int] = Column(Integer, primary_key=True)
    destination: Named[str] = Column(String(64))
    step: Named[str] = Column(String(16))
    run: Named[int] = Column(Integer)
    worker: Named[str] = Column(String())
    started: Named[str] = Column(INSTANT)
    ended: Named[str | None] = Column(INSTANT)
    outcome: Named[str] = Column(String(16))
    status: Named[str] = Column(String())
    reason: Named[str] = Column(String())
    detail: Named[str] = Column(String())


ATTEMPTS: Final = Table("attempts", METADATA, _Attempt, Index(None, "destination", "started"))


class _Circuit(TypedColumns):
    """How a destination is: failures in a row, and until when nothing but a single try is sent to it."""

    destination: Named[str] = Column(String(64), primary_key=True)
    failures: Named[int] = Column(Integer)
    opened: Named[str | None] = Column(INSTANT)
    until: Named[str | None] = Column(INSTANT)
    reason: Named[str] = Column(String())
    changed: Named[str] = Column(INSTANT)


CIRCUITS: Final = Table("circuits", METADATA, _Circuit)


class _ApiKey(TypedColumns):
    """An API key: of its secret only the digest; one that is revoked stays, for the trail."""

    id: Named[str] = Column(String(12), primary_key=True)
    name: Named[str] = Column(String(128), unique=True)
    sender: Named[str] = Column(String())
    scopes: Named[str] = Column(String())
    digest: Named[str] = Column(String(64))
    rate_per_minute: Named[int] = Column(Integer)
    body_bytes: Named[int] = Column(Integer)
    created: Named[str] = Column(INSTANT)
    expires: Named[str | None] = Column(INSTANT)
    revoked: Named[str | None] = Column(INSTANT)


API_KEYS: Final = Table("api_keys", METADATA, _ApiKey)


class _Rate(TypedColumns):
    """A caller whose requests are bounded: the instant, in seconds, at which it may ask as often as ever again."""

    caller: Named[str] = Column(String(), primary_key=True)
    due: Named[float] = Column(Double)


RATES: Final = Table("rates", METADATA, _Rate)


class _SchemaStep(TypedColumns):
    """A step of the tables, and the step of the oldest program that may run on it."""

    step: Named[str] = Column(String(32), primary_key=True)
    oldest_program: Named[str] = Column(String(32))


SCHEMA_STEPS: Final = Table("schema_steps", METADATA, _SchemaStep)


class _Worker(TypedColumns):
    """A slot for one worker process: who has it, and when it was last heard of."""

    slot: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    token: Named[str] = Column(String(36))
    name: Named[str] = Column(String())
    revision: Named[str] = Column(String(64))
    heartbeat: Named[str] = Column(INSTANT)


WORKERS: Final = Table("workers", METADATA, _Worker)
