"""The tables. Unique constraints decide who was first; nothing else does."""

from typing import ClassVar

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, MetaData, String, UniqueConstraint
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
    """One version of a report; ``digest`` is of what the sender said and asked for, ``receipt`` the answer as sent."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("report", "version"),
        Index(None, "accession"),
        Index(None, "study_uid"),
        Index(None, "patient_id"),
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
    digest: Mapped[str] = mapped_column(String(64))
    sr_class: Mapped[str] = mapped_column(String(64))
    sr_instance: Mapped[str] = mapped_column(String(64), unique=True)
    sr_series: Mapped[str] = mapped_column(String(64))
    receipt: Mapped[bytes] = mapped_column(LargeBinary)


class OutputRow(Base):
    """Bytes as they were emitted; they never change."""

    __tablename__ = "outputs"

    version: Mapped[str] = mapped_column(ForeignKey("versions.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
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
