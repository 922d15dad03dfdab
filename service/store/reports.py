"""Keeping reports: look one up, keep a new version with all that belongs to it in one transaction, search."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Integer, Select, bindparam, insert, or_, select, true
from sqlalchemy.exc import IntegrityError

from service.domain.emitted import Emitted
from service.domain.errors import NotFound, Problem
from service.domain.received import Earlier
from service.store.access import KeyStore
from service.store.batches import BatchStore
from service.store.database import HEAD, faults, is_there, migrate, open_engine, reading, refuses_writes, transaction
from service.store.deliveries import DeliveryStore
from service.store.documents import Documents, is_as_seen
from service.store.keeping import Asked, asked_of, held, look, write
from service.store.overlays import NEWEST, OverlayStore, UploadsAt
from service.store.patients import KeptId, PatientStore
from service.store.rates import RateStore
from service.store.retention import Retention
from service.store.runs import Runs
from service.store.tables import KEYS, OUTPUTS, REPORTS, VERSIONS
from service.store.times import utc
from service.store.trail import AuditTrail
from service.store.unmapped import UnmappedStore, count
from service.store.versions import Draft, Key, Output, Stored, conditions, every_version, version_of
from service.store.workers import Workers


class Taken(Exception):
    """Another process kept this report version, its key, its predecessor or that one's successor first; look again."""


@dataclass(frozen=True, slots=True)
class Around:
    """A version of a report where it is there, the highest one below it, and the overlays of that moment."""

    here: Stored | None
    before: Stored | None
    uploads: UploadsAt


class Store:
    """The reports of one database; connects on first use, safe between threads, opened anew in each process."""

    def __init__(
        self, url: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, ping: bool = True
    ) -> None:
        """Take the database's URL; raises ValueError when it is none. ``ping`` false: whoever asks tries again."""
        self._engine = open_engine(url, ping=ping)
        self._clock = clock
        self.overlays = OverlayStore(self._engine, self.now)
        self.unmapped = UnmappedStore(self._engine, self.now)
        self.deliveries = DeliveryStore(self._engine, self.now)
        self.documents = Documents(self._engine)
        self.keys = KeyStore(self._engine, self.now)
        self.audit = AuditTrail(self._engine)
        self.rates = RateStore(self._engine, lambda: self._clock().timestamp())
        self.patients = PatientStore(self._engine, self.now)
        self.runs = Runs(self._engine, self.now)
        self.batches = BatchStore(self._engine, self.now)
        self.workers = Workers(self._engine, self.now)
        self.retention = Retention(self._engine, self.now)

    def now(self) -> str:
        """The present instant as the tables keep it."""
        return utc(self._clock())

    def migrate(self, to: str = HEAD) -> tuple[str, str] | None:
        """Bring the tables up to date, or to an older step; the step before and after, or None: they were there.

        Raises Invalid for a step that is not there. The first time the step before is empty.
        """
        return migrate(self._engine, to)

    def lost_with(self, step: str) -> tuple[str, ...]:
        """What speaks against going back to a step, in words (`service.store.going_back`); raises Unavailable."""
        from service.store.going_back import losses  # only who goes back needs it

        return losses(self._engine, step, self._clock())

    @property
    def is_in_memory(self) -> bool:
        """Whether nothing of it is left when this process ends."""
        url = self._engine.url
        return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")

    def is_there(self) -> bool:
        """Whether there is a database to ask; asking SQLite would make one."""
        return is_there(self._engine)

    def faults(self) -> tuple[str, ...]:
        """What keeps the store from working; empty when all is well."""
        return faults(self._engine)

    def refuses_writes(self) -> tuple[str, ...]:
        """Why nothing can be kept although what is kept can be read; empty when it can."""
        return refuses_writes(self._engine)

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()

    def around(self, sender: str, report_id: str, version: int) -> Around:
        """What is kept at a version of a sender's report, and which overlays are, in one look."""
        with reading(self._engine) as connection:
            rows = connection.execute(_AROUND, {"sender": sender, "report": report_id, "most": version}).all()
        found = [version_of(row._mapping) for row in rows if row.id is not None]
        here = found.pop(0) if found and found[0].version == version else None
        return Around(here, found[0] if found else None, self.overlays.at(int(rows[0].uploads or 0)))

    def newest_before(self, sender: str, report_id: str, version: int) -> Stored | None:
        """The highest version of a sender's report below ``version``, or None."""
        with reading(self._engine) as connection:
            return _newest_before(connection, sender, report_id, version)

    def keyed(self, sender: str, key: str) -> tuple[str, Stored] | None:
        """The digest that an Idempotency-Key came with and the version it made, or None."""
        with reading(self._engine) as connection:
            row = connection.execute(_KEYED, {"sender": sender, "key": key}).first()
            found = _first(connection, every_version().where(VERSIONS.c.id == row.version)) if row else None
            return (row.digest, found) if row and found else None

    def keep(self, draft: Draft) -> None:
        """Keep a version, its outputs and its key, all or nothing.

        Raises Taken when another was first, Conflict for an accession number or a report of another patient.
        """
        new = draft.stored
        try:
            with transaction(self._engine, writes=True) as connection:
                if draft.looked is not None and not is_as_seen(connection, draft.looked):
                    raise Taken
                asked = asked_of(draft)
                seen = held(connection, asked)
                if seen.newest != draft.predecessor:
                    raise Taken
                seen.check(asked.patient)
                write(connection, draft, seen)
                if draft.key is not None:
                    _keep_key(connection, new, draft.key)
                count(connection, draft.unmapped, new.received)
        except IntegrityError:
            raise Taken from None

    def check(self, asked: Asked) -> None:
        """What `keep` holds of patients and accession numbers, for what is not kept; raises Conflict."""
        with reading(self._engine) as connection:
            look(connection, asked).check(asked.patient)

    def keep_key(self, stored: Stored, key: Key) -> None:
        """Remember that a key named a version which was there already; raises Taken when the key is in use."""
        try:
            with transaction(self._engine, writes=True) as connection:
                _keep_key(connection, stored, key)
        except IntegrityError:
            raise Taken from None

    def get(self, id: str) -> Stored:  # noqa: A002 - the route's own word
        """The version under our id; raises NotFound."""
        with reading(self._engine) as connection:
            found = _first(connection, every_version().where(VERSIONS.c.id == id))
        if found is None:
            raise _not_found()
        return found

    def output(self, id: str, role: str) -> Output:  # noqa: A002 - the route's own word
        """The bytes emitted in a role; raises NotFound."""
        with reading(self._engine) as connection:
            row = connection.execute(select(OUTPUTS).where(OUTPUTS.c.version == id, OUTPUTS.c.role == role)).first()
        if row is None:
            raise _not_found()
        return Output(row.role, row.media_type, row.sha256, row.content)

    def earlier(self, stored: Stored) -> tuple[Earlier, ...]:
        """Every FHIR and HL7 v2 output of this version and those before, the newest first: later ones withdraw by them.

        A destination need not have got each, so that the last alone would not tell all that it has. What was made for
        one comes before what everybody got.
        """
        of = select(VERSIONS.c.report).where(VERSIONS.c.id == stored.id).scalar_subquery()
        said = (
            select(OUTPUTS.c.role, OUTPUTS.c.media_type, OUTPUTS.c.content)
            .join(VERSIONS, VERSIONS.c.id == OUTPUTS.c.version)
            .where(VERSIONS.c.report == of, VERSIONS.c.version <= stored.version)
            .where(or_(OUTPUTS.c.role.startswith("fhir"), OUTPUTS.c.role.startswith("hl7v2")))
            .order_by(VERSIONS.c.version.desc(), OUTPUTS.c.role.desc())
        )
        with reading(self._engine) as connection:
            rows = connection.execute(said).all()
        return tuple(
            Earlier(Emitted(row.media_type, bytes(row.content)), row.role.partition("@")[2].partition(".")[0])
            for row in rows
        )

    def versions(self, id: str) -> tuple[Stored, ...]:  # noqa: A002 - the route's own word
        """All versions of the report that ``id`` is one of, oldest first; raises NotFound."""
        of = select(VERSIONS.c.report).where(VERSIONS.c.id == id).scalar_subquery()
        with reading(self._engine) as connection:
            rows = connection.execute(every_version().where(VERSIONS.c.report == of).order_by(VERSIONS.c.version)).all()
        if not rows:
            raise _not_found()
        return tuple(version_of(row._mapping) for row in rows)

    def recent(self, sender: str | None, *, limit: int) -> Iterator[tuple[Stored, bytes]]:
        """The versions received last, of a sender or of all, newest first, each with the document it came as."""
        statement = every_version().order_by(VERSIONS.c.received.desc(), VERSIONS.c.id).limit(limit)
        if sender is not None:
            statement = statement.where(REPORTS.c.sender == sender)
        with reading(self._engine) as connection:
            found = [version_of(row._mapping) for row in connection.execute(statement)]
        # One document after the other: many together may be more than the memory holds.
        for one in found:
            yield one, self.output(one.id, "findings").content

    def search(self, wanted: Mapping[str, str | datetime], *, limit: int) -> tuple[Stored, ...]:
        """Versions that meet every condition, the newest issue first, at most ``limit``.

        Conditions: sender, report_id, accession, study_uid, patient_id, patient_issuer and status as text, issued_from
        and issued_before as times with a zone. An id that was merged into another one finds what that one finds.
        """
        merged = self._merged(wanted)
        statement = (
            every_version()
            .where(*conditions(wanted, merged))
            .order_by(VERSIONS.c.issued.desc(), VERSIONS.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return tuple(version_of(row._mapping) for row in connection.execute(statement).all())

    def _merged(self, wanted: Mapping[str, str | datetime]) -> Sequence[KeptId]:
        """The ids that the wanted patient's was merged into."""
        if "patient_id" not in wanted:
            return ()
        issuer = str(wanted["patient_issuer"]) if "patient_issuer" in wanted else None
        return self.patients.names(str(wanted["patient_id"]), issuer)


def _named(sender: str, report_id: str) -> Select[*tuple[object, ...]]:
    return every_version().where(REPORTS.c.sender == sender, REPORTS.c.report_id == report_id)


_OF_REPORT = (REPORTS.c.sender == bindparam("sender"), REPORTS.c.report_id == bindparam("report"))
_UP_TO = (*_OF_REPORT, VERSIONS.c.version <= bindparam("most", type_=Integer()))
# Made once: to put a statement together costs as much as to run it.
_KEYED = select(KEYS).where(KEYS.c.sender == bindparam("sender"), KEYS.c.key == bindparam("key"))
_INSERT_KEY = insert(KEYS)
_TWO = every_version().where(*_UP_TO).order_by(VERSIONS.c.version.desc()).limit(2).subquery()
_UPLOADS = select(NEWEST.label("uploads")).subquery()
# Of the overlays there is one row in any case.
_AROUND = select(_UPLOADS.c.uploads, _TWO).outerjoin_from(_UPLOADS, _TWO, true()).order_by(_TWO.c.version.desc())


def _newest_before(connection: Connection, sender: str, report_id: str, version: int) -> Stored | None:
    statement = (
        _named(sender, report_id).where(VERSIONS.c.version < version).order_by(VERSIONS.c.version.desc()).limit(1)
    )
    return _first(connection, statement)


def _first(connection: Connection, statement: Select[*tuple[object, ...]]) -> Stored | None:
    row = connection.execute(statement).first()
    return version_of(row._mapping) if row else None


def _keep_key(connection: Connection, stored: Stored, key: Key) -> None:
    row = {"sender": stored.sender, "key": key.text, "digest": key.digest}
    connection.execute(_INSERT_KEY, {**row, "version": stored.id, "created": stored.received})


def _not_found() -> NotFound:
    return NotFound(Problem("", "stored", "nothing is stored under this id"))
