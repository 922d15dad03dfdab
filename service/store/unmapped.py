"""Terms that were kept as text: counted when a report is kept, listed, and closed by a decision.

A term is all that is kept of a report: no patient, no place in a document, no free text.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, case, func, select, update

from service.domain.errors import NotFound, Problem
from service.store.database import inserting, reading
from service.store.tables import UNMAPPED

OPEN = "open"
RESOLVED = "resolved"
IGNORED = "ignored"
STATES = (OPEN, RESOLVED, IGNORED)
_SAME = ("sender", "field", "system", "form", "language")


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A term that was kept as text once; ``form`` is what its spelling variants share."""

    sender: str
    field: str
    term: str
    form: str
    language: str = ""
    system: str = ""
    code: str = ""
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """A term with how often it was met, and what was decided of it."""

    id: int
    sender: str
    field: str
    system: str
    code: str
    term: str
    language: str
    count: int
    first_seen: str
    last_seen: str
    suggestions: tuple[str, ...]
    state: str
    decision: str
    author: str
    decided: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of a term: resolved or ignored."""

    id: int
    state: str
    text: str
    author: str


class UnmappedStore:
    """The unmapped terms of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self._engine = engine
        self._now = now

    def list(self, wanted: Mapping[str, Any], *, limit: int, offset: int = 0) -> tuple[tuple[Counted, ...], int]:
        """The terms that meet every condition, most frequent first, and how many there are in all.

        Conditions: sender, field, state as text, min as a number.
        """
        columns = {"sender": UNMAPPED.c.sender, "field": UNMAPPED.c.field, "state": UNMAPPED.c.state}
        conditions = [columns[name] == value for name, value in wanted.items() if name in columns]
        if "min" in wanted:
            conditions.append(UNMAPPED.c.count >= wanted["min"])
        rows = select(UNMAPPED).where(*conditions)
        ordered = rows.order_by(UNMAPPED.c.count.desc(), UNMAPPED.c.id).limit(limit).offset(offset)
        with reading(self._engine) as connection:
            total = connection.execute(select(func.count()).select_from(rows.subquery())).scalar() or 0
            return tuple(_counted(row) for row in connection.execute(ordered)), int(total)

    def get(self, ids: Sequence[int]) -> tuple[Counted, ...]:
        """Terms by their numbers, in that order; raises NotFound for one that is not there."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(UNMAPPED).where(UNMAPPED.c.id.in_(ids)))
            found = {row.id: _counted(row) for row in rows}
        missing = next((one for one in ids if one not in found), None)
        if missing is not None:
            raise NotFound(Problem("", "unmapped", f"there is no unmapped term {missing}"))
        return tuple(found[one] for one in ids)


def count(connection: Connection, terms: Iterable[Unmapped], now: str) -> None:
    """Count terms within the transaction that keeps their report; a term that was decided stays closed."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for term in terms:
        key = (term.sender, term.field, term.system, term.form, term.language)
        row = rows.setdefault(key, _first(term, now))
        row["count"] += 1
    if not rows:
        return
    made = inserting(connection, UNMAPPED)
    new = made.excluded
    again = made.on_conflict_do_update(
        index_elements=list(_SAME),
        set_={
            "count": UNMAPPED.c.count + new["count"],
            "last_seen": new["last_seen"],
            "suggestions": case((new["suggestions"] == "[]", UNMAPPED.c.suggestions), else_=new["suggestions"]),
        },
    )
    # In one order everywhere: two transactions that count the same terms wait for each other, and never both ways.
    connection.execute(again, [rows[key] for key in sorted(rows)])


def decide(connection: Connection, decisions: Iterable[Decision], now: str) -> None:
    """Close terms within the transaction that makes the overlay grow."""
    for one in decisions:
        values = {"state": one.state, "decision": one.text, "author": one.author, "decided": now}
        connection.execute(update(UNMAPPED).where(UNMAPPED.c.id == one.id).values(values))


def _first(term: Unmapped, now: str) -> dict[str, Any]:
    """The row of a term that was never met before."""
    return {
        "sender": term.sender,
        "field": term.field,
        "system": term.system,
        "code": term.code,
        "form": term.form,
        "term": term.term,
        "language": term.language,
        "count": 0,
        "first_seen": now,
        "last_seen": now,
        "suggestions": orjson.dumps(term.suggestions).decode(),
        "state": OPEN,
        "decision": "",
        "author": "",
        "decided": None,
    }


def _counted(row: Row[*tuple[object, ...]]) -> Counted:
    members = {name: row._mapping[name] for name in Counted.__slots__}
    return Counted(**(members | {"suggestions": tuple(orjson.loads(members["suggestions"]))}))
