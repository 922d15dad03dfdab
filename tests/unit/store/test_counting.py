"""What counts toward giving up: anew from the first time that the peer says that it has it, and from a retry."""

from typing import Any, Final

from service.store.delivery_rows import Delivery, State
from service.store.reports import Store
from tests.unit.store.kept import begin, end, keep

LOST: Final = {"state": State.QUEUED, "outcome": "unknown", "again_s": 0.0, "counts": True}
TRIED: Final = LOST | {"counts": False}  # a try of a destination that is left alone
STORED: Final[dict[str, Any]] = {}
UNSURE: Final = LOST | {"state": State.STORED}
MISSING: Final = LOST | {"outcome": "not-sent"}
DEAD: Final = MISSING | {"state": State.DEAD, "again_s": None}


def after(store: Store, *answers: dict[str, Any]) -> Delivery:
    """The delivery once its steps were answered so."""
    for one in answers:
        end(store, begin(store, run=store.deliveries.get("pacs-1").run), **one)
    return store.deliveries.get("pacs-1")


def test_the_first_time_that_a_peer_has_it_the_count_begins_anew(kept: Store) -> None:
    keep(kept)
    assert after(kept, LOST, LOST, TRIED, LOST).counted == 3
    assert after(kept, STORED).counted == 0
    assert after(kept, UNSURE).counted == 1


def test_a_peer_that_says_it_again_and_does_not_have_it_comes_to_its_end(kept: Store) -> None:
    keep(kept)
    assert after(kept, LOST, STORED, UNSURE, MISSING, STORED).counted == 2
    assert after(kept, MISSING, LOST, LOST, STORED, UNSURE, MISSING, STORED).counted == 7


def test_what_was_put_back_is_counted_as_if_it_were_new(kept: Store) -> None:
    keep(kept)
    assert after(kept, STORED, MISSING, LOST, STORED, DEAD).counted == 3
    kept.deliveries.retry("pacs-1")
    assert after(kept, LOST, LOST).counted == 2
    assert after(kept, STORED).counted == 0
    assert after(kept, MISSING, STORED).counted == 1
