"""Deliveries as they are kept, on both databases: with their report, in lists, and for more destinations."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from service.domain.errors import NotFound
from service.store import database
from service.store.delivery_rows import BACKFILL, Origin, State
from service.store.reports import Store, Taken
from service.store.versions import Consignment, output
from tests.unit.store.kept import ID, begin, keep, make_draft, planned


def test_a_delivery_is_kept_with_its_report(kept: Store) -> None:
    keep(kept)
    [made] = kept.deliveries.of(ID.format(1))
    assert (made.state, made.is_open, made.destination, made.number) == (State.QUEUED, True, "pacs", 1)
    assert (made.sr, made.origin) == (planned().sr, Origin("request-1", "00-trace"))
    assert kept.deliveries.get(made.id) == made


def test_nothing_of_a_report_that_is_not_kept_is_delivered(kept: Store) -> None:
    keep(kept)
    with pytest.raises(Taken):
        kept.keep(replace(make_draft(2, version=1), consignment=Consignment(planned=(planned(2),))))
    with pytest.raises(NotFound):
        kept.deliveries.get("pacs-2")


def test_an_output_for_one_destination_is_kept_with_it(kept: Store) -> None:
    own = output("sr@pacs", "application/dicom", b"own")
    draft = replace(make_draft(), consignment=Consignment((own,), (planned(role="sr@pacs"),)))
    kept.keep(draft)
    assert begin(kept).content == b"own"


def test_lists_what_meets_the_conditions_page_by_page(kept: Store) -> None:
    for number in range(1, 6):
        keep(kept, number, report=f"R{number}")
    first = kept.deliveries.list({"state": "queued", "destination": "pacs"}, limit=2)
    second = kept.deliveries.list({"state": "queued"}, limit=2, before=first[-1].position)
    assert [one.id for one in first + second] == ["pacs-5", "pacs-4", "pacs-3", "pacs-2"]
    assert kept.deliveries.list({"state": "dead"}, limit=2) == ()
    assert [one.id for one in kept.deliveries.list({"report": ID.format(1)}, limit=9)] == ["pacs-1"]
    assert kept.deliveries.counts() == {("pacs", "queued"): 5}
    assert kept.deliveries.queues() == {"pacs": (5, "2026-03-02T09:42:00.000000Z")}


def test_a_backfill_waits_on_purpose_and_has_no_age(kept: Store) -> None:
    keep(kept, 1, planned(1, priority=BACKFILL), planned(2, "ehr"), planned(3, "ehr", priority=BACKFILL))
    assert {name: (number, bool(at)) for name, (number, at) in kept.deliveries.queues().items()} == {
        "pacs": (1, False),
        "ehr": (2, True),
    }


def test_more_destinations_are_added_once(kept: Store) -> None:
    keep(kept)
    own = [{"role": "fhir@ehr", "media_type": "application/fhir+json", "sha256": "x", "content": b"{}"}]
    for _ in range(2):
        made = kept.deliveries.add(ID.format(1), [planned(1, "ehr", role="fhir@ehr")], own, Origin())
    assert [one.destination for one in made] == ["pacs", "ehr"]
    with pytest.raises(NotFound):
        kept.deliveries.add("nothing", [], [], Origin())


def test_migrates_back_and_forth_with_data(database_url: str) -> None:
    store = Store(database_url)
    store.migrate()
    own = output("sr@pacs", "application/dicom", b"own")
    store.keep(replace(make_draft(), consignment=Consignment((own,), (planned(role="sr@pacs"),))))
    for step in ("0002", "0003"):
        store.migrate(step)
        with database.transaction(store.deliveries.engine) as connection:
            roles = connection.execute(text("SELECT role FROM outputs ORDER BY role")).scalars().all()
        assert roles == ["fhir", "sr"]
    assert store.get(ID.format(1)) == make_draft().stored
    assert store.deliveries.of(ID.format(1)) == ()
    store.deliveries.add(ID.format(1), [planned()], [], Origin())
    assert begin(store).content == bytes(range(256))
    store.close()
