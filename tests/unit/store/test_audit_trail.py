"""The chain of the audit trail, with one writer and with several at the same time, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from service.store.reports import Store
from service.store.trail import FIRST, chained

SAID = ('{"a":"ü"}'.encode(), b"back\\slash", b"", bytes(range(256)))


def test_each_event_is_chained_to_the_one_before(store: Store) -> None:
    for event in SAID:
        store.audit.add(event)
    kept = list(store.audit.all())
    assert [one.event for one in kept] == list(SAID)
    assert [one.previous for one in kept] == [FIRST, *(one.hash for one in kept[:-1])]
    assert all(one.hash == chained(one.previous, one.event) for one in kept)


def test_each_way_to_change_an_event_is_found(store: Store) -> None:
    for number in range(5):
        store.audit.add(b'{"outcome": "%d"}' % number)
    assert store.audit.broken() is None
    for change, position in (
        ("UPDATE audit SET event = '{}' WHERE position = 3", 3),  # text, where there were bytes
        ("UPDATE audit SET previous = 'x' WHERE position = 2", 2),
        ("UPDATE audit SET position = 99 WHERE position = 1", 2),
        ("DELETE FROM audit WHERE position = 2", 3),
    ):
        with store.audit._engine.begin() as connection:
            connection.execute(text(change))
        assert store.audit.broken() == position, change


def test_no_event_is_lost_where_several_write(store: Store) -> None:
    events = [str(number).encode() for number in range(60)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.audit.add, events))
    assert sorted(one.event for one in store.audit.all()) == sorted(events)
    assert store.audit.broken() is None
