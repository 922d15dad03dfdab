"""Where a process can be killed: before and after each thing that is done with a report on its way."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Boundary:
    """A call: ``place`` is module:object, ``after``: once it has returned. ``step``: only in turns of this step."""

    name: str
    role: str
    place: str
    after: bool = False
    step: str = ""

    def arm(self, hits: int = 1) -> None:
        """From now on the process kills itself here, at the so manieth time."""
        owner, attribute = self.found()
        setattr(owner, attribute, self._armed(getattr(owner, attribute), hits))

    def found(self) -> tuple[Any, str]:
        """The module or class that has the call, and its name there."""
        module, _, path = self.place.partition(":")
        owner: Any = import_module(module)
        *inner, attribute = path.split(".")
        for name in inner:
            owner = getattr(owner, name)
        return owner, attribute

    def _armed(self, call: Callable[..., Any], hits: int) -> Callable[..., Any]:
        seen = 0

        def killed(*args: Any, **options: Any) -> Any:
            nonlocal seen
            here = not self.step or any(getattr(one, "step", None) == self.step for one in args)
            seen += here
            if here and seen >= hits and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*args, **options)
            if here and seen >= hits:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return killed


_STORE: Final = "service.store.reports:Store.keep"
_RUNS: Final = "service.store.runs:Runs"
_QUEUES: Final = "service.store.queues:Feed"
_DBOS: Final = "dbos._sys_db:SystemDatabase"
_FOLDER: Final = "service.delivery.folder:FolderDestination"
_WEBHOOK: Final = "service.delivery.webhook:WebhookDestination"

BOUNDARIES: Final = (
    Boundary("before the report is kept", "api", _STORE),
    Boundary("in the transaction that keeps it, all rows written", "api", "service.store.reports:write", after=True),
    Boundary("after it is kept, before the answer", "api", _STORE, after=True),
    Boundary("before a run is handed out", "worker", f"{_QUEUES}.take"),
    Boundary("in the transaction that hands it out", "worker", f"{_QUEUES}.take", after=True),
    Boundary("after it is handed out, before it is started", "worker", "service.workflows.engine:Engine.start"),
    Boundary("after a run is started", "worker", "service.workflows.engine:Engine.start", after=True),
    Boundary("before a step is begun", "worker", f"{_RUNS}.begin"),
    Boundary("in the transaction that begins it", "worker", "service.store.runs:begun", after=True),
    Boundary("after a step is begun", "worker", f"{_RUNS}.begin", after=True),
    Boundary("before the file is written", "worker", "service.delivery.folder:_write"),
    Boundary(
        "after the file is written, before it has its name", "worker", "service.delivery.folder:_write", after=True
    ),
    Boundary("after the folder has it, before its answer is known", "worker", f"{_FOLDER}.send", after=True),
    Boundary("before the receiver is asked", "worker", f"{_WEBHOOK}.send"),
    Boundary("after the receiver has it, before its answer is known", "worker", f"{_WEBHOOK}.send", after=True),
    Boundary("before the answer to sending is recorded", "worker", f"{_RUNS}.told", step="send"),
    Boundary("where an answer is recorded, all rows written", "worker", "service.store.runs:_recorded", after=True),
    Boundary("after the answer to sending is recorded", "worker", f"{_RUNS}.told", after=True, step="send"),
    Boundary("before verifying", "worker", f"{_FOLDER}.verify"),
    Boundary("after verifying, before that is known", "worker", f"{_FOLDER}.verify", after=True),
    Boundary("before the proof is recorded", "worker", f"{_RUNS}.told", step="verify"),
    Boundary("where the delivery is settled, no row written", "worker", "service.store.turns:settled", after=True),
    Boundary("after the proof is recorded", "worker", f"{_RUNS}.told", after=True, step="verify"),
    Boundary("before the workflow ends", "worker", f"{_DBOS}.update_workflow_outcome"),
    Boundary("after the workflow ends", "worker", f"{_DBOS}.update_workflow_outcome", after=True),
)
"""Every one of them; the walk fails for one that is not reached."""
