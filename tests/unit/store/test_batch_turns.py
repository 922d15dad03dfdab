"""Senders and their batches take turns, and the next part is found by indexes however many wait."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from service.store.reports import Store

MANY_PARTS, MANY_BATCHES = 2000, 1500
PARTS = """
INSERT INTO batch_parts (batch, number, first, content, state, run, fed, kept, known, refused)
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {copies})
SELECT batch, n, first, content, 'open', run, NULL, kept, known, refused FROM batch_parts, counted
"""
ENDED = """
INSERT INTO batches (id, state, sender, created, settled, lines, asked, turn)
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {copies})
SELECT 'ended-' || n, 'done', 'sender ' || n % 7, created, created, lines, asked, n FROM batches, counted
WHERE batches.id = '{like}'
"""


def batch(store: Store, sender: str, parts: int) -> str:
    """A batch of a sender in so many parts of one line, ready to be worked on."""
    made = store.batches.begin(sender, {})
    for number in range(parts):
        store.batches.add(made, number, number + 1, [b"{}"])
    store.batches.ready(made, parts)
    return made


def taken(store: Store, times: int) -> list[str]:
    """The batches of which the next parts are taken."""
    return [one.batch for _ in range(times) for one in store.batches.claim(1)]


def test_a_small_batch_waits_for_no_large_one_of_another_sender(store: Store) -> None:
    large = batch(store, "hospital a", 9)
    assert taken(store, 3) == [large] * 3
    small = batch(store, "hospital b", 2)
    assert taken(store, 5) == [small, large, small, large, large]


def test_batches_of_one_sender_take_turns_and_cost_another_sender_nothing(store: Store) -> None:
    first, second = batch(store, "hospital a", 4), batch(store, "hospital a", 4)
    other = batch(store, "hospital b", 4)
    assert taken(store, 8) == [first, other, second, other, first, other, second, other]


def test_parts_of_a_batch_go_in_their_order(store: Store) -> None:
    made, _ = batch(store, "hospital a", 3), batch(store, "hospital b", 3)
    numbers = [one.number for _ in range(6) for one in store.batches.claim(1) if one.batch == made]
    assert numbers == [0, 1, 2]


def test_who_sends_one_small_batch_after_the_other_holds_up_nobody(store: Store) -> None:
    large, other = batch(store, "hospital a", 50), batch(store, "hospital b", 50)
    found = []
    for _ in range(12):
        batch(store, "hospital a", 1)
        found += taken(store, 2)
    assert found.count(other) == 12, "another sender has every second turn"
    assert found.count(large) == 4, (
        "and the sender's large batch goes on: only what came before its last turn goes first"
    )


def test_what_was_given_back_is_taken_again_before_later_parts(store: Store) -> None:
    batch(store, "hospital a", 3)
    [lost] = store.batches.claim(1)
    store.batches.freed([lost])
    [again] = store.batches.claim(1)
    assert (again.number, again.run) == (lost.number, lost.run + 1)


def test_a_batch_that_is_cancelled_has_no_turn(store: Store) -> None:
    stopped, other = batch(store, "hospital a", 3), batch(store, "hospital b", 2)
    store.batches.cancel(stopped)
    assert taken(store, 4) == [other, other]


def test_workers_at_once_take_every_part_once(store: Store) -> None:
    made = [batch(store, sender, 12) for sender in ("hospital a", "hospital a", "hospital b")]

    def work(_number: int) -> list[tuple[str, int]]:
        return [(one.batch, one.number) for _ in range(40) for one in store.batches.claim(1)]

    with ThreadPoolExecutor(4) as workers:
        found = [one for some in workers.map(work, range(4)) for one in some]
    found += [(one.batch, one.number) for one in store.batches.claim(100)]
    assert sorted(found) == sorted((name, number) for name in made for number in range(12))


def test_who_cancels_and_who_takes_do_not_wait_for_each_other_for_ever(store: Store) -> None:
    made = [batch(store, f"hospital {number}", 20) for number in range(10)]

    def take(_number: int) -> None:
        for _ in range(40):
            store.batches.claim(1)

    with ThreadPoolExecutor(3) as at_once:
        takers = at_once.map(take, range(2))
        states = [at_once.submit(store.batches.cancel, name).result(60).state for name in made]
        list(takers)
    assert states == ["cancelled"] * 10


@contextmanager
def plans(store: Store) -> Iterator[list[str]]:
    """How the database goes about each query that the block runs."""
    found: list[str] = []

    def look(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith(("SELECT", "WITH", "UPDATE")) or "batch" not in statement:
            return
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
        found.append("\n".join(str(row[-1]) for row in rows))

    event.listen(store._engine, "before_cursor_execute", look)
    try:
        yield found
    finally:
        event.remove(store._engine, "before_cursor_execute", look)


def test_the_next_part_is_read_from_indexes_and_nothing_but_senders_is_sorted(store: Store) -> None:
    made = [batch(store, f"hospital {'ab'[number % 2]}", 1) for number in range(8)]
    with store._engine.begin() as connection:
        connection.execute(text(PARTS.format(copies=MANY_PARTS)))
        connection.execute(text(ENDED.format(copies=MANY_BATCHES, like=made[0])))
        for table in ("batches", "batch_parts"):
            connection.execute(text(f"ANALYZE {table}"))
    with plans(store) as found:
        assert len(store.batches.claim(1)) == 1
    assert len(found) == 6, "senders twice, a batch, its turn, a part, the note"
    for plan in found:
        for said in ("Seq Scan on batch", "SCAN batch", "Bitmap Heap Scan", "SCAN turns\n", "SCAN one\n"):
            assert said not in plan, plan
    senders, _, chosen, _, part, _ = found
    assert "ix_batches_turns" in senders
    assert "ix_batches_sender_turn" in senders
    assert "ix_batches_turns" in chosen
    assert "ix_batch_parts_free" in chosen
    assert "ix_batch_parts_free" in part
    for plan in (chosen, part):
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
