"""Deliveries as they are kept: made with their report in one transaction, listed, and counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, case, func, insert, or_, select

from service.domain.errors import Conflict, NotFound, Problem
from service.domain.received import Sent
from service.store.database import reading, transaction
from service.store.dead_letters import UNSEEN, give_up, in_its_place, put_back
from service.store.delivery_rows import (
    BACKFILL,
    DEAD_LETTERS,
    Attempt,
    Delivery,
    Origin,
    Planned,
    State,
    attempt_of,
    delivery_of,
)
from service.store.tables import ATTEMPTS, DELIVERIES, IS_OPEN, OUTPUTS, REPORTS, VERSIONS


class Changed(Exception):
    """Where deliveries are to go another one was made or put back since they were planned; look again."""


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
            found = tuple(delivery_of(row._mapping) for row in connection.execute(statement))
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
        return delivery_of(row._mapping)

    def attempts(self, ids: Sequence[str]) -> Mapping[str, tuple[Attempt, ...]]:
        """The attempts of some deliveries, in their order."""
        statement = (
            select(ATTEMPTS).where(ATTEMPTS.c.delivery.in_(ids)).order_by(ATTEMPTS.c.delivery, ATTEMPTS.c.number)
        )
        found: dict[str, list[Attempt]] = {one: [] for one in ids}
        with reading(self.engine) as connection:
            for row in connection.execute(statement):
                found[row.delivery].append(attempt_of(row._mapping))
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
            return tuple(delivery_of(row._mapping) for row in rows)

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
            if not put_back(connection, [DELIVERIES.c.id == id], self.now(), priority):
                state = connection.execute(select(DELIVERIES.c.state).where(DELIVERIES.c.id == id)).scalar()
                if state is None:
                    raise _not_found()
                if state in DEAD_LETTERS:
                    why = "it was written again for this destination: what follows it is sent in its place"
                    raise Conflict(Problem("", "dead-letter", why, in_its_place(connection, id)))
                raise Conflict(
                    Problem("", "dead-letter", f"this delivery is {state}: only a dead letter is sent again")
                )
        return self.get(id)

    def retry_all(self, wanted: Mapping[str, str], *, priority: int | None = None) -> int:
        """Put back every dead letter that meets the conditions, those aside that were written again; how many.

        ``priority`` moves them behind others.
        """
        with transaction(self.engine, writes=True) as connection:
            return put_back(connection, _conditions(wanted), self.now(), priority)

    def give_up(self, id: str, reason: str) -> Delivery:  # noqa: A002 - the route's own word
        """Make a delivery that waits a dead letter; raises NotFound, and Conflict for one that does not wait."""
        with transaction(self.engine, writes=True) as connection:
            if not give_up(connection, [DELIVERIES.c.id == id], reason, self.now()):
                mine = select(DELIVERIES.c.state, DELIVERIES.c.open).where(DELIVERIES.c.id == id)
                row = connection.execute(mine).first()
                if row is None:
                    raise _not_found()
                raise Conflict(Problem("", "queued", _why_it_stays(State(row.state), is_open=bool(row.open))))
        return self.get(id)

    def give_up_all(self, destination: str, reason: str) -> int:
        """Make everything that waits for a destination, whether it is set up or not, dead letters; how many."""
        with transaction(self.engine, writes=True) as connection:
            return give_up(connection, [DELIVERIES.c.destination == destination], reason, self.now())


def _why_it_stays(state: State, *, is_open: bool) -> str:
    """Why a delivery is not given up, and what can be done instead."""
    if state in DEAD_LETTERS:
        return f"this delivery is {state}: nothing sends it unless it is sent again"
    if state is State.DRY_RUN:
        return "this delivery is dry-run: it is never sent"
    if not is_open or state is State.STORED:
        return f"this delivery is {state}: the destination has it; withdraw the report there with cancel"
    return "this delivery is being sent: ask again once the attempt has ended, it may be queued then"


def _concerned(there: Sequence[tuple[str, str, bool]], planned: Sequence[Planned]) -> set[tuple[str, str, bool]]:
    """Those (id, destination, whether it is open) that stand where others are to go, or that others follow."""
    places, followed = {one.destination for one in planned}, {one.parent for one in planned}
    return {one for one in there if one[1] in places or one[0] in followed}


def keep(
    connection: Connection, version: tuple[str, int, int], planned: Sequence[Planned], now: str, origin: Origin
) -> None:
    """Make deliveries within the transaction that keeps their report; ``version`` is id, report and number."""
    if planned:
        connection.execute(_INSERT, rows_of(version, planned, now, origin))


def rows_of(
    version: tuple[str, int | None, int], planned: Sequence[Planned], now: str, origin: Origin
) -> list[dict[str, object]]:
    """The rows of new deliveries in their order, but for their positions; ``version`` as `keep` has it."""
    identity, report, number = version
    return [
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


_INSERT: Final = insert(DELIVERIES)


def _conditions(wanted: Mapping[str, str]) -> list[ColumnElement[bool]]:
    columns = {"state": DELIVERIES.c.state, "destination": DELIVERIES.c.destination, "report": DELIVERIES.c.version}
    return [columns[name] == value for name, value in wanted.items()]


def hold(connection: Connection, report: int) -> None:
    """Hold the report, so that the order of its versions is decided by one at a time; SQLite has one writer anyway."""
    connection.execute(select(REPORTS.c.id).where(REPORTS.c.id == report).with_for_update())


def _not_found() -> NotFound:
    return NotFound(Problem("", "stored", "nothing is stored under this id"))
