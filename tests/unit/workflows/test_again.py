"""A dead letter is written again once for each destination: of what was written, only the last is sent."""

from collections.abc import Callable, Mapping

import pytest

from service.delivery.settings import DestinationSettings, Folder
from service.domain.errors import Conflict
from service.doors import Format, Options
from service.pipeline import Source
from service.publishing import publish
from service.store.circuits import Heard, Verdict
from service.store.delivery_rows import Delivery, State
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Told
from service.workflows.accepting import Plan
from service.workflows.again import edit
from tests import sr_files as sr
from tests.findings import make_body

PACS, EHR = (Folder(name=name, takes="sr", path="/nonexistent") for name in ("pacs", "ehr"))
DESTINATIONS: Mapping[str, DestinationSettings] = {"pacs": PACS, "ehr": EHR}
MAY = May(overtake={"sr"})


def first(store: Store, *destinations: DestinationSettings) -> Delivery:
    """The first delivery of a report to these destinations."""
    receipt = publish(Source(make_body()), Options(), store, planner=Plan(destinations or (PACS,)))
    return store.deliveries.of(str(receipt.id))[0]


def end(store: Store, delivery: Delivery, state: State = State.DEAD) -> Delivery:
    """Bring it to an end."""
    turn = store.runs.begin(delivery.id, store.deliveries.get(delivery.id).run, "w", MAY)
    assert turn is not None
    told = Told(str(state), "", "", (), Heard(Verdict.WORKS), state, again_s=None, counts=False)
    assert store.runs.told(turn, store.now(), "w", told)
    return store.deliveries.get(delivery.id)


def again(store: Store, old: Delivery, destination: str = "pacs", **said: str) -> Delivery:
    """The delivery that is written in its place."""
    return edit(store, old.id, Source(b""), DESTINATIONS, {"destination": destination, **said})


def is_refused(call: Callable[[], object], newest: Delivery) -> bool:
    """Whether a call is refused, naming the delivery that holds the place."""
    with pytest.raises(Conflict) as raised:
        call()
    return raised.value.problems[0].candidates == (newest.id,)


def test_one_that_was_written_again_is_not_written_again_when_what_follows_it_died(store: Store) -> None:
    old = end(store, first(store))
    child = again(store, old)
    assert is_refused(lambda: again(store, old), child)
    child = end(store, child)
    assert is_refused(lambda: again(store, old), child)
    newest = again(store, child, dialect="ohif")
    assert (newest.parent, newest.state) == (child.id, State.QUEUED)
    assert is_refused(lambda: again(store, old), newest)


def test_by_way_of_another_destination_the_last_is_sent_alone(store: Store) -> None:
    old = end(store, first(store))
    there = end(store, again(store, old, "ehr"))
    back = end(store, again(store, there, "pacs"))
    assert is_refused(lambda: again(store, old), back)
    assert is_refused(lambda: again(store, there, "pacs"), back)
    assert is_refused(lambda: store.deliveries.retry(old.id), back)
    assert store.deliveries.retry_all({"destination": "pacs"}) == 1
    assert [store.deliveries.get(one.id).state for one in (old, there, back)] == [
        State.DEAD,
        State.DEAD,
        State.QUEUED,
    ]
    end(store, back, State.STORED)
    assert store.deliveries.retry_all({"destination": "pacs"}) == 0


def test_what_came_to_a_destination_from_another_one_takes_the_place_of_its_own(store: Store) -> None:
    old = end(store, first(store, PACS, EHR))
    own = end(store, next(one for one in store.deliveries.of(old.version) if one.destination == "ehr"))
    moved = end(store, again(store, old, "ehr"), State.STORED)
    assert is_refused(lambda: store.deliveries.retry(own.id), moved)
    assert is_refused(lambda: again(store, own, "ehr"), moved)
    assert store.deliveries.retry_all({}) == 1  # to the first destination it may go as it is
    assert store.deliveries.get(old.id).state is State.QUEUED
    assert store.deliveries.counts() == {("pacs", State.QUEUED): 1}


def test_a_page_that_is_written_again_shows_all_of_a_document_that_is_more_than_a_report(store: Store) -> None:
    page = Folder(name="page", takes="html", path="/nonexistent")
    text = sr.text(("X", "99SITE", "Dose"), "12 of something")
    document = sr.document(text, root=("18748-4", "LN", "Report"), SOPClassUID=sr.BASIC_TEXT)
    receipt = publish(Source(document, Format.SR), Options(), store, planner=Plan((page,)))
    old = end(store, store.deliveries.of(str(receipt.id))[0])
    new = edit(store, old.id, Source(b""), {"page": page}, {"language": "de"})
    contents = [store.output(one.version, one.role).content for one in (old, new)]
    assert [b"12 of something" in one for one in contents] == [True, True]
    assert contents[0] != contents[1]
