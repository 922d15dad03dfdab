"""A PostgreSQL that says nothing any more, and hangs up nothing."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import make_url

from service.domain.vanished import VANISHED
from service.store import database
from service.store.database import noticing
from service.store.reports import Store
from service.workflows.engine import system_url

PATIENCE_S = 120.0


@pytest.fixture(autouse=True)
def server(database_url: str) -> None:
    """SQLite has none."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no server")


@pytest.fixture
def silent(store: Store) -> Iterator[socket.socket]:
    """What stands at the other end of the pool's connection, which is open and says nothing."""
    with store._engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        ours, theirs = socket.socketpair()
        os.dup2(ours.fileno(), driver.fileno())
        ours.close()
    with theirs:
        yield theirs


def test_a_connection_whose_server_says_nothing_when_it_is_asked_is_left(
    store: Store, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_S", 0.0)
    monkeypatch.setattr(database, "ASKED_S", 0.2)
    with ThreadPoolExecutor(1) as pool:
        added = pool.submit(store.audit.add, b"one")
        try:
            added.result(PATIENCE_S)
        finally:
            silent.close()  # who waits for it all the same would wait for ever
    assert [kept.event for kept in store.audit.all()] == [b"one"]


def test_one_that_answers_is_asked_again_and_again_and_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "IDLE_S", 0.0)
    used = []
    for _ in range(3):
        with store._engine.connect() as connection:
            used.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
    assert len(set(used)) == 1


def told(url: str) -> dict[str, str]:
    """What libpq was told about the connections of a store."""
    store = Store(url)
    try:
        with store._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            return {name: value for name, value in driver.info.get_parameters().items() if name in VANISHED}
    finally:
        store.close()


def test_one_that_acknowledges_nothing_is_given_up_by_the_system(database_url: str) -> None:
    assert told(database_url) == {"tcp_user_timeout": "30000", "keepalives_idle": "10", "keepalives_interval": "5"}


def test_when_it_counts_as_vanished_may_be_said_in_the_address(database_url: str) -> None:
    more = "&" if "?" in database_url else "?"
    said = told(f"{database_url}{more}tcp_user_timeout=60000&keepalives_idle=20")
    assert said == {"tcp_user_timeout": "60000", "keepalives_idle": "20", "keepalives_interval": "5"}


def test_the_connections_of_the_workflows_notice_it_as_well(database_url: str) -> None:
    url = make_url(system_url(database_url))
    assert url == noticing(url)
    assert set(VANISHED) <= set(url.query)
