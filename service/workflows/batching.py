"""The lines of a batch, published one after the other; it knows nothing of workflows.

A line that was begun by a worker that is gone is published again: the same report gives the same receipt, and its
outcome is recorded once.
"""

import collections
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeVar

import structlog
from prometheus_client import Counter
from sqlalchemy.exc import IntegrityError

from service.delivery.settings import DestinationSettings
from service.domain.errors import LesionBridgeError, Problem, Unavailable
from service.doors import Format, Options, detect
from service.pipeline import Source
from service.publishing import Planner, publish
from service.store.batches import KEPT, KNOWN, REFUSED, Outcome, Part, PartDue
from service.store.delivery_rows import BACKFILL, Origin
from service.store.reports import Store
from service.workflows.accepting import Plan, chosen
from service.workflows.again import deliver_more
from service.workflows.watching import Watching

Kept = TypeVar("Kept")
LINES: Final = Counter("lesionbridge_batch_lines", "Lines of batches that have an outcome.", ("outcome",))
MOST_PROBLEMS: Final = 100
_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)

_log = structlog.get_logger()


@dataclass(slots=True)
class Asked:
    """What is wanted of each line of a batch, as it is kept with it."""

    options: Options
    form: str = ""
    deliver: str = ""
    validate: bool = False
    request: str = ""
    trace: str = ""

    def row(self) -> dict[str, Any]:
        """As JSON; of the options those that a batch can ask for."""
        options = self.options
        said = {
            "dialect": options.dialect,
            "bundle": options.bundle,
            "iod": options.iod,
            "check": options.check,
            "reference": options.reference,
            "profile": options.profile,
            "language": options.language,
        }
        more = {"form": self.form, "deliver": self.deliver, "validate": self.validate}
        return {"options": said, **more, "request": self.request, "trace": self.trace}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Asked":
        """From JSON."""
        return cls(**{**row, "options": Options(**row["options"])})


@dataclass(frozen=True, slots=True)
class Opening:
    """What a deployment adds to each line: to its document, and where it goes where the batch does not say."""

    source: Source
    routed: Callable[[Origin, int], Planner] | None = None


class Clerk:
    """Takes parts of batches in one worker process, one at a time."""

    def __init__(
        self,
        store: Store,
        destinations: Mapping[str, DestinationSettings],
        opened: Callable[[], Opening],
        wake: threading.Event,
        watching: Watching | None = None,
    ) -> None:
        """Take the store and the destinations; ``opened`` gives what the deployment adds, when needed."""
        self._watching = watching or Watching()
        self._store = store
        self._destinations = destinations
        self._opened = opened
        self._wake = wake
        self._under_way: set[PartDue] = set()
        self.stopping = threading.Event()

    @cached_property
    def _opening(self) -> Opening:
        return self._opened()

    @property
    def is_idle(self) -> bool:
        """Whether there is room for a part."""
        return not self._under_way

    def known(self) -> frozenset[PartDue]:
        """The parts that were started here and have not ended."""
        return frozenset(tuple(self._under_way))

    def took(self, run: PartDue) -> None:
        """Note a part that is started here."""
        self._under_way.add(run)

    def left(self, run: PartDue) -> None:
        """Note that it ended here; there is room for the next."""
        self._under_way.discard(run)
        self._wake.set()

    def publish(self, run: PartDue) -> int:
        """Publish what is left of a part; how many lines. A worker that is told to stop gives the rest back."""
        part = self._until_kept(lambda: self._store.batches.part(run))
        if part is None:
            return 0
        asked = Asked.of(part.asked)
        with self._watching.part(run, asked.trace) as counts:
            self._lines(run, part, asked, counts)
        return counts.total()

    def _lines(self, run: PartDue, part: Part, asked: Asked, counts: collections.Counter[str]) -> None:
        """Publish them until all are, and the part has ended, or the run is over; each is counted by its outcome."""
        for number, body in part.lines:
            if self.stopping.is_set():
                self._store.batches.freed([run])
                return
            said = self._line(part, asked, number, body)
            if not self._until_kept(lambda said=said: self._told(run, said)):  # type: ignore[misc]  # a bound loop value
                return
            LINES.labels(said.outcome).inc()
            counts[said.outcome] += 1
        self._until_kept(lambda: self._store.batches.ended(run))

    def _told(self, run: PartDue, said: Outcome) -> bool:
        try:
            return self._store.batches.told(run, said)
        except IntegrityError:  # another worker has said it
            return True

    def _line(self, part: Part, asked: Asked, number: int, body: bytes) -> Outcome:
        """Publish one line and deliver it; a defect that it finds in us refuses it alone."""
        try:
            identity, fresh = self._until_kept(lambda: self._published(part, asked, body))
        except LesionBridgeError as error:
            return Outcome(number, REFUSED, problems=error.problems[:MOST_PROBLEMS])
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - it must not cost the lines behind it
            _log.error("line_failed", batch=part.batch, line=number, error=type(error).__name__)
            problem = Problem("", "internal", f"the service failed over this line ({type(error).__name__})")
            return Outcome(number, REFUSED, problems=(problem,))
        return Outcome(number, KEPT if fresh else KNOWN, identity)

    def _published(self, part: Part, asked: Asked, body: bytes) -> tuple[str, bool]:
        """Our id of the report, and whether it was kept just now."""
        form = Format(asked.form) if asked.form else detect(body)
        source = replace(self._opening.source, body=body, format=form, speaks_for=part.sender, validate=asked.validate)
        origin, plan = Origin(asked.request, asked.trace), None
        if asked.deliver:
            plan = Plan(chosen(asked.deliver, self._destinations), BACKFILL, origin)
        routed = self._opening.routed(origin, BACKFILL) if self._opening.routed is not None else None
        receipt = publish(source, asked.options, self._store, planner=plan or routed)
        version = str(receipt.id)
        if plan is not None and not receipt.fresh:
            deliver_more(self._store, version, source, plan, asked.options)
        return version, receipt.fresh

    def _until_kept(self, write: Callable[[], Kept]) -> Kept:
        """Do something, as often as it takes while the database is away; raises Stopped."""
        tries = 0
        while True:
            try:
                return write()
            except Unavailable:
                if self.stopping.wait(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)]):
                    raise Stopped from None
                tries += 1


class Stopped(Exception):
    """The worker ends before the database came back; the part is taken up by another."""
