"""What the start of a workflow asks of Python and of the database, and what starts of other releases left."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from dbos import DBOS, SetWorkflowID
from sqlalchemy import create_engine, text

from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.workflows import engine
from service.workflows.courier import Courier
from service.workflows.watching import Watching
from tests.destinations import RecordingDestination
from tests.runs import hand_out
from tests.unit.workflows.peers import accept, peer, states, until, working
from tests.unit.workflows.test_taking_over import left_pending


def test_no_start_inspects_the_function(store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inspected: list[str] = []
    signature = inspect.signature

    def noted(function: Callable[..., Any], *arguments: Any, **named: Any) -> inspect.Signature:
        """As before, remembered."""
        inspected.append(function.__name__)
        return signature(function, *arguments, **named)

    running = engine.Engine(database_url, "worker-0", Courier(store, {}, "worker-0", Watching()))
    try:
        monkeypatch.setattr(inspect, "signature", noted)
        assert running.start(Due("a", 1, 0))
        assert not running.start(Due("a", 1, 0))
        assert until(lambda: running.missing([Due("a", 1, 0)]) != ())
    finally:
        running.stop(5)
    assert engine.deliver.__name__ not in inspected


def test_a_run_started_with_its_arguments_in_order_is_taken_up(store: Store, database_url: str) -> None:
    remembers = RecordingDestination("pacs")
    pacs = peer(remembers)
    version = accept(store, pacs)
    [waiting] = store.deliveries.of(version)
    run = Due(waiting.id, waiting.run, 0)
    before = engine.Engine(database_url, "worker-9", Courier(store, {}, "worker-9", Watching()))
    try:
        with SetWorkflowID(engine.workflow_id(run), workflow_id_reuse_policy="reject"):
            DBOS.start_workflow(engine.deliver, run.id, run.run)
        assert until(lambda: before.missing([run]) == (run,))
    finally:
        before.stop(5)
    left_pending(database_url, run)
    hand_out(store, run)
    assert store.runs.begin(run.id, run.run, "worker-9", May(overtake={"sr", "fhir-r4"})) is not None
    with working(database_url, pacs):
        assert until(lambda: states(store, version) == {"pacs": "verified"})
    assert [one.delivery for one in remembers.sent] == [waiting.id]
    assert store.deliveries.get(waiting.id).run == run.run


def test_the_connection_that_was_used_last_is_used_next(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no server")
    theirs = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"), **engine.ON_SERVER)
    asked = text("SELECT pg_backend_pid()")
    first, last = theirs.connect(), theirs.connect()
    used = last.scalar(asked)
    assert first.scalar(asked) != used
    first.close()
    last.close()
    with theirs.connect() as another:
        assert another.scalar(asked) == used
    theirs.dispose()
