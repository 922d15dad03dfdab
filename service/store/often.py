"""Statements that are run with every report: put together once, then handed to the database's driver as they are."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ClauseElement, Connection, CursorResult
from sqlalchemy.sql.compiler import SQLCompiler


class Often:
    """One statement, whose values are text, numbers, bytes or None: what a driver takes and gives as it is.

    To run a statement SQLAlchemy looks up how it was put together, and how each value is bound and each column is
    told; that takes longer than the driver does.
    """

    def __init__(self, statement: ClauseElement) -> None:
        """Take the statement with its parameters by name."""
        self._statement = statement
        self._made: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}

    def on(self, connection: Connection, values: Mapping[str, object]) -> CursorResult[Any]:
        """Run it; raises what the connection does. ``values`` are of the parameters that have none of their own."""
        name = connection.dialect.name
        if name not in self._made:
            compiled = self._statement.compile(dialect=connection.dialect)
            assert isinstance(compiled, SQLCompiler)  # noqa: S101 - no other statement has parameters
            own = {each: bind.effective_value for bind, each in compiled.bind_names.items() if not bind.required}
            self._made[name] = compiled.string, own, compiled.positiontup
        said, own, order = self._made[name]
        given = {**own, **values}
        return connection.exec_driver_sql(said, tuple([given[one] for one in order]) if order is not None else given)
