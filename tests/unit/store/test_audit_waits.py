"""An event of the trail is on the disk before it counts as added, and no event waits until another one is there.

A server that has to wait for a second one, which is away, keeps every commit that waits for the disk at just that
point: so what waits for what is seen, however quick the disk is.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from service.domain.errors import Unavailable
from service.store.reports import Store

TOGETHER_S = 60.0
_WAITS = text(
    "SELECT coalesce(wait_event_type || ' ' || wait_event, 'runs') FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid() ORDER BY 1"
)


class Server:
    """The server of the tests, whose commits can be kept from the disk."""

    def __init__(self, engine: Engine) -> None:
        """Take a connection that waits for nothing itself."""
        self._engine, self._connection = engine, engine.connect()
        self._connection.exec_driver_sql("SET synchronous_commit = off")

    def waits_for(self, names: str) -> None:
        """Let each commit wait until servers of these names have it; none: for its own disk."""
        self._connection.exec_driver_sql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self._connection.exec_driver_sql("SELECT pg_reload_conf()")
        for _ in range(6000):
            if self._connection.exec_driver_sql("SHOW synchronous_standby_names").scalar() == names:
                return self._until_a_commit_waits() if names else self._until_none_waits()
            Event().wait(0.01)
        raise AssertionError("the server does not take its settings")

    def _until_a_commit_waits(self) -> None:
        """Return once a commit is kept from the disk: no other waits until the checkpointer knows its settings, too."""
        with ThreadPoolExecutor(1) as pool, self._engine.connect() as probe:
            number = probe.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            for _ in range(6000):
                asked = pool.submit(probe.exec_driver_sql, "SELECT pg_logical_emit_message(true, 'probe', '')")
                while not asked.done():
                    if "IPC SyncRep" in self._connection.execute(_WAITS).scalars():
                        self._connection.exec_driver_sql(f"SELECT pg_cancel_backend({number})")
                        asked.result(TOGETHER_S)
                        return
                    Event().wait(0.01)
                asked.result()
        raise AssertionError("commits do not wait")

    def _until_none_waits(self) -> None:
        """Return once the checkpointer knows, too, that nobody waits any more: a commit ends then, and not before."""
        with self._engine.connect() as probe:
            probe.exec_driver_sql("SELECT pg_logical_emit_message(true, 'probe', '')")

    def until_so_many_wait(self, number: int) -> None:
        """Return once so many others wait for the disk, and none for a lock: one that is held for a moment passes."""
        found: list[str] = []
        for _ in range(6000):
            found = list(self._connection.execute(_WAITS).scalars())
            if found.count("IPC SyncRep") == number and not any(one.startswith("Lock") for one in found):
                return
            Event().wait(0.01)
        raise AssertionError(found)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """PostgreSQL, whose commits wait for nothing more in the end."""
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer, which waits for the disk")
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    made = Server(engine)
    yield made
    made.waits_for("")
    made.close()
    engine.dispose()


def test_events_at_once_wait_for_the_disk_together_and_none_for_another(store: Store, server: Server) -> None:
    events = [b"%d" % number for number in range(4)]
    store.audit.add(b"the first")
    server.waits_for("another")
    with ThreadPoolExecutor(len(events)) as pool:
        added = [pool.submit(store.audit.add, one) for one in events]
        try:
            server.until_so_many_wait(len(events))
            assert not any(one.done() for one in added), "an event that is not on the disk counts as added"
        finally:
            server.waits_for("")
        for one in added:
            one.result(TOGETHER_S)
    assert sorted(kept.event for kept in store.audit.after(1)) == events
    assert store.audit.broken() is None


def test_an_event_is_given_out_once_it_is_on_the_disk(store: Store, server: Server) -> None:
    server.waits_for("another")
    with ThreadPoolExecutor(3) as pool:
        added = pool.submit(store.audit.add, b"one")
        try:
            server.until_so_many_wait(1)
            read: list[Future[Any]] = [pool.submit(store.audit.after, 0), pool.submit(store.audit.last)]
            server.until_so_many_wait(3)
            assert not added.done()
            assert not any(one.done() for one in read)
        finally:
            server.waits_for("")
        added.result(TOGETHER_S)
        [page, last] = [one.result(TOGETHER_S) for one in read]
    assert page == (last,)


def test_who_reads_is_told_of_a_standby_that_stays_away_and_the_trail_is_read_once_it_is_back(
    store: Store, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.trail._CONFIRMED_S", 0.5)
    store.audit.add(b"one")
    server.waits_for("another")
    try:
        for read in (store.audit.last, store.audit.broken, lambda: store.audit.after(0)):
            with pytest.raises(Unavailable, match=r"did not confirm within 0\.5 s .* standby is set up .* may be away"):
                read()
    finally:
        server.waits_for("")
    assert [kept.event for kept in store.audit.after(0)] == [b"one"]


def test_who_reads_is_told_the_same_of_a_server_that_is_late_for_another_reason(
    store: Store, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.audit.add(b"one")
    with monkeypatch.context() as patched:
        patched.setattr("service.store.trail._CONFIRMED_S", 0.5)
        patched.setattr("service.store.trail._ON_DISK", text("SELECT pg_sleep(60)"))
        with pytest.raises(Unavailable, match=r"did not confirm within 0\.5 s .* may be away, else its disk slow"):
            store.audit.last()
    assert [kept.event for kept in store.audit.after(0)] == [b"one"]


def test_who_says_so_reads_what_no_standby_has(store: Store, server: Server, database_url: str) -> None:
    store.audit.add(b"one")
    server.waits_for("another")
    reader = Store(f"{database_url}&options=-csynchronous_commit%3Dlocal")
    try:
        assert [kept.event for kept in reader.audit.after(0)] == [b"one"]
    finally:
        server.waits_for("")
        reader.close()
