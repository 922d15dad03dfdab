"""A version and its deliveries as they are kept, and the steps of one: what the tests of the store start from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from service.domain.emitted import SrReference
from service.store.circuits import Heard, Verdict
from service.store.database import reading, transaction
from service.store.delivery_rows import Origin, Planned, State
from service.store.queues import Pace
from service.store.reports import Store
from service.store.runs import May
from service.store.tables import ATTEMPTS, CIRCUITS, DELIVERIES
from service.store.times import instant
from service.store.turns import Told, Turn
from service.store.versions import Consignment, Draft, Key, Stored, output

ID = "00000000-0000-4000-8000-00000000000{}"
ANYTHING = May()
PACE = Pace(limit=10, share=10)
Rows = list[list[tuple[Any, ...]]]
WORKS, AWAY = Heard(Verdict.WORKS), Heard(Verdict.AWAY, why="connection refused")


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        """Move it, back with a negative number."""
        self.at += timedelta(seconds=seconds)


def make_draft(number: int = 1, *, key: Key | None = None, predecessor: str | None = None, **changes: Any) -> Draft:
    """A version to keep; what differs between two of them by default is only their number."""
    sr = SrReference("1.2.840.10008.5.1.4.1.1.88.34", f"2.25.{number}", f"2.25.{number}1", "1.2.3")
    stored = Stored(
        id=ID.format(number),
        sender="local",
        report_id="R1",
        version=number,
        status="final",
        issued=instant("2026-03-02T10:41:00+01:00"),
        received="2026-03-02T09:42:00.000000Z",
        digest=f"digest-{number}",
        sr=sr,
        receipt=b'{"verdict":"accepted"}',
        accession="A481",
    )
    outputs = (output("fhir", "application/fhir+json", b"{}"), output("sr", "application/dicom", bytes(range(256))))
    return Draft(replace(stored, **changes), outputs, "PID", "HOSP", "A481", key, predecessor)


def planned(number: int = 1, destination: str = "pacs", **changes: Any) -> Planned:
    """A delivery of the SR; what differs by default is only its number."""
    sr = SrReference("1.2.840.10008.5.1.4.1.1.88.34", f"2.25.{number}", "2.25.7", "1.2.3")
    return replace(Planned(f"{destination}-{number}", destination, "sr", "sr", (), sr), **changes)


def keep(store: Store, number: int = 1, *deliveries: Planned, report: str = "R1", **changes: Any) -> None:
    """A version with its deliveries."""
    draft = make_draft(number, report_id=report, **changes)
    before = store.newest_before("local", report, draft.stored.version)
    consignment = Consignment(planned=deliveries or (planned(number),), origin=Origin("request-1", "00-trace"))
    store.keep(replace(draft, consignment=consignment, predecessor=before.id if before else None))


def due(store: Store, destination: str = "pacs", pace: Pace = PACE) -> list[str]:
    """The ids that may start."""
    with store.runs.feeding() as feed:
        assert feed is not None
        return [one.id for one in feed.due(destination, pace)]


def told(state: State = State.STORED, **changes: Any) -> Told:
    """What follows an answer; stored by default."""
    made = Told("stored", "200", "", (), WORKS, state, again_s=None, counts=False)
    return replace(made, **changes)


def begin(store: Store, name: str = "pacs-1", run: int = 1, may: May = ANYTHING) -> Turn:
    """A step that could begin."""
    turn = store.runs.begin(name, run, "worker-0", may)
    assert turn is not None
    return turn


def end(store: Store, turn: Turn, **changes: Any) -> bool:
    """Its end."""
    return store.runs.told(turn, store.now(), "worker-0", told(**changes))


def rows(store: Store) -> Rows:
    """All that a turn may change."""
    asked = [select(one).order_by(*one.primary_key) for one in (DELIVERIES, ATTEMPTS, CIRCUITS)]
    with reading(store.deliveries.engine) as connection:
        return [[tuple(row) for row in connection.execute(one)] for one in asked]


def emptied(store: Store) -> None:
    """Begin anew on PostgreSQL, with the first position."""
    with transaction(store.deliveries.engine, writes=True) as connection:
        connection.execute(text("TRUNCATE reports, circuits RESTART IDENTITY CASCADE"))
