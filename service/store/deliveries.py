"""Deliveries as they are kept: made with their report in one transaction, listed, and put back to be sent again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, case, exists, func, insert, or_, select, update

from service.domain.emitted import REJECTION, SrReference
from service.domain.errors import Conflict, NotFound, Problem
from service.domain.received import Sent
from service.store.database import reading, transaction
from service.store.tables import ATTEMPTS, DELIVERIES, IS_OPEN, OUTPUTS, REPORTS, VERSIONS

BACKFILL: Final = 10
"""The priority of what runs only in a destination's window; what has a lower number goes first."""


class State(StrEnum):
    """What a user is told of a delivery."""

    QUEUED = "queued"
    SENDING = "sending"
    STORED = "stored"  # the peer says that it has it
    VERIFIED = "verified"  # and that was proven
    REFUSED = "refused"  # the peer said no, and would again
    DEAD = "dead"  # given up
    DRY_RUN = "dry-run"  # kept, and not sent by the destination's own setting


DEAD_LETTERS: Final = (State.REFUSED, State.DEAD)
"""What a person has to look at, until it is written again."""
_NEXT: Final = DELIVERIES.alias("next").c
_FOLLOWED: Final = exists().where(_NEXT.version == DELIVERIES.c.version, _NEXT.parent == DELIVERIES.c.id)
# Whichever delivery the later one follows: by way of another destination, or written twice, that is not the one whose
# place it has. A rejection note is never written again, and what it goes with does not take its place.
_IN_ITS_PLACE: Final = (
    _NEXT.version == DELIVERIES.c.version,
    _NEXT.destination == DELIVERIES.c.destination,
    _NEXT.position > DELIVERIES.c.position,
    _NEXT.parent.is_not(None),
    ~DELIVERIES.c.role.startswith(REJECTION),
)
_REPLACED: Final = exists().where(*_IN_ITS_PLACE)
"""Whether a later delivery to the same destination is in its place: its own bytes would undo that one."""
UNSEEN: Final = DELIVERIES.c.state.in_(DEAD_LETTERS) & ~_FOLLOWED & ~_REPLACED
"""Dead letters that nobody has looked after: none was written again in its place, here or for another destination."""


_HELD_AT_A_TIME: Final = 10_000
"""Reports in one statement: neither database takes as many parameters as one may wish to put back."""


class Changed(Exception):
    """Where deliveries are to go another one was made or put back since they were planned; look again."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to make: which output goes where. ``dry_run``: it is kept and never sent."""

    id: str
    destination: str
    format: str
    role: str
    identifiers: tuple[tuple[str, str], ...] = ()
    sr: SrReference | None = None
    parent: str | None = None
    dry_run: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """The request that a delivery comes from: its id, and its W3C trace context (``traceparent``)."""

    request: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one step; ``ended`` is None while it is under way or when its worker was lost."""

    number: int
    step: str
    run: int
    worker: str
    started: str
    ended: str | None
    outcome: str
    status: str
    reason: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it stands; ``is_open`` while something is still to be done."""

    position: int
    id: str
    version: str
    report: int
    number: int
    destination: str
    format: str
    role: str
    identifiers: tuple[tuple[str, str], ...]
    sr: SrReference | None
    parent: str | None
    state: State
    is_open: bool
    attempts: int
    counted: int
    run: int
    fed: str | None
    priority: int
    created: str
    changed: str
    next_at: str
    settled: str | None
    status: str
    reason: str
    origin: Origin = field(default_factory=Origin)

    @property
    def is_dead(self) -> bool:
        """Whether it is a dead letter."""
        return not self.is_open and self.state in DEAD_LETTERS


class DeliveryStore:
    """The deliveries of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self.engine = engine
        self.now = now

    def of(self, version: str) -> tuple[Delivery, ...]:
        """The deliveries of a version, oldest first; raises NotFound for a version that is not there."""
        statement = select(DELIVERIES).where(DELIVERIES.c.version == version).order_by(DELIVERIES.c.position)
        with reading(self.engine) as connection:
            found = tuple(made(row._mapping) for row in connection.execute(statement))
            if not found and connection.execute(select(VERSIONS.c.id).where(VERSIONS.c.id == version)).first() is None:
                raise _not_found()
        return found

    def sent(self, version: str) -> tuple[Sent, ...]:
        """Each destination that this version or one before it was to go to, those that came first in front."""
        at = VERSIONS.alias("at")
        statement = (
            select(DELIVERIES.c.destination, DELIVERIES.c.version, DELIVERIES.c.number, DELIVERIES.c.state)
            .join(at, at.c.report == DELIVERIES.c.report)
            .where(at.c.id == version, DELIVERIES.c.number <= at.c.version)
            .order_by(DELIVERIES.c.number, DELIVERIES.c.position)
        )
        found: dict[str, Sent] = {}
        with reading(self.engine) as connection:
            for row in connection.execute(statement):
                before = found.get(row.destination)
                is_dry = row.state == State.DRY_RUN
                if before is not None and is_dry and not before.dry:
                    continue
                found[row.destination] = Sent(row.destination, row.version, row.number, is_dry)
        return tuple(found.values())

    def of_sr(self, sender: str, instance: str, patient: str) -> str | None:
        """Our id of the version whose SR this is, among the sender's of this patient's id; None where there is none."""
        statement = (
            select(VERSIONS.c.id)
            .join(REPORTS, REPORTS.c.id == VERSIONS.c.report)
            .where(VERSIONS.c.sr_instance == instance, REPORTS.c.sender == sender)
            .where(or_(VERSIONS.c.patient_id == patient, VERSIONS.c.said_id == patient))
        )
        with reading(self.engine) as connection:
            found = connection.execute(statement).scalar()
        return str(found) if found is not None else None

    def get(self, id: str) -> Delivery:  # noqa: A002 - the route's own word
        """One delivery; raises NotFound."""
        with reading(self.engine) as connection:
            row = connection.execute(select(DELIVERIES).where(DELIVERIES.c.id == id)).first()
        if row is None:
            raise _not_found()
        return made(row._mapping)

    def attempts(self, ids: Sequence[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """The attempts of some deliveries, in their order."""
        statement = (
            select(ATTEMPTS).where(ATTEMPTS.c.delivery.in_(ids)).order_by(ATTEMPTS.c.delivery, ATTEMPTS.c.number)
        )
        found: dict[str, list[Attempt]] = {one: [] for one in ids}
        with reading(self.engine) as connection:
            for row in connection.execute(statement):
                members = {name: row._mapping[name] for name in Attempt.__slots__}
                found[row.delivery].append(Attempt(**(members | {"detail": _pairs(members["detail"])})))
        return {name: tuple(tries) for name, tries in found.items()}

    def list(self, wanted: Mapping[str, str], *, limit: int, before: int | None = None) -> tuple[Delivery, ...]:
        """Deliveries that meet every condition (state, destination, report as our id), the newest first.

        ``before`` is the position that the last page ended with.
        """
        statement = select(DELIVERIES).where(*_conditions(wanted))
        if before is not None:
            statement = statement.where(DELIVERIES.c.position < before)
        with reading(self.engine) as connection:
            rows = connection.execute(statement.order_by(DELIVERIES.c.position.desc()).limit(limit))
            return tuple(made(row._mapping) for row in rows)

    def counts(self) -> Mapping[tuple[str, str], int]:
        """How many deliveries each destination has in each state that somebody waits for; an index has them.

        Of dead letters those count that nobody has looked after.
        """
        counted = select(DELIVERIES.c.destination, DELIVERIES.c.state, func.count()).group_by(
            DELIVERIES.c.destination, DELIVERIES.c.state
        )
        open_ones = DELIVERIES.c.state.in_((State.QUEUED, State.SENDING))
        with reading(self.engine) as connection:
            found = [*connection.execute(counted.where(open_ones)), *connection.execute(counted.where(UNSEEN))]
        return {(row[0], row[1]): int(row[2]) for row in found}

    def queues(self) -> Mapping[str, tuple[int, str | None]]:
        """Of each destination with open deliveries: how many, and when the oldest was made.

        A backfill waits for its window on purpose, and has no age: None where nothing else is open.
        """
        made = func.min(case((DELIVERIES.c.priority < BACKFILL, DELIVERIES.c.created)))
        statement = (
            select(DELIVERIES.c.destination, func.count(), made).where(IS_OPEN).group_by(DELIVERIES.c.destination)
        )
        with reading(self.engine) as connection:
            return {row[0]: (int(row[1]), row[2]) for row in connection.execute(statement)}

    def add(
        self,
        version: str,
        planned: Sequence[Planned],
        outputs: Sequence[Mapping[str, Any]],
        origin: Origin,
        seen: Sequence[Delivery] | None = None,
    ) -> tuple[Delivery, ...]:
        """Deliveries of a version that is kept already, with the outputs they need; one that is there stays as it is.

        ``seen`` are all that it had when they were planned. Raises NotFound, and Changed where something else stands by
        now at their destinations, or what they follow is sent again.
        """
        with transaction(self.engine, writes=True) as connection:
            row = connection.execute(
                select(VERSIONS.c.report, VERSIONS.c.version).where(VERSIONS.c.id == version)
            ).first()
            if row is None:
                raise _not_found()
            hold(connection, row.report)
            columns = (DELIVERIES.c.id, DELIVERIES.c.destination, DELIVERIES.c.open)
            rows = connection.execute(select(*columns).where(DELIVERIES.c.version == version))
            there = [(one.id, one.destination, bool(one.open)) for one in rows]
            if seen is not None:
                before = [(one.id, one.destination, one.is_open) for one in seen]
                if _concerned(before, planned) != _concerned(there, planned):
                    raise Changed
            known = {one[0] for one in there}
            roles = set(connection.execute(select(OUTPUTS.c.role).where(OUTPUTS.c.version == version)).scalars())
            new = [one for one in outputs if one["role"] not in roles]
            if new:
                connection.execute(insert(OUTPUTS), [{"version": version, **one} for one in new])
            fresh = [one for one in planned if one.id not in known]
            keep(connection, (version, row.report, row.version), fresh, self.now(), origin)
        return self.of(version)

    def retry(self, id: str, *, priority: int | None = None) -> Delivery:  # noqa: A002 - the route's own word
        """Put a dead letter back to be sent from the start; raises NotFound, and Conflict for one that is none, or that
        another one has taken the place of.
        """
        with transaction(self.engine, writes=True) as connection:
            if not _put_back(connection, [DELIVERIES.c.id == id], self.now(), priority):
                state = connection.execute(select(DELIVERIES.c.state).where(DELIVERIES.c.id == id)).scalar()
                if state is None:
                    raise _not_found()
                if state in DEAD_LETTERS:
                    why = "it was written again for this destination: what follows it is sent in its place"
                    raise Conflict(Problem("", "dead-letter", why, _in_its_place(connection, id)))
                raise Conflict(
                    Problem("", "dead-letter", f"this delivery is {state}: only a dead letter is sent again")
                )
        return self.get(id)

    def retry_all(self, wanted: Mapping[str, str], *, priority: int | None = None) -> int:
        """Put back every dead letter that meets the conditions, those aside that were written again; how many.

        ``priority`` moves them behind others.
        """
        with transaction(self.engine, writes=True) as connection:
            return _put_back(connection, _conditions(wanted), self.now(), priority)


def _concerned(there: Sequence[tuple[str, str, bool]], planned: Sequence[Planned]) -> set[tuple[str, str, bool]]:
    """Those (id, destination, whether it is open) that stand where others are to go, or that others follow."""
    places, followed = {one.destination for one in planned}, {one.parent for one in planned}
    return {one for one in there if one[1] in places or one[0] in followed}


def keep(
    connection: Connection, version: tuple[str, int, int], planned: Sequence[Planned], now: str, origin: Origin
) -> None:
    """Make deliveries within the transaction that keeps their report; ``version`` is id, report and number."""
    if not planned:
        return
    identity, report, number = version
    rows = [
        {
            "id": one.id,
            "version": identity,
            "report": report,
            "number": number,
            "destination": one.destination,
            "format": one.format,
            "role": one.role,
            "identifiers": orjson.dumps(one.identifiers).decode(),
            "sr": orjson.dumps(asdict(one.sr)).decode() if one.sr else "",
            "parent": one.parent,
            "state": State.DRY_RUN if one.dry_run else State.QUEUED,
            "open": int(not one.dry_run),
            "attempts": 0,
            "counted": 0,
            "run": 1,
            "fed": None,
            "priority": one.priority,
            "created": now,
            "changed": now,
            "next_at": now,
            "settled": now if one.dry_run else None,
            "status": "",
            "reason": "the destination is set to dry-run: kept, not sent" if one.dry_run else "",
            "request": origin.request,
            "trace": origin.trace,
        }
        for one in planned
    ]
    connection.execute(insert(DELIVERIES), rows)


def made(row: RowMapping) -> Delivery:
    """A delivery of its row."""
    members = {name: row[name] for name in Delivery.__slots__ if name not in {"is_open", "origin"}}
    sr = orjson.loads(row["sr"]) if row["sr"] else None
    return Delivery(
        **(
            members
            | {
                "identifiers": _pairs(row["identifiers"]),
                "sr": SrReference(**sr) if sr else None,
                "state": State(row["state"]),
                "is_open": bool(row["open"]),
                "origin": Origin(row["request"], row["trace"]),
            }
        )
    )


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(one), str(other)) for one, other in orjson.loads(text))


def _conditions(wanted: Mapping[str, str]) -> list[ColumnElement[bool]]:
    columns = {"state": DELIVERIES.c.state, "destination": DELIVERIES.c.destination, "report": DELIVERIES.c.version}
    return [columns[name] == value for name, value in wanted.items()]


def _put_back(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], now: str, priority: int | None = None
) -> int:
    """Put dead letters back; how many. Their reports are held: none is written again at the same time."""
    dead = (DELIVERIES.c.state.in_(DEAD_LETTERS), *conditions)
    of = select(DELIVERIES.c.report).where(*dead)
    held = select(REPORTS.c.id).where(REPORTS.c.id.in_(of)).order_by(REPORTS.c.id).with_for_update()
    reports = connection.execute(held).scalars().all()
    values: dict[str, Any] = {
        "state": State.QUEUED,
        "open": 1,
        "counted": 0,
        "run": DELIVERIES.c.run + 1,
        "fed": None,
        "changed": now,
        "next_at": now,
        "settled": None,
    }
    if priority is not None:
        values["priority"] = priority
    back = 0
    for start in range(0, len(reports), _HELD_AT_A_TIME):
        # In a statement of its own: it sees what was written again before the reports were held.
        these = DELIVERIES.c.report.in_(reports[start : start + _HELD_AT_A_TIME])
        back += connection.execute(update(DELIVERIES).where(these, *dead, ~_REPLACED).values(values)).rowcount
    return back


def _in_its_place(connection: Connection, id: str) -> tuple[str, ...]:  # noqa: A002 - the route's own word
    """The newest delivery that is in the place of one."""
    statement = select(_NEXT.id).where(DELIVERIES.c.id == id, *_IN_ITS_PLACE).order_by(_NEXT.position.desc()).limit(1)
    return tuple(connection.execute(statement).scalars())


def rank(backfill: bool | None) -> int | None:
    """The priority that somebody asks for; None: the one that there is."""
    return None if backfill is None else BACKFILL if backfill else 0


def hold(connection: Connection, report: int) -> None:
    """Hold the report, so that the order of its versions is decided by one at a time; SQLite has one writer anyway."""
    connection.execute(select(REPORTS.c.id).where(REPORTS.c.id == report).with_for_update())


def _not_found() -> NotFound:
    return NotFound(Problem("", "stored", "nothing is stored under this id"))
