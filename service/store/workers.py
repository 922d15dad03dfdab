"""Slots for worker processes: taken, kept by a heartbeat, found silent by the others.

Nobody compares clocks: a worker is silent when its heartbeat has not changed for a while by the watch of who looks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.store.database import transaction
from service.store.tables import WORKERS

MOST_SLOTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Slot:
    """A worker's place: its number is its executor id, ``token`` is the process that has it."""

    number: int
    token: str

    @property
    def executor(self) -> str:
        """The name under which workflows are this worker's."""
        return f"worker-{self.number}"


class Workers:
    """The workers of one database."""

    def __init__(self, engine: Engine, now: Callable[[], str]) -> None:
        """Take the database and the clock."""
        self._engine = engine
        self._now = now

    def take(self, token: str, name: str, revision: str) -> Slot:
        """The lowest free slot; who comes at the same time gets the next."""
        for _ in range(MOST_SLOTS):
            taken = set(self.present())
            number = next(number for number in range(MOST_SLOTS) if number not in taken)
            values = {"slot": number, "token": token, "name": name, "revision": revision, "heartbeat": self._now()}
            try:
                with transaction(self._engine, writes=True) as connection:
                    connection.execute(insert(WORKERS).values(values))
            except IntegrityError:
                continue
            return Slot(number, token)
        raise RuntimeError("no free slot for a worker")

    def take_only(self, token: str, name: str, revision: str) -> Slot:
        """The one slot of an embedded database; whoever calls this knows that no other worker lives."""
        with transaction(self._engine, writes=True) as connection:
            connection.execute(delete(WORKERS))
            values = {"slot": 0, "token": token, "name": name, "revision": revision, "heartbeat": self._now()}
            connection.execute(insert(WORKERS).values(values))
        return Slot(0, token)

    def beat(self, slot: Slot) -> bool:
        """Say that a worker lives; False when it was taken for dead and its slot is no longer its own."""
        mine = (WORKERS.c.slot == slot.number) & (WORKERS.c.token == slot.token)
        with transaction(self._engine, writes=True) as connection:
            return connection.execute(update(WORKERS).where(mine).values(heartbeat=self._now())).rowcount == 1

    def present(self) -> Mapping[int, tuple[str, str, str]]:
        """Each slot in use with its token, its last heartbeat and its revision."""
        with transaction(self._engine) as connection:
            rows = connection.execute(select(WORKERS))
            return {row.slot: (row.token, row.heartbeat, row.revision) for row in rows}

    def leave(self, slot: Slot) -> None:
        """Give a slot back."""
        mine = (WORKERS.c.slot == slot.number) & (WORKERS.c.token == slot.token)
        with transaction(self._engine, writes=True) as connection:
            connection.execute(delete(WORKERS).where(mine))

    def bury(self, number: int, token: str, heartbeat: str) -> bool:
        """Take the slot from a silent worker; False when it was heard of after all."""
        silent = (WORKERS.c.slot == number) & (WORKERS.c.token == token) & (WORKERS.c.heartbeat == heartbeat)
        with transaction(self._engine, writes=True) as connection:
            return connection.execute(delete(WORKERS).where(silent)).rowcount == 1


class Watch:
    """Who is silent: whose heartbeat did not change for ``silent_s`` by a clock that never goes back."""

    def __init__(self, silent_s: float, clock: Callable[[], float]) -> None:
        """Take how long silence may last."""
        self._silent_s = silent_s
        self._clock = clock
        self._seen: dict[tuple[int, str], tuple[str, float]] = {}

    def restart(self) -> None:
        """Watch anew: the database was away, so nobody could be heard of."""
        self._seen = {}

    def silent(self, present: Mapping[int, tuple[str, str, str]]) -> tuple[tuple[int, str, str], ...]:
        """Slot, token and heartbeat of those that are."""
        now = self._clock()
        seen = {}
        for slot, (token, heartbeat, _) in present.items():
            last = self._seen.get((slot, token))
            seen[slot, token] = last if last is not None and last[0] == heartbeat else (heartbeat, now)
        self._seen = seen
        return tuple(
            (slot, token, heartbeat)
            for (slot, token), (heartbeat, since) in seen.items()
            if now - since >= self._silent_s
        )
