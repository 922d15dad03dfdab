"""What is removed once it is old enough: whole reports, never one that is on its way or needs a person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, Select, delete, exists, func, or_, select, text

from service.store.database import transaction
from service.store.dead_letters import UNSEEN
from service.store.patients import MERGE_LOCK
from service.store.tables import ATTEMPTS, DELIVERIES, KEYS, OUTPUTS, REPORTS, VERSIONS
from service.store.times import later

_WITH_MERGES: Final = text(f"SELECT pg_advisory_xact_lock_shared({MERGE_LOCK})")
"""A merge changes versions in an order of its own: who removes them waits for it first, as who keeps one does."""
BATCH: Final = 100
"""Reports removed in one transaction: others wait no longer than that takes."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was removed, or would be."""

    reports: int
    versions: int


class Retention:
    """Removes old reports of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self._engine = engine
        self._now = now

    def purge(self, days: int, *, dead_letters: bool = False, most: int = 1_000_000) -> Purged:
        """Remove reports of which every version came more than so many days ago and every delivery is at an end.

        A report with a dead letter stays, since nobody has looked after it, unless ``dead_letters`` says otherwise.
        """
        reports = versions = 0
        while reports < most:
            with transaction(self._engine, writes=True) as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(_WITH_MERGES)
                old = self._old(days, dead_letters)
                found = connection.execute(old.limit(BATCH)).scalars().all()
                held = select(REPORTS.c.id).where(REPORTS.c.id.in_(found)).order_by(REPORTS.c.id).with_for_update()
                mine = connection.execute(held).scalars().all()
                # Asked again now that they are held: meanwhile one may have been sent again, or have a new version.
                gone = list(connection.execute(old.where(REPORTS.c.id.in_(mine))).scalars())
                versions += _remove(connection, gone)
            reports += len(gone)
            if len(found) < BATCH:
                break
        return Purged(reports, versions)

    def would_purge(self, days: int, *, dead_letters: bool = False) -> Purged:
        """What `purge` would remove."""
        old = self._old(days, dead_letters).subquery()
        with transaction(self._engine) as connection:
            reports = connection.execute(select(func.count()).select_from(old)).scalar() or 0
            counted = select(func.count()).where(VERSIONS.c.report.in_(select(old.c.id)))
            return Purged(int(reports), int(connection.execute(counted).scalar() or 0))

    def _old(self, days: int, dead_letters: bool) -> Select[int]:
        before = later(self._now(), -86_400.0 * days)
        young = exists().where(VERSIONS.c.report == REPORTS.c.id, VERSIONS.c.received >= before)
        needed = DELIVERIES.c.open == 1
        if not dead_letters:
            needed = or_(needed, UNSEEN)
        wanted = exists().where(DELIVERIES.c.report == REPORTS.c.id, needed)
        return select(REPORTS.c.id).where(~young, ~wanted).order_by(REPORTS.c.id)


def _remove(connection: Connection, reports: list[int]) -> int:
    """Remove reports with all that belongs to them; how many versions."""
    versions = select(VERSIONS.c.id).where(VERSIONS.c.report.in_(reports))
    deliveries = select(DELIVERIES.c.id).where(DELIVERIES.c.report.in_(reports))
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.delivery.in_(deliveries)))
    connection.execute(delete(DELIVERIES).where(DELIVERIES.c.report.in_(reports)))
    connection.execute(delete(KEYS).where(KEYS.c.version.in_(versions)))
    connection.execute(delete(OUTPUTS).where(OUTPUTS.c.version.in_(versions)))
    removed = connection.execute(delete(VERSIONS).where(VERSIONS.c.report.in_(reports))).rowcount
    connection.execute(delete(REPORTS).where(REPORTS.c.id.in_(reports)))
    return int(removed)
