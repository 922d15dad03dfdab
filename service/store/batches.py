"""Batches of reports: their lines in parts until these are published, and what became of each line.

A part is claimed by one worker at a time. Who works on one that was taken over writes nothing more: the number of the
run is in the row. A line has one outcome; the second to say one is not heard.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, func, insert, or_, select, update

from service.domain.errors import Conflict, NotFound, Problem
from service.store.batch_tables import BATCH_LINES, BATCH_PARTS, BATCHES
from service.store.batch_turns import last_turn_of, next_part, senders
from service.store.database import reading, transaction
from service.store.times import AHEAD_S, later, seconds_between

RECEIVING: Final = "receiving"
RUNNING: Final = "running"
DONE: Final = "done"
CANCELLED: Final = "cancelled"
STATES: Final = (RUNNING, DONE, CANCELLED)
"""Of a batch that was taken; one that is still received is not shown."""
KEPT: Final = "kept"
KNOWN: Final = "known"
REFUSED: Final = "refused"
OUTCOMES: Final = (KEPT, KNOWN, REFUSED)
"""Of a line: kept as a report, there already, or refused."""
_OPEN: Final = "open"
_FED_LATE_S: Final = 30.0
_ABANDONED_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and how far it is; ``sender`` is whose it is where the caller spoke for one sender only.

    ``rate``: lines a second since the first part was taken up; ``left_s``: seconds until all are done at that rate.
    None where nothing is under way, or nothing done yet.
    """

    id: str
    state: str
    sender: str
    created: str
    settled: str | None
    lines: int
    kept: int
    known: int
    refused: int
    asked: Mapping[str, Any]
    rate: float | None = None
    left_s: float | None = None

    @property
    def done(self) -> int:
        """Lines with an outcome."""
        return self.kept + self.known + self.refused


@dataclass(frozen=True, slots=True)
class PartDue:
    """A run of a part."""

    batch: str
    number: int
    run: int


@dataclass(frozen=True, slots=True)
class Part:
    """What is left of a part: numbers and texts of its lines."""

    batch: str
    sender: str
    asked: Mapping[str, Any]
    lines: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line: the id of its report, or why it was refused."""

    line: int
    outcome: str
    report: str | None = None
    problems: tuple[Problem, ...] = ()


class BatchStore:
    """The batches of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self._engine = engine
        self._now = now

    def begin(self, sender: str, asked: Mapping[str, Any]) -> str:
        """A batch that is being received; its id."""
        made = str(uuid4())
        values = {"id": made, "state": RECEIVING, "sender": sender, "created": self._now(), "settled": None}
        with transaction(self._engine, writes=True) as connection:
            connection.execute(insert(BATCHES).values(**values, lines=0, asked=orjson.dumps(asked).decode()))
        return made

    def add(self, batch: str, number: int, first: int, lines: Sequence[bytes]) -> None:
        """A part of it: lines from number ``first`` on, blank ones with them."""
        with transaction(self._engine, writes=True) as connection:
            connection.execute(
                insert(BATCH_PARTS).values(
                    batch=batch,
                    number=number,
                    first=first,
                    content=zlib.compress(b"\n".join(lines), 1),
                    state=_OPEN,
                    run=1,
                    fed=None,
                    kept=0,
                    known=0,
                    refused=0,
                )
            )

    def ready(self, batch: str, lines: int) -> None:
        """All of it has come: ``lines`` that are not blank."""
        with transaction(self._engine, writes=True) as connection:
            values = {"state": RUNNING, "lines": lines, "turn": last_turn_of(batch)}
            connection.execute(update(BATCHES).where(BATCHES.c.id == batch).values(**values))
            _settle(connection, batch, self._now())

    def drop(self, batch: str) -> None:
        """Forget one that was not received to its end."""
        with transaction(self._engine, writes=True) as connection:
            _remove(connection, [batch])

    def get(self, batch: str) -> Batch:
        """A batch; raises NotFound."""
        counted = (func.coalesce(func.sum(getattr(BATCH_PARTS.c, name)), 0) for name in OUTCOMES)
        with transaction(self._engine) as connection:
            row = connection.execute(select(BATCHES).where(BATCHES.c.id == batch, BATCHES.c.state != RECEIVING)).first()
            if row is None:
                raise NotFound(Problem("", "stored", "nothing is stored under this id"))
            begun = func.min(BATCH_PARTS.c.fed)
            sums = connection.execute(select(*counted, begun).where(BATCH_PARTS.c.batch == batch)).one()
        found = Batch(
            row.id,
            row.state,
            row.sender,
            row.created,
            row.settled,
            row.lines,
            int(sums[0]),
            int(sums[1]),
            int(sums[2]),
            orjson.loads(row.asked),
        )
        return _paced(found, sums[3], self._now())

    def list(self, state: str | None = None, *, limit: int) -> tuple[Batch, ...]:
        """The newest batches, of a state where one is given; without those that are still received."""
        wanted = select(BATCHES.c.id).where(BATCHES.c.state.in_(STATES if state is None else (state,)))
        with transaction(self._engine) as connection:
            names = connection.execute(wanted.order_by(BATCHES.c.created.desc(), BATCHES.c.id).limit(limit)).scalars()
            found = list(names)
        return tuple(self.get(name) for name in found)

    def outcomes(self, batch: str, *, limit: int, after: int = 0, outcome: str | None = None) -> tuple[Outcome, ...]:
        """What became of its lines, in their order, of those with a higher number than ``after``."""
        wanted = select(BATCH_LINES).where(BATCH_LINES.c.batch == batch, BATCH_LINES.c.line > after)
        if outcome is not None:
            wanted = wanted.where(BATCH_LINES.c.outcome == outcome)
        with transaction(self._engine) as connection:
            rows = connection.execute(wanted.order_by(BATCH_LINES.c.line).limit(limit)).all()
        return tuple(_outcome(row) for row in rows)

    def cancel(self, batch: str) -> Batch:
        """Do nothing more of it; what is kept stays. Raises NotFound, Conflict for one that is done."""
        with transaction(self._engine, writes=True) as connection:
            stop = update(BATCHES).where(BATCHES.c.id == batch, BATCHES.c.state == RUNNING)
            if connection.execute(stop.values(state=CANCELLED, settled=self._now())).rowcount:
                parts = update(BATCH_PARTS).where(BATCH_PARTS.c.batch == batch, BATCH_PARTS.c.state == _OPEN)
                connection.execute(parts.values(state=CANCELLED, content=b""))
        found = self.get(batch)
        if found.state == DONE:
            raise Conflict(Problem("", "batch", "it is done: nothing is left to cancel"))
        return found

    def is_waiting(self) -> bool:
        """Whether there is a batch to work on."""
        with reading(self._engine) as connection:
            running = select(BATCHES.c.id).where(BATCHES.c.state == RUNNING)
            return connection.execute(running.limit(1)).first() is not None

    def claim(self, most: int) -> tuple[PartDue, ...]:
        """The next parts, of senders and their batches in turns; they are the caller's."""
        with reading(self._engine) as connection:
            if not senders(connection):
                return ()
        claimed: list[PartDue] = []
        while len(claimed) < most and (one := self._claim_next()) is not None:
            claimed.append(one)
        return tuple(claimed)

    def _claim_next(self) -> PartDue | None:
        with transaction(self._engine, writes=True) as connection:
            row = next_part(connection)
            if row is None:
                return None
            made = PartDue(row.batch, row.number, row.run)
            connection.execute(_run_of(made).values(fed=self._now()))
        return made

    def part(self, run: PartDue) -> Part | None:
        """What is left to do in a run; None when it is no longer one."""
        with transaction(self._engine) as connection:
            row = connection.execute(
                select(BATCH_PARTS.c.first, BATCH_PARTS.c.content, BATCHES.c.sender, BATCHES.c.asked)
                .join(BATCHES, BATCHES.c.id == BATCH_PARTS.c.batch)
                .where(
                    BATCH_PARTS.c.batch == run.batch,
                    BATCH_PARTS.c.number == run.number,
                    BATCH_PARTS.c.run == run.run,
                    BATCH_PARTS.c.state == _OPEN,
                    BATCHES.c.state == RUNNING,
                )
            ).first()
            if row is None:
                return None
            lines = list(enumerate(zlib.decompress(row.content).split(b"\n"), row.first))
            told = set(
                connection.execute(
                    select(BATCH_LINES.c.line).where(
                        BATCH_LINES.c.batch == run.batch, BATCH_LINES.c.line.between(row.first, lines[-1][0])
                    )
                ).scalars()
            )
        left = tuple((number, body) for number, body in lines if body.strip() and number not in told)
        return Part(run.batch, row.sender, orjson.loads(row.asked), left)

    def told(self, run: PartDue, said: Outcome) -> bool:
        """Record what became of a line; False when the run is over: cancelled, or taken by another."""
        problems = [_problem_row(one) for one in said.problems]
        values = {"line": said.line, "outcome": said.outcome, "report": said.report}
        counter = getattr(BATCH_PARTS.c, said.outcome)
        with transaction(self._engine, writes=True) as connection:
            # The row of the part is locked from here: of two workers at one line, one sees what the other has said.
            if not connection.execute(_run_of(run).values({said.outcome: counter + 1})).rowcount:
                return False
            connection.execute(
                insert(BATCH_LINES).values(batch=run.batch, problems=orjson.dumps(problems).decode(), **values)
            )
        return True

    def ended(self, run: PartDue) -> None:
        """All lines of a part have an outcome; the last part ends the batch."""
        with transaction(self._engine, writes=True) as connection:
            # Of parts that end at the same time, the last must see the others.
            connection.execute(select(BATCHES.c.id).where(BATCHES.c.id == run.batch).with_for_update())
            if connection.execute(_run_of(run).values(state=DONE, content=b"")).rowcount:
                _settle(connection, run.batch, self._now())

    def stale(self) -> tuple[PartDue, ...]:
        """Parts that a workflow has had for a while: whoever asks looks whether it still has them."""
        now = self._now()
        late = or_(BATCH_PARTS.c.fed < later(now, -_FED_LATE_S), BATCH_PARTS.c.fed > later(now, AHEAD_S))
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(BATCH_PARTS.c.batch, BATCH_PARTS.c.number, BATCH_PARTS.c.run)
                .where(BATCH_PARTS.c.state == _OPEN, BATCH_PARTS.c.fed.is_not(None), late)
                .limit(1000)
            )
            return tuple(PartDue(row.batch, row.number, row.run) for row in rows)

    def freed(self, runs: Sequence[PartDue]) -> None:
        """Give back parts that nobody works on: the next run of each is due at once."""
        with transaction(self._engine, writes=True) as connection:
            for one in runs:
                connection.execute(_run_of(one).values(fed=None, run=one.run + 1))

    def forget(self, keep_days: int) -> int:
        """Remove what was never received to its end, and where days are given what ended before them; how many."""
        now = self._now()
        old: list[ColumnElement[bool]] = [
            and_(BATCHES.c.state == RECEIVING, BATCHES.c.created < later(now, -_ABANDONED_S))
        ]
        if keep_days:
            old.append(BATCHES.c.settled < later(now, -86_400.0 * keep_days))
        with transaction(self._engine, writes=True) as connection:
            found = list(connection.execute(select(BATCHES.c.id).where(or_(*old)).limit(100)).scalars())
            _remove(connection, found)
        return len(found)


def _paced(batch: Batch, begun: str | None, now: str) -> Batch:
    """The batch with its rate and the time left; a clock that has gone back since tells neither."""
    passed = seconds_between(begun, now) if begun is not None else 0.0
    if batch.state != RUNNING or not batch.done or passed <= 0:
        return batch
    rate = batch.done / passed
    return replace(batch, rate=rate, left_s=(batch.lines - batch.done) / rate)


def _run_of(run: PartDue) -> Any:
    return update(BATCH_PARTS).where(
        BATCH_PARTS.c.batch == run.batch,
        BATCH_PARTS.c.number == run.number,
        BATCH_PARTS.c.run == run.run,
        BATCH_PARTS.c.state == _OPEN,
    )


def _settle(connection: Connection, batch: str, now: str) -> None:
    """Set a batch down as done when no part of it is open."""
    left = select(BATCH_PARTS.c.number).where(BATCH_PARTS.c.batch == batch, BATCH_PARTS.c.state == _OPEN).limit(1)
    if connection.execute(left).first() is None:
        running = update(BATCHES).where(BATCHES.c.id == batch, BATCHES.c.state == RUNNING)
        connection.execute(running.values(state=DONE, settled=now))


def _remove(connection: Connection, batches: Sequence[str]) -> None:
    connection.execute(delete(BATCH_LINES).where(BATCH_LINES.c.batch.in_(batches)))
    connection.execute(delete(BATCH_PARTS).where(BATCH_PARTS.c.batch.in_(batches)))
    connection.execute(delete(BATCHES).where(BATCHES.c.id.in_(batches)))


def _problem_row(problem: Problem) -> dict[str, Any]:
    row: dict[str, Any] = {"pointer": problem.pointer, "rule": problem.rule, "detail": problem.detail}
    return {**row, "candidates": list(problem.candidates)} if problem.candidates else row


def _outcome(row: Row[Any]) -> Outcome:
    problems = tuple(
        Problem(one["pointer"], one["rule"], one["detail"], tuple(one.get("candidates", ())))
        for one in orjson.loads(row.problems)
    )
    return Outcome(row.line, row.outcome, row.report, problems)
