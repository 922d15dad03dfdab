"""A PostgreSQL that fails in the middle, as with a full disk: nothing is half done, why is said, and work goes on.

The failures are raised by the server itself, by a trigger on the table that is written, with the codes of
PostgreSQL's Appendix A (error codes).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, ExceptionContext, event, text

from service.app import create_app
from service.config import Settings
from service.domain.errors import Unavailable
from service.store.database import transaction
from service.store.failures import FAILURES
from service.store.reports import Store
from tests.destinations import RecordingDestination
from tests.findings import make_body
from tests.unit.workflows.peers import accept, peer, states, until, working

FINDINGS = {"Content-Type": "application/vnd.lesionbridge.findings+json"}
FAILS = """
CREATE SEQUENCE failures;
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM nextval('failures'); RAISE EXCEPTION 'Meier, Anna' USING ERRCODE = '{state}'; END $$;
CREATE TRIGGER fails BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION fails()
"""
"""A sequence goes on counting where the transaction is taken back."""
SAID = {
    "53100": "disk is full",
    "53200": "memory",
    "53300": "connection",
    "57P01": "shut down",
    "25006": "takes no writes",
}
TABLES = ("reports", "versions", "outputs", "deliveries")


@pytest.fixture(autouse=True)
def server(database_url: str) -> None:
    """SQLite has a full disk of its own (tests/e2e/test_faults.py)."""
    if not database_url.startswith("postgresql"):
        pytest.skip("a trigger of SQLite can't say these codes")


@pytest.fixture
def client(store: Store, database_url: str) -> FlaskClient:
    """A service on it; the tables are there."""
    assert store.faults() == ()
    return create_app(Settings(database_url=database_url, log_level="error")).test_client()


def say(store: Store, *statements: str) -> None:
    """What the server's operator does."""
    with transaction(store._engine, writes=True) as connection:
        for one in statements:
            connection.execute(text(one))


@contextmanager
def failing(store: Store, state: str, table: str, what: str = "INSERT") -> Iterator[Callable[[], int]]:
    """The server fails whenever something is written into a table; how often it has."""
    say(store, FAILS.format(state=state, table=table, what=what))

    def failures() -> int:
        with transaction(store._engine) as connection:
            counted = connection.execute(text("SELECT last_value FROM failures WHERE is_called")).scalar()
        return counted or 0

    try:
        yield failures
    finally:
        say(store, f"DROP TRIGGER fails ON {table}", "DROP FUNCTION fails", "DROP SEQUENCE failures")


def rows(store: Store) -> dict[str, int]:
    """How many stand in each table."""
    with transaction(store._engine) as connection:
        return {one: connection.execute(text(f"SELECT count(*) FROM {one}")).scalar() or 0 for one in TABLES}


@pytest.mark.parametrize("state", SAID)
@pytest.mark.parametrize("table", ["versions", "outputs"])
def test_a_report_is_kept_whole_or_not_at_all_and_why_is_said(
    client: FlaskClient, store: Store, state: str, table: str
) -> None:
    before = rows(store)
    with failing(store, state, table):
        answer = client.post("/v1/reports", data=make_body(), headers=FINDINGS)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert (answer.get_json()["retryable"], answer.headers["Retry-After"]) == (True, "5")
    assert SAID[state] in answer.get_json()["errors"][0]["detail"]
    assert "Meier" not in answer.text
    assert rows(store) == before
    assert client.post("/v1/reports", data=make_body(), headers=FINDINGS).status_code == 201


@pytest.mark.parametrize("what", ["INSERT", "UPDATE"])
def test_a_worker_goes_on_afterwards_and_sends_once(
    store: Store, database_url: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.runs._FED_LATE_S", 1.0)
    monkeypatch.setattr("service.workflows.worker.SWEEP_S", 0.5)
    pacs = RecordingDestination("pacs")
    with working(database_url, peer(pacs)):
        with failing(store, "53100", "attempts", what) as failures:
            version = accept(store, peer(pacs))
            assert until(lambda: failures() >= 3)
            assert len(pacs.sent) == (what == "UPDATE"), "what can't be begun is not sent"
        assert until(lambda: states(store, version) == {"pacs": "verified"})
    assert len(pacs.sent) == 1


@contextmanager
def taking_no_writes(url: str) -> Iterator[None]:
    """All connections are new ones, to a server that takes no writes.

    Those that are open in the end keep that setting, as connections to a server that is no primary any more.
    """
    with psycopg.connect(url, autocommit=True) as operator:
        name = operator.info.dbname
        operator.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        operator.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")
        try:
            yield
        finally:
            operator.execute("SET default_transaction_read_only = off")
            operator.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_a_server_that_takes_no_writes_is_not_ready_and_may_be_ready_when_its_address_leads_to_another(
    client: FlaskClient, database_url: str
) -> None:
    with taking_no_writes(database_url):
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.get_json()) == (503, {"status": "failing", "faults": [FAILURES["25006"]]})
    assert client.get("/health/ready").status_code == 200


def test_a_server_that_says_that_it_takes_no_writes_is_left_before_anything_is_begun(
    store: Store, database_url: str
) -> None:
    with taking_no_writes(database_url):
        assert store.audit.last() is None
        with pytest.raises(Unavailable, match="takes no writes"):
            store.audit.add(b"none")
        assert store.audit.last() is None
    store.audit.add(b"one")
    assert [kept.event for kept in store.audit.all()] == [b"one"]


def test_a_server_that_takes_no_writes_and_does_not_say_so_is_left_by_the_first_who_finds_it_so(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.database._STANDS_BY", ())  # as before PostgreSQL 14
    with taking_no_writes(database_url):
        assert store.audit.last() is None
    with pytest.raises(Unavailable, match="takes no writes"):
        store.audit.add(b"one")
    store.audit.add(b"one")
    assert [kept.event for kept in store.audit.all()] == [b"one"]


@pytest.fixture
def refused() -> Iterator[list[str]]:
    """The statements that a server has refused because it takes no writes, whoever said them."""
    found: list[str] = []

    def note(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", "") == "25006":
            found.append(context.statement or "")

    event.listen(Engine, "handle_error", note)
    yield found
    event.remove(Engine, "handle_error", note)


def test_a_worker_leaves_a_server_that_takes_no_writes_when_its_address_leads_to_another(
    store: Store, database_url: str, refused: list[str]
) -> None:
    pacs = RecordingDestination("pacs")
    with working(database_url, peer(pacs)):
        before = accept(store, peer(pacs))
        assert until(lambda: states(store, before) == {"pacs": "verified"})
        with taking_no_writes(database_url):
            assert until(lambda: any("UPDATE workers" in one for one in refused))
            assert until(lambda: any("dbos.workflow_status" in one for one in refused))
        after = accept(store, peer(pacs), report__id="R2")
        assert until(lambda: states(store, after) == {"pacs": "verified"})
    assert len(pacs.sent) == 2
