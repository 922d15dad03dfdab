"""The tables of the audit trail: they stay where all others are brought back to a step that had none."""

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, Named, String, Table, TypedColumns

from service.store.tables import METADATA


class _Audit(TypedColumns):
    """One event of the audit trail; ``hash`` covers the event and the hash before it, so nothing can be taken out."""

    position: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    event: Named[bytes] = Column(LargeBinary)
    previous: Named[str] = Column(String(64))
    hash: Named[str] = Column(String(64))


AUDIT: Final = Table("audit", METADATA, _Audit)


class _AuditEnd(TypedColumns):
    """Where the trail ends: the position and the hash of the last event, and the hash before it. There is one row."""

    id: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    position: Named[int] = Column(Integer)
    previous: Named[str] = Column(String(64))
    hash: Named[str] = Column(String(64))


AUDIT_END: Final = Table("audit_end", METADATA, _AuditEnd)
