"""What would be lost with an older step of the tables: rows of tables and columns that later steps brought."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import column, func, inspect, select, table

from service.store.database import STEPS, transaction
from service.store.tables import WORKERS
from service.store.times import utc

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

BROUGHT: Final = (
    ("0002", "overlays", ""),
    ("0002", "unmapped", ""),
    ("0003", "deliveries", ""),
    ("0003", "attempts", ""),
    ("0003", "circuits", ""),
    ("0003", "workers", ""),
    ("0004", "api_keys", ""),
    ("0005", "batches", ""),
    ("0005", "batch_parts", ""),
    ("0005", "batch_lines", ""),
    ("0006", "merges", ""),
    ("0006", "versions", "said_id"),
    ("0006", "versions", "said_issuer"),
    ("0006", "versions", "accession_issuer"),
    ("0007", "schema_steps", ""),
    ("0007", "rates", ""),
    ("0009", "versions", "predecessors"),
    ("0011", "batches", "turn"),
)
"""The step that brought a table, or a column of one, and that takes it away on the way back."""
_PASSING: Final = ("workers", "circuits", "schema_steps", "rates", "said_id", "said_issuer", "turn")
"""What is made again by itself, or is put back where it was."""
_ALIVE_S: Final = 60
"""Seconds since a worker was heard of: one that is not heard of for 25 s is taken for dead within a minute."""


def losses(engine: Engine, to: str, now: datetime) -> tuple[str, ...]:
    """What speaks against going back to a step, in words: workers that live, and how much of what would be lost.

    Empty for a step that is not older, or not there. Raises Unavailable.
    """
    if to not in STEPS:
        return ()
    with transaction(engine) as connection:
        return tuple(_losses(connection, to, now))


def _losses(connection: Connection, to: str, now: datetime) -> Iterator[str]:
    there = inspect(connection)
    tables = set(there.get_table_names())
    gone = [(name, part) for step, name, part in BROUGHT if step > to and name in tables]
    if not gone:
        return
    if "workers" in tables:
        heard = select(func.count()).select_from(WORKERS)
        alive = connection.scalar(heard.where(WORKERS.c.heartbeat > utc(now - timedelta(seconds=_ALIVE_S)))) or 0
        if alive:
            yield f"{alive} of this deployment's workers live: stop all services, workers and listeners first"
    columns = {one["name"] for one in there.get_columns("versions")}
    for name, part in gone:
        if (part or name) in _PASSING or (part and part not in columns):
            continue
        rows = select(func.count()).select_from(table(name))
        if part:
            rows = rows.where(column(part).is_not(None))
        number = connection.scalar(rows) or 0
        if number:
            yield f"{part} of {number} {name}" if part else f"{number} in {name}"
    if to < "0003":
        outputs = table("outputs", column("role"))
        made = connection.scalar(select(func.count()).select_from(outputs).where(outputs.c.role.like("%@%"))) or 0
        if made:
            yield f"{made} in outputs, those that were made for one destination"
