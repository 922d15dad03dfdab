"""Versions of reports as they are kept: what is kept of one, its row in the tables, the rows that a search means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select

from service.domain.emitted import SrReference
from service.store.delivery_rows import Origin, Planned
from service.store.documents import Looked
from service.store.patients import KeptId
from service.store.tables import REPORTS, VERSIONS
from service.store.times import utc
from service.store.unmapped import Unmapped

HIGHEST: Final = 2**31 - 1
"""The largest number of a version that a database keeps."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a report as it is kept; ``receipt`` is the answer's bytes as sent."""

    id: str
    sender: str
    report_id: str
    version: int
    status: str
    issued: str
    received: str
    digest: str
    sr: SrReference
    receipt: bytes
    accession: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes as emitted (``role``: findings, fhir, sr, html; of one destination: ``sr@pacs``)."""

    role: str
    media_type: str
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key and the digest of the request it came with."""

    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Consignment:
    """The deliveries of a version, the outputs that are made for them alone, and the request they come from.

    ``route`` is the rule that chose the destinations, where nobody else did; ``named``: the request did.
    """

    outputs: tuple[Output, ...] = ()
    planned: tuple[Planned, ...] = ()
    origin: Origin = field(default_factory=Origin)
    route: str = ""
    named: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A version to keep; ``predecessor`` is the id of the stored version it follows, which must still be the one.

    ``unmapped`` are the terms that were kept as text, ``named`` the documents that an SR names as its
    predecessors, ``looked`` what was seen of those and of others when its version was decided, and must still be so.
    """

    stored: Stored
    outputs: tuple[Output, ...]
    patient_id: str
    patient_issuer: str | None
    accession: str | None
    key: Key | None
    predecessor: str | None
    accession_issuer: str | None = None
    unmapped: tuple[Unmapped, ...] = ()
    consignment: Consignment = field(default_factory=Consignment)
    named: tuple[str, ...] = ()
    looked: Looked | None = None


def output(role: str, media_type: str, content: bytes) -> Output:
    """An output with its digest."""
    return Output(role, media_type, sha256(content).hexdigest(), content)


_READ = (
    "id",
    "version",
    "status",
    "issued",
    "received",
    "digest",
    "sr_class",
    "sr_instance",
    "sr_series",
    "study_uid",
    "receipt",
    "accession",
)
"""What is read of a version; columns that came later are not, so that older steps of the tables can be read too."""


def every_version() -> Select[*tuple[object, ...]]:
    """What selects all versions with the names of their reports; `version_of` takes a row of it."""
    columns = (getattr(VERSIONS.c, name) for name in _READ)
    return select(*columns, REPORTS.c.sender, REPORTS.c.report_id).join(REPORTS, REPORTS.c.id == VERSIONS.c.report)


def version_of(row: RowMapping) -> Stored:
    """The version of a row that `every_version` selected."""
    return Stored(
        id=row["id"],
        sender=row["sender"],
        report_id=row["report_id"],
        version=row["version"],
        status=row["status"],
        issued=row["issued"],
        received=row["received"],
        digest=row["digest"],
        sr=SrReference(row["sr_class"], row["sr_instance"], row["sr_series"], row["study_uid"]),
        receipt=bytes(row["receipt"]),
        accession=row["accession"],
    )


def row_of(draft: Draft, patient: KeptId) -> dict[str, object]:
    """The row of a version, but for its report; ``patient`` is who the draft's id means after all merges."""
    new = draft.stored
    return {
        "id": new.id,
        "version": new.version,
        "status": new.status,
        "issued": new.issued,
        "received": new.received,
        "study_uid": new.sr.study,
        "accession": draft.accession,
        "accession_issuer": draft.accession_issuer,
        "patient_id": patient.id,
        "patient_issuer": patient.issuer or None,
        "said_id": draft.patient_id,
        "said_issuer": draft.patient_issuer,
        "digest": new.digest,
        "sr_class": new.sr.sop_class,
        "sr_instance": new.sr.sop_instance,
        "sr_series": new.sr.series,
        "receipt": new.receipt,
        "predecessors": f" {' '.join(draft.named)} " if draft.named else None,
    }


def conditions(wanted: Mapping[str, str | datetime], merged: Sequence[KeptId] = ()) -> Sequence[ColumnElement[bool]]:
    """What `Store.search` is asked for, on `every_version`; ``merged`` are ids that mean the same patient."""
    columns: Mapping[str, ColumnElement[str] | ColumnElement[str | None]] = {
        "sender": REPORTS.c.sender,
        "report_id": REPORTS.c.report_id,
        "accession": VERSIONS.c.accession,
        "study_uid": VERSIONS.c.study_uid,
        "patient_id": VERSIONS.c.patient_id,
        "patient_issuer": VERSIONS.c.patient_issuer,
        "status": VERSIONS.c.status,
    }
    patient = {name: value for name, value in wanted.items() if name in ("patient_id", "patient_issuer")}
    equal = [columns[name] == value for name, value in wanted.items() if name in columns and name not in patient]
    if patient:
        said = and_(*(columns[name] == value for name, value in patient.items()))
        others = (
            and_(VERSIONS.c.patient_id == one.id, func.coalesce(VERSIONS.c.patient_issuer, "") == one.issuer)
            for one in merged
        )
        equal.append(or_(said, *others))
    for name, value in wanted.items():
        if name == "issued_from" and isinstance(value, datetime):
            equal.append(VERSIONS.c.issued >= utc(value))
        if name == "issued_before" and isinstance(value, datetime):
            equal.append(VERSIONS.c.issued < utc(value))
    return equal
