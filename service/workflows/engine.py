"""DBOS: one workflow a run of a delivery, without steps: where it is within that stands in the table of deliveries.

One engine lives in a process. Its executor id is the worker's slot, its version is ours: not a digest of the source,
which every release would change. A process is launched after the fork, never before.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos import error as errors
from sqlalchemy import make_url

from service.store.batches import PartDue
from service.store.database import LOOKS, noticing
from service.store.queues import Due
from service.workflows.batching import Clerk
from service.workflows.courier import Courier

REVISION: Final = "deliver-4"
"""Of the workflow: it changes when the steps of `deliver` do. What was begun under another is begun anew."""
_APPLICATION: Final = "lesionbridge"
_WORKFLOW: Final = "deliver"
_PART: Final = "publish-part"
_ALL: Final = (_WORKFLOW, _PART)
_IN_HAND: Final = ("PENDING", "ENQUEUED", "DELAYED")
_MOST_RECOVERIES: Final = 1000
_PAGE: Final = 1000
_MOST_PAGES: Final = 100

Run = TypeVar("Run", Due, PartDue)

_log = structlog.get_logger()
_courier: list[Courier] = []
"""The courier of this process: workflows are functions, and find it here."""
_clerk: list[Clerk] = []
"""The clerk of this process, as well."""


def _commit_later(connection: Any, _record: object) -> None:
    """Let the records of DBOS wait for no disk.

    A server that crashes loses the end of what was committed, never something before it. So of a run whose begin or
    outcome is kept its start is kept, too; of another one the start is found missing, or it ends a second time without
    effect. What was accepted, begun and answered is committed by our own connections, which wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    connection.commit()  # the pool takes back what was set in a transaction that is under way


ON_SERVER: Final[dict[str, Any]] = {
    "pool_pre_ping": False,
    "pool_use_lifo": True,
    "pool_events": [*LOOKS, (_commit_later, "connect")],
}
"""How DBOS's connections to PostgreSQL are used: looked at before each use, as ours are, instead of asked.

The one that was used last is used next: of a server's processes few are awake, and those know the statements.
"""


def system_url(database_url: str) -> str:
    """Where DBOS keeps its records: beside an SQLite file in one of their own, in PostgreSQL in the schema `dbos`."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        path = str(url.database)
        return f"sqlite:///{path.removesuffix('.sqlite3')}-workflows.sqlite3"
    return noticing(url.set(drivername="postgresql")).render_as_string(hide_password=False)


@DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_MOST_RECOVERIES)
def deliver(delivery: str, run: int) -> str:
    """One run of a delivery: send, and verify what was stored.

    Each is recorded with the delivery, so it goes on where it was left; a step of DBOS would say the same once more.
    """
    with _courier[-1].at_work(delivery, run):
        return _courier[-1].run(delivery, run)


@DBOS.step(name="publish-lines")
def _publish(batch: str, number: int, run: int) -> int:
    """Publish the lines of a part that have no outcome yet."""
    return _clerk[-1].publish(PartDue(batch, number, run))


@DBOS.workflow(name=_PART, max_recovery_attempts=_MOST_RECOVERIES)
def publish_part(batch: str, number: int, run: int) -> int:
    """One run of a part of a batch."""
    part = PartDue(batch, number, run)
    _clerk[-1].took(part)
    try:
        return _publish(batch, number, run)
    finally:
        _clerk[-1].left(part)


def part_id(run: PartDue) -> str:
    """The id of the workflow of a part's run."""
    return f"{run.batch}/{run.number}:{run.run}"


def workflow_id(run: Due) -> str:
    """The id of a run's workflow: started twice, it is one."""
    return f"{run.id}:{run.run}"


class Engine:
    """The running DBOS of this process."""

    def __init__(
        self,
        database_url: str,
        executor: str,
        courier: Courier,
        revision: str = REVISION,
        clerk: Clerk | None = None,
    ) -> None:
        """Launch it; what this executor had begun is taken up again."""
        url = system_url(database_url)
        on_file = url.startswith("sqlite")
        if on_file:
            _write_ahead(url)
        config: DBOSConfig = {
            "name": _APPLICATION,
            "system_database_url": url,
            "application_version": revision,
            "executor_id": executor,
            "log_level": "WARNING",
            "enable_otlp": False,
            "sys_db_pool_size": 10,
            "use_listen_notify": False,
            "db_engine_kwargs": {} if on_file else ON_SERVER,
        }
        self.revision = revision
        self.courier = courier
        self._executor = executor
        self._clerk = clerk
        self._orphans: set[str] = set()
        _courier.append(courier)
        if clerk is not None:
            _clerk.append(clerk)
        _log_as_we_do()
        DBOS(config=config)
        try:
            DBOS.launch()
        except BaseException:
            # What is half launched can't be launched again.
            self.stop(0)
            raise

    def start(self, run: Due) -> bool:
        """Start a run; False when its workflow was there before, and nothing was started."""
        return _started(workflow_id(run), deliver, delivery=run.id, run=run.run)

    def start_part(self, run: PartDue) -> bool:
        """Start a run of a part; False when its workflow was there before, and nothing was started."""
        return _started(part_id(run), publish_part, batch=run.batch, number=run.number, run=run.run)

    def missing(self, runs: Iterable[Due]) -> tuple[Due, ...]:
        """Those that no workflow is at any more."""
        return self._missing({workflow_id(one): one for one in runs})

    def missing_parts(self, runs: Iterable[PartDue]) -> tuple[PartDue, ...]:
        """Those that no workflow is at any more."""
        return self._missing({part_id(one): one for one in runs})

    def _missing(self, asked: dict[str, Run]) -> tuple[Run, ...]:
        if not asked:
            return ()
        found = DBOS.list_workflows(workflow_ids=list(asked), load_input=False, load_output=False)
        there = {one.workflow_id for one in found if one.status in _IN_HAND}
        return tuple(one for name, one in asked.items() if name not in there)

    def take_over(self, living: set[str], revisions: set[str]) -> tuple[int, int]:
        """Resume what silent workers had begun, and drop what another revision left; how many of each.

        What is dropped is found missing, and begun anew from the state that its delivery has. A workflow that is said
        to run here, which no thread is at twice in a row, is resumed as well: its end could not be recorded.
        """
        lost, older, orphans = [], [], set()
        here = self._known()
        for one in DBOS.list_workflows(name=list(_ALL), status=list(_IN_HAND), load_input=False, load_output=False):
            if one.app_version not in revisions:
                older.append(one.workflow_id)
            elif one.status == "PENDING" and one.executor_id not in living:
                lost.append(one.workflow_id)
            elif one.status == "PENDING" and one.executor_id == self._executor and one.workflow_id not in here:
                orphans.add(one.workflow_id)
        lost += orphans & self._orphans
        self._orphans = orphans - self._orphans
        if older:
            DBOS.cancel_workflows(older)
        if lost:
            DBOS.resume_workflows(lost)
        return len(lost), len(older)

    def _known(self) -> set[str]:
        """The ids of workflows that this process has."""
        runs = {workflow_id(Due(id, run, 0)) for id, run in self.courier.known()}  # noqa: A001 - as in the routes
        return runs | {part_id(one) for one in (self._clerk.known() if self._clerk else ())}

    def forget(self, done_before: str) -> int:
        """Delete the records of workflows that ended before an instant (ISO 8601); how many."""
        forgotten = 0
        for _ in range(_MOST_PAGES):
            done = DBOS.list_workflows(
                name=list(_ALL),
                status=["SUCCESS", "ERROR", "CANCELLED"],
                completed_before=done_before,
                load_input=False,
                load_output=False,
                limit=_PAGE,
            )
            if done:
                DBOS.delete_workflows([one.workflow_id for one in done])
            forgotten += len(done)
            if len(done) < _PAGE:
                break
        return forgotten

    def stop(self, grace_s: int) -> None:
        """Let runs under way end, for a while; what is left is taken up by another worker."""
        DBOS.destroy(workflow_completion_timeout_sec=grace_s)
        _courier.remove(self.courier)
        if self._clerk is not None:
            _clerk.remove(self._clerk)


def _started(name: str, workflow: Callable[..., Any], **arguments: str | int) -> bool:
    """Start a workflow under an id of its own; False when there was one before, of whatever state.

    By their names: where a first argument has none, DBOS inspects the function twice to see that it is no method.
    """
    try:
        with SetWorkflowID(name, workflow_id_reuse_policy="reject"):
            DBOS.start_workflow(workflow, **arguments)
    except errors.DBOSWorkflowIDInUseError:
        return False
    return True


class _Handler(logging.Handler):
    """Says that DBOS had trouble, and of which kind; its own texts hold SQL and whole traces."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line as all others are."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        _log.warning("workflows", at=f"{record.filename}:{record.lineno}", error=error)


def _log_as_we_do() -> None:
    """Take the place of DBOS's own handler, before it makes one."""
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if not any(isinstance(one, _Handler) for one in logger.handlers):
        logger.handlers[:] = [_Handler()]


def _write_ahead(url: str) -> None:
    """Readers beside a writer, as in our own file; the file keeps this."""
    connection = sqlite3.connect(str(make_url(url).database))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
