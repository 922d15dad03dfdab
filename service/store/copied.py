"""What a copy of the embedded database holds beside the tables of its step: a trigger in it would run with our rights.

The tables of a step are those that its migrations make, in a database in memory. An index that a site has added stays.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

from sqlalchemy import text

from service.domain.errors import Invalid, Problem
from service.store.database import HEAD, STEPS, migrate, open_engine

_PLAIN: Final = ("CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX ")
_OWN: Final = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})
"""Tables that SQLite makes by itself."""
_MOST: Final = 5
_COLUMNS: Final = "SELECT m.name, x.name FROM sqlite_master m, pragma_table_xinfo(m.name) x WHERE m.type = 'table'"


def hold_plain(copy: sqlite3.Connection) -> None:
    """Raise Invalid for triggers, views and virtual tables: no step has any. Nothing else may be read before."""
    found = copy.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    _refuse(
        f"{kind} {name}"
        for kind, name, sql in found
        if kind not in ("table", "index") or (sql is not None and not str(sql).upper().startswith(_PLAIN))
    )


def hold_known(copy: sqlite3.Connection, step: str) -> None:
    """Raise Invalid for tables and columns that a step does not have; of one that is newer nothing is known."""
    if step not in STEPS:
        return
    # Going back keeps what must not be forgotten, as where the audit trail ended.
    known = _columns_of(step) | _columns_of(HEAD)
    tables = {table for table, _ in known}
    found = [(table, column) for table, column in copy.execute(_COLUMNS) if table not in _OWN]
    beside = dict.fromkeys(f"table {table}" for table, _ in found if table not in tables)
    columns = [
        f"column {table}.{column}" for table, column in found if table in tables and (table, column) not in known
    ]
    _refuse([*beside, *columns])


def _columns_of(step: str) -> set[tuple[str, str]]:
    engine = open_engine("sqlite://")
    try:
        migrate(engine, step)
        with engine.connect() as connection:
            return {(table, column) for table, column in connection.execute(text(_COLUMNS))}
    finally:
        engine.dispose()


def _refuse(found: Iterator[str] | list[str]) -> None:
    named = [one if len(one) <= 80 and one.isprintable() else f"{one[:80]!a} ..." for one in found]
    if named:
        more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
        why = f"the copy holds what this service does not make: {', '.join(named[:_MOST])}{more}; drop it there first"
        raise Invalid(Problem("", "backup", why))
