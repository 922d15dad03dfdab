"""An address of PostgreSQL that leads elsewhere, or to a server that takes no more connections."""

import os
import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine

from service.domain.errors import Unavailable
from service.store import database
from service.store.failures import FAILURES, TOLD
from service.store.reports import Store


@pytest.fixture(autouse=True)
def server(database_url: str) -> None:
    """SQLite has none."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no server")


def moves(store: Store) -> None:
    """What stands at the other end of the pool's connection knows nothing of it, and hangs up on the first word."""
    with store._engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        ours, theirs = socket.socketpair()
        os.dup2(ours.fileno(), driver.fileno())
        ours.close()

    def hang_up() -> None:
        with theirs:
            theirs.recv(1)

    Thread(target=hang_up, daemon=True).start()


def test_a_connection_that_was_not_used_for_a_while_is_asked_before_its_next_use(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.audit.add(b"one")
    moves(store)
    monkeypatch.setattr(database, "IDLE_S", 0.0)
    store.audit.add(b"two")
    assert [kept.event for kept in store.audit.all()] == [b"one", b"two"]


def test_a_connection_that_was_used_just_now_is_not_asked_and_nothing_is_done_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_S", 600.0)
    store.audit.add(b"one")
    moves(store)
    with pytest.raises(Unavailable):
        store.audit.add(b"two")
    store.audit.add(b"two")
    assert [kept.event for kept in store.audit.all()] == [b"one", b"two"]


@pytest.fixture
def one_of_a_role(database_url: str) -> Iterator[str]:
    """The database for a role that may connect once, and has."""
    with psycopg.connect(database_url, autocommit=True) as operator:
        operator.execute("CREATE ROLE once LOGIN CONNECTION LIMIT 1")
        url = database_url.replace("lesionbridge@", "once@")
        with psycopg.connect(url):
            yield url
        operator.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'once'")
        operator.execute("DROP ROLE once")


def test_who_gets_no_connection_is_told_so(one_of_a_role: str) -> None:
    store = Store(one_of_a_role)
    assert store.faults() == (FAILURES["53300"],)
    store.close()


@pytest.mark.parametrize("words", [*TOLD, "zu viele Verbindungen"])
def test_what_a_server_says_to_who_connects_is_understood_by_its_words(words: str) -> None:
    def refuses() -> None:
        raise psycopg.OperationalError(f"connection failed: FATAL:  {words}\n")

    engine = create_engine("postgresql+psycopg://", creator=refuses)
    with pytest.raises(Unavailable) as raised, database.reading(engine):
        pass
    said = raised.value.problems[0].detail
    assert said == FAILURES[TOLD[words]] if words in TOLD else "has it a connection free" in said
