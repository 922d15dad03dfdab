"""A version within the transaction that keeps it: what others may change is held, all is looked at, and written.

On PostgreSQL a statement sees what was committed when it began. So what is held is held in one, and the look is the
next: whoever held it before is seen. All is written in one more; its constraints are checked at its end.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Integer, bindparam, insert, text

from service.store.deliveries import keep as keep_deliveries
from service.store.deliveries import rows_of
from service.store.patients import MERGE_LOCK, KeptId, Said, of_accession, of_one_patient
from service.store.tables import DELIVERIES, OUTPUTS, REPORTS, VERSIONS
from service.store.versions import HIGHEST, Draft, row_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What a version says that others may contradict; ``accession`` is a number and its issuer, both may be empty.

    ``most`` is the highest number that the version before it may have.
    """

    sender: str
    report_id: str
    patient: KeptId
    accession: tuple[str, str] = ("", "")
    most: int = HIGHEST


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept: the report's row and its version before, who the patient is after all merges (``patient``).

    ``sharing`` are the patients of the accession number, ``said`` the ids of the report's versions, the newest first.
    """

    report: int | None
    newest: str | None
    patient: KeptId
    sharing: tuple[KeptId, ...]
    said: tuple[Said, ...]

    def check(self, named: KeptId) -> None:
        """Raise Conflict where the accession number or the report is of another patient than the one who is named."""
        of_accession(self.patient, self.sharing)
        of_one_patient(named, self.patient, self.said)


def asked_of(draft: Draft) -> Asked:
    """What a draft says that others may contradict."""
    new = draft.stored
    # An SR that goes on from the newest version does so from the newest of all, whichever number it has.
    most = HIGHEST if draft.looked is not None and draft.looked.follows else new.version - 1
    patient = KeptId(draft.patient_id, draft.patient_issuer or "")
    return Asked(new.sender, new.report_id, patient, (draft.accession or "", draft.accession_issuer or ""), most)


def held(connection: Connection, asked: Asked) -> Seen:
    """What is kept, and stays so until the transaction ends: other versions of the report and of the accession number,
    and who the patient is after all merges.

    Of a report that is not there nothing can be held: that there is one of it the table's constraint says.
    """
    if connection.dialect.name != "postgresql":  # SQLite has one writer
        return look(connection, asked)
    while True:
        report = _hold(connection, asked)
        seen = look(connection, asked)
        if seen.report == report:
            return seen
        # It was made, or removed, after the statement began that would have held it.


def look(connection: Connection, asked: Asked) -> Seen:
    """What is kept at this moment."""
    number, issuer = asked.accession
    values = {
        "sender": asked.sender,
        "report": asked.report_id,
        "most": asked.most,
        "patient": asked.patient.id,
        "issuer": asked.patient.issuer,
        "accession": number or None,
        "accession_issuer": issuer,
    }
    found: dict[str, list[Any]] = {"report": [], "newest": [], "survivor": [], "sharing": [], "said": []}
    for row in connection.execute(_LOOK, values):
        found[row[0]].append(row)
    survivor = [KeptId(row[2], row[3]) for row in found["survivor"]]
    said = sorted(found["said"], key=lambda row: row[1], reverse=True)
    return Seen(
        report=next((int(row[1]) for row in found["report"]), None),
        newest=next((str(row[2]) for row in found["newest"]), None),
        patient=survivor[0] if survivor else asked.patient,
        sharing=tuple(KeptId(row[2], row[3] or "") for row in found["sharing"]),
        said=tuple(_said(*row[2:]) for row in said),
    )


def write(connection: Connection, draft: Draft, seen: Seen) -> None:
    """Keep a version with its report where that is not there, its outputs and its deliveries; raises IntegrityError."""
    row = row_of(draft, seen.patient)
    outputs = [asdict(one) for one in (*draft.outputs, *draft.consignment.outputs)]
    if connection.dialect.name == "postgresql":
        _write_at_once(connection, draft, seen, row, outputs)
        return
    new, consignment = draft.stored, draft.consignment
    report = seen.report
    if report is None:
        made = connection.execute(_INSERT_REPORT, {"sender": new.sender, "report_id": new.report_id})
        report = int((made.inserted_primary_key or (0,))[0])
    connection.execute(_INSERT_VERSION, {"report": report, **row})
    connection.execute(_INSERT_OUTPUTS, [{"version": new.id, **one} for one in outputs])
    at = (new.id, report, new.version)
    keep_deliveries(connection, at, consignment.planned, new.received, consignment.origin)


def _hold(connection: Connection, asked: Asked) -> int | None:
    """Hold the merges, with all who keep, the accession number, and the row of the report, if it is there: everybody in
    this order.
    """
    number = asked.accession[0]
    names = {"sender": asked.sender, "report": asked.report_id}
    if not number:
        found = connection.execute(_HOLD_REPORT, names).scalar()
    else:
        found = connection.execute(_HOLD_BOTH, {**names, "number": f"{asked.sender}/{number}"}).scalar()
    return int(found) if found is not None else None


def _said(now: str, issuer: str | None, said: str | None, said_issuer: str | None) -> Said:
    counts = KeptId(now, issuer or "")
    return counts, counts if said is None else KeptId(said, said_issuer or "")


def _write_at_once(
    connection: Connection, draft: Draft, seen: Seen, row: dict[str, object], outputs: Sequence[dict[str, Any]]
) -> None:
    """Everything in one statement; a row of many columns goes as JSON, which is one value."""
    new, consignment = draft.stored, draft.consignment
    receipt = row.pop("receipt")
    planned = rows_of((new.id, None, new.version), consignment.planned, new.received, consignment.origin)
    report = (seen.report,) if seen.report is not None else (new.sender, new.report_id)
    said = [each for one in outputs for each in (new.id, *one.values())]
    values = (*report, receipt, orjson.dumps([row]).decode(), *said, orjson.dumps(planned).decode())
    connection.exec_driver_sql(_statement(len(outputs), is_there=seen.report is not None), values)


@lru_cache(maxsize=32)
def _statement(outputs: int, *, is_there: bool) -> str:
    report = "SELECT %s::integer AS id"
    if not is_there:
        report = "INSERT INTO reports (sender, report_id) VALUES (%s, %s) RETURNING id"
    version = [one.name for one in VERSIONS.c if one.name not in ("report", "receipt")]
    delivery = [one.name for one in DELIVERIES.c if one.name not in ("report", "position")]
    output = ("version", "role", "media_type", "sha256", "content")
    rows = ", ".join([f"({', '.join(['%s'] * len(output))})"] * outputs)
    return (  # all that is put in are names of tables and columns
        f"WITH report AS ({report}),"  # noqa: S608 - the values are parameters
        f" version AS (INSERT INTO versions (report, receipt, {', '.join(version)})"
        f" SELECT report.id, %s, {', '.join(f'said.{name}' for name in version)}"
        " FROM report, json_populate_recordset(NULL::versions, %s::json) AS said),"
        f" output AS (INSERT INTO outputs ({', '.join(output)}) VALUES {rows})"
        f" INSERT INTO deliveries (report, {', '.join(delivery)})"
        f" SELECT report.id, {', '.join(f'said.{name}' for name in delivery)}"
        " FROM report, json_populate_recordset(NULL::deliveries, %s::json) AS said"
    )


# Made once: to put a statement together costs as much as to run it.
_INSERT_REPORT: Final = insert(REPORTS)
_INSERT_VERSION: Final = insert(VERSIONS)
_INSERT_OUTPUTS: Final = insert(OUTPUTS)
_REPORT: Final = "SELECT id FROM reports WHERE sender = :sender AND report_id = :report FOR UPDATE"
_WITH_MERGES: Final = f"FROM pg_advisory_xact_lock_shared({MERGE_LOCK})"
_HOLD_REPORT: Final = text(f"SELECT ({_REPORT}) {_WITH_MERGES}")
_HOLD_BOTH: Final = text(
    f"SELECT (SELECT ({_REPORT})"  # noqa: S608 - the values are parameters
    f" FROM pg_advisory_xact_lock(hashtext(:number))) {_WITH_MERGES}"
)
"""A row of a function comes once its lock is held; only then what stands before it is looked for."""
_LOOK: Final = text(
    "WITH mine AS (SELECT id FROM reports WHERE sender = :sender AND report_id = :report)"
    " SELECT 'report', id, NULL, NULL, NULL, NULL FROM mine"
    " UNION ALL SELECT 'newest', version, id, NULL, NULL, NULL FROM ("
    "SELECT versions.version, versions.id FROM versions JOIN mine ON versions.report = mine.id"
    " WHERE versions.version <= :most ORDER BY versions.version DESC LIMIT 1) AS newest"
    " UNION ALL SELECT 'survivor', 0, survivor_id, survivor_issuer, NULL, NULL FROM merges"
    " WHERE prior_id = :patient AND prior_issuer = :issuer"
    # Of all versions: one that names no issuer contradicts none, so it stands for no other.
    " UNION ALL SELECT 'sharing', 0, patient_id, patient_issuer, NULL, NULL FROM ("
    "SELECT DISTINCT versions.patient_id, versions.patient_issuer"
    " FROM versions JOIN reports ON reports.id = versions.report"
    " WHERE versions.accession = :accession AND reports.sender = :sender"
    " AND (:accession_issuer = '' OR versions.accession_issuer = :accession_issuer"
    " OR versions.accession_issuer IS NULL)) AS sharing"
    " UNION ALL SELECT 'said', max(version), patient_id, patient_issuer, said_id, said_issuer"
    " FROM versions JOIN mine ON versions.report = mine.id"
    " GROUP BY patient_id, patient_issuer, said_id, said_issuer"
).bindparams(bindparam("most", type_=Integer()))
