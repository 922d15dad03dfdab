"""What is sent again: dead letters, one by one and in bulk, and not what was written again."""

from dataclasses import replace

import pytest

from service.domain.errors import Conflict, NotFound
from service.store.delivery_rows import BACKFILL, Origin, State
from service.store.reports import Store
from service.store.versions import Consignment, output
from tests.unit.store.kept import ID, begin, end, keep, make_draft, planned


def test_a_dead_letter_is_sent_again_from_the_start(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.DEAD, outcome="mismatch")
    made = kept.deliveries.retry("pacs-1")
    assert (made.state, made.is_open, made.counted, made.run) == (State.QUEUED, True, 0, 2)
    assert begin(kept, run=2).attempt == 2


@pytest.mark.parametrize("state", [State.VERIFIED, State.STORED])
def test_what_is_no_dead_letter_is_not_sent_again(kept: Store, state: State) -> None:
    keep(kept)
    end(kept, begin(kept), state=state)
    with pytest.raises(Conflict):
        kept.deliveries.retry("pacs-1")
    with pytest.raises(NotFound):
        kept.deliveries.retry("nothing")


def test_dead_letters_are_sent_again_in_bulk(kept: Store) -> None:
    for number, state in ((1, State.DEAD), (2, State.REFUSED), (3, State.DEAD), (4, State.VERIFIED)):
        keep(kept, number, planned(number, "ehr" if number == 3 else "pacs"), report=f"R{number}")
        end(kept, begin(kept, f"{'ehr' if number == 3 else 'pacs'}-{number}"), state=state)
    assert kept.deliveries.retry_all({"state": "dead", "destination": "pacs"}, priority=BACKFILL) == 1
    assert kept.deliveries.get("pacs-1").priority == BACKFILL
    assert kept.deliveries.retry_all({}) == 2


def test_what_was_written_again_is_not_sent_again(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.REFUSED)
    kept.deliveries.add(ID.format(1), [planned(2, parent="pacs-1")], (), Origin())
    assert kept.deliveries.retry_all({}) == 0
    with pytest.raises(Conflict) as raised:
        kept.deliveries.retry("pacs-1")
    assert raised.value.problems[0].candidates == ("pacs-2",)
    end(kept, begin(kept, "pacs-2"), state=State.DEAD)
    assert kept.deliveries.retry_all({}) == 1  # the one that follows
    assert kept.deliveries.get("pacs-2").state is State.QUEUED


def test_of_two_that_were_written_again_of_one_the_older_is_not_sent_again(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.DEAD)
    for number in (2, 3):  # as they were made before each was written again once
        kept.deliveries.add(ID.format(1), [planned(number, parent="pacs-1")], (), Origin())
    end(kept, begin(kept, "pacs-2"), state=State.DEAD)
    end(kept, begin(kept, "pacs-3"), state=State.STORED)
    assert kept.deliveries.retry_all({}) == 0
    with pytest.raises(Conflict) as raised:
        kept.deliveries.retry("pacs-2")
    assert raised.value.problems[0].candidates == ("pacs-3",)
    assert kept.deliveries.counts() == {}


def test_a_rejection_note_is_sent_again_beside_an_sr_that_was_written_again(kept: Store) -> None:
    note = output("rejection@pacs", "application/dicom", b"note")
    both = Consignment((note,), (planned(1), planned(2, role=note.role)))
    kept.keep(replace(make_draft(), consignment=both))
    for one in ("pacs-1", "pacs-2"):
        end(kept, begin(kept, one), state=State.DEAD)
    kept.deliveries.add(ID.format(1), [planned(3, parent="pacs-1")], (), Origin())
    assert kept.deliveries.counts() == {("pacs", State.QUEUED): 1, ("pacs", State.DEAD): 1}
    assert kept.deliveries.retry("pacs-2").state is State.QUEUED


def test_what_was_written_again_for_another_destination_may_be_sent_again_and_waits_for_nobody(kept: Store) -> None:
    keep(kept)
    end(kept, begin(kept), state=State.REFUSED)
    assert kept.deliveries.counts() == {("pacs", State.REFUSED): 1}
    kept.deliveries.add(ID.format(1), [planned(2, "ehr", parent="pacs-1")], (), Origin())
    assert kept.deliveries.counts() == {("ehr", State.QUEUED): 1}
    assert kept.deliveries.retry("pacs-1").state is State.QUEUED
