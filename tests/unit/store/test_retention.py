"""What is removed once it is old, and what stays however old it is."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from service.domain.errors import NotFound
from service.store.database import transaction
from service.store.delivery_rows import Origin, State
from service.store.reports import Store
from service.store.retention import Purged
from service.store.tables import METADATA
from service.store.versions import Key
from tests.unit.store.kept import ID, Clock, begin, end, keep, make_draft, planned

DAY = 86_400.0


def test_an_old_report_goes_with_all_that_belongs_to_it(kept: Store, clock: Clock) -> None:
    keep(kept, 1)
    kept.keep_key(kept.get(ID.format(1)), Key("k", "d"))
    end(kept, begin(kept))
    end(kept, begin(kept), state=State.VERIFIED)
    clock.move(30 * DAY)
    assert kept.retention.would_purge(31) == kept.retention.purge(31) == Purged(0, 0)
    assert kept.retention.would_purge(29) == kept.retention.purge(29) == Purged(1, 1)
    with pytest.raises(NotFound):
        kept.get(ID.format(1))
    with transaction(kept.deliveries.engine) as connection:
        left = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in METADATA.sorted_tables
        }
    assert {name for name, number in left.items() if number} <= {"circuits", "workers", "schema_steps", "audit_end"}


def test_a_report_stays_as_long_as_one_of_its_versions_is_young(kept: Store, clock: Clock) -> None:
    keep(kept, 1, planned(1, dry_run=True))
    keep(kept, 2, planned(2, dry_run=True), received="2026-04-01T00:00:00.000000Z")
    clock.move(31 * DAY)  # 2026-04-02
    assert kept.retention.purge(5) == Purged(0, 0)
    clock.move(5 * DAY)
    assert kept.retention.purge(5) == Purged(1, 2)


def test_what_is_on_its_way_or_needs_a_person_stays(kept: Store, clock: Clock) -> None:
    for number, state in ((1, State.DEAD), (2, State.VERIFIED), (3, None)):
        keep(kept, number, report=f"R{number}")
        if state is not None:
            end(kept, begin(kept, f"pacs-{number}"), state=state)
    clock.move(400 * DAY)
    assert kept.retention.purge(30) == Purged(1, 1)
    assert kept.retention.purge(30, dead_letters=True) == Purged(1, 1)
    assert [one.id for one in kept.deliveries.list({}, limit=9)] == ["pacs-3"]


def test_a_dead_letter_that_was_written_again_needs_nobody(kept: Store, clock: Clock) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.DEAD)
    kept.deliveries.add(ID.format(1), [planned(2, parent="pacs-1")], (), Origin())
    clock.move(400 * DAY)
    assert kept.retention.purge(30) == Purged(0, 0)  # the one that follows is on its way
    end(kept, begin(kept, "pacs-2"), state=State.VERIFIED)
    assert kept.retention.would_purge(30) == kept.retention.purge(30) == Purged(1, 1)


def test_removes_no_more_at_a_time_than_it_is_told(kept: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.retention.BATCH", 2)
    for number in range(1, 7):
        draft = make_draft(number, report_id=f"R{number}")
        kept.keep(replace(draft, predecessor=None))
    clock.move(400 * DAY)
    assert kept.retention.purge(30, most=3) == Purged(4, 4)
    assert kept.retention.purge(30) == Purged(2, 2)
