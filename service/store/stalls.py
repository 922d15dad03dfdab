"""Whether anybody begins what is due to a destination, asked of the tables: a worker that hangs can't say so."""

from typing import Final

from sqlalchemy import Engine, exists, select

from service.store.circuits import Door, door
from service.store.database import transaction
from service.store.delivery_rows import BACKFILL
from service.store.queues import earlier_open, first_waiting
from service.store.tables import ATTEMPTS, DELIVERIES, UNDER_WAY
from service.store.times import AHEAD_S, later

STALLED_S: Final = 120.0
"""A worker that begins nothing begins its term anew before that; so this is what it could not mend."""


def stalled(engine: Engine, now: str, destination: str, per_s: float = 0.0) -> bool:
    """Whether deliveries have been due for `STALLED_S` and none is under way or was begun in that time.

    ``per_s``: of the destination's rate, which may hold them for longer. Backfill waits for its window and is no stall.
    """
    since = later(now, -max(STALLED_S, per_s))
    waiting = first_waiting(
        destination,
        DELIVERIES.c.priority < BACKFILL,
        DELIVERIES.c.next_at <= since,
        DELIVERIES.c.changed <= since,
        ~earlier_open(),
    )
    under_way = exists().where(DELIVERIES.c.destination == destination, UNDER_WAY)
    begun = exists().where(
        ATTEMPTS.c.destination == destination,
        ATTEMPTS.c.started > since,
        ATTEMPTS.c.started <= later(now, AHEAD_S),
    )
    with transaction(engine) as connection:
        if door(connection, destination, now) is Door.SHUT:
            return False
        return bool(connection.execute(select(waiting & ~under_way & ~begun)).scalar())
