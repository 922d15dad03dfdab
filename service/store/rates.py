"""How far each caller is with its requests, counted for all processes of a deployment.

A bucket of as many requests as a minute may have, which fills at that pace. Its row holds the instant at which it is
full again: a request moves that ahead by its share of a minute, and is too many where it would lie more than a minute
ahead. One statement a request; a row that is due says nothing, and is removed now and then.
"""

import itertools
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Double, Engine, case, delete, func, literal, select

from service.store.database import inserting, transaction
from service.store.tables import RATES

_MINUTE_S: Final = 60.0
_ROUNDING_S: Final = 0.001
_SWEEP: Final = 512
"""Requests of this process after which rows that are due are removed."""


class RateStore:
    """The buckets of one database."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        """Take the database and the clock in seconds; a server has its own, one for all hosts."""
        self._engine, self._clock = engine, clock
        self._counted = itertools.count(1)

    def take(self, caller: str, per_minute: int) -> float:
        """Count a request; 0 where it may be, else the seconds until one may. Raises Unavailable."""
        share = _MINUTE_S / per_minute
        with transaction(self._engine, writes=True) as connection:
            now = self._now(connection)
            # What lies further ahead than it ever can was written before the clock went back.
            begin = case((RATES.c.due.between(now, now + _MINUTE_S + 1), RATES.c.due), else_=now)
            statement = (
                inserting(connection, RATES)
                .values(caller=caller, due=now + share)
                .on_conflict_do_update(
                    index_elements=[RATES.c.caller],
                    set_={"due": begin + share},
                    where=begin + share <= now + _MINUTE_S + _ROUNDING_S,
                )
                .returning(RATES.c.due)
            )
            if connection.execute(statement).first() is None:
                left = connection.execute(select(RATES.c.due - now).where(RATES.c.caller == caller)).scalar_one()
                return max(float(left) + share - _MINUTE_S, 0.001)
            if next(self._counted) % _SWEEP == 0:
                connection.execute(delete(RATES).where(RATES.c.due < now))
        return 0.0

    def _now(self, connection: Connection) -> Any:
        if connection.dialect.name == "postgresql":
            return func.extract("epoch", func.clock_timestamp()).cast(Double)
        return literal(self._clock(), Double)
