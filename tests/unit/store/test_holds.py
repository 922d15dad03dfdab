"""Names that one process at a time holds, on both databases."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from service.delivery.destination import Answer, Outcome
from service.delivery.firsts import Firsts
from service.store.holds import Holds
from service.store.reports import Store

A, B, C = "http://ehr Device?identifier=a", "http://ehr Patient?identifier=b", "http://ehr Patient?identifier=c"


@pytest.fixture
def two(database_url: str) -> Iterator[tuple[Holds, Holds]]:
    """Two processes that share a database."""
    made = Holds(database_url), Holds(database_url)
    yield made
    for one in made:
        one.close()


@pytest.fixture
def on_server(database_url: str) -> None:
    """Only where several processes deliver."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one process that delivers")


@pytest.mark.usefixtures("on_server")
def test_one_holds_a_name_and_others_get_what_they_ask_for_whole_or_not_at_all(two: tuple[Holds, Holds]) -> None:
    one, other = two
    assert one.take({A, B})
    assert not other.take({B, C})
    assert one.take({C})  # the other got none of it
    assert not other.take({C})
    one.give_back({A, B})
    assert other.take({A, B})
    assert not one.take({A})


@pytest.mark.usefixtures("on_server")
def test_what_another_holds_is_not_given_back(two: tuple[Holds, Holds]) -> None:
    one, other = two
    assert one.take({A})
    other.give_back({A})
    assert not other.take({A})


@pytest.mark.usefixtures("on_server")
def test_what_a_process_holds_ends_with_its_connection(store: Store, two: tuple[Holds, Holds]) -> None:
    one, other = two
    assert one.take({A})
    ended = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 2")
    with store.deliveries.engine.connect() as connection:
        assert connection.execute(ended).scalars().all() == [True]
    assert other.take({A})
    one.give_back({A})  # it finds its connection ended, and takes the next
    assert not one.take({A})


@pytest.mark.usefixtures("on_server")
def test_what_is_held_is_in_no_transaction_and_on_one_connection(store: Store, two: tuple[Holds, Holds]) -> None:
    one, _ = two
    assert one.take({A})
    assert one.take({B, C})
    states = text(
        "SELECT DISTINCT pid, state FROM pg_stat_activity JOIN pg_locks USING (pid) "
        "WHERE locktype = 'advisory' AND classid = 2"
    )
    with store.deliveries.engine.connect() as connection:
        assert [row.state for row in connection.execute(states)] == ["idle"]


@pytest.mark.usefixtures("on_server")
def test_two_processes_bring_the_same_one_after_the_other(two: tuple[Holds, Holds]) -> None:
    inside, most = [0], [0]

    def send() -> Answer:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.05)
        inside[0] -= 1
        return Answer(Outcome.UNKNOWN)  # so that it stays unknown whether it is there

    processes = [Firsts(60.0, one, "http://ehr") for one in two]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: one.run(frozenset({"Device?identifier=a"}), send), processes * 2))
    assert [answer.outcome for answer in answers] == [Outcome.UNKNOWN] * 4
    assert most == [1]


def test_a_database_that_is_away_holds_nobody_up() -> None:
    away = Holds("postgresql://nobody@127.0.0.1:1/none")
    assert away.take({A})
    away.give_back({A})
    away.close()


def test_where_one_process_delivers_all_is_free() -> None:
    alone = Holds("sqlite://")
    assert alone.take({A})
    assert alone.take({A})
    alone.give_back({A})
    alone.close()
