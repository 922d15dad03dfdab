"""The chain of the audit trail, with one writer and with several at the same time, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from service.store.access import FIRST, chained
from service.store.reports import Store

SAID = ('{"a":"ü"}'.encode(), b"back\\slash", b"", bytes(range(256)))


def test_each_event_is_chained_to_the_one_before(store: Store) -> None:
    for event in SAID:
        store.audit.add(event)
    kept = list(store.audit.all())
    assert [one.event for one in kept] == list(SAID)
    assert [one.previous for one in kept] == [FIRST, *(one.hash for one in kept[:-1])]
    assert all(one.hash == chained(one.previous, one.event) for one in kept)


def test_no_event_is_lost_where_several_write(store: Store) -> None:
    events = [str(number).encode() for number in range(60)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.audit.add, events))
    assert sorted(one.event for one in store.audit.all()) == sorted(events)
    assert store.audit.broken() is None
