"""Where the audit trail ends is noted with each event: what is cut off is found out, and stays so."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, event, insert, text

from service.store.database import transaction
from service.store.reports import Store
from service.store.trail import FIRST, End, KeptEvent, chained
from service.store.trail_tables import AUDIT


def filled(store: Store, number: int = 5) -> list[KeptEvent]:
    """A trail with some events."""
    for one in range(number):
        store.audit.add(b'{"outcome": "%d"}' % one)
    return list(store.audit.all())


def change(store: Store, *statements: str) -> None:
    """What somebody does who may write into the database."""
    with transaction(store._engine, writes=True) as connection:
        for one in statements:
            connection.execute(text(one))


def older(store: Store, content: bytes) -> None:
    """Add an event as a program does that knows nothing of the end."""
    with transaction(store._engine, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
        _chain(connection, content)


def _chain(connection: Connection, content: bytes) -> None:
    last = connection.execute(text("SELECT position, hash FROM audit ORDER BY position DESC LIMIT 1")).first()
    position, previous = (last.position + 1, last.hash) if last is not None else (1, FIRST)
    row = {"position": position, "event": content, "previous": previous, "hash": chained(previous, content)}
    connection.execute(insert(AUDIT).values(**row))


def end(store: Store) -> End:
    """The end that is noted."""
    found = store.audit.end()
    assert found is not None
    return found


@pytest.fixture
def statements(store: Store) -> Iterator[list[str]]:
    """The statements that are run."""
    ran: list[str] = []

    def note(*said: object) -> None:
        ran.append(str(said[2]))

    event.listen(store._engine, "before_cursor_execute", note)
    yield ran
    event.remove(store._engine, "before_cursor_execute", note)


def test_the_end_is_that_of_the_last_event(store: Store) -> None:
    assert end(store) == End(0, FIRST)
    assert store.audit.holds(end(store))
    for kept in filled(store):
        assert store.audit.holds(End(kept.position, kept.hash))
    last = store.audit.last()
    assert last is not None
    assert end(store) == End(last.position, last.hash)


def test_an_event_is_one_statement_on_postgresql_and_one_that_waits_for_the_disk(
    store: Store, statements: list[str]
) -> None:
    if store._engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no statement that writes two tables")
    filled(store, 2)
    statements.clear()
    store.audit.add(b"one more")
    assert len(statements) == 2
    assert "synchronous_commit" in statements[0]


@pytest.mark.parametrize(
    "cut",
    [
        "DELETE FROM audit WHERE position = 5",
        "DELETE FROM audit WHERE position > 2",
        "DELETE FROM audit",
    ],
)
def test_an_end_that_is_cut_off_is_found_out_and_the_next_event_does_not_hide_it(store: Store, cut: str) -> None:
    filled(store)
    change(store, cut)
    assert store.audit.broken() is None
    assert not store.audit.holds(end(store))
    filled(store, 2)
    assert store.audit.broken() == 6


@pytest.mark.parametrize("forged", [1, 2, 4])
def test_an_end_that_is_written_anew_is_found_out_and_the_next_event_does_not_hide_it(
    store: Store, forged: int
) -> None:
    filled(store)
    change(store, "DELETE FROM audit WHERE position > 3")
    for number in range(forged):
        older(store, b'{"forged": %d}' % number)
    assert store.audit.broken() is None
    assert not store.audit.holds(end(store))
    filled(store, 2)
    assert store.audit.broken() == max(5, 3 + forged) + 1


def test_what_an_older_program_adds_is_followed(store: Store) -> None:
    filled(store, 2)
    for number in range(3):
        older(store, b"older %d" % number)
    assert end(store).position == 2
    assert store.audit.holds(end(store))
    filled(store, 1)
    assert (store.audit.broken(), end(store).position) == (None, 6)
    older(store, b"older")
    change(store, "DELETE FROM audit WHERE position >= 6")
    assert not store.audit.holds(end(store))


def test_the_first_events_may_be_those_of_an_older_program(store: Store) -> None:
    older(store, b"older")
    assert store.audit.holds(end(store))
    filled(store, 1)
    assert (store.audit.broken(), end(store).position) == (None, 2)


def test_a_note_that_is_gone_is_made_again_with_the_next_event(store: Store) -> None:
    filled(store)
    change(store, "DELETE FROM audit_end")
    assert store.audit.end() is None
    filled(store, 1)
    assert end(store).position == 6
    assert store.audit.broken() is None


def test_none_is_lost_where_programs_of_both_steps_write_at_once(store: Store) -> None:
    adds: list[Callable[[bytes], None]] = [store.audit.add, store.audit.add, lambda one: older(store, one)]
    events = [b"%d" % number for number in range(60)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: adds[number % 3](events[number]), range(60)))
    filled(store, 1)
    assert sorted(one.event for one in store.audit.all())[: len(events)] == sorted(events)
    assert (store.audit.broken(), end(store).position) == (None, 61)


def test_a_trail_of_the_step_before_has_its_end_noted(store: Store) -> None:
    store.migrate("0009")
    change(store, "DROP TABLE audit_end")
    for number in range(3):
        older(store, b"older %d" % number)
    store.migrate()
    last = store.audit.last()
    assert last is not None
    assert end(store) == End(3, last.hash)
    filled(store, 1)
    assert (store.audit.broken(), end(store).position) == (None, 4)


def test_going_back_and_forth_hides_nothing_and_loses_nothing(store: Store) -> None:
    filled(store)
    store.migrate("0001")
    older(store, b"older")
    store.migrate()
    assert end(store).position == 5
    assert store.audit.holds(end(store))
    store.migrate("0009")
    change(store, "DELETE FROM audit WHERE position > 4")
    store.migrate()
    assert not store.audit.holds(end(store))


def test_tables_that_note_no_end_yet_take_events_all_the_same(store: Store, database_url: str) -> None:
    store.migrate("0009")
    change(store, "DROP TABLE audit_end")
    newer = Store(database_url)
    newer.audit.add(b"a backup before the upgrade")
    newer.audit.add(b"another one")
    newer.migrate()
    newer.audit.add(b"the upgrade")
    assert (newer.audit.broken(), end(newer).position) == (None, 3)
    newer.close()
